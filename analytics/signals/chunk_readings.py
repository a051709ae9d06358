"""One quantity of a run, such as its acceleration: whole multiples of a step wherever it can be, any numbers otherwise.

Nothing that a sensor says is refused: what does not fit sixteen bits of its step is kept as it is.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .chunk_planes import (
    BytesReader,
    ChunkError,
    pack_counts,
    pack_flags,
    pack_numbers,
    unpack_counts,
    unpack_flags,
    unpack_numbers,
)
from .samples import BoolArray, FloatArray

_HEAD = struct.Struct("<Bd")


class Kind(IntEnum):
    """How a quantity is written."""

    NONE = 0
    COUNTS = 1
    SOME_COUNTS = 2  # NaN in the samples that have no reading
    NUMBERS = 3


def pack_readings(values: FloatArray | None, step: float) -> bytes:
    """(n, k) readings, NaN where there is none, as the nearest whole multiples of `step`, if 16 bits hold them."""
    if values is None:
        return bytes([Kind.NONE])
    if not 0 <= step < np.inf:
        raise ChunkError("The readings of a run have no resolution, so they cannot be written.")
    there: BoolArray = np.logical_not(np.isnan(values).all(axis=1))
    counts = _counts(values[there], step)
    if counts is None:
        return _HEAD.pack(Kind.NUMBERS, step) + pack_numbers(values)
    if there.all():
        return _HEAD.pack(Kind.COUNTS, step) + pack_counts(counts)
    return _HEAD.pack(Kind.SOME_COUNTS, step) + pack_flags(there) + pack_counts(counts)


def unpack_readings(reader: BytesReader, count: int, channels: int) -> tuple[FloatArray | None, float]:
    """Undo `pack_readings`: the readings (n, k) and the step, which is 0 where nothing was written."""
    kind = reader.take(1)[0]
    if kind > Kind.NUMBERS:
        raise ChunkError("This chunk holds readings of a kind that this program does not know; update it.")
    if kind == Kind.NONE:
        return None, 0.0
    (step,) = struct.unpack("<d", reader.take(8))
    if not 0 <= step < np.inf:
        raise ChunkError("This chunk holds a run without a resolution; refused.")
    if kind == Kind.NUMBERS:
        return unpack_numbers(reader, count, channels), step
    if kind == Kind.COUNTS:
        return unpack_counts(reader, count, channels) * step, step
    there = unpack_flags(reader, count)
    values = np.full((count, channels), np.nan)
    values[there] = unpack_counts(reader, int(there.sum()), channels) * step
    return values, step


def pack_clipped(clipped: BoolArray | None) -> bytes:
    """Whether it is known which samples stand at the end of the range, and which do."""
    return bytes([0]) if clipped is None else bytes([1]) + pack_flags(clipped)


def unpack_clipped(reader: BytesReader, count: int) -> BoolArray | None:
    """Undo `pack_clipped`: (n,) or None."""
    known = reader.take(1)[0]
    if known > 1:
        raise ChunkError("This chunk holds clipping of a kind that this program does not know; update it.")
    return unpack_flags(reader, count) if known else None


def _counts(values: FloatArray, step: float) -> NDArray[np.int16] | None:
    """None where a reading is not a number within sixteen bits of the step."""
    if not len(values):
        return np.empty(values.shape, dtype="<i2")
    if not step > 0:
        return None
    with np.errstate(over="ignore"):  # what overflows does not fit either
        steps = np.rint(values / step)
    return steps.astype("<i2") if np.all(np.abs(steps + 0.5) <= 32767.5) else None  # also false for NaN
