"""What Movesense's resources measure, as their subscriptions send it: fields in order, little-endian, without padding.

Sources: the captures of sensein/movesense-py (tests/fixtures/validation/fixture.json), which its loggings confirm;
Movesense's API: the time is that "of first measurement" in the packet, in milliseconds since the sensor's start.
"""

from __future__ import annotations

import struct
from operator import le
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import FloatArray

from ...errors import DecodeError

STREAMS: dict[str, str] = {"IMU6": "ag", "IMU9": "agm", "IMU6m": "am", "Acc": "a", "Gyro": "g", "Magn": "m"}
"""By the resource's name under /Meas: its sensors in the order sent, each sensor's samples together."""

_TIME_BYTES = 4
_AXES_BYTES = 12
_MAGNITUDE = 0x7FFFFFFF
_BEYOND = {"a": 200.0, "g": 2400.0, "m": 10_000.0}
"""More than the chips can measure in any range (16 g, 2294 °/s, 1600 µT): a damaged packet."""
_LIMITS = {stream: [_BEYOND[sensor] for sensor in sensors] for stream, sensors in STREAMS.items()}


class Readings(NamedTuple):
    """values: (sensors, n, 3) in the order of STREAMS [m/s², °/s, µT]. peaks: (sensors,) their largest magnitudes.

    time_ms: of the first sample.
    """

    time_ms: int
    values: FloatArray
    peaks: tuple[float, ...]


class HeartRate(NamedTuple):
    average_bpm: float
    rr_intervals_ms: tuple[int, ...]


class Temperature(NamedTuple):
    kelvin: float
    time_ms: int


def is_whole(stream: str, payload: bytes) -> bool:
    """Whether a payload holds whole samples of this stream, and so is not one half of a split packet.

    The first half of a split packet, 150 bytes, never does: 146 is no multiple of 12.
    """
    samples_bytes = len(payload) - _TIME_BYTES
    return samples_bytes > 0 and samples_bytes % (_AXES_BYTES * len(STREAMS[stream])) == 0


def decode_readings(payload: bytes, stream: str) -> Readings:
    """The payload of a stream, put together from its halves. Raises DecodeError."""
    if not is_whole(stream, payload):
        raise DecodeError(f"A packet of {len(payload)} bytes does not hold whole samples of {stream}.")
    values: NDArray[np.float32] = np.frombuffer(payload, "<f4", offset=_TIME_BYTES).reshape(len(STREAMS[stream]), -1, 3)
    # As integers: magnitudes of floats sort like them, with infinity and NaN last, and no bytes raise warnings.
    peaks = (values.view("<i4") & _MAGNITUDE).max(axis=(1, 2)).view(np.float32).tolist()
    if not all(map(le, peaks, _LIMITS[stream])):
        raise DecodeError("A packet holds readings that no such sensor can take.")
    return Readings(int.from_bytes(payload[:_TIME_BYTES], "little"), values.astype(np.float64), tuple(peaks))


def decode_heart_rate(payload: bytes) -> HeartRate:
    """/Meas/HR: the average rate, and the intervals between beats since the last notification."""
    if len(payload) < 4 or len(payload) % 2:
        raise DecodeError(f"A heart rate of {len(payload)} bytes is no such.")
    average, *intervals = struct.unpack(f"<f{len(payload) // 2 - 2}H", payload)
    return HeartRate(average, tuple(intervals))


def decode_temperature(payload: bytes) -> Temperature:
    """/Meas/Temp, the measurement before its time, as captured (the API names them the other way round)."""
    if len(payload) != 8:
        raise DecodeError(f"A temperature of {len(payload)} bytes is no such.")
    return Temperature(*struct.unpack("<fI", payload))
