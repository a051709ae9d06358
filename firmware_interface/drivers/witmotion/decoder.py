"""WitMotion's frames as samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from analytics.signals.samples import FloatArray, ImuSamples, Resolution

from ...driver_kit.clipping import clipped_counts
from ...driver_kit.decoder import Decoder
from ...driver_kit.timeline import CountedTimeline
from ...driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ...errors import DecodeError
from .frames import FRAME_BYTES, MOTION, START, FrameStream

RESOLUTION = Resolution(acc_m_s2=16 * STANDARD_GRAVITY_M_S2 / 32768, gyr_rad_s=2000 * DPS_RAD_S / 32768)
_STEPS = np.repeat([RESOLUTION.acc_m_s2, RESOLUTION.gyr_rad_s, math.pi / 32768], 3)
_MOTION_WORD = START | MOTION << 8


class WitMotionDecoder(Decoder):
    """Frames of acceleration, angular rate and angles. What fills no frame is skipped."""

    def __init__(self) -> None:
        self._frames = FrameStream()
        self._timeline = CountedTimeline(1.0)

    def begin(self, rate_hz: float) -> None:
        """Count samples anew, at this rate."""
        self._frames = FrameStream()
        self._timeline = CountedTimeline(rate_hz)

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        skipped = self._frames.skipped_bytes
        words = np.frombuffer(self._frames.feed(data), dtype="<i2").reshape(-1, FRAME_BYTES // 2)
        if not len(words) and self._frames.skipped_bytes > skipped:
            raise DecodeError("A notification holds bytes that belong to no frame (55 61 and 18 bytes).")
        counts = words[words[:, 0] == _MOTION_WORD, 1:]
        if not len(counts):
            return []
        readings = counts * _STEPS
        return [
            ImuSamples(
                sensor_time_us=self._timeline.place(len(counts)),
                acc_m_s2=readings[:, :3],
                gyr_rad_s=readings[:, 3:6],
                orientation=_orientation(readings[:, 6:]),
                clipped=clipped_counts(counts[:, :6]),
                source=self.source,
            )
        ]


def _orientation(angles_rad: FloatArray) -> FloatArray:
    """Quaternions (n, 4) of roll, pitch and yaw (n, 3), which turn about z, then y, then x.

    That order is the protocol's; that the earth is east-north-up, as the angles' zero and the magnetic field of a
    recorded sensor at rest show.
    """
    half = angles_rad.T / 2
    (cr, cp, cy), (sr, sp, sy) = np.cos(half), np.sin(half)
    return np.column_stack(
        [
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        ]
    )
