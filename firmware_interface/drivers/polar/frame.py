"""A data frame of Polar's measurement data service: many samples of one measurement, raw or delta-compressed.

Source: polarofficial/polar-ble-sdk (PmdDataFrame.kt, BlePMDClient.parseDeltaFramesAll, AccData.kt, GyrData.kt,
MagData.kt and their tests).
"""

from __future__ import annotations

import functools
import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import FloatArray, IntArray

from ...driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ...errors import DecodeError
from .control import Measurement

_HEADER = struct.Struct("<BQB")
_MEASUREMENT_BITS = 0x3F
COMPRESSED = 0x80
MOST_DELTA_BITS = 32
_MOST_DELTAS = 255 * 4
_NO_NUMBER = 0x7F800000

GAUSS_UT = 100.0


class Frame(NamedTuple):
    """last_ns: when the last sample was taken, since 2000-01-01 by the device's clock.

    readings: (n, 3), in `unit` of SI (µT of a magnetic field), and where `has_factor` in the stream's factor as well.
    """

    measurement: Measurement
    last_ns: int
    readings: FloatArray
    unit: float
    has_factor: bool


class _Packing(NamedTuple):
    """How one kind of frame holds its samples. unit: SI of one count."""

    channels: int
    sample_bytes: int
    unit: float
    is_float: bool = False


_PACKINGS = {
    (Measurement.ACC, 0): _Packing(3, 1, STANDARD_GRAVITY_M_S2 * 1e-3),
    (Measurement.ACC, 1): _Packing(3, 2, STANDARD_GRAVITY_M_S2 * 1e-3),
    (Measurement.ACC, 2): _Packing(3, 3, STANDARD_GRAVITY_M_S2 * 1e-3),
    (Measurement.ACC, COMPRESSED | 0): _Packing(3, 2, STANDARD_GRAVITY_M_S2),
    (Measurement.ACC, COMPRESSED | 1): _Packing(3, 2, STANDARD_GRAVITY_M_S2 * 1e-3),
    (Measurement.GYRO, COMPRESSED | 0): _Packing(3, 2, DPS_RAD_S),
    (Measurement.GYRO, COMPRESSED | 1): _Packing(3, 4, DPS_RAD_S, is_float=True),
    (Measurement.MAG, COMPRESSED | 0): _Packing(3, 2, GAUSS_UT),
    # The fourth is how well the device has calibrated itself: 0 unknown, 1 poor, 2 fair, 3 good.
    (Measurement.MAG, COMPRESSED | 1): _Packing(4, 2, GAUSS_UT * 1e-3),
}


def decode_frame(data: bytes) -> Frame:
    """What one notification holds. Raises DecodeError, and of measurements that are not movement too."""
    if len(data) < _HEADER.size:
        raise DecodeError(f"A frame of {len(data)} bytes is shorter than its header.")
    measurement, last_ns, kind = _HEADER.unpack_from(data)
    packing = _PACKINGS.get((measurement & _MEASUREMENT_BITS, kind))
    if packing is None:
        raise DecodeError(f"Frames of measurement {measurement} and type {kind:#04x} are none of movement.")
    body, compressed = data[_HEADER.size :], bool(kind & COMPRESSED)
    counts = decode_deltas(body, packing.channels, packing.sample_bytes) if compressed else _raw(body, packing)
    readings = _floats(counts) if packing.is_float else counts[:, :3].astype(np.float64)
    return Frame(Measurement(measurement & _MEASUREMENT_BITS), last_ns, readings, packing.unit, compressed)


def decode_deltas(body: bytes, channels: int, sample_bytes: int) -> IntArray:
    """(n, channels) samples of a compressed frame: the first as it is, then blocks of differences, each of their width.

    A block is the bits of a difference (u8), how many samples (u8), and as many differences of two's complement, of one
    sample after the other, the least bit first. Raises DecodeError; n is bounded by the bits there are.
    """
    if len(body) < channels * sample_bytes:
        raise DecodeError("A compressed frame is shorter than its first sample.")
    first = np.frombuffer(body, f"<i{sample_bytes}", channels)
    # The eight bytes that begin at each byte: every difference lies within those that begin at its own first byte.
    windows: NDArray[np.int64] = np.ndarray(len(body), "<i8", body + bytes(8), strides=(1,))
    steps: list[IntArray] = [first.astype(np.int64)]
    offset = first.nbytes
    while offset < len(body):
        width, count = body[offset], body[offset + 1] * channels if offset + 1 < len(body) else -1
        end = offset + 2 + (width * count + 7) // 8
        if count < 0 or end > len(body) or not (1 <= width <= MOST_DELTA_BITS or count == 0):
            raise DecodeError("A block of a compressed frame does not fit the frame.")
        if count:
            starts, shifts = _places(width)
            block = windows[offset + 2 + starts[:count]]
            block <<= shifts[:count]
            block >>= 64 - width
            steps.append(block)
        offset = end
    samples: IntArray = np.add.accumulate(np.concatenate(steps).reshape(-1, channels))
    return samples


@functools.lru_cache(MOST_DELTA_BITS)
def _places(width: int) -> tuple[IntArray, IntArray]:
    """Of differences of so many bits: the byte in which each begins, and what shifts its sign to the top of 64 bits."""
    bits = np.arange(_MOST_DELTAS) * width
    return bits >> 3, 64 - width - (bits & 7)


def _floats(patterns: IntArray) -> FloatArray:
    """Their differences are of the bit patterns of 32-bit floating-point numbers."""
    bits = patterns.astype(np.uint32)
    if (bits & _NO_NUMBER == _NO_NUMBER).any():  # before it is one: a processor complains of some of them
        raise DecodeError("A frame holds a reading that is no number.")
    return bits.view(np.float32).astype(np.float64)


def _raw(body: bytes, packing: _Packing) -> IntArray:
    """(n, channels) samples of a frame that is not compressed."""
    sample_bytes, channels = packing.sample_bytes, packing.channels
    if not body or len(body) % (sample_bytes * channels):
        raise DecodeError(f"{len(body)} bytes are no whole samples of {channels} times {sample_bytes}.")
    if sample_bytes != 3:
        return np.frombuffer(body, f"<i{sample_bytes}").reshape(-1, channels).astype(np.int64)
    padded = np.zeros((len(body) // 3, 4), np.uint8)
    padded[:, 1:] = np.frombuffer(body, np.uint8).reshape(-1, 3)
    return (padded.view("<i4") >> 8).reshape(-1, channels).astype(np.int64)
