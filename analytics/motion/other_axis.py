"""Notices that somebody does another movement than the one that showed the axis: lifting an arm into place before
turning it, sitting down before the knee is stretched. What is repeated is the exercise."""

from __future__ import annotations

from math import cos, radians

from analytics.motion.calibration import AxisFinder
from analytics.motion.quaternion import Vector

WAYS_IN_A_ROW = 3
"""Out, back and out again: getting into place is one way or two."""
OTHER_DEG, ALIKE_DEG = 40.0, 25.0
"""An axis is another from the one on; ways are about the same axis within the other."""


class OtherAxis:
    """Watches the distal sensor's angular rate beside a joint that is followed."""

    def __init__(self, rate_hz: float, least_excursion_deg: float) -> None:
        self._rate_hz, self._least_deg = rate_hz, least_excursion_deg
        self._finder = AxisFinder(rate_hz, least_excursion_deg)
        self._ways: list[tuple[float, Vector]] = []

    def update(self, time_s: float, rate_rad_s: Vector, axis: Vector) -> float | None:
        """Take one sample; axis: the joint's. Answers with when the first of several ways about another one began."""
        found = self._finder.update(rate_rad_s)
        if found is None:
            return None
        self._finder = AxisFinder(self._rate_hz, self._least_deg)
        if _alike(found.axis, axis, OTHER_DEG):
            self._ways.clear()
            return None
        if self._ways and not _alike(found.axis, self._ways[-1][1], ALIKE_DEG):
            self._ways.clear()
        self._ways.append((time_s - found.length / self._rate_hz, found.axis))
        return self._ways[0][0] if len(self._ways) >= WAYS_IN_A_ROW else None


def _alike(a: Vector, b: Vector, within_deg: float) -> bool:
    """As lines, for the way back turns the other way round."""
    return abs(sum(x * y for x, y in zip(a, b, strict=True))) > cos(radians(within_deg))
