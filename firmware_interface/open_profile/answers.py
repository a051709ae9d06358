"""What a sensor indicates on the control point of the open Sinew profile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from analytics.signals.samples import Resolution

from ..driver_kit import units
from ..errors import DecodeError
from .commands import ResendCommand
from .constants import ANSWER_FIELDS, Opcode, Status
from .fields import packed, unpacked

STANDARD_GRAVITY_M_S2 = units.STANDARD_GRAVITY_M_S2
_ANSWER = 0x80  # added to the opcode that is answered


def resolution(acc_range_g: int, gyr_range_dps: int) -> Resolution:
    """SI value of one step of the int16 readings at these ranges: full scale is 32768 steps."""
    return Resolution(
        acc_m_s2=acc_range_g * STANDARD_GRAVITY_M_S2 / 32768,
        gyr_rad_s=math.radians(gyr_range_dps) / 32768,
    )


@dataclass(frozen=True, slots=True)
class Started:
    """What a sensor answers to START.

    stream: a new number after power-on and after every STOP; while it stays, sequence and time go on, so that a gateway
    that comes back after a lost link can count what it missed. time_us: the sensor's whole clock, now.
    mag_range_ut: None where the stream has six axes.
    """

    rate_hz: float
    acc_range_g: int
    gyr_range_dps: int
    stream: int
    time_us: int
    mag_range_ut: int | None = None

    @property
    def axes(self) -> int:
        return 6 if self.mag_range_ut is None else 9

    @property
    def resolution(self) -> Resolution:
        return resolution(self.acc_range_g, self.gyr_range_dps)

    @property
    def mag_step_ut(self) -> float | None:
        """The value of one step of the magnetic readings [µT]."""
        return None if self.mag_range_ut is None else self.mag_range_ut / 32768


class RangesSet(NamedTuple):
    """What the chip took."""

    acc_range_g: int
    gyr_range_dps: int


class TimeTold(NamedTuple):
    """time_us: the sensor's clock when it was asked. held_us: from then until it answered."""

    token: int
    time_us: int
    held_us: int

    def offset_bounds_us(self, asked_us: int, heard_us: int) -> tuple[int, int]:
        """Least and most by which the sensor's clock is ahead of the gateway's, on which it asked and heard.

        Assumed is only that the sensor heard after the gateway asked, and answered before the gateway heard. NTP takes
        the middle (RFC 5905, section 8); the bounds of several exchanges also narrow each other.
        """
        return self.time_us + self.held_us - heard_us, self.time_us - asked_us


class Resending(NamedTuple):
    """How many samples will come again, from the one whose sequence is `first`; 0 where none is left."""

    first: int
    samples: int


Answer = Started | RangesSet | TimeTold | Resending


class Reply(NamedTuple):
    """An indication: which opcode it answers, how, and what the answer holds beyond that, if anything."""

    opcode: int
    status: Status
    answer: Answer | None


def resendable(asked: ResendCommand, next_sequence: int, held: int) -> Resending:
    """Which of the samples asked for a sensor can send again that keeps the last `held` (up to 65535) before the next.

    Numbers are taken modulo 65536 and lie in the past. The gateway asks for a gap, so its newest samples, not yet sent,
    and its oldest, kept no longer, may be beyond what is held.
    """
    age = (next_sequence - asked.first) & 0xFFFF
    too_old = max(0, age - held)
    left = min(asked.samples, age) - too_old
    return Resending((asked.first + too_old) & 0xFFFF, left) if left > 0 else Resending(asked.first, 0)


def encode_started(started: Started) -> bytes:
    """The answer to a START that worked. With six axes it fits the least MTU, with nine one of 24."""
    ranges = (started.acc_range_g, started.gyr_range_dps)
    mag = () if started.mag_range_ut is None else (started.mag_range_ut,)
    return _encode(Opcode.START, round(started.rate_hz * 1000), *ranges, started.stream, started.time_us, *mag)


def encode_ranges_set(ranges: RangesSet) -> bytes:
    """The answer to RANGES that worked."""
    return _encode(Opcode.RANGES, *ranges)


def encode_time_told(told: TimeTold) -> bytes:
    """The answer to TIME that worked."""
    return _encode(Opcode.TIME, *told)


def encode_resending(resending: Resending) -> bytes:
    """The answer to RESEND that worked."""
    return _encode(Opcode.RESEND, *resending)


def encode_reply(opcode: int, status: Status) -> bytes:
    """The answer to anything else, and every refusal."""
    return bytes([opcode | _ANSWER, status])


def decode_reply(data: bytes) -> Reply:
    """Read an indication. Raises DecodeError."""
    if len(data) < 2 or not data[0] & _ANSWER or data[1] not in tuple(Status):
        raise DecodeError(f"The sensor answered {data.hex(' ')}, which is no reply of the open profile.")
    opcode, status = data[0] & 0x7F, Status(data[1])
    forms = ANSWER_FIELDS.get(opcode, ("",)) if status is Status.OK else ("",)
    match opcode, unpacked(forms, data[2:]):
        case _, ():
            return Reply(opcode, status, None)
        case Opcode.START, (rate_mhz, acc_range_g, gyr_range_dps, stream, time_us, *mag) if (
            rate_mhz and acc_range_g and gyr_range_dps and all(mag)
        ):
            return Reply(opcode, status, Started(rate_mhz / 1000, acc_range_g, gyr_range_dps, stream, time_us, *mag))
        case Opcode.RANGES, (acc_range_g, gyr_range_dps) if acc_range_g and gyr_range_dps:
            return Reply(opcode, status, RangesSet(acc_range_g, gyr_range_dps))
        case Opcode.TIME, (token, time_us, held_us):
            return Reply(opcode, status, TimeTold(token, time_us, held_us))
        case Opcode.RESEND, (first, samples):
            return Reply(opcode, status, Resending(first, samples))
    raise DecodeError(f"The sensor answered {data.hex(' ')}: its length is wrong, or a rate or range is zero.")


def _encode(opcode: Opcode, *fields: int) -> bytes:
    return bytes([opcode | _ANSWER, Status.OK]) + packed(ANSWER_FIELDS[opcode], fields)
