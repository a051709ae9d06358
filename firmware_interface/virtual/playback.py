"""What a virtual sensor measures: a recording or a simulated signal, read as its chip would read it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import FloatArray

from ..open_profile import ACC_RANGES_G, GYR_RANGES_DPS, STANDARD_GRAVITY_M_S2, resolution

DEFAULT_ACC_RANGE_G = 8
DEFAULT_GYR_RANGE_DPS = 1000


class PlaybackError(ValueError):
    """These signals cannot be played."""


@dataclass(frozen=True, slots=True)
class Playback:
    """Signals at one sensor. time_s: (n,) seconds, evenly spaced at rate_hz; acc_m_s2, gyr_rad_s: (n, 3)."""

    rate_hz: float
    time_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray

    def __post_init__(self) -> None:
        count = len(self.time_s)
        if count < 1 or self.acc_m_s2.shape != (count, 3) or self.gyr_rad_s.shape != (count, 3):
            raise PlaybackError("A playback needs a time, an acceleration and an angular rate for each sample.")
        if not all(np.isfinite(a).all() for a in (self.time_s, self.acc_m_s2, self.gyr_rad_s)):
            raise PlaybackError("A playback holds values that are not numbers (NaN); cut or mend it.")
        if not 0.001 <= self.rate_hz <= 10_000:
            raise PlaybackError(f"A playback at {self.rate_hz:g} Hz is beyond what a sensor does (0.001 to 10000 Hz).")
        if (np.abs(np.diff(self.time_s) * self.rate_hz - 1) > 0.5).any():
            raise PlaybackError(f"A playback's times are not evenly spaced at {self.rate_hz:g} Hz; resample it.")


class Readings(NamedTuple):
    """(n, 6) int16 as the chip gives them, at ranges in g and degrees per second. clipped: samples beyond the range."""

    counts: NDArray[np.int16]
    acc_range_g: int
    gyr_range_dps: int
    clipped: int


def digitise(playback: Playback, acc_range_g: int | None = None, gyr_range_dps: int | None = None) -> Readings:
    """Read the signals at these ranges; where none is given, at the usual one or the next that holds the signals."""
    acc_range_g = acc_range_g or _range(playback.acc_m_s2, STANDARD_GRAVITY_M_S2, ACC_RANGES_G, DEFAULT_ACC_RANGE_G)
    gyr_range_dps = gyr_range_dps or _range(playback.gyr_rad_s, math.radians(1), GYR_RANGES_DPS, DEFAULT_GYR_RANGE_DPS)
    step = resolution(acc_range_g, gyr_range_dps)
    steps = np.rint(np.hstack([playback.acc_m_s2 / step.acc_m_s2, playback.gyr_rad_s / step.gyr_rad_s]))
    counts = np.clip(steps, -32768, 32767)
    clipped = int((counts != steps).any(axis=1).sum())
    return Readings(counts.astype(np.int16), acc_range_g, gyr_range_dps, clipped)


def _range(values: FloatArray, unit: float, standard: tuple[int, ...], usual: int) -> int:
    for full_scale in standard:
        steps = np.rint(values * 32768 / (full_scale * unit))
        if full_scale >= usual and steps.min() >= -32768 and steps.max() <= 32767:
            return full_scale
    return standard[-1]
