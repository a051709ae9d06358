"""How a virtual Capture2Go packs what it says: frame, measurement, file names."""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import FloatArray

from ...playback import to_counts
from ...reel import Signals

NAME_BYTES = 65
_ACC_STEP, _GYR_STEP, _MAG_STEP = 16 * 9.81 / 32768, math.radians(2000) / 32768, 1 / 16
_GYR_CLIPPING, _ACC_CLIPPING = 2, 4


def package(header: int, payload: bytes = b"") -> bytes:
    """Start byte, CRC-32 of what follows the length, length, header, payload."""
    checked = struct.pack("<H", header) + payload
    return struct.pack("<BIB", 2, zlib.crc32(checked), len(payload)) + checked


def unpacked(written: bytes) -> tuple[int, bytes] | None:
    """Header and payload of a whole package; None where it is none."""
    if len(written) < 8 or written[0] != 2 or written[5] != len(written) - 8:
        return None
    header, payload = int.from_bytes(written[6:8], "little"), written[8:]
    return (header, payload) if package(header, payload) == written else None


def name(text: bytes) -> bytes:
    """A file's name, filled up."""
    return text.ljust(NAME_BYTES, b"\0")


def full(time_ns: int, signals: Signals, *, mute_mag: bool) -> bytes:
    """A full measurement of as many samples as there are signals."""
    gyr, acc = to_counts(signals.gyr_rad_s, _GYR_STEP), to_counts(signals.acc_m_s2, _ACC_STEP)
    vectors = [gyr, acc] if mute_mag else [gyr, acc, to_counts(signals.mag_ut, _MAG_STEP)]
    flags = _GYR_CLIPPING * _at_an_end(gyr) | _ACC_CLIPPING * _at_an_end(acc)
    return (
        struct.pack("<q", time_ns)
        + b"".join(counts.astype("<i2").tobytes() for counts in vectors)
        + struct.pack("<QhB", _smallest_three(_tilt(signals.acc_m_s2[0])), 0, flags)
    )


def _at_an_end(counts: NDArray[np.int16]) -> bool:
    return bool(((counts == 32767) | (counts == -32768)).any())


def _tilt(acc_m_s2: FloatArray) -> FloatArray:
    """The smallest rotation that takes what the accelerometer feels to straight up, as w, x, y, z."""
    x, y, z = acc_m_s2 / max(float(np.linalg.norm(acc_m_s2)), 1e-9)
    w = math.sqrt(max(0.0, (1 + z) / 2))
    return np.array([0.0, 1.0, 0.0, 0.0] if w < 1e-6 else [w, y / (2 * w), -x / (2 * w), 0.0])


def _smallest_three(quaternion: FloatArray) -> int:
    """Three components in 20 bits each, from -1/√2 to 1/√2; which is left out, in two bits."""
    largest = int(np.argmax(np.abs(quaternion)))
    code = largest
    for offset in (1, 2, 3):
        component = quaternion[(largest + offset) % 4] * np.sign(quaternion[largest])
        code = code << 20 | round((component + 1 / math.sqrt(2)) * 0xFFFFF / math.sqrt(2))
    return code
