"""What a gateway writes to the control point of the open Sinew profile."""

from __future__ import annotations

from typing import NamedTuple

from .constants import COMMAND_FIELDS, Opcode, Status
from .fields import packed, unpacked


class StartCommand(NamedTuple):
    rate_hz: float
    batch: int
    axes: int = 6


class RangesCommand(NamedTuple):
    """0 leaves a range as it is."""

    acc_range_g: int
    gyr_range_dps: int


class IdentifyCommand(NamedTuple):
    duration_s: int


class TimeCommand(NamedTuple):
    token: int


class ResendCommand(NamedTuple):
    """So many samples, from the one whose sequence is `first`."""

    first: int
    samples: int


Command = StartCommand | RangesCommand | IdentifyCommand | TimeCommand | ResendCommand


class CommandError(ValueError):
    """A control write that the profile does not know; the sensor answers with `status`."""

    def __init__(self, opcode: int, status: Status) -> None:
        super().__init__(f"Opcode {opcode:#04x}: {status.name}")
        self.opcode = opcode
        self.status = status


def encode_start(rate_hz: float, batch: int, axes: int = 6) -> bytes:
    """Ask for samples, `batch` to a packet. A rate of 0 asks for the sensor's own."""
    return _encode(Opcode.START, round(rate_hz * 1000), batch, *([axes] if axes != 6 else []))


def encode_stop() -> bytes:
    """Ask for no more samples; the sensor sends what it has taken, then answers."""
    return _encode(Opcode.STOP)


def encode_ranges(acc_range_g: int, gyr_range_dps: int) -> bytes:
    """Ask for these ranges, or the next above that the chip has, in the next stream. 0 leaves one as it is."""
    return _encode(Opcode.RANGES, acc_range_g, gyr_range_dps)


def encode_identify(duration_s: int) -> bytes:
    """Ask the sensor to blink or vibrate, up to 255 s; 0 ends it."""
    return _encode(Opcode.IDENTIFY, duration_s)


def encode_time(token: int) -> bytes:
    """Ask for the sensor's clock. The answer repeats `token`, a u32, so that it cannot be taken for a late one."""
    return _encode(Opcode.TIME, token)


def encode_resend(first: int, samples: int) -> bytes:
    """Ask again for so many samples from number `first`, which is taken modulo 65536."""
    return _encode(Opcode.RESEND, first & 0xFFFF, samples)


def decode_command(data: bytes) -> Command | None:
    """What a gateway asks; None is a stop. Raises CommandError with the status to answer."""
    opcode = data[0] if data else 0
    if opcode not in COMMAND_FIELDS:
        raise CommandError(opcode, Status.UNKNOWN_OPCODE)
    match opcode, unpacked(COMMAND_FIELDS[opcode], data[1:]):
        case Opcode.START, (rate_mhz, batch, *axes) if batch > 0 and axes in ([], [6], [9]):
            return StartCommand(rate_mhz / 1000, batch, *axes)
        case Opcode.STOP, ():
            return None
        case Opcode.RANGES, (acc_range_g, gyr_range_dps):
            return RangesCommand(acc_range_g, gyr_range_dps)
        case Opcode.IDENTIFY, (duration_s,):
            return IdentifyCommand(duration_s)
        case Opcode.TIME, (token,):
            return TimeCommand(token)
        case Opcode.RESEND, (first, samples) if samples > 0:
            return ResendCommand(first, samples)
    raise CommandError(opcode, Status.BAD_PARAMETER)


def _encode(opcode: Opcode, *fields: int) -> bytes:
    return bytes([opcode]) + packed(COMMAND_FIELDS[opcode], fields)
