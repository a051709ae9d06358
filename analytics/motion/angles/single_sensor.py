"""Whether one sensor alone tells a joint's angle: only for as long as the neighbouring segment lies still, as the thigh
does on a chair.

A sensor on the neighbour shows at once whether it turns. Without one, the sensor must move on a circle: its
acceleration must be explained by its own turning about a centre at a fixed place, and a neighbour that moves quickly
carries that centre with it. A neighbour that turns slowly, or about the joint's own axis and place, is not seen by one
sensor; an exercise that allows one sensor must rule it out by its position.
"""

from __future__ import annotations

from math import degrees, sqrt

import numpy as np

from analytics.signals.samples import FloatArray

GRAVITY_M_S2 = 9.81
LARGEST_NEIGHBOUR_TURN_DEG = 5.0
LEAST_ON_AXIS = 0.8
"""Share of the turning that must be about the joint's axis."""
LARGEST_MOVED_CENTRE_M_S2 = 0.5
"""RMS acceleration of the joint's centre that soft tissue and the filter's errors may feign."""


def single_sensor_refusal(
    up: FloatArray,
    rate_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    axis: FloatArray,
    *,
    rate_hz: float,
    neighbour_rad_s: FloatArray | None = None,
    neighbour: str = "thigh",
) -> str | None:
    """Why the sensor's turn in one movement was not the joint's and what to do, to follow a colon; None where it was.

    up, rate_rad_s, acc_m_s2: (n, 3) vertical, angular rate and specific force in the sensor's frame. axis: (3,) the
    joint's. neighbour_rad_s: (n, 3) from a sensor on the neighbouring segment. neighbour: what to call that to the
    patient.
    """
    still = f"keep your {neighbour} still on its support, and do it again."
    if neighbour_rad_s is not None and (turned := _turned_deg(neighbour_rad_s, rate_hz)) > LARGEST_NEIGHBOUR_TURN_DEG:
        return f"your {neighbour} turned by {turned:.0f}° as well, so this is not the joint's angle; {still}"
    if centre_m_s2(up, rate_rad_s, acc_m_s2, rate_hz) > LARGEST_MOVED_CENTRE_M_S2:
        return f"your {neighbour} moved as well, so this is not the joint's angle; {still}"
    on_axis = float(((rate_rad_s @ axis) ** 2).sum() / max(float((rate_rad_s**2).sum()), 1e-12))
    if on_axis < LEAST_ON_AXIS:
        return f"the movement went to the side, so this is not the joint's angle; {still}"
    return None


def _turned_deg(rate_rad_s: FloatArray, rate_hz: float) -> float:
    """The farthest a sensor turned from where it began, for small turns."""
    return degrees(float(np.max(np.linalg.norm(np.cumsum(rate_rad_s, axis=0) / rate_hz, axis=1))))


def centre_m_s2(up: FloatArray, rate: FloatArray, acc: FloatArray, rate_hz: float) -> float:
    """RMS acceleration of the joint's centre: what no fixed centre explains of a = (ω̇ × + ω × ω ×) r, least squares
    for r (Seel, Raisch & Schauer 2014, Sensors 14:6891, equation 9, with a centre at rest). Averaged over a tenth of a
    second."""
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
