"""A joint angle from one sensor: how far its segment has turned about the joint's axis against gravity.

That is the joint's angle for as long as the neighbouring segment lies still, as the thigh does on a chair. Two checks
can be made. A sensor on the neighbour shows at once whether it turns. Without one, the sensor must move on a circle:
its acceleration must be explained by its own turning about a centre at a fixed place, and a neighbour that moves
quickly carries that centre with it. A neighbour that turns slowly, or about the joint's own axis and place, is not
seen by one sensor; an exercise that allows one sensor must rule it out by its position.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees, sqrt

import numpy as np

from analytics.signals.samples import FloatArray

from .gravity import LEAST_ACROSS, inclination_about_rad

GRAVITY_M_S2 = 9.81
LARGEST_NEIGHBOUR_TURN_DEG = 5.0
LEAST_ON_AXIS = 0.8
"""Share of the turning that must be about the joint's axis."""
LARGEST_MOVED_CENTRE_M_S2 = 0.5
"""RMS acceleration of the joint's centre that soft tissue and the filter's errors may feign."""


@dataclass(frozen=True, slots=True, eq=False)
class SingleSensorAngle:
    """angle_deg: (n,). error_deg: one standard deviation (n,). neighbour_seen: whether a sensor watched the neighbour.

    centre_m_s2: RMS acceleration of the joint's centre. refusal: why it is no joint angle and what to do, in one
    sentence; None where it holds.
    """

    angle_deg: FloatArray
    error_deg: FloatArray
    neighbour_seen: bool
    centre_m_s2: float
    refusal: str | None


def single_sensor_angle(
    up: FloatArray,
    rate_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    axis: FloatArray,
    zero: FloatArray,
    *,
    rate_hz: float,
    inclination_rad: float,
    neighbour_rad_s: FloatArray | None = None,
    neighbour: str = "thigh",
) -> SingleSensorAngle:
    """Angle of one movement. up, rate_rad_s, acc_m_s2: (n, 3) vertical, angular rate and specific force in the sensor's
    frame. axis: (3,) the joint's. zero: (3,) the vertical at 0°. inclination_rad: one standard deviation of `up`.
    neighbour_rad_s: (n, 3) from a sensor on the neighbouring segment. neighbour: what to call that to the patient."""
    angle = np.unwrap(inclination_about_rad(up, axis, zero))
    across = np.sqrt(np.maximum(1.0 - (up @ axis) ** 2, 0.0))
    error = np.where(across > LEAST_ACROSS, inclination_rad / np.maximum(across, LEAST_ACROSS), np.inf)
    centre = _centre_m_s2(up, rate_rad_s, acc_m_s2, rate_hz)
    refusal = None
    still = f"keep your {neighbour} still on its support, and do it again."
    on_axis = float(((rate_rad_s @ axis) ** 2).sum() / max(float((rate_rad_s**2).sum()), 1e-12))
    if neighbour_rad_s is not None and (turned := _turned_deg(neighbour_rad_s, rate_hz)) > LARGEST_NEIGHBOUR_TURN_DEG:
        refusal = f"Your {neighbour} turned by {turned:.0f}° as well, so this is not the joint's angle; {still}"
    elif centre > LARGEST_MOVED_CENTRE_M_S2:
        refusal = f"Your {neighbour} moved as well, so this is not the joint's angle; {still}"
    elif on_axis < LEAST_ON_AXIS:
        refusal = f"The movement went to the side, so this is not the joint's angle; {still}"
    return SingleSensorAngle(np.degrees(angle), np.degrees(error), neighbour_rad_s is not None, centre, refusal)


def _turned_deg(rate_rad_s: FloatArray, rate_hz: float) -> float:
    """The farthest a sensor turned from where it began, for small turns."""
    return degrees(float(np.max(np.linalg.norm(np.cumsum(rate_rad_s, axis=0) / rate_hz, axis=1))))


def _centre_m_s2(up: FloatArray, rate: FloatArray, acc: FloatArray, rate_hz: float) -> float:
    """What of the acceleration no fixed centre explains: a = (ω̇ × + ω × ω ×) r, least squares for r (Seel, Raisch &
    Schauer 2014, Sensors 14:6891, equation 9, with a centre at rest). Averaged over a tenth of a second."""
    width = max(1, round(0.1 * rate_hz))
    rate, moved = _averaged(rate, width), _averaged(acc - GRAVITY_M_S2 * up, width)
    if len(rate) < 4:
        return 0.0
    spin = np.gradient(rate, 1.0 / rate_hz, axis=0)
    swing = _cross_matrices(spin) + _cross_matrices(rate) @ _cross_matrices(rate)
    design = swing.reshape(-1, 3)
    centre, *_ = np.linalg.lstsq(design, moved.ravel(), rcond=None)
    return sqrt(3.0 * float(np.mean((moved.ravel() - design @ centre) ** 2)))


def _averaged(values: FloatArray, width: int) -> FloatArray:
    sums = np.cumsum(np.concatenate([np.zeros((1, 3)), values]), axis=0)
    return np.asarray((sums[width:] - sums[:-width]) / width)


def _cross_matrices(v: FloatArray) -> FloatArray:
    """(n, 3, 3) that multiply as v × does."""
    x, y, z = v.T
    o = np.zeros_like(x)
    return np.stack([np.stack([o, -z, y], -1), np.stack([z, o, -x], -1), np.stack([-y, x, o], -1)], -2)
