"""Capture2Go's measurements to samples."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

import numpy as np

from analytics.signals.samples import FloatArray, ImuSamples, IntArray, Resolution, Source

from ...driver_kit.units import DPS_RAD_S
from ...errors import DecodeError

RATES_HZ = (200.0, 100.0, 50.0, 25.0, 10.0, 1.0)
"""In the order of the maker's sampling modes, which count from 1."""
RESOLUTION = Resolution(acc_m_s2=16 * 9.81 / 32768, gyr_rad_s=2000 * DPS_RAD_S / 32768)
"""The maker's scales, with a g of 9.81 m/s² (protocol, "Decoding of Fixed-Point Data")."""
MAG_STEP_UT = 1 / 16
TIME_GAP, GYR_CLIPPING, ACC_CLIPPING, PROCESSING_ISSUE = 0x01, 0x02, 0x04, 0x10
_TIME_BYTES = _ORIENTATION_BYTES = 8
_TAIL = struct.Struct("<QhB")
"""Orientation and heading offset of the first sample, error flags."""
_STEP = math.sqrt(2) / 0xFFFFF
_HALF = 1 / math.sqrt(2)
_NOT_TOLD: FloatArray = np.full((8, 4), np.nan)


class Measurement(NamedTuple):
    """A kind of measurement package: `samples` of `vectors` each: angular rate, acceleration, and magnetic field."""

    rate_hz: float
    samples: int
    vectors: int
    payload_bytes: int


MEASUREMENTS = {
    first + number: Measurement(rate_hz, samples, vectors, _TIME_BYTES + 6 * samples * vectors + _TAIL.size)
    for first, samples, vectors in ((0x0221, 8, 3), (0x0231, 8, 2), (0x0241, 1, 3), (0x0251, 1, 2))
    for number, rate_hz in enumerate(RATES_HZ)
}
"""By header. Orientation alone, floating point and bursts are not among them: Sinew asks for none. Nor is the real-time
channel's: it tells the newest sample whenever there is room, so some are told twice and others never."""


class Orientation(NamedTuple):
    """w, x, y, z, sensor to earth, of accelerometer and gyroscope; and what the sensor thinks of its surroundings."""

    quaternion: tuple[float, float, float, float]
    at_rest: bool
    mag_disturbed: bool


def decode_orientation(data: bytes) -> Orientation:
    """The three smallest components in 20 bits each, which one is left out, two flags. Raises DecodeError."""
    if len(data) != _ORIENTATION_BYTES:
        raise DecodeError(f"An orientation of Capture2Go has {len(data)} bytes instead of {_ORIENTATION_BYTES}.")
    code = int.from_bytes(data, "little")
    return Orientation(_quaternion(code), bool(code >> 62 & 1), bool(code >> 63))


def flags_of(payload: bytes) -> int:
    """The error flags of a measurement: its last byte."""
    return payload[-1]


def time_of(payload: bytes) -> int:
    """When the first sample was taken, in nanoseconds of the sensor's clock."""
    return int.from_bytes(payload[:_TIME_BYTES], "little", signed=True)


def decode_measurement(
    kind: Measurement, payload: bytes, times_us: IntArray, lost_before: int, source: Source | None
) -> ImuSamples:
    """Where the sensor saw a reading clipped before its filter, all samples of the package are flagged.

    Orientation is told of the first sample; the others' is NaN.
    """
    counts = np.frombuffer(payload, "<i2", count=3 * kind.samples * kind.vectors, offset=_TIME_BYTES)
    vectors = counts.reshape(kind.vectors, kind.samples, 3)
    code, _, flags = _TAIL.unpack_from(payload, kind.payload_bytes - _TAIL.size)
    orientation = _NOT_TOLD[: kind.samples].copy()
    orientation[0] = _quaternion(code)
    clipped = np.zeros(kind.samples, dtype=np.bool_)
    if flags & (GYR_CLIPPING | ACC_CLIPPING):
        clipped[:] = True
    return ImuSamples(
        sensor_time_us=times_us,
        acc_m_s2=vectors[1] * RESOLUTION.acc_m_s2,
        gyr_rad_s=vectors[0] * RESOLUTION.gyr_rad_s,
        lost_before=lost_before,
        mag_ut=vectors[2] * MAG_STEP_UT if kind.vectors == 3 else None,
        orientation=orientation,
        clipped=clipped,
        source=source,
    )


def _quaternion(code: int) -> tuple[float, float, float, float]:
    """The one left out comes first, the others follow in turn. NaN where they are longer than a unit without it."""
    x, y, z = ((code >> shift & 0xFFFFF) * _STEP - _HALF for shift in (40, 20, 0))
    square = 1 - x * x - y * y - z * z
    turned = (math.sqrt(square), x, y, z) if square >= 0 else (math.nan,) * 4
    left_out = code >> 60 & 3
    w, x, y, z = turned[-left_out:] + turned[:-left_out]
    return w, x, y, z
