"""A second-order Butterworth low-pass for many sensors at once, begun without a transient (VQF, section 3.2)."""

from __future__ import annotations

from math import sqrt, tan

import numpy as np

from analytics.signals.samples import BoolArray, FloatArray


def butterworth(tau_s: float, period_s: float) -> tuple[float, float, float]:
    """b0, a1, a2 of the bilinear transform; b1 = 2 b0 and b2 = b0. The cut-off is √2 / (2π tau), at which the step
    response has the rise of a first-order filter of time constant tau."""
    c = tan(period_s / (sqrt(2.0) * tau_s))
    denominator = c * c + sqrt(2.0) * c + 1.0
    return c * c / denominator, 2.0 * (c * c - 1.0) / denominator, (c * c - sqrt(2.0) * c + 1.0) / denominator


def held(new: FloatArray, old: FloatArray, live: BoolArray | None) -> FloatArray:
    """`new` where a sensor has a sample, `old` where it has none. live: (k,), or None where all have one."""
    return new if live is None else np.where(live.reshape(-1, *[1] * (new.ndim - 1)), new, old)


def steady_state(mean: FloatArray, b0: float, a2: float) -> tuple[FloatArray, FloatArray]:
    """The filter's two memories (transposed direct form II) after an endless run of `mean`."""
    return mean * (1.0 - b0), mean * (b0 - a2)


class Lowpass:
    """Rows are sensors. Until `tau_s` has passed, a row answers the mean of what it has seen, and then starts there."""

    def __init__(self, tau_s: float, period_s: float, sensors: int, channels: int) -> None:
        self._b0, self._a1, self._a2 = butterworth(tau_s, period_s)
        self._starts_s, self._period_s = tau_s, period_s
        self._first, self._second, self._sum = np.zeros((3, sensors, channels))
        self._count = np.zeros(sensors)
        self._started = np.zeros(sensors, dtype=bool)
        self._all_started = False
        self.value: FloatArray = np.zeros((sensors, channels))

    def restart(self, rows: BoolArray) -> None:
        """Forget what these rows (k,) have seen."""
        self._sum[rows], self._count[rows], self._started[rows], self._all_started = 0.0, 0.0, False, False

    def update(self, x: FloatArray, live: BoolArray | None = None) -> FloatArray:
        """One sample (k, m) in, its low-pass (k, m) out; rows that are not live keep their value."""
        new = self._b0 * x
        y = new + self._first
        first = 2.0 * new - self._a1 * y + self._second
        second = new - self._a2 * y
        if not self._all_started:
            y, first, second = self._start(x, live, y, first, second)
        self._first, self._second = held(first, self._first, live), held(second, self._second, live)
        self.value = held(y, self.value, live)
        return self.value

    def _start(
        self, x: FloatArray, live: BoolArray | None, y: FloatArray, first: FloatArray, second: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        going = self._started[:, None].copy()
        self._sum = held(self._sum + x, self._sum, live)
        self._count = held(self._count + 1.0, self._count, live)
        mean = self._sum / np.maximum(self._count, 1.0)[:, None]
        self._started |= self._count * self._period_s >= self._starts_s
        self._all_started = bool(self._started.all())
        mean_first, mean_second = steady_state(mean, self._b0, self._a2)
        return np.where(going, y, mean), np.where(going, first, mean_first), np.where(going, second, mean_second)
