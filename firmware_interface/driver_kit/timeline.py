"""Where a sensor's stream stands: its clock unwrapped, its samples counted, what was lost between packets.

A packet that does not continue the stream is more often damaged than true, so it is left out; two in a row that fit
each other outvote what came before, for then the sensor itself has jumped.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analytics.signals.samples import FloatArray, IntArray

from ..errors import DecodeError

LONGEST_GAP_S = 60.0
"""A connected sensor whose queue was full that long is broken: such a jump is a damaged packet, not a loss."""
RATE_TOLERANCE = 0.01
"""A sensor's real rate may differ so much from the one it told; chips without a crystal are within 1 %."""


@dataclass(slots=True)
class _Position:
    """After a packet: the unwrapped time of its first sample, its samples, and the sequence that should come next."""

    time_us: float
    count: int
    next_sequence: int | None


@lru_cache(maxsize=64)  # packets of a stream are of a few sizes, and making this array is a third of placing one
def _offsets_us(rate_hz: float, count: int) -> FloatArray:
    return np.arange(count, dtype=np.float64) * (1e6 / rate_hz)


class Timeline:
    """Places packets that carry the time of a sample, and with it, if there is one, a sequence of samples.

    rate_hz: as the sensor told. tick_us: what its clock counts in. clock_bits, sequence_bits: where those numbers wrap.
    jitter: how far, in samples, a stamped time may lie off the regular grid. whole_packets: the clock is too coarse to
    tell single samples, so losses are counted in packets as large as the one before, and jitter is a share of those.
    """

    def __init__(
        self,
        rate_hz: float,
        *,
        tick_us: float = 1.0,
        clock_bits: int = 32,
        sequence_bits: int = 16,
        jitter: float = 0.4,
        whole_packets: bool = False,
    ) -> None:
        self.rate_hz = rate_hz
        self._tick_us = tick_us
        self._wrap_ticks = 1 << clock_bits
        self._sequence_wrap = 1 << sequence_bits
        self._jitter = jitter
        self._whole_packets = whole_packets
        self._position: _Position | None = None
        self._refused: _Position | None = None
        self._anchor_us: float | None = None

    @property
    def begun(self) -> bool:
        """Whether any packet has been placed."""
        return self._position is not None

    def time_us(self, behind: int) -> float:
        """When the sample was taken, or will be, that lies so many behind the next. Needs a placed packet."""
        assert self._position is not None, "no packet has been placed"
        return self._position.time_us + (self._position.count - behind) * 1e6 / self.rate_hz

    def go_on(self, time_us: float, sequence: int) -> None:
        """As if all before the sample with this time and sequence had been placed."""
        self._position = _Position(time_us - 1e6 / self.rate_hz, 1, sequence)

    def expect(self, time_us: float) -> None:
        """The sensor's whole clock was told, after a silence of any length."""
        self._anchor_us = time_us
        self._refused = None

    def place(self, ticks: int, count: int, sequence: int | None = None) -> tuple[IntArray, int]:
        """Times [µs] of a packet's samples (count,), given its first sample's time, and how many were lost before it.

        Raises DecodeError where time and sequence do not continue the stream.
        """
        anchor_us = self._anchor()
        here = _Position(
            time_us=self._unwrap(ticks, anchor_us),
            count=count,
            next_sequence=None if sequence is None else (sequence + count) % self._sequence_wrap,
        )
        known = self._anchor_us is not None or self._position is not None
        near = not known or abs(here.time_us - anchor_us) <= LONGEST_GAP_S * 1e6
        counted: int | None = 0
        if self._position is not None:
            counted = self._lost_between(self._position, here, sequence)
        if not near or counted is None:
            if self._refused is None or self._lost_between(self._refused, here, sequence) != 0:
                self._refused = here
                raise DecodeError("A packet's sequence and time do not continue the stream; it is left out.")
            if counted is None:
                counted = self._lost_at_jump(self._refused.count, sequence)
        lost = counted
        self._position, self._refused, self._anchor_us = here, None, None
        return self._times_us(here.time_us, count), lost

    def place_again(self, ticks: int, count: int, sequence: int) -> tuple[IntArray, int]:
        """Times [µs] of a packet that was asked for again, and by how many samples its first lies behind the next.

        Nothing moves on. Raises DecodeError where the packet's time and sequence do not fit the stream.
        """
        newest = self._position
        if newest is None or newest.next_sequence is None:
            raise DecodeError("A packet says that it was asked for again, but nothing has come before it.")
        behind = (newest.next_sequence - sequence) % self._sequence_wrap
        period_us = 1e6 / self.rate_hz
        expected_us = self.time_us(behind)
        time_us = self._unwrap(ticks, expected_us)
        if behind < count or abs(time_us - expected_us) > (self._jitter + RATE_TOLERANCE * behind) * period_us:
            raise DecodeError("A packet that says that it was asked for again does not fit the stream; it is left out.")
        return self._times_us(time_us, count), behind

    def _times_us(self, first_us: float, count: int) -> IntArray:
        return np.rint(_offsets_us(self.rate_hz, count) + first_us).astype(np.int64)

    def _anchor(self) -> float:
        if self._anchor_us is not None:
            return self._anchor_us
        return self._position.time_us if self._position is not None else 0.0

    def _unwrap(self, ticks: int, near_us: float) -> float:
        """The whole time nearest to `near_us` whose lower bits are `ticks`; the first as it stands."""
        if self._anchor_us is None and self._position is None:
            return ticks * self._tick_us
        laps = round((near_us / self._tick_us - ticks) / self._wrap_ticks)
        return (ticks + laps * self._wrap_ticks) * self._tick_us

    def _lost_at_jump(self, refused: int, sequence: int | None) -> int:
        """What the clock cannot tell of because it was set: by the sequence where it goes on, or what was refused."""
        before = self._position
        if sequence is None or before is None or before.next_sequence is None:
            return refused
        by_sequence = (sequence - before.next_sequence) % self._sequence_wrap
        return by_sequence if by_sequence <= LONGEST_GAP_S * self.rate_hz else refused

    def _lost_between(self, before: _Position, here: _Position, sequence: int | None) -> int | None:
        """Samples missing between two packets, as time and sequence say; None where the two disagree."""
        elapsed = (here.time_us - before.time_us) * self.rate_hz / 1e6
        by_time = elapsed - before.count
        unit = before.count if self._whole_packets else 1
        if sequence is None or before.next_sequence is None:
            # After a silence packets begin anew, and so anywhere.
            step = unit if self._anchor_us is None else 1
            lost = step * round(by_time / step)
        else:
            by_sequence = (sequence - before.next_sequence) % self._sequence_wrap
            lost = by_sequence + self._sequence_wrap * round((by_time - by_sequence) / self._sequence_wrap)
        agrees = lost >= 0 and abs(by_time - lost) <= self._jitter * unit + RATE_TOLERANCE * elapsed
        return lost if agrees else None


class CountedTimeline:
    """Times of samples that carry none: their count, in nominal periods. What is lost cannot be known."""

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._count = 0

    def place(self, count: int) -> IntArray:
        """Times [µs] of the next samples (count,)."""
        numbers = np.arange(self._count, self._count + count)
        self._count += count
        return np.asarray(np.rint(numbers * (1e6 / self.rate_hz)), dtype=np.int64)
