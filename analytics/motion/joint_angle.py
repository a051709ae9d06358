"""The angle of a joint with one axis, from the orientations of the two segments.

The relative orientation, compared with the one at rest, is split into a turn about the joint's axis, which is the
excursion, and the rest, which is discarded (swing-twist). Sensors need not be aligned with anything: what counts is
the axis as each sensor sees it.
"""

from __future__ import annotations

from math import atan2, degrees, pi

from analytics.motion.heading import horizontal_angle
from analytics.motion.quaternion import Quaternion, Vector, about_vertical, conjugate, multiply, rotate

HEADING_TIME_CONSTANT_S = 5.0
"""How slowly the heading difference is corrected: slower than a repetition, so that soft tissue averages out, and
much faster than two gyroscopes drift apart (a degree per minute once their biases are known)."""
LEAST_HORIZONTAL = 0.3
"""An axis this near to the vertical (cosine of its inclination, squared) tells no heading."""


class HingeJoint:
    """Excursion of a hinge from its rest pose, sample by sample, with a causal constraint on the heading difference.

    axis: joint axis in the distal sensor's frame, positive in the exercise's direction. proximal, distal:
    orientations in the rest pose. heading_rad: turn about the vertical that brings the distal earth frame into the
    proximal one.
    """

    def __init__(
        self, axis: Vector, proximal: Quaternion, distal: Quaternion, heading_rad: float, period_s: float
    ) -> None:
        self._gain = period_s / HEADING_TIME_CONSTANT_S
        self._heading_rad = heading_rad
        self._heading_known = True
        self._axis = axis
        self._rest = multiply(conjugate(proximal), multiply(about_vertical(heading_rad), distal))
        self._proximal_axis = rotate(self._rest, axis)

    def excursion_deg(self, proximal: Quaternion, distal: Quaternion, *, restarted: bool) -> float | None:
        """Excursion at this sample, -180 … 180.

        restarted: a filter's heading is new, so the difference is found anew from the axis; None from then on for as
        long as the axis is too near to the vertical to tell.
        """
        there = rotate(proximal, self._proximal_axis)
        here = rotate(distal, self._axis)
        angle, defined = horizontal_angle(here, there)
        self._heading_known = self._heading_known and not restarted
        if not self._heading_known:
            if defined < LEAST_HORIZONTAL:
                return None
            self._heading_rad, self._heading_known = angle, True
        else:
            error = (angle - self._heading_rad + pi) % (2 * pi) - pi
            self._heading_rad += self._gain * defined * error
        relative = multiply(conjugate(proximal), multiply(about_vertical(self._heading_rad), distal))
        w, x, y, z = multiply(relative, conjugate(self._rest))
        ax, ay, az = self._proximal_axis
        twist = 2 * atan2(x * ax + y * ay + z * az, w)
        return degrees((twist + pi) % (2 * pi) - pi)
