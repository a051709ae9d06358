"""When a sensor lies still: both its gyroscope and its accelerometer stay by their own low-pass (VQF, section 3.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.motion.orientation.lowpass import Lowpass, held
from analytics.signals.samples import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class RestSettings:
    """Values of Laidig & Seel 2023, table 2.

    largest_bias_deg_s: a steady rate beyond this is taken for turning, not for a gyroscope's bias.
    """

    least_s: float = 1.5
    filter_s: float = 0.5
    gyr_deg_s: float = 2.0
    acc_m_s2: float = 0.5
    largest_bias_deg_s: float = 2.0


class RestDetector:
    """resting: (k,) bool. rate_rad_s: (k, 3) low-passed rate, which at rest is the bias."""

    def __init__(self, period_s: float, sensors: int, settings: RestSettings) -> None:
        self._period_s, self._settings = period_s, settings
        self._lowpass = Lowpass(settings.filter_s, period_s, sensors, 6)
        self._limits = np.array([np.radians(settings.gyr_deg_s), settings.acc_m_s2]) ** 2
        self._bias_limit = np.radians(settings.largest_bias_deg_s)
        self._seconds = np.zeros(sensors)
        self.resting: BoolArray = np.zeros(sensors, dtype=bool)
        self.rate_rad_s: FloatArray = np.zeros((sensors, 3))

    def restart(self, rows: BoolArray) -> None:
        """Forget what these rows (k,) have seen."""
        self._lowpass.restart(rows)
        self._seconds[rows], self.resting[rows] = 0.0, False

    def update(self, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, live: BoolArray | None = None) -> None:
        """One sample (k, 3) of each sensor."""
        x = np.concatenate([gyr_rad_s, acc_m_s2], axis=1)
        low = self._lowpass.update(x, live)
        away = x - low
        distance = (away * away).reshape(-1, 2, 3).sum(axis=2)
        self.rate_rad_s = low[:, :3]
        near = distance < self._limits
        turning = (np.abs(self.rate_rad_s) > self._bias_limit).any(axis=1)
        # A swing begins the time anew with this sample, a jolt with the next: the gyroscope is looked at first.
        seconds = self._seconds * (near[:, 0] & ~turning) + self._period_s
        self._seconds = held(seconds * near[:, 1], self._seconds, live)
        self.resting = self._seconds >= self._settings.least_s
