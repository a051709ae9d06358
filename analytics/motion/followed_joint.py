"""The excursion of a joint from its rest pose, from before its axis is known.

The first movement shows the axis, and is then gone over once more, so that nothing of it is lost.
Where one movement does not show it, that is said, and it is looked at again together with the next. Where another one
is repeated than was shown, that one is the exercise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from analytics.domain.exercise import Exercise, Side
from analytics.motion.calibration import MOVING_RAD_S, AxisFinder, ExpectedTurns, turned_deg
from analytics.motion.calibration.drawn_joint import drawn_joint_turns
from analytics.motion.calibration.hinge_axis import LEAST_SAMPLES, FunctionalHinge, functional_hinge, several_directions
from analytics.motion.calibration.walking import on_foot
from analytics.motion.joint_angle import HingeJoint
from analytics.motion.other_axis import OtherAxis
from analytics.motion.quaternion import Quaternion, Vector
from analytics.signals.samples import FloatArray

LONGEST_BUFFER_S = 30.0
"""What is remembered, to be gone over again."""
ANOTHER_MOVEMENT = "That was another movement than this exercise. Take its starting position. Do five slow repetitions."
DIRECTION_LOST = (
    "A sensor was out of reach, and this movement does not show its direction again. Go on: the next repetition will."
)
LONGEST_UNKNOWN_S = 2.0
"""About an upright axis a heading that is new stays unknown for ever: then the axis is looked for again."""
LEAST_CALIBRATION_S = 0.6
"""Shorter movements show nothing, at whatever sampling rate."""
REST_AFTER_WALK_S = 1.0
"""Who has walked sits down first: no axis is looked for until all sensors were at rest for so long."""
REST_BEFORE_S = 0.3
"""The rest pose is taken this long before the movement was noticed: it begins slower than what is noticed."""


@dataclass(frozen=True, slots=True)
class JointInstant:
    """Both segments at one instant, proximal and distal. rates_rad_s: angular rates. acc_m_s2: (2, 3) specific force.
    restarted: a heading is another than at the instant before."""

    time_s: float
    sensor_time_us: int
    proximal: Quaternion
    distal: Quaternion
    rates_rad_s: tuple[Vector, Vector]
    acc_m_s2: FloatArray
    restarted: bool


@dataclass(frozen=True, slots=True)
class Excursion:
    """How far the joint is from its rest pose, positive in the exercise's direction; error_deg is one standard
    deviation of it, skin motion apart."""

    time_s: float
    sensor_time_us: int
    excursion_deg: float
    error_deg: float
    restarted: bool


@dataclass(frozen=True, slots=True, eq=False)
class AxisShown:
    """The movement showed the axis, or (`hinge.refusal`) it did not."""

    time_s: float
    hinge: FunctionalHinge


@dataclass(frozen=True, slots=True)
class NoAxis:
    """A movement ended that was no turn about one axis. The sentence says what to do again."""

    time_s: float
    sentence: str


def _is_long_enough(movement: list[JointInstant]) -> bool:
    return len(movement) >= LEAST_SAMPLES and movement[-1].time_s - movement[0].time_s >= LEAST_CALIBRATION_S


class FollowedJoint:
    """`hinge`: what is followed, once an axis was found."""

    def __init__(self, exercise: Exercise, rate_hz: float) -> None:
        self._exercise, self._rate_hz = exercise, rate_hz
        self._drawn = drawn_joint_turns(exercise)
        self._expected = ExpectedTurns(exercise, Side.RIGHT, exercise.layouts[0].on(Side.RIGHT))
        # Who gets up from a chair turns the thigh, and hardly the shank.
        self._mover = 0 if self._drawn and abs(self._drawn.proximal_deg) > abs(self._drawn.distal_deg) else 1
        self.hinge: FunctionalHinge | None = None
        self._joint: HingeJoint | None = None
        self._shown_s: float | None = None
        self._rest_samples = round(REST_AFTER_WALK_S * rate_hz)
        self._to_rest = 0
        self._first: int | None = None
        self._unknown_s = 0.0
        self._way_out: Vector | None = None
        self._begin()

    def forget_since(self, time_s: float) -> bool:
        """What began since then was no exercise: the axis it showed, or was about to, is forgotten. Whether there was
        anything to forget."""
        pending = self._joint is None and self._first is not None
        if not pending and (self._shown_s is None or self._shown_s < time_s):
            return False
        self._joint = self.hinge = self._shown_s = None
        self._begin()
        self._to_rest = self._rest_samples
        return True

    def update(self, instant: JointInstant) -> Iterator[Excursion | AxisShown | NoAxis]:
        """Take one instant. Once the axis is found, all that was buffered comes before the newest excursion."""
        if self._first and len(self._buffer) == self._buffer.maxlen:
            self._first -= 1
        self._buffer.append(instant)
        if self._joint is not None and self.hinge is not None:
            axis = (self.hinge.proximal_axis, self.hinge.distal_axis)[self._mover]
            began_s = self._other.update(instant.time_s, instant.rates_rad_s[self._mover], axis)
            if began_s is None:
                told = list(self._follow(self._joint, instant))
                self._unknown_s = 0.0 if told else self._unknown_s + 1.0 / self._rate_hz
                yield from told
                if self._unknown_s > LONGEST_UNKNOWN_S:
                    yield NoAxis(instant.time_s, DIRECTION_LOST)
                    self._way_out = self.hinge.distal_axis
                    self._joint = self.hinge = self._shown_s = None
                    self._unknown_s = 0.0
                    self._begin(instant)
                return
            self._first = sum(one.time_s < began_s - REST_BEFORE_S for one in self._buffer)
        else:
            if instant.restarted or self._is_still_on_the_way(instant):
                self._begin(instant)
            missed = self._finder.missed
            found = self._finder.update(instant.rates_rad_s[self._mover])
            if self._finder.missed > missed:
                yield NoAxis(instant.time_s, several_directions(self._exercise.joint))
            if found is None:
                return
            if self._first is None:
                self._first = max(0, len(self._buffer) - found.length - round(REST_BEFORE_S * self._rate_hz))
        yield from self._calibrate(list(self._buffer)[self._first :])

    def _is_still_on_the_way(self, instant: JointInstant) -> bool:
        """Whether somebody who walked has not come to rest yet."""
        if self._to_rest:
            moves = any(sum(x * x for x in rate) > MOVING_RAD_S**2 for rate in instant.rates_rad_s)
            self._to_rest = self._rest_samples if moves else self._to_rest - 1
        return self._to_rest > 0

    def _calibrate(self, movement: list[JointInstant]) -> Iterator[Excursion | AxisShown]:
        if not _is_long_enough(movement):  # a step that began where walking had just been forgotten
            self._finder, self._other = self._new_finder(), self._new_watch()
            return
        hinge = self._hinge(movement)
        rates = np.array([one.rates_rad_s for one in movement])
        if self._expected.contradicts(*(turned_deg(rates[:, k], self._rate_hz) for k in (0, 1))):
            yield AxisShown(movement[-1].time_s, replace(hinge, refusal=ANOTHER_MOVEMENT))
            self._begin()
            return
        if hinge.refusal is None and self._is_way_back(hinge):
            self._begin()
            return
        yield AxisShown(movement[-1].time_s, hinge)
        self._finder, self._other = self._new_finder(), self._new_watch()
        if hinge.refusal is not None:
            return
        self._shown_s, self._way_out = movement[0].time_s, None
        self.hinge = hinge
        self._joint = HingeJoint.from_calibration(hinge, 1.0 / self._rate_hz, movement[0].time_s - movement[-1].time_s)
        for k, one in enumerate(movement):
            yield from self._follow(self._joint, one, restarted=one.restarted and k > 0)

    def _is_way_back(self, hinge: FunctionalHinge) -> bool:
        """Of somebody whose axis was lost in the midst of a repetition: it did not begin in the rest pose."""
        if self._way_out is None:
            return False
        return sum(a * b for a, b in zip(hinge.distal_axis, self._way_out, strict=True)) < 0.0

    def refine(self, start_s: float) -> None:
        """The first repetition, which began then, is whole: it shows the axis better than its first half did."""
        movement = [one for one in self._buffer if one.time_s >= start_s - REST_BEFORE_S]
        if self.hinge is None or not _is_long_enough(movement) or any(one.restarted for one in movement[1:]):
            return
        hinge = self._hinge(movement)
        if hinge.refusal is None:
            self.hinge = hinge
            self._joint = HingeJoint.from_calibration(hinge, 1.0 / self._rate_hz)

    def _begin(self, *instants: JointInstant) -> None:
        self._finder, self._other = self._new_finder(), self._new_watch()
        self._first = None
        self._buffer: deque[JointInstant] = deque(instants, maxlen=round(LONGEST_BUFFER_S * self._rate_hz))

    def _new_watch(self) -> OtherAxis:
        return OtherAxis(self._rate_hz, self._exercise.least_excursion_deg)

    def _new_finder(self) -> AxisFinder:
        return AxisFinder(self._rate_hz, self._exercise.least_excursion_deg)

    def _hinge(self, movement: list[JointInstant]) -> FunctionalHinge:
        return functional_hinge(
            np.array([one.proximal for one in movement]),
            np.array([one.distal for one in movement]),
            np.array([one.time_s for one in movement]),
            acc_m_s2=np.array([one.acc_m_s2 for one in movement]),
            joint=self._exercise.joint,
            least_excursion_deg=self._exercise.least_excursion_deg,
            drawn=self._drawn,
            on_foot=on_foot(self._exercise),
        )

    @staticmethod
    def _follow(joint: HingeJoint, one: JointInstant, *, restarted: bool | None = None) -> Iterator[Excursion]:
        restarted = one.restarted if restarted is None else restarted
        excursion = joint.excursion_deg(one.proximal, one.distal, restarted=restarted)
        if excursion is not None:
            yield Excursion(one.time_s, one.sensor_time_us, excursion, joint.error_deg, restarted)
