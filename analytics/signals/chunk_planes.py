"""How a chunk packs numbers: differences, zigzag, byte planes. All of it wraps, so every value comes back exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .samples import BoolArray, FloatArray, IntArray


class ChunkError(ValueError):
    """These bytes are not a chunk, or these values have no place in one."""


class BytesReader:
    """Takes pieces from the front of a body and refuses to read past its end."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._position = 0

    def take(self, size: int) -> bytes:
        piece = self._body[self._position : self._position + size]
        if len(piece) != size:
            raise ChunkError("This chunk ends in the middle of a run; it was cut short when it was written.")
        self._position += size
        return piece

    def text(self) -> str:
        try:
            return self.take(self.take(1)[0]).decode()
        except UnicodeDecodeError as error:
            raise ChunkError("This chunk holds a name that is not text; refused.") from error

    def finish(self) -> None:
        if self._position != len(self._body):
            raise ChunkError("This chunk holds more bytes than its runs need; refused.")


def pack_counts(counts: NDArray[np.int16]) -> bytes:
    """(n, k) readings to 2 n k bytes: per channel the differences in time, all low bytes, then all high bytes."""
    steps = np.diff(counts.T, axis=1, prepend=np.int16(0))
    zigzag = (steps << 1) ^ (steps >> 15)
    return _split(np.ascontiguousarray(zigzag, dtype="<i2").ravel(), 2)


def unpack_counts(reader: BytesReader, count: int, channels: int) -> NDArray[np.int16]:
    """Undo `pack_counts`: (n, k) int16."""
    zigzag = _join(reader.take(2 * channels * count), 2).view("<u2").reshape(channels, count)
    steps = ((zigzag >> 1) ^ -(zigzag & 1)).astype(np.int16)
    return np.cumsum(steps, axis=1, dtype=np.int16).T


def pack_times(time_us: IntArray) -> bytes:
    """(n,) times to 8 n bytes: differences of differences, which are zero or one for an even rate."""
    steps = time_us.astype(np.int64, copy=False)
    for _ in range(2):
        steps = np.diff(steps, prepend=np.int64(0))
    zigzag = (steps << 1) ^ (steps >> 63)
    return _split(np.ascontiguousarray(zigzag, dtype="<i8"), 8)


def unpack_times(reader: BytesReader, count: int) -> IntArray:
    """Undo `pack_times`: (n,) int64."""
    zigzag = _join(reader.take(8 * count), 8).view("<u8")
    steps = ((zigzag >> 1) ^ -(zigzag & 1)).astype(np.int64)
    return np.cumsum(np.cumsum(steps, dtype=np.int64), dtype=np.int64)


def pack_numbers(values: FloatArray) -> bytes:
    """(n, k) of any numbers, NaN and infinities too, to 8 n k bytes: the eight bytes of all values as planes."""
    return _split(np.ascontiguousarray(values.T, dtype="<f8").ravel(), 8)


def unpack_numbers(reader: BytesReader, count: int, channels: int) -> FloatArray:
    """Undo `pack_numbers`: (n, k) float64."""
    return _join(reader.take(8 * channels * count), 8).view("<f8").reshape(channels, count).T.astype(np.float64)


def pack_flags(flags: BoolArray) -> bytes:
    """(n,) to n / 8 bytes, rounded up; the first in the lowest bit."""
    return np.packbits(flags, bitorder="little").tobytes()


def unpack_flags(reader: BytesReader, count: int) -> BoolArray:
    """Undo `pack_flags`: (n,) bool."""
    packed = np.frombuffer(reader.take((count + 7) // 8), dtype=np.uint8)
    return np.unpackbits(packed, count=count, bitorder="little").astype(np.bool_)


def _split(values: NDArray[np.signedinteger] | FloatArray, width: int) -> bytes:
    return values.view(np.uint8).reshape(-1, width).T.tobytes()


def _join(planes: bytes, width: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.frombuffer(planes, dtype=np.uint8).reshape(width, -1).T).ravel()
