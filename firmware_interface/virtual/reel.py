"""A playback wound onto a reel: which sample is taken when, and the packets that carry it."""

from __future__ import annotations

import numpy as np

from ..open_profile import encode_packet
from .playback import Playback, PlaybackError, digitise


class Reel:
    """Samples numbered from 0 without end where it loops. Times are the event loop's, given the instant of sample 0."""

    def __init__(self, playback: Playback, *, speed: float, loop: bool, clock_start_us: int = 0) -> None:
        if not 0 < speed < float("inf"):
            raise PlaybackError(f"A playback cannot run {speed} times as fast; give a speed above 0.")
        self.rate_hz = playback.rate_hz
        self.speed = speed
        self.readings = digitise(playback)
        self.total = None if loop else len(playback.time_s)
        self._clock_start_us = clock_start_us
        self._offsets_s = playback.time_s - playback.time_s[0]
        self._lap_s = float(self._offsets_s[-1]) + 1 / playback.rate_hz

    def due(self, sample: int, first_sample_at: float) -> float:
        """When this sample is taken."""
        return first_sample_at + self._offset_s(sample) / self.speed

    def taken(self, now: float, first_sample_at: float) -> int:
        """How many samples have been taken by now."""
        elapsed_s = (now - first_sample_at) * self.speed
        if elapsed_s < 0:
            return 0
        laps, rest_s = divmod(elapsed_s, self._lap_s)
        count = int(np.searchsorted(self._offsets_s, rest_s, side="right")) + int(laps) * len(self._offsets_s)
        return count if self.total is None else min(count, self.total)

    def packet(self, first: int, count: int) -> bytes:
        """The notification that carries `count` samples."""
        which = np.arange(first, first + count) % len(self._offsets_s)
        return encode_packet(
            first, self._clock_start_us + round(self._offset_s(first) * 1e6), self.readings.counts[which]
        )

    def clock_us(self, now: float, first_sample_at: float | None) -> int:
        """The sensor's own clock, which stands still until sample 0."""
        elapsed_s = 0.0 if first_sample_at is None else (now - first_sample_at) * self.speed
        return self._clock_start_us + max(0, round(elapsed_s * 1e6))

    def taken_at(self, sensor_time_us: int, first_sample_at: float) -> float:
        """When the sample with this time of the sensor's clock was taken."""
        return first_sample_at + (sensor_time_us - self._clock_start_us) / 1e6 / self.speed

    def _offset_s(self, sample: int) -> float:
        laps, index = divmod(sample, len(self._offsets_s))
        return laps * self._lap_s + float(self._offsets_s[index])
