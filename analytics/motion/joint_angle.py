"""The angle of a joint with one axis, from the orientations of the two segments.

The relative orientation, compared with the one at rest, is split into a turn about the joint's axis, which is the
excursion, and the rest, which is discarded (swing-twist). Sensors need not be aligned with anything: what counts is
the axis as each sensor sees it.
"""

from __future__ import annotations

from math import atan2, cos, degrees, hypot, pi, sin

from analytics.motion.calibration.hinge_axis import FunctionalHinge
from analytics.motion.heading import Heading, HingeConstraint, RelativeHeading
from analytics.motion.heading.constraints import TILT_ERROR_RAD
from analytics.motion.quaternion import Quaternion, Vector, about_vertical, conjugate, multiply, rotate

UP = (0.0, 0.0, 1.0)


class HingeJoint:
    """Excursion of a hinge from its rest pose, sample by sample, with a causal constraint on the heading difference.

    axis: joint axis in the distal sensor's frame, positive in the exercise's direction. proximal, distal:
    orientations in the rest pose. heading_rad: turn about the vertical that brings the distal earth frame into the
    proximal one. `from_calibration` where a movement has shown more.
    """

    def __init__(
        self, axis: Vector, proximal: Quaternion, distal: Quaternion, heading_rad: float, period_s: float
    ) -> None:
        rest = multiply(conjugate(proximal), multiply(about_vertical(heading_rad), distal))
        heading = RelativeHeading(HingeConstraint(rotate(rest, axis), axis), heading_rad)
        self._begin(axis, rest, rotate(conjugate(proximal), UP), heading, period_s)

    @classmethod
    def from_calibration(cls, hinge: FunctionalHinge, period_s: float, since_s: float = 0.0) -> HingeJoint:
        """The joint as a calibration movement showed it: its zero is the pose in which that movement began.

        since_s: how long after the calibration's last sample the first one given is; negative to go over its own
        samples once more.
        """
        joint = cls.__new__(cls)
        heading = RelativeHeading(
            HingeConstraint(hinge.proximal_axis, hinge.distal_axis),
            hinge.heading_rad + hinge.drift_rad_s * since_s,
            max(hinge.heading_error_rad, TILT_ERROR_RAD),
            hinge.drift_rad_s,
        )
        joint._begin(hinge.distal_axis, hinge.start, hinge.start_up, heading, period_s)
        return joint

    def _begin(
        self, axis: Vector, rest: Quaternion, rest_up: Vector, heading: RelativeHeading, period_s: float
    ) -> None:
        """rest_up: the vertical as the proximal sensor saw it in the rest pose."""
        self._axis, self._from_rest, self._rest_up = axis, conjugate(rest), rest_up
        self._heading, self._period_s = heading, period_s
        self._upright = 0.0
        self.heading: Heading | None = None

    def excursion_deg(self, proximal: Quaternion, distal: Quaternion, *, restarted: bool) -> float | None:
        """Excursion at this sample, -180 … 180.

        restarted: a filter's heading is new, so the difference is found anew from the axis; None from then on for as
        long as the axis is too near to the vertical to tell.
        """
        if restarted:
            self._heading.restart()
        self.heading = self._heading.update(proximal, distal, self._period_s)
        if not self.heading.known:
            return None
        self._upright = rotate(distal, self._axis)[2]
        turned = multiply(about_vertical(self.heading.heading_rad), distal)
        w, x, y, z = multiply(self._from_rest, multiply(self._learned_of_rest(), multiply(conjugate(proximal), turned)))
        ax, ay, az = self._axis
        twist = 2 * atan2(x * ax + y * ay + z * az, w)
        return degrees((twist + pi) % (2 * pi) - pi)

    def _learned_of_rest(self) -> Quaternion:
        """Undoes, in the rest pose, what its heading is now known to have been wrong by."""
        assert self.heading is not None
        half = -self.heading.start_shift_rad / 2
        x, y, z = self._rest_up
        return (cos(half), x * sin(half), y * sin(half), z * sin(half))

    @property
    def error_deg(self) -> float:
        """Standard deviation of the last excursion, skin motion apart: both inclinations, and of the heading what an
        upright axis lets through."""
        if self.heading is None or not self.heading.known:
            return 180.0
        return min(180.0, degrees(hypot(2**0.5 * TILT_ERROR_RAD, self._upright * self.heading.since_start_rad)))
