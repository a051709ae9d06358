"""VQF over a whole recording, looking both ways (Laidig & Seel 2023, section 3.6): the bias from a run forward and one
backward, specific force low-passed without delay, the heading followed forth and back."""

from __future__ import annotations

import numpy as np

from analytics.motion import rotations
from analytics.motion.orientation.lowpass import Lowpass, butterworth, steady_state
from analytics.motion.orientation.magnetic import HeadingOffset
from analytics.motion.orientation.turning import product, small_turns, unit, upright
from analytics.motion.orientation.vqf import Vqf, VqfSettings
from analytics.signals.samples import BoolArray, FloatArray


def offline_vqf(
    gyr_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    rate_hz: float,
    mag_ut: FloatArray | None = None,
    settings: VqfSettings | None = None,
) -> FloatArray:
    """Orientations (n, 4) of one sensor from its samples (n, 3), none of them NaN."""
    s = settings or VqfSettings()
    bias, disturbed = _both_ways(gyr_rad_s, acc_m_s2, rate_hz, mag_ut, s)
    strapdown = _chained(small_turns((gyr_rad_s - bias) / rate_hz))
    inertial = _zero_phase(rotations.rotate(strapdown, acc_m_s2), s.tau_acc_s, 1.0 / rate_hz)
    correction = _chained_upright(inertial)
    orientation = product(correction, strapdown)
    if mag_ut is None:
        return orientation
    field_ut = rotations.rotate(orientation, mag_ut)
    forth = _followed(field_ut, disturbed, rate_hz, s)
    heading_field = np.stack([np.sin(forth), np.cos(forth), np.zeros_like(forth)], axis=1)
    back = _followed(heading_field[::-1], disturbed[::-1], rate_hz, s)[::-1]
    return product(rotations.about_vertical(back), orientation)


def _both_ways(
    gyr: FloatArray, acc: FloatArray, rate_hz: float, mag: FloatArray | None, settings: VqfSettings
) -> tuple[FloatArray, BoolArray]:
    """Bias (n, 3), each run weighted by its information, and whether both runs found the field disturbed (n,). The run
    backward is a second sensor: time reversed, it turns the other way."""
    filter_ = Vqf(rate_hz, 2, settings)
    gyr_2, acc_2 = np.stack([gyr, -gyr[::-1]], axis=1), np.stack([acc, acc[::-1]], axis=1)
    mag_2 = None if mag is None else np.stack([mag, mag[::-1]], axis=1)
    bias, information = np.empty((len(gyr), 2, 3)), np.empty((len(gyr), 2, 3, 3))
    disturbed = np.empty((len(gyr), 2), dtype=bool)
    for i in range(len(gyr)):
        filter_.update(gyr_2[i], acc_2[i], None if mag_2 is None else mag_2[i])
        bias[i], information[i] = filter_.bias_rad_s, np.linalg.inv(filter_.bias_covariance_deg2_s2)
        disturbed[i] = filter_.disturbed
    forward, backward = information[:, 0], information[::-1, 1]
    weighted = forward @ bias[:, 0, :, None] - backward @ bias[::-1, 1, :, None]
    return np.asarray(np.linalg.solve(forward + backward, weighted))[:, :, 0], disturbed[:, 0] & disturbed[::-1, 1]


def _chained(steps: FloatArray) -> FloatArray:
    """Orientation (n, 4) after each of the turns (n, 4)."""
    chained = np.empty_like(steps)
    now = np.array([[1.0, 0.0, 0.0, 0.0]])
    for i, step in enumerate(steps[:, None]):
        now = unit(product(now, step))
        chained[i] = now
    return chained


def _chained_upright(vectors: FloatArray) -> FloatArray:
    """The turns (n, 4) that bring each vector (n, 3) to the vertical, each going on from the one before."""
    chained = np.empty((len(vectors), 4))
    now = np.array([[1.0, 0.0, 0.0, 0.0]])
    for i, vector in enumerate(vectors[:, None]):
        now = unit(product(upright(rotations.rotate(now, vector)), now))
        chained[i] = now
    return chained


def _zero_phase(x: FloatArray, tau_s: float, period_s: float) -> FloatArray:
    """x (n, m) low-passed forward, and backward from a steady state at its last value."""
    lowpass = Lowpass(tau_s, period_s, 1, x.shape[1])
    forward = np.array([lowpass.update(row)[0] for row in x[:, None]])
    b0, a1, a2 = butterworth(tau_s, period_s)
    first, second = steady_state(forward[-1], b0, a2)
    both = np.empty_like(x)
    for i in range(len(x) - 1, -1, -1):
        both[i] = b0 * forward[i] + first
        first = 2.0 * b0 * forward[i] - a1 * both[i] + second
        second = b0 * forward[i] - a2 * both[i]
    return both


def _followed(field_ut: FloatArray, disturbed: BoolArray, rate_hz: float, settings: VqfSettings) -> FloatArray:
    """Heading offsets (n,) that follow the field (n, 3)."""
    offset = HeadingOffset(1.0 / rate_hz, 1, settings.magnetic, 0.0)
    followed = np.empty(len(field_ut))
    for i in range(len(field_ut)):
        offset.update(field_ut[i : i + 1], disturbed[i : i + 1], np.ones(1, dtype=bool))
        followed[i] = offset.radians[0]
    return followed
