"""What the shared acceleration of a joint says about the difference of two sensors' headings.

Both segments carry the same joint centre, so what their accelerometers would feel there is the same force (Seel,
Schauer & Raisch 2012, IEEE CCA, on joint positions). Where a leg bends in one plane, as in a squat, this alone tells
which of two headings, half a turn apart, is the true one; it needs no axis.
"""

from __future__ import annotations

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

SMOOTHING_S = 0.15
"""Angular acceleration is differentiated twice from orientations; movement that shows an axis is slow."""
LARGEST_ARM_M = 0.4
"""A joint centre is about as near as this to a sensor on a neighbouring segment; a weak prior on its place."""
NOISE_M_S2 = 0.5
LEAST_POWER = 0.1**2
"""Below this accelerometers say nothing [m²/s⁴]."""
HEADINGS = 72


class JointAcceleration:
    """Fits the joint's place as seen by both sensors, for any difference of headings, and tells what is left over.

    In the earth frame f_p - G_p r_p = Z(δ) (f_d - G_d r_d), where G = R ([α]× + [ω]×[ω]×): linear in the places r.
    """

    def __init__(self, proximal: FloatArray, distal: FloatArray, acc_m_s2: FloatArray, rate_hz: float) -> None:
        """proximal, distal: (n, 4) orientations. acc_m_s2: (n, 2, 3) specific force of both sensors."""
        self._proximal = _felt(proximal, acc_m_s2[:, 0], rate_hz)
        self._distal = _felt(distal, acc_m_s2[:, 1], rate_hz)
        self._headings_rad = np.linspace(-np.pi, np.pi, HEADINGS, endpoint=False)
        self._log_power = np.log(LEAST_POWER + np.array([self._left_over(one) for one in self._headings_rad]))

    def log_power(self, heading_rad: FloatArray) -> FloatArray:
        """Logarithm of the mean square [m²/s⁴] that no place of the joint explains, for each heading difference."""
        return np.interp(heading_rad, self._headings_rad, self._log_power, period=2 * np.pi)

    def _left_over(self, heading_rad: float) -> float:
        (force, lever), (d_force, d_lever) = self._proximal, self._distal
        c, s = np.cos(heading_rad), np.sin(heading_rad)
        turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        levers = np.concatenate([lever, -(turn @ d_lever)], axis=2).reshape(-1, 6)
        difference = (force - d_force @ turn.T).ravel()
        prior = (NOISE_M_S2 / LARGEST_ARM_M) ** 2 * np.eye(6)
        places = np.linalg.solve(levers.T @ levers + prior, levers.T @ difference)
        return float(np.sum((difference - levers @ places) ** 2) / len(force))


def _felt(orientation: FloatArray, acc_m_s2: FloatArray, rate_hz: float) -> tuple[FloatArray, FloatArray]:
    """In the earth frame: specific force (n, 3), and the matrix (n, 3, 3) that a place in the sensor's frame is
    multiplied by to give its acceleration relative to the sensor."""
    turn = rotations.to_rotation_vector(rotations.relative(orientation[:-2], orientation[2:])) * rate_hz / 2
    rate = _smoothed(np.concatenate([turn[:1], turn, turn[-1:]]), rate_hz)
    spin = _cross_matrices(rate)
    lever = _cross_matrices(np.gradient(rate, 1 / rate_hz, axis=0)) + spin @ spin
    columns = [rotations.rotate(orientation, np.broadcast_to(axis, acc_m_s2.shape)) for axis in np.eye(3)]
    earth = np.stack(columns, axis=-1)
    return _smoothed((earth @ acc_m_s2[:, :, None])[:, :, 0], rate_hz), earth @ lever


def _smoothed(values: FloatArray, rate_hz: float) -> FloatArray:
    size = 2 * round(SMOOTHING_S * rate_hz / 2) + 1
    window = np.hanning(size + 2)[1:-1]
    padded = np.pad(values, ((size // 2, size // 2), (0, 0)), "edge")
    return np.stack([np.convolve(one, window / window.sum(), "valid") for one in padded.T], axis=1)


def _cross_matrices(v: FloatArray) -> FloatArray:
    """(n, 3, 3) that multiply like a cross product from the left."""
    x, y, z = v.T
    o = np.zeros_like(x)
    return np.stack([np.stack([o, -z, y], -1), np.stack([z, o, -x], -1), np.stack([-y, x, o], -1)], -2)
