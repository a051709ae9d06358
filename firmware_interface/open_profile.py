"""The open Sinew IMU profile, byte for byte: what docs/firmware-open-profile.md tells firmware makers.

Both ends use it: a virtual sensor encodes with it, the driver decodes. All numbers are little-endian.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import Resolution

from .errors import DecodeError

SERVICE_UUID = "f83d0001-6b9d-48d0-b1a0-f2353a30c45a"
DATA_UUID = "f83d0002-6b9d-48d0-b1a0-f2353a30c45a"
CONTROL_UUID = "f83d0003-6b9d-48d0-b1a0-f2353a30c45a"

VERSION = 1
ACC_RANGES_G = (2, 4, 8, 16)
GYR_RANGES_DPS = (250, 500, 1000, 2000)
STANDARD_GRAVITY_M_S2 = 9.80665

_PACKET = struct.Struct("<BBHI")  # version, count, sequence of the first sample, time of the first sample
_SAMPLE_BYTES = 12  # acc x y z, gyr x y z, int16 each
_ATT_NOTIFICATION_OVERHEAD = 3
_START = struct.Struct("<BIB")  # opcode, rate in mHz, batch
_REPLY = struct.Struct("<BB")  # opcode | 0x80, status
_STARTED = struct.Struct("<BBIBHHQ")  # reply, then rate in mHz, acc range, gyr range, stream, sensor time


class Opcode(IntEnum):
    START = 0x01
    STOP = 0x02


class Status(IntEnum):
    OK = 0x00
    UNKNOWN_OPCODE = 0x01
    BAD_PARAMETER = 0x02
    NOT_SUBSCRIBED = 0x03


class Packet(NamedTuple):
    """One notification. `sequence` counts samples modulo 65536, `time_us` wraps after 71.6 minutes."""

    sequence: int
    time_us: int
    counts: NDArray[np.int16]


class StartCommand(NamedTuple):
    rate_hz: float
    batch: int


@dataclass(frozen=True, slots=True)
class Started:
    """What a sensor answers to START.

    stream: a new number after power-on and after every STOP; while it stays, sequence and time go on, so that a gateway
    that comes back after a lost link can count what it missed. time_us: the sensor's whole clock, now.
    """

    rate_hz: float
    acc_range_g: int
    gyr_range_dps: int
    stream: int
    time_us: int

    @property
    def resolution(self) -> Resolution:
        return resolution(self.acc_range_g, self.gyr_range_dps)


def resolution(acc_range_g: int, gyr_range_dps: int) -> Resolution:
    """SI value of one step of the int16 readings at these ranges: full scale is 32768 steps."""
    return Resolution(
        acc_m_s2=acc_range_g * STANDARD_GRAVITY_M_S2 / 32768,
        gyr_rad_s=math.radians(gyr_range_dps) / 32768,
    )


def packet_capacity(mtu: int) -> int:
    """Samples that one notification can carry at this ATT MTU: 1 at the least MTU of 23, 19 at 247."""
    return min(255, (mtu - _ATT_NOTIFICATION_OVERHEAD - _PACKET.size) // _SAMPLE_BYTES)


def encode_packet(sequence: int, time_us: int, counts: NDArray[np.int16]) -> bytes:
    """A notification of the (n, 6) readings `counts`; sequence and time are taken modulo their width."""
    header = _PACKET.pack(VERSION, len(counts), sequence & 0xFFFF, time_us & 0xFFFFFFFF)
    return header + counts.astype("<i2").tobytes()


def decode_packet(data: bytes) -> Packet:
    """Read one notification. Raises DecodeError."""
    if len(data) < _PACKET.size:
        raise DecodeError(f"A packet of {len(data)} bytes is shorter than its header.")
    version, count, sequence, time_us = _PACKET.unpack_from(data)
    if version != VERSION:
        raise DecodeError(f"A packet is of version {version} and this program reads {VERSION}; update one of the two.")
    if count == 0 or len(data) != _PACKET.size + _SAMPLE_BYTES * count:
        raise DecodeError(f"A packet says that it holds {count} samples but is {len(data)} bytes long.")
    counts = np.frombuffer(data, dtype="<i2", offset=_PACKET.size).reshape(count, 6)
    return Packet(sequence, time_us, counts)


def encode_start(rate_hz: float, batch: int) -> bytes:
    """Ask for samples, `batch` to a packet. A rate of 0 asks for the sensor's own."""
    return _START.pack(Opcode.START, round(rate_hz * 1000), batch)


def encode_stop() -> bytes:
    """Ask for no more samples; the sensor sends what it has taken, then answers."""
    return bytes([Opcode.STOP])


def decode_command(data: bytes) -> StartCommand | None:
    """What a gateway asks: a start, or None for a stop. Raises CommandError with the status to answer."""
    opcode = data[0] if data else 0
    if opcode == Opcode.START and len(data) == _START.size:
        _, rate_mhz, batch = _START.unpack(data)
        if batch > 0:
            return StartCommand(rate_mhz / 1000, batch)
    if opcode == Opcode.STOP and len(data) == 1:
        return None
    raise CommandError(opcode, Status.BAD_PARAMETER if opcode in tuple(Opcode) else Status.UNKNOWN_OPCODE)


class CommandError(ValueError):
    """A control write that the profile does not know; the sensor answers with `status`."""

    def __init__(self, opcode: int, status: Status) -> None:
        super().__init__(f"Opcode {opcode:#04x}: {status.name}")
        self.opcode = opcode
        self.status = status


def encode_started(started: Started) -> bytes:
    """The answer to a START that worked. It fits the least MTU."""
    rate_mhz = round(started.rate_hz * 1000)
    ranges = (started.acc_range_g, started.gyr_range_dps)
    return _STARTED.pack(Opcode.START | 0x80, Status.OK, rate_mhz, *ranges, started.stream, started.time_us)


def encode_reply(opcode: int, status: Status) -> bytes:
    """The answer to anything else."""
    return _REPLY.pack(opcode | 0x80, status)


def decode_reply(data: bytes) -> tuple[int, Status, Started | None]:
    """An indication: which opcode it answers, how, and what a START brought. Raises DecodeError."""
    if len(data) < _REPLY.size or not data[0] & 0x80 or data[1] not in tuple(Status):
        raise DecodeError(f"The sensor answered {data.hex(' ')}, which is no reply of the open profile.")
    opcode, status = data[0] & 0x7F, Status(data[1])
    if opcode != Opcode.START or status is not Status.OK:
        return opcode, status, None
    if len(data) != _STARTED.size:
        raise DecodeError(f"The sensor answered a start with {len(data)} bytes instead of {_STARTED.size}.")
    rate_mhz, acc_range_g, gyr_range_dps, stream, time_us = _STARTED.unpack(data)[2:]
    if not (rate_mhz and acc_range_g and gyr_range_dps):
        raise DecodeError("The sensor answered a start with a rate or a range of zero.")
    return opcode, status, Started(rate_mhz / 1000, acc_range_g, gyr_range_dps, stream, time_us)
