"""Fields of the open Sinew profile to bytes and back: little-endian, without gaps, an optional one at the end."""

from __future__ import annotations

import struct
from typing import Any


def packed(forms: tuple[str, ...], fields: tuple[int, ...]) -> bytes:
    """The fields in the form, in letters of the struct module, that has so many."""
    (form,) = (form for form in forms if len(form) == len(fields))
    return struct.pack("<" + form, *fields)


def unpacked(forms: tuple[str, ...], data: bytes) -> tuple[Any, ...] | None:
    """The fields in the form that has this length, or None where none has."""
    return next((struct.unpack("<" + form, data) for form in forms if struct.calcsize("<" + form) == len(data)), None)
