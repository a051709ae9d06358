"""Capture2Go's stream: packages out of notifications, measurements out of packages, placed in the sensor's time."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.signals.samples import ImuSamples, IntArray

from ...driver_kit.decoder import Decoder
from ...driver_kit.timeline import Timeline
from ...errors import DecodeError
from .frames import PackageReader
from .packages import header_of, payload_of
from .samples import (
    MEASUREMENTS,
    PROCESSING_ISSUE,
    TIME_GAP,
    decode_measurement,
    flags_of,
    time_of,
)

LONGEST_SILENCE_S = 3600.0
"""After a longer one nobody asks what was lost, and a clock that has been set meanwhile does not look like a loss."""


class Capture2GoDecoder(Decoder):
    """Takes the measurements of the rate that was asked for and passes over what else the sensor says."""

    def __init__(self) -> None:
        self._rate_hz = 0.0
        self._timeline = Timeline(1.0)
        self._newest_us = 0
        self._reader = PackageReader()

    def begin(self, rate_hz: float, clock_us: float = 0.0) -> bool:
        """A stream begins when the sensor's clock stands at this time. True where it goes on from before."""
        self._reader = PackageReader()
        silence_us = clock_us - self._newest_us
        continues = rate_hz == self._rate_hz and self._timeline.begun and 0 <= silence_us <= LONGEST_SILENCE_S * 1e6
        if continues:
            self._timeline.expect(clock_us)
        else:
            self._rate_hz, self._timeline = rate_hz, _timeline(rate_hz)
        return continues

    def forget(self) -> None:
        """The stream was ended, or the sensor's clock set: nothing goes on from before."""
        self._rate_hz = 0.0

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        return [run for package in self._reader.take(data) for run in self.decode_one(package)]

    def decode_one(self, package: bytes) -> Sequence[ImuSamples]:
        """What a whole package holds; nothing where it is no measurement of this stream."""
        kind, payload = MEASUREMENTS.get(header_of(package)), payload_of(package)
        if kind is None or kind.rate_hz != self._rate_hz:
            return ()
        if len(payload) != kind.payload_bytes:
            raise DecodeError(f"A measurement of Capture2Go has {len(payload)} bytes instead of {kind.payload_bytes}.")
        flags = flags_of(payload)
        if flags & PROCESSING_ISSUE:
            return ()  # such readings are wrong, says the maker; they count as lost
        times_us, lost = self._place(time_of(payload), kind.samples, gap_told=bool(flags & TIME_GAP))
        self._newest_us = int(times_us[-1])
        return [decode_measurement(kind, payload, times_us, lost, self.source)]

    def _place(self, time_ns: int, samples: int, *, gap_told: bool) -> tuple[IntArray, int]:
        """A sensor whose clock is set, or follows another's, jumps and says so; its checksum vouches for it."""
        try:
            return self._timeline.place(time_ns, samples)
        except DecodeError:
            if not gap_told:
                raise
            self._timeline = _timeline(self._rate_hz)
            return self._timeline.place(time_ns, samples)


def _timeline(rate_hz: float) -> Timeline:
    return Timeline(rate_hz, tick_us=1e-3, clock_bits=64)
