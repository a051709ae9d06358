"""What a virtual sensor measures: a recording or a simulated signal, read as its chip would read it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import FloatArray

from ..open_profile import ACC_RANGES_G, GYR_RANGES_DPS, STANDARD_GRAVITY_M_S2

DEFAULT_ACC_RANGE_G = 8
DEFAULT_GYR_RANGE_DPS = 1000


class PlaybackError(ValueError):
    """These signals cannot be played."""


@dataclass(frozen=True, slots=True)
class Playback:
    """Signals at one sensor. time_s: (n,) seconds, evenly spaced at rate_hz; acc_m_s2, gyr_rad_s, mag_ut: (n, 3)."""

    rate_hz: float
    time_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    mag_ut: FloatArray | None = None

    def __post_init__(self) -> None:
        count = len(self.time_s)
        signals = [self.acc_m_s2, self.gyr_rad_s, *([] if self.mag_ut is None else [self.mag_ut])]
        if count < 1 or any(signal.shape != (count, 3) for signal in signals):
            raise PlaybackError("A playback needs a time, an acceleration and an angular rate for each sample.")
        if not all(np.isfinite(a).all() for a in (self.time_s, *signals)):
            raise PlaybackError("A playback holds values that are not numbers (NaN); cut or mend it.")
        if not 0.001 <= self.rate_hz <= 10_000:
            raise PlaybackError(f"A playback at {self.rate_hz:g} Hz is beyond what a sensor does (0.001 to 10000 Hz).")
        if (np.abs(np.diff(self.time_s) * self.rate_hz - 1) > 0.5).any():
            raise PlaybackError(f"A playback's times are not evenly spaced at {self.rate_hz:g} Hz; resample it.")

    def at_rate(self, rate_hz: float) -> Playback:
        """The same signals as a chip at another rate would sample them: linear between the samples there are."""
        if rate_hz == self.rate_hz:
            return self
        span_s = self.time_s[-1] - self.time_s[0]
        time_s = self.time_s[0] + np.arange(int(span_s * rate_hz + 1e-6) + 1) / rate_hz

        def sampled(signal: FloatArray) -> FloatArray:
            return np.column_stack([np.interp(time_s, self.time_s, axis) for axis in signal.T])

        mag_ut = None if self.mag_ut is None else sampled(self.mag_ut)
        return Playback(rate_hz, time_s, sampled(self.acc_m_s2), sampled(self.gyr_rad_s), mag_ut)


def to_counts(values: FloatArray, step: float) -> NDArray[np.int16]:
    """Readings of a 16-bit converter with this step, held at the ends of its range."""
    return np.clip(np.rint(values / step), -32768, 32767).astype(np.int16)


def acc_range_g(playback: Playback) -> int:
    """The usual range of the open profile's chips, or the next that holds the signals, or the largest."""
    return _range(playback.acc_m_s2, STANDARD_GRAVITY_M_S2, ACC_RANGES_G, DEFAULT_ACC_RANGE_G)


def gyr_range_dps(playback: Playback) -> int:
    """The same for the gyroscope."""
    return _range(playback.gyr_rad_s, math.radians(1), GYR_RANGES_DPS, DEFAULT_GYR_RANGE_DPS)


def _range(values: FloatArray, unit: float, standard: tuple[int, ...], usual: int) -> int:
    for full_scale in standard:
        steps = np.rint(values * 32768 / (full_scale * unit))
        if full_scale >= usual and steps.min() >= -32768 and steps.max() <= 32767:
            return full_scale
    return standard[-1]
