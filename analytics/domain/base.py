"""What every word has in common."""

from __future__ import annotations

import os
import time
import uuid

from pydantic import BaseModel, ConfigDict


class Word(BaseModel):
    """An immutable message between rooms.

    Unknown fields are ignored, so that a phone, a gateway and a server one release apart still understand each other.
    """

    # What does not fit must not be quoted in an error: it may be somebody's name or health, and errors reach logs.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def uuid7(now_ms: int | None = None, random: bytes | None = None) -> uuid.UUID:
    """A time-ordered identifier that any device may make alone (RFC 9562, section 5.7).

    `now_ms` is Unix time in milliseconds; `random` is ten bytes. Both are read from the machine unless given.
    """
    milliseconds = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    tail = int.from_bytes(os.urandom(10) if random is None else random[:10], "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (tail >> 64 & 0xFFF) << 64
    value |= 0b10 << 62 | tail & (1 << 62) - 1
    return uuid.UUID(int=value)
