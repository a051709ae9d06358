"""The packet of samples of the open Sinew profile."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DecodeError
from .constants import PACKET_FIELDS, VERSION, Flag

_HEADER = struct.Struct("<" + PACKET_FIELDS)
_READING_BYTES = 2
_MOST_SAMPLES = 255
_ATT_HEADER_BYTES = 3  # of a notification: opcode and handle
_KNOWN_FLAGS = Flag.NINE_AXES | Flag.RESENT


class Packet(NamedTuple):
    """One notification. `sequence` counts samples modulo 65536, `time_us` wraps after 71.6 minutes.

    counts: (n, 6) acceleration and angular rate, or (n, 9) with the magnetic field.
    resent: these samples come because RESEND asked for them, behind newer ones.
    """

    sequence: int
    time_us: int
    counts: NDArray[np.int16]
    resent: bool = False


def packet_capacity(mtu: int, axes: int = 6) -> int:
    """Samples that one notification can carry at this ATT MTU: 19 of six axes at 247; at the least MTU, 23, one.

    0: none. Nine axes need an MTU of 29.
    """
    return max(0, min(_MOST_SAMPLES, (mtu - _ATT_HEADER_BYTES - _HEADER.size) // (_READING_BYTES * axes)))


def encode_packet(sequence: int, time_us: int, counts: NDArray[np.int16], *, resent: bool = False) -> bytes:
    """A notification of the readings `counts`, (n, 6) or (n, 9); sequence and time are taken modulo their width."""
    samples, axes = counts.shape
    if not 1 <= samples <= _MOST_SAMPLES or axes not in (6, 9):
        raise ValueError(f"A packet holds 1 to 255 samples of 6 or 9 axes, not {samples} of {axes}.")
    flags = (Flag.NINE_AXES if axes == 9 else 0) | (Flag.RESENT if resent else 0)
    header = _HEADER.pack(VERSION | flags, samples, sequence & 0xFFFF, time_us & 0xFFFFFFFF)
    return header + counts.astype("<i2").tobytes()


def decode_packet(data: bytes) -> Packet:
    """Read one notification. Raises DecodeError."""
    if len(data) < _HEADER.size:
        raise DecodeError(f"A packet of {len(data)} bytes is shorter than its header.")
    kind, samples, sequence, time_us = _HEADER.unpack_from(data)
    version, flags = kind & 0x0F, kind & 0xF0
    if version != VERSION:
        raise DecodeError(f"A packet is of version {version} and this program reads {VERSION}; update one of the two.")
    if flags & ~_KNOWN_FLAGS:
        raise DecodeError(f"A packet has flags {flags:#04x} that this program does not know; update it.")
    axes = 9 if flags & Flag.NINE_AXES else 6
    if samples == 0 or len(data) != _HEADER.size + _READING_BYTES * axes * samples:
        raise DecodeError(f"A packet says that it holds {samples} samples of {axes} axes but has {len(data)} bytes.")
    counts = np.frombuffer(data, dtype="<i2", offset=_HEADER.size).reshape(samples, axes)
    return Packet(sequence, time_us, counts, bool(flags & Flag.RESENT))
