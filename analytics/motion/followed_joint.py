"""The excursion of a joint from its rest pose, from before its axis is known.

The first movement shows the axis, and is then gone over once more, so that nothing of it is lost.
Where one movement does not show it, that is said, and it is looked at again together with the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analytics.motion.calibration import AxisFinder
from analytics.motion.calibration.hinge_axis import FunctionalHinge, functional_hinge
from analytics.motion.joint_angle import HingeJoint
from analytics.motion.quaternion import Quaternion, Vector
from analytics.signals.samples import FloatArray

LONGEST_BUFFER_S = 30.0
"""What is remembered while the axis is unknown."""
REST_BEFORE_S = 0.3
"""The rest pose is taken this long before the movement was noticed: it begins slower than what is noticed."""


@dataclass(frozen=True, slots=True)
class JointInstant:
    """Both segments at one instant. acc_m_s2: (2, 3) specific force of both sensors. restarted: a heading is another
    than at the instant before."""

    time_s: float
    sensor_time_us: int
    proximal: Quaternion
    distal: Quaternion
    distal_rate_rad_s: Vector
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


class FollowedJoint:
    """joint: what to call it to the patient."""

    def __init__(self, joint: str, rate_hz: float, least_excursion_deg: float) -> None:
        self._name, self._rate_hz, self._least_deg = joint, rate_hz, least_excursion_deg
        self._joint: HingeJoint | None = None
        self._finder = self._new_finder()
        self._first: int | None = None
        self._shown_s: float | None = None
        self._begin()

    def forget_since(self, time_s: float) -> bool:
        """What began since then was no exercise: the axis it showed, or was about to, is forgotten. Whether there was
        anything to forget."""
        pending = self._joint is None and self._first is not None
        if not pending and (self._shown_s is None or self._shown_s < time_s):
            return False
        self._joint = self._shown_s = None
        self._begin()
        return True

    def update(self, instant: JointInstant) -> Iterator[Excursion | AxisShown]:
        """Take one instant. Once the axis is found, all that was buffered comes before the newest excursion."""
        if self._joint is not None:
            if self._buffer:
                self._buffer.append(instant)
            yield from self._follow(self._joint, instant)
            return
        if instant.restarted:
            self._begin()
        if self._first and len(self._buffer) == self._buffer.maxlen:
            self._first -= 1
        self._buffer.append(instant)
        found = self._finder.update(instant.distal_rate_rad_s)
        if found is None:
            return
        if self._first is None:
            self._first = max(0, len(self._buffer) - found.length - round(REST_BEFORE_S * self._rate_hz))
        samples = list(self._buffer)[self._first :]
        hinge = self._hinge(samples)
        yield AxisShown(instant.time_s, hinge)
        if hinge.refusal is not None:
            self._finder = self._new_finder()
            return
        self._shown_s = samples[0].time_s
        self._joint = HingeJoint.from_calibration(hinge, 1.0 / self._rate_hz, samples[0].time_s - samples[-1].time_s)
        for k, one in enumerate(samples):
            yield from self._follow(self._joint, one, restarted=one.restarted and k > 0)

    def refine(self, start_s: float) -> None:
        """The first repetition, which began then, is whole: it shows the axis better than its first half did."""
        movement = [one for one in self._buffer if one.time_s >= start_s - REST_BEFORE_S]
        self._buffer.clear()
        if any(one.restarted for one in movement[1:]):
            return
        hinge = self._hinge(movement)
        if hinge.refusal is None:
            self._joint = HingeJoint.from_calibration(hinge, 1.0 / self._rate_hz)

    def _begin(self) -> None:
        self._finder = self._new_finder()
        self._first = None
        self._buffer: deque[JointInstant] = deque(maxlen=round(LONGEST_BUFFER_S * self._rate_hz))

    def _new_finder(self) -> AxisFinder:
        return AxisFinder(self._rate_hz, self._least_deg)

    def _hinge(self, movement: list[JointInstant]) -> FunctionalHinge:
        return functional_hinge(
            np.array([one.proximal for one in movement]),
            np.array([one.distal for one in movement]),
            np.array([one.time_s for one in movement]),
            acc_m_s2=np.array([one.acc_m_s2 for one in movement]),
            joint=self._name,
            least_excursion_deg=self._least_deg,
        )

    @staticmethod
    def _follow(joint: HingeJoint, one: JointInstant, *, restarted: bool | None = None) -> Iterator[Excursion]:
        restarted = one.restarted if restarted is None else restarted
        excursion = joint.excursion_deg(one.proximal, one.distal, restarted=restarted)
        if excursion is not None:
            yield Excursion(one.time_s, one.sensor_time_us, excursion, joint.error_deg, restarted)
