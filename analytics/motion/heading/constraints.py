"""What a joint cannot do, as an equation for the difference of headings.

For a heading difference δ, `residual` says how far the two orientations contradict the joint [rad], and how that
changes with δ. Plain numbers instead of arrays: one sample at a time, this is several times faster.

One axis: both sensors see the same axis (Lehmann, Laidig, Deimel & Seel 2020, IFAC-PapersOnLine 53:16016). Two axes:
the angle between them is fixed (Laidig, Lehmann, Bégin & Seel 2019, EMBC, 1233). Three: the joint stays within its
range of motion (Lehmann, Laidig & Seel 2020, arXiv 2002.00639).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, atan2, cos, hypot, pi, radians, sin, sqrt
from typing import ClassVar, NamedTuple, Protocol

from analytics.motion.quaternion import Quaternion, Vector, about_vertical, conjugate, multiply, rotate

TILT_ERROR_RAD = radians(1.0)
"""How far a joint axis is inclined otherwise than a filter says: VQF without magnetometer errs by 0.7° on BROAD, the
axis itself is known to about a degree."""
JOINT_ERROR_RAD = radians(6.0)
"""How far a joint strays from its two axes, or its range from what is told: on the RING chain errors of the heading are
then as large as this filter says for rigid mounts, and up to two and a half times that on foam."""
LEAST_HORIZONTAL = 0.3
"""An axis this near to the vertical (cosine of its inclination, squared) tells no heading by itself."""
SMALL_STEP_RAD = 1e-4


class Residual(NamedTuple):
    """The contradiction [rad], its change with the heading difference, and its variance [rad²]."""

    value_rad: float
    slope: float
    variance: float


class JointConstraint(Protocol):
    """Says for two orientations how far a difference of headings contradicts the joint."""

    ambiguous: ClassVar[bool]
    """Whether one pair of orientations fits several headings, so that only movement decides."""

    def at(self, proximal: Quaternion, distal: Quaternion) -> Callable[[float], Residual]:
        """The residual at this instant as a function of the heading difference [rad], which turns the distal earth
        frame into the proximal one."""


@dataclass(frozen=True, slots=True)
class HingeConstraint:
    """One axis, as unit vectors in the frames of both sensors, pointing the same way.

    The residual is the angle between the two horizontal projections, weighted by their lengths; the variance grows by
    how differently the two are inclined, which is what a loose sensor looks like.
    """

    proximal_axis: Vector
    distal_axis: Vector
    ambiguous: ClassVar[bool] = False

    def at(self, proximal: Quaternion, distal: Quaternion) -> Callable[[float], Residual]:
        px, py, pz = rotate(proximal, self.proximal_axis)
        dx, dy, dz = rotate(distal, self.distal_axis)
        p, d = hypot(px, py), hypot(dx, dy)
        weight = p * d / max(hypot(p, d), 1e-9)
        heading_rad = atan2(dx * py - dy * px, dx * px + dy * py)
        variance = TILT_ERROR_RAD**2 + (pz - dz) ** 2

        def residual(at_rad: float) -> Residual:
            return Residual(weight * ((at_rad - heading_rad + pi) % (2 * pi) - pi), weight, variance)

        return residual


@dataclass(frozen=True, slots=True)
class TwoAxisConstraint:
    """Two axes, the first fixed in the proximal, the second in the distal segment (elbow: flexion, pronation), with a
    fixed angle between them."""

    proximal_axis: Vector
    distal_axis: Vector
    cosine: float = 0.0
    error_rad: float = JOINT_ERROR_RAD
    ambiguous: ClassVar[bool] = True

    def at(self, proximal: Quaternion, distal: Quaternion) -> Callable[[float], Residual]:
        px, py, pz = rotate(proximal, self.proximal_axis)
        dx, dy, dz = rotate(distal, self.distal_axis)
        along, across, upright = px * dx + py * dy, py * dx - px * dy, pz * dz - self.cosine
        variance = 2 * TILT_ERROR_RAD**2 + self.error_rad**2

        def residual(at_rad: float) -> Residual:
            c, s = cos(at_rad), sin(at_rad)
            return Residual(along * c + across * s + upright, across * c - along * s, variance)

        return residual


@dataclass(frozen=True, slots=True)
class RangeConstraint:
    """Three angles (intrinsic Z-X-Y: flexion, abduction, rotation), each within its range [rad].

    to_proximal, to_distal: orientations of the segments in the frames of their sensors. Within the range nothing is
    known, and the uncertainty grows.
    """

    to_proximal: Quaternion
    to_distal: Quaternion
    ranges_rad: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    error_rad: float = JOINT_ERROR_RAD
    ambiguous: ClassVar[bool] = True

    def at(self, proximal: Quaternion, distal: Quaternion) -> Callable[[float], Residual]:
        back, there = conjugate(multiply(proximal, self.to_proximal)), multiply(distal, self.to_distal)
        variance = 2 * TILT_ERROR_RAD**2 + self.error_rad**2

        def beyond(at_rad: float) -> float:
            angles = zxy_angles_rad(multiply(back, multiply(about_vertical(at_rad), there)))
            excess = (_outside(a, low, high) for a, (low, high) in zip(angles, self.ranges_rad, strict=True))
            return sqrt(sum(e * e for e in excess))

        def residual(at_rad: float) -> Residual:
            value = beyond(at_rad)
            slope = (beyond(at_rad + SMALL_STEP_RAD) - value) / SMALL_STEP_RAD if value else 0.0
            return Residual(value, slope, variance)

        return residual


def zxy_angles_rad(q: Quaternion) -> tuple[float, float, float]:
    """Intrinsic Z-X-Y angles [rad] of a unit quaternion."""
    w, x, y, z = q
    return (
        atan2(2 * (w * z - x * y), 1 - 2 * (x * x + z * z)),
        asin(max(-1.0, min(1.0, 2 * (w * x + y * z)))),
        atan2(2 * (w * y - x * z), 1 - 2 * (x * x + y * y)),
    )


def _outside(angle_rad: float, low_rad: float, high_rad: float) -> float:
    """How far an angle lies outside a range, the shorter way round the circle."""
    middle, half = (low_rad + high_rad) / 2, (high_rad - low_rad) / 2
    return max(0.0, abs((angle_rad - middle + pi) % (2 * pi) - pi) - half)
