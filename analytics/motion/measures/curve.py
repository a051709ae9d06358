"""Curves on an even grid and their derivatives, in NumPy alone."""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.signals.samples import FloatArray

LONGEST_GAP_S = 0.3
"""A longer silence may hide a turning point; the repetition counter does not judge such a movement either."""
LEAST_SAMPLES = 10
WINDOW_S = 0.25
"""Derivatives are taken of polynomials fitted over so long. That passes movement up to 5 Hz (-3 dB), about the usual
limit for human movement (6 Hz; Winter, Biomechanics and Motor Control of Human Movement), and leaves out most of a
sensor's noise. At 0.2 s the figures of docs/measures.md are a third worse, and jerk depends on the sampling rate."""


def even(time_s: FloatArray, *columns: FloatArray) -> tuple[FloatArray, tuple[FloatArray, ...], float]:
    """Curves (n,) or (n, k) on an even grid at their own median rate: times, curves, rate [Hz].

    Raises UnmeasurableError where samples are missing, not finite or out of order.
    """
    time_s = np.asarray(time_s, dtype=np.float64)
    columns = tuple(np.asarray(one, dtype=np.float64) for one in columns)
    if any(len(one) != len(time_s) for one in columns):
        raise ValueError("Curves and times must be of the same length.")
    if len(time_s) < LEAST_SAMPLES:
        raise UnmeasurableError("The movement was too short to be measured.")
    steps = np.diff(time_s)
    if not all(np.isfinite(one).all() for one in (time_s, *columns)) or steps.max() > LONGEST_GAP_S:
        raise UnmeasurableError("The movement was not measured completely: the sensor was silent for a moment.")
    if steps.min() <= 0:
        raise UnmeasurableError("The movement's times are out of order; record it again.")
    period_s = float(np.median(steps))
    grid = np.linspace(time_s[0], time_s[-1], max(2, round((time_s[-1] - time_s[0]) / period_s) + 1))
    on_grid = tuple(
        np.stack([np.interp(grid, time_s, axis) for axis in np.atleast_2d(one.T)], axis=-1).reshape(-1, *one.shape[1:])
        for one in columns
    )
    return grid, on_grid, (len(grid) - 1) / float(grid[-1] - grid[0])


def derivative(values: FloatArray, rate_hz: float, order: int = 1, degree: int = 4) -> FloatArray:
    """Derivative of curves (n,) or (n, k) by polynomials fitted to a window about each sample (Savitzky & Golay 1964,
    Anal. Chem. 36:1627); at both ends, of the last whole window's polynomial.

    Of degree 4 it is exact for the velocity of a minimum-jerk movement, whatever the window.
    """
    half = max(degree // 2 + degree % 2, round(WINDOW_S * rate_hz / 2))
    half = min(half, (len(values) - 1) // 2)
    if 2 * half + 1 <= degree:
        raise UnmeasurableError("The movement was too short to be measured.")
    offsets = np.arange(-half, half + 1.0)
    fit = np.linalg.pinv(np.vander(offsets / half, degree + 1, increasing=True))
    scale = (rate_hz / half) ** order
    windows = sliding_window_view(values, 2 * half + 1, axis=0)
    inner = windows @ fit[order] * (factorial(order) * scale)
    powers = np.arange(order, degree + 1)
    falling = np.array([factorial(p) / factorial(p - order) for p in powers])
    at_edge = (np.power.outer(offsets / half, powers - order) * falling) @ fit[order:] * scale
    head = np.tensordot(at_edge[:half], windows[0], axes=(-1, -1))
    tail = np.tensordot(at_edge[half + 1 :], windows[-1], axes=(-1, -1))
    return np.concatenate([head, inner, tail])
