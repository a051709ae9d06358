"""An exercise followed by an angle: of two sensors the one between them, of one sensor how far it turns.

One sensor is the joint's distal one whose neighbour lies still: the earth takes the neighbour's place, and everything
else is the same. Whether the neighbour did lie still is asked after each movement.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot, inf

import numpy as np

from analytics.domain.exercise import Exercise, Layout
from analytics.domain.session import Calibration
from analytics.motion.alone import Alone
from analytics.motion.calibration.walking import HOP_S, WALKED, WINDOW_S, on_foot
from analytics.motion.calibration.zero import joint_zero
from analytics.motion.events import (
    AngleSample,
    Calibrated,
    CalibrationRefused,
    RepetitionDone,
    RepetitionMotion,
    TrackerEvent,
)
from analytics.motion.followed_joint import AxisShown, Excursion, FollowedJoint, JointInstant, NoAxis
from analytics.motion.measuring import Measuring
from analytics.motion.orientation.filter import GRAVITY_M_S2
from analytics.motion.repetition import CountedRepetition, NotCounted, RepetitionCounter
from analytics.motion.step_guard import StepGuard
from analytics.motion.worn import Posture

ANGLE_ERROR_DEG, SCALE_ERROR = 0.5, 0.034
"""Standard deviation of an excursion: a constant part and a share of it, fitted by likelihood to 1200 simulated
repetitions of 120 people (random mounting, thigh and skin motion, noise and bias; 25, 50 and 100 Hz), of which it
covers 68 %. At 75° it is 2.6°, what two sensors on a patient's knee were found to be off by (mean absolute error
against optics, PubMed 34287303)."""
ALONE_SCALE_ERROR = 0.1
"""With one sensor its neighbour turns unseen: thighs lift by 9 to 12 % of a seated knee extension (UCI)."""
SAME_S = 0.5
"""Two repetitions that share more are one."""
EARTH = (1.0, 0.0, 0.0, 0.0)
FORCE_AT_REST = np.array([0.0, 0.0, GRAVITY_M_S2])


class ByAngle:
    """layout: its segments are the first rows of every `Posture`."""

    def __init__(
        self,
        exercise: Exercise,
        layout: Layout,
        rate_hz: float,
        measuring: Measuring,
        *,
        target_excursion_deg: float | None,
        goniometer_deg: float | None,
    ) -> None:
        self._exercise, self._measuring = exercise, measuring
        self._distal = len(layout.segments) - 1
        self._joint = FollowedJoint(exercise, rate_hz)
        self._alone = Alone(layout, rate_hz) if layout.still else None
        self._zero = joint_zero(exercise.rest_flexion_deg, goniometer_deg)
        self._target_deg = target_excursion_deg
        self._counter = self._new_counter()
        self._guard = StepGuard(rate_hz) if on_foot(exercise) else None
        self._restarted = True
        self._count = 0
        self._counted_until_s = -inf

    def update(self, one: Posture) -> Iterator[TrackerEvent]:
        """Take one instant."""
        distal = self._distal
        if self._guard is not None and one.known[distal]:
            self._guard.feel(one.time_s, one.acc_m_s2[distal])
            if self._guard.walked_s == one.time_s and self._joint.forget_since(one.time_s - WINDOW_S - HOP_S):
                yield CalibrationRefused(one.time_s, WALKED)
            yield from map(self._told, self._guard.release(one.time_s))
        self._restarted |= any(one.restarted[: distal + 1])
        if not all(one.known[: distal + 1]):
            return
        if self._alone is not None:
            self._alone.add(one)
        told = list(self._joint.update(self._instant(one)))
        self._restarted = False
        newest = told[-1] if told else None
        for each in told:
            match each:
                case NoAxis():
                    yield CalibrationRefused(each.time_s, each.sentence)
                case AxisShown():
                    yield from self._axis(each)
                case Excursion():
                    yield from self._angle(each, each is newest)

    def finish(self) -> Iterator[TrackerEvent]:
        """No more samples come."""
        last = self._counter.finish()
        yield from self._counter.refused()
        if last is not None:
            yield from self._offer(last)
        if self._guard is not None:
            yield from map(self._told, self._guard.flush())

    def _new_counter(self) -> RepetitionCounter:
        exercise = self._exercise
        return RepetitionCounter(exercise.least_excursion_deg, self._target_deg, exercise.repetition.hold_s)

    def _instant(self, one: Posture) -> JointInstant:
        pair = slice(0, 2) if self._distal else [0, 0]
        proximal, distal = ((w, x, y, z) for w, x, y, z in one.orientation[pair].tolist())
        inner, outer = ((x, y, z) for x, y, z in one.rate_rad_s[pair].tolist())
        acc_m_s2 = one.acc_m_s2[pair]
        if not self._distal:
            proximal, inner, acc_m_s2 = EARTH, (0.0, 0.0, 0.0), np.stack([FORCE_AT_REST, acc_m_s2[1]])
        return JointInstant(one.time_s, one.sensor_time_us, proximal, distal, (inner, outer), acc_m_s2, self._restarted)

    def _axis(self, shown: AxisShown) -> Iterator[TrackerEvent]:
        hinge = shown.hinge
        if hinge.refusal is not None:
            yield CalibrationRefused(shown.time_s, hinge.refusal)
            return
        self._counter = self._new_counter()
        yield Calibrated(
            Calibration(
                axis_explained=min(1.0, hinge.explained), excursion_deg=hinge.excursion_deg, zero=self._zero.source
            )
        )

    def _angle(self, one: Excursion, is_newest: bool) -> Iterator[TrackerEvent]:
        self._measuring.follow(one.time_s, one.excursion_deg)
        if one.restarted:
            self._counter.interrupt()
        done = self._counter.update(one.time_s, one.excursion_deg)
        if done is not None and done.start_s < self._counted_until_s - SAME_S:
            done = None  # gone over again about another axis, and counted already
        yield from self._counter.refused()
        if done is not None:
            yield from self._offer(done)
        if is_newest:
            yield AngleSample(
                one.time_s, one.sensor_time_us, self._flexion_deg(one.excursion_deg), one.excursion_deg, one.error_deg
            )

    def _offer(self, done: CountedRepetition) -> Iterator[TrackerEvent]:
        """A movement that ended: of one that must not count the reason, of one that may be a step later more."""
        self._counted_until_s = done.end_s
        hinge = self._joint.hinge
        if self._alone and hinge and (refused := self._alone.judge(done, hinge.distal_axis)) is not None:
            yield refused
        elif self._guard is None:
            yield self._told(done)
        else:
            self._guard.offer(done)

    def _error_deg(self, excursion_deg: float) -> float:
        share = SCALE_ERROR if self._alone is None else ALONE_SCALE_ERROR
        return hypot(ANGLE_ERROR_DEG, share * excursion_deg)

    def _flexion_deg(self, excursion_deg: float) -> float:
        return self._zero.flexion_deg + self._exercise.toward * excursion_deg

    def _told(self, done: CountedRepetition | NotCounted) -> RepetitionDone | NotCounted:
        if isinstance(done, NotCounted):
            return done
        self._count += 1
        if self._count == 1:
            self._joint.refine(done.start_s)
        error_deg = self._error_deg(done.excursion_deg)
        times, excursions = np.array(done.curve).T
        return RepetitionDone(
            number=self._count,
            start_s=done.start_s,
            peak_s=done.peak_s,
            end_s=done.end_s,
            excursion_deg=done.excursion_deg,
            excursion_error_deg=error_deg,
            peak_flexion_deg=self._flexion_deg(done.peak_deg),
            peak_velocity_deg_s=done.peak_velocity_deg_s,
            motion=RepetitionMotion(times, self._zero.flexion_deg + self._exercise.toward * excursions),
            measures=self._measuring.of(done, error_deg),
        )
