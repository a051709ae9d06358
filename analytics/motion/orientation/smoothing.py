"""Orientation after the session: the filter once forward, then a Rauch-Tung-Striebel smoother back over its corrections
(Rauch, Tung, Striebel 1965), so that every sample is judged with what came after it as well."""

from __future__ import annotations

import numpy as np

from analytics.motion import rotations
from analytics.motion.orientation.error_state import Correction, FilterSettings
from analytics.motion.orientation.filter import OrientationFilter
from analytics.signals.samples import BoolArray, FloatArray


def online_and_smoothed(
    gyr_rad_s: FloatArray,
    acc_m_s2: FloatArray,
    rate_hz: float,
    clipped: BoolArray | None = None,
    settings: FilterSettings | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Orientations (n, k, 4) of k sensors from their samples (n, k, 3), NaN where a sensor has none: as the filter
    gives them on the way, and smoothed. clipped: (n, k, 2) as in `OrientationFilter.update`. Headings are arbitrary.
    Holds about 8 kB per tenth of a second and sensor while it works."""
    samples, sensors = gyr_rad_s.shape[:2]
    forward = OrientationFilter(rate_hz, sensors, settings)
    orientation = np.empty((samples, sensors, 4))
    corrections: list[Correction] = []
    for i in range(samples):
        orientation[i] = forward.update(gyr_rad_s[i], acc_m_s2[i], clipped=None if clipped is None else clipped[i])
        if forward.correction is not None:
            corrections.append(forward.correction)
    if not corrections:
        return orientation, orientation
    turns = _turns(corrections, forward.stretch_samples)
    rest = np.broadcast_to(turns[-1] * [0.0, 0.0, 1.0], (samples - len(turns), sensors, 3))
    return orientation, rotations.multiply(rotations.from_rotation_vector(np.concatenate([turns, rest])), orientation)


def _turns(corrections: list[Correction], stretch_samples: int) -> FloatArray:
    """What each sample of the stretches is to be turned by (m, k, 3)."""
    start, end = _errors(corrections)
    heading = np.cumsum([np.einsum("ki,ki->k", c.heading, e) for c, e in zip(corrections, start, strict=True)], axis=0)
    first = np.concatenate([start[..., :2], np.concatenate([0.0 * heading[:1], heading[:-1]])[..., None]], axis=-1)
    last = np.concatenate([end[..., :2], heading[..., None]], axis=-1)
    share = (np.arange(1, stretch_samples + 1) / stretch_samples)[:, None, None]
    turns = first[:, None] + share * (last - first)[:, None]
    # The stretch's last sample has the filter's own correction already.
    turns[:, -1, :, :2] -= np.stack([c.change[:, :2] for c in corrections])
    return np.asarray(turns.reshape(-1, *turns.shape[2:]))


def _errors(corrections: list[Correction]) -> tuple[FloatArray, FloatArray]:
    """Smoothed errors (m, k, 17): of the estimates that each stretch began with, and of those that it ended with before
    it was corrected."""
    start, end = np.zeros((2, len(corrections), *corrections[0].change.shape))
    error = np.zeros_like(corrections[0].change)
    for i in range(len(corrections) - 1, -1, -1):
        now = corrections[i]
        end[i] = now.change + error
        if i:
            surprise = np.linalg.solve(now.before, end[i][:, :, None])
            error = (corrections[i - 1].after @ now.transition.swapaxes(1, 2) @ surprise)[:, :, 0]
            start[i] = error
    return start, end
