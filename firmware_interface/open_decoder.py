"""From notifications of the open profile to samples: unwraps sequence and time, and counts what was lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.signals.samples import ImuSamples

from .errors import DecodeError
from .open_profile import Packet, Started, decode_packet

LONGEST_GAP_S = 60.0
"""A connected sensor whose queue was full that long is broken: such a jump is a damaged packet, not a loss."""


@dataclass(slots=True)
class _Position:
    """Where a stream stands after a packet: its unwrapped time, and the sequence that should come next."""

    time_us: int
    count: int
    next_sequence: int


class OpenDecoder:
    """The state of one sensor's stream. It outlives connections, so that what a lost link cost is counted.

    Sequence and time tell the same story twice. A packet in which they disagree is damaged and is left out, so that one
    bad packet cannot spoil the good ones after it.
    """

    def __init__(self) -> None:
        self._started: Started | None = None
        self._position: _Position | None = None
        self._refused: _Position | None = None
        self._fresh = True

    def begin(self, started: Started) -> bool:
        """Take over what the sensor answered to START. True where the stream goes on from before."""
        before = self._started
        self._started = started
        self._fresh = True
        self._refused = None
        continues = before is not None and (before.stream, before.rate_hz) == (started.stream, started.rate_hz)
        if not continues:
            self._position = None
        return continues and self._position is not None

    def decode(self, data: bytes) -> ImuSamples:
        """Samples of one notification. Raises DecodeError, after which the next notification may be decoded."""
        started = self._started
        if started is None:
            raise DecodeError("Samples came before the sensor answered the start.")
        packet = decode_packet(data)
        lost = self._place(packet, started)
        step = started.resolution
        assert self._position is not None
        period_us = 1e6 / started.rate_hz
        readings = packet.counts.astype(np.float64)
        return ImuSamples(
            sensor_time_us=self._position.time_us + np.rint(np.arange(len(packet.counts)) * period_us).astype(np.int64),
            acc_m_s2=readings[:, :3] * step.acc_m_s2,
            gyr_rad_s=readings[:, 3:] * step.gyr_rad_s,
            lost_before=lost,
        )

    def _place(self, packet: Packet, started: Started) -> int:
        """Move on to this packet and return how many samples were lost before it."""
        anchor_us = started.time_us if self._fresh or self._position is None else self._position.time_us
        here = _Position(
            time_us=_unwrap(packet.time_us, anchor_us),
            count=len(packet.counts),
            next_sequence=(packet.sequence + len(packet.counts)) & 0xFFFF,
        )
        near = abs(here.time_us - anchor_us) <= LONGEST_GAP_S * 1e6
        lost = 0
        if self._position is not None:
            counted = _lost_between(self._position, here, packet.sequence, started.rate_hz)
            lost, near = counted or 0, near and counted is not None
        if not near and not self._agrees_with_refused(here, packet.sequence, started.rate_hz):
            self._refused = here
            raise DecodeError("A packet's sequence and time do not continue the stream; it is left out.")
        self._position, self._refused, self._fresh = here, None, False
        return lost

    def _agrees_with_refused(self, here: _Position, sequence: int, rate_hz: float) -> bool:
        """Two packets in a row that fit each other outvote what came before: then the sensor itself jumped."""
        return self._refused is not None and _lost_between(self._refused, here, sequence, rate_hz) == 0


def _unwrap(time_us: int, near_us: int) -> int:
    """The whole time nearest to `near_us` whose lower 32 bits are `time_us`."""
    step = (time_us - near_us) & 0xFFFFFFFF
    return near_us + (step - (1 << 32) if step >> 31 else step)


def _lost_between(before: _Position, here: _Position, sequence: int, rate_hz: float) -> int | None:
    """Samples missing between two packets: the sequence modulo 65536 that time says. None where the two disagree.

    A sensor's real rate may be 1 % off the one it told.
    """
    elapsed = (here.time_us - before.time_us) * rate_hz / 1e6
    by_time = elapsed - before.count
    by_sequence = (sequence - before.next_sequence) & 0xFFFF
    lost = by_sequence + 65536 * round((by_time - by_sequence) / 65536)
    agrees = lost >= 0 and abs(by_time - lost) <= 0.4 + 0.01 * elapsed
    return lost if agrees else None
