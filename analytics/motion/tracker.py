"""From the samples of worn sensors to joint angle, repetitions and what else a session wants to know of a movement.

Samples go in as they arrive, wherever on their segments the sensors sit; angles, the calibration, repetitions and
notes come out. The first movement shows the axis; what was buffered until then is gone over once more, so the first
repetition counts as well. A recording goes through the same object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import hypot

import numpy as np

from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.session import Calibration
from analytics.motion.calibration.walking import HOP_S, WALKED, WINDOW_S
from analytics.motion.calibration.zero import JointZero, joint_zero
from analytics.motion.events import (
    AngleSample,
    Calibrated,
    CalibrationRefused,
    RepetitionDone,
    RepetitionMotion,
    TrackerEvent,
)
from analytics.motion.followed_joint import AxisShown, Excursion, FollowedJoint, JointInstant
from analytics.motion.leaning import Leaning
from analytics.motion.repetition import CountedRepetition, NotCounted, RepetitionCounter
from analytics.motion.step_guard import StepGuard
from analytics.motion.worn import Posture, SensorNote, WornSensors
from analytics.signals.samples import FloatArray, ImuSamples

ANGLE_ERROR_DEG, SCALE_ERROR = 0.5, 0.034
"""Standard deviation of an excursion: a constant part and a share of it, fitted by likelihood to 1200 simulated
repetitions of 120 people (random mounting, thigh and skin motion, noise and bias; 25, 50 and 100 Hz), of which it
covers 68 %. At 75° it is 2.6°, what two sensors on a patient's knee were found to be off by (mean absolute error
against optics, PubMed 34287303)."""


class Tracker:
    """One object per exercise and session. `update` gives the same events however the samples were cut into packets.

    rates_hz: sampling rate of each worn segment's sensor; all are one, for the samples are on one grid of time.
    target_excursion_deg: what the program asks for; a movement that stops short of it is told, not counted.
    goniometer_deg: the joint's angle in the rest pose as a clinician measured it, where one did.
    """

    def __init__(
        self,
        exercise: Exercise,
        side: Side,
        rates_hz: Mapping[Segment, float],
        *,
        target_excursion_deg: float | None = None,
        goniometer_deg: float | None = None,
    ) -> None:
        self._exercise = exercise
        needed = tuple(part.on(side) for part in exercise.sensors.required)
        if missing := [segment for segment in needed if segment not in rates_hz]:
            raise ValueError(f"{exercise.name} needs a sensor on the {missing[0].replace('_', ' ')}; none was given.")
        if not min(rates_hz.values()) > 0:
            raise ValueError(f"A sensor's sampling rate must be above 0 Hz, not {min(rates_hz.values())}.")
        if len(set(rates_hz.values())) > 1:
            raise ValueError("The sensors' samples must be on one grid of time; see TimeGrid.")
        rate_hz = rates_hz[needed[0]]
        others = tuple(segment for segment in rates_hz if segment not in needed)
        self._needed = len(needed)
        self._worn = WornSensors(needed, others, rate_hz)
        self._leaning = Leaning(self._worn.segments, rate_hz)
        self._joint = FollowedJoint(exercise.joint, rate_hz, exercise.least_excursion_deg)
        self._zero: JointZero = joint_zero(exercise.rest_flexion_deg, goniometer_deg)
        self._counter = RepetitionCounter(exercise.least_excursion_deg, target_excursion_deg)
        self._guard = StepGuard(rate_hz)
        self._restarted = True
        self._count = 0

    def update(self, segment: Segment, samples: ImuSamples, time_s: FloatArray) -> list[TrackerEvent]:
        """Take a run of samples of one sensor with the session time (n,) of each. Segments not worn are ignored."""
        if segment not in self._worn.segments:
            return []
        return [event for one in self._worn.update(segment, samples, time_s) for event in self._heed(one)]

    def finish(self) -> list[TrackerEvent]:
        """No more samples come."""
        if (last := self._counter.finish()) is not None:
            self._guard.offer(last)
        return [*self._counter.refused(), *map(self._told, self._guard.flush())]

    def _heed(self, one: Posture | SensorNote) -> Iterator[TrackerEvent]:
        if isinstance(one, SensorNote):
            yield one
            return
        self._leaning.add(one)
        if one.known[self._needed - 1]:
            self._guard.feel(one.time_s, one.acc_m_s2[self._needed - 1])
            if self._guard.walked_s == one.time_s and self._joint.forget_since(one.time_s - WINDOW_S - HOP_S):
                yield CalibrationRefused(one.time_s, WALKED)
        self._restarted |= any(one.restarted[: self._needed])
        if not all(one.known[: self._needed]):
            return
        told = list(self._joint.update(self._instant(one)))
        self._restarted = False
        newest = told[-1] if told else None
        for each in told:
            yield from self._axis(each) if isinstance(each, AxisShown) else self._angle(each, each is newest)

    def _instant(self, one: Posture) -> JointInstant:
        proximal, distal = ((w, x, y, z) for w, x, y, z in one.orientation[:2].tolist())
        x, y, z = one.rate_rad_s[1].tolist()
        return JointInstant(
            one.time_s, one.sensor_time_us, proximal, distal, (x, y, z), one.acc_m_s2[:2], self._restarted
        )

    def _axis(self, shown: AxisShown) -> Iterator[TrackerEvent]:
        hinge = shown.hinge
        if hinge.refusal is not None:
            yield CalibrationRefused(shown.time_s, hinge.refusal)
            return
        yield Calibrated(
            Calibration(
                axis_explained=min(1.0, hinge.explained), excursion_deg=hinge.excursion_deg, zero=self._zero.source
            )
        )

    def _angle(self, one: Excursion, is_newest: bool) -> Iterator[TrackerEvent]:
        if one.restarted:
            self._counter.interrupt()
        if (done := self._counter.update(one.time_s, one.excursion_deg)) is not None:
            self._guard.offer(done)
        yield from self._counter.refused()
        yield from map(self._told, self._guard.release(one.time_s))
        if is_newest:
            yield AngleSample(
                one.time_s, one.sensor_time_us, self._flexion_deg(one.excursion_deg), one.excursion_deg, one.error_deg
            )

    def _flexion_deg(self, excursion_deg: float) -> float:
        return self._zero.flexion_deg + self._exercise.toward * excursion_deg

    def _told(self, done: CountedRepetition | NotCounted) -> RepetitionDone | NotCounted:
        if isinstance(done, NotCounted):
            return done
        self._count += 1
        if self._count == 1:
            self._joint.refine(done.start_s)
        times, excursions = np.array(done.curve).T
        return RepetitionDone(
            number=self._count,
            start_s=done.start_s,
            peak_s=done.peak_s,
            end_s=done.end_s,
            excursion_deg=done.excursion_deg,
            excursion_error_deg=hypot(ANGLE_ERROR_DEG, SCALE_ERROR * done.excursion_deg),
            peak_flexion_deg=self._flexion_deg(done.peak_deg),
            peak_velocity_deg_s=done.peak_velocity_deg_s,
            lean_deg=self._leaning.between(done.start_s, done.end_s),
            motion=RepetitionMotion(times, self._zero.flexion_deg + self._exercise.toward * excursions),
        )
