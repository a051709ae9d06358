"""A playback wound onto a reel: which sample is taken when, and what was measured."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analytics.signals.samples import FloatArray, IntArray

from .playback import Playback, PlaybackError


class Signals(NamedTuple):
    """(n, 3) each, in SI units; mag_ut is zero where the playback has no magnetometer."""

    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    mag_ut: FloatArray


class Reel:
    """Samples numbered from 0 without end where it loops. Instants are the event loop's, given that of sample 0.

    drift_ppm: how much faster the sensor's crystal is than true time; it then samples as much faster.
    """

    def __init__(
        self, playback: Playback, *, speed: float, loop: bool, clock_start_us: int = 0, drift_ppm: float = 0.0
    ) -> None:
        if not 0 < speed < float("inf"):
            raise PlaybackError(f"A playback cannot run {speed} times as fast; give a speed above 0.")
        self.rate_hz = playback.rate_hz
        self.speed = speed
        self.playback = playback
        self.total = None if loop else len(playback.time_s)
        self.clock_start_us = clock_start_us
        self._pace = speed * (1 + drift_ppm * 1e-6)
        self._offsets_s = playback.time_s - playback.time_s[0]
        self._lap_s = float(self._offsets_s[-1]) + 1 / playback.rate_hz

    def due(self, sample: int, first_sample_at: float) -> float:
        """When this sample is taken."""
        return first_sample_at + self._offset_s(sample) / self._pace

    def taken(self, now: float, first_sample_at: float) -> int:
        """How many samples have been taken by now."""
        elapsed_s = (now - first_sample_at) * self._pace
        if elapsed_s < 0:
            return 0
        laps, rest_s = divmod(elapsed_s, self._lap_s)
        count = int(np.searchsorted(self._offsets_s, rest_s, side="right")) + int(laps) * len(self._offsets_s)
        return count if self.total is None else min(count, self.total)

    def signals(self, first: int, count: int) -> Signals:
        """What was measured at samples `first` and on."""
        which = np.arange(first, first + count) % len(self._offsets_s)
        mag_ut = self.playback.mag_ut
        return Signals(
            self.playback.acc_m_s2[which],
            self.playback.gyr_rad_s[which],
            np.zeros((count, 3)) if mag_ut is None else mag_ut[which],
        )

    def time_us(self, sample: int) -> int:
        """The sensor's clock at a sample."""
        return self.clock_start_us + round(self._offset_s(sample) * 1e6)

    def times_us(self, first: int, count: int) -> IntArray:
        """(count,) the sensor's clock at samples `first` and on."""
        return np.array([self.time_us(sample) for sample in range(first, first + count)], dtype=np.int64)

    def clock_us(self, now: float, first_sample_at: float | None) -> int:
        """The sensor's own clock, which stands still until sample 0."""
        elapsed_s = 0.0 if first_sample_at is None else (now - first_sample_at) * self._pace
        return self.clock_start_us + max(0, round(elapsed_s * 1e6))

    def taken_at(self, sensor_time_us: int, first_sample_at: float) -> float:
        """When the sample with this time of the sensor's clock was taken."""
        return first_sample_at + (sensor_time_us - self.clock_start_us) / 1e6 / self._pace

    def _offset_s(self, sample: int) -> float:
        laps, index = divmod(sample, len(self._offsets_s))
        return laps * self._lap_s + float(self._offsets_s[index])
