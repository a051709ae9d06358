"""Messages of a Movella DOT: recording, synchronisation and configuration share one envelope (§5.1)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from ...errors import DecodeError

LONGEST_DATA = 157


class Topic(IntEnum):
    """The message identifier MID."""

    RECORDING = 0x01
    SYNCHRONISATION = 0x02
    CONFIGURATION = 0x03


class Message(NamedTuple):
    topic: int
    data: bytes

    @property
    def id(self) -> int:
        """What a message of this topic is about: its first byte."""
        return self.data[0] if self.data else 0

    @property
    def content(self) -> bytes:
        """What follows the identifier."""
        return self.data[1:]


def encode_message(topic: int, data: bytes) -> bytes:
    """An envelope, whose bytes add up to a multiple of 256. Raises ValueError for data of over 157 bytes."""
    if len(data) > LONGEST_DATA:
        raise ValueError(f"A message holds {LONGEST_DATA} bytes and not {len(data)}.")
    head = bytes([topic, len(data)]) + data
    return head + bytes([-sum(head) & 0xFF])


def decode_message(data: bytes) -> Message:
    """Open an envelope; zeros behind it, up to the characteristic's 160 bytes, are let pass. Raises DecodeError."""
    end = data[1] + 3 if len(data) > 1 else 3
    if len(data) < end or any(data[end:]) or end - 3 > LONGEST_DATA:
        raise DecodeError(f"A message of {len(data)} bytes does not have the length that it says.")
    if sum(data[:end]) & 0xFF:
        raise DecodeError("A message's checksum is wrong, so it is damaged.")
    return Message(data[0], bytes(data[2 : end - 1]))
