"""What a virtual Movella DOT makes of the signals it plays, in the quantities that its payloads and recordings hold."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import FloatArray, IntArray

from ....drivers.movella_dot.decoder import ACC_RANGE_G, GYR_RANGE_DPS
from ....drivers.movella_dot.payload import Records
from ....open_profile import STANDARD_GRAVITY_M_S2
from ...reel import Reel

ACC_RANGE_M_S2 = ACC_RANGE_G * STANDARD_GRAVITY_M_S2
_MAG_COUNTS_PER_UT = 4096 / 40


class Measured:
    """Samples `first` and on, as attributes that are called as in `payload.FORMATS`.

    The maker's filter is its secret: here, heading is always east and the vertical is where the accelerometer feels it.
    """

    def __init__(self, reel: Reel, first: int, count: int) -> None:
        self._period_s = 1 / reel.rate_hz
        self._signals = reel.signals(first, count)
        self._true_gyr_dps = np.degrees(self._signals.gyr_rad_s)
        self.acc_m_s2 = np.clip(self._signals.acc_m_s2, -ACC_RANGE_M_S2, ACC_RANGE_M_S2)
        self.gyr_dps = np.clip(self._true_gyr_dps, -GYR_RANGE_DPS, GYR_RANGE_DPS)

    def records(self, layout: np.dtype[np.void], time_us: IntArray) -> Records:
        """As laid out; the clock's 32 bits wrap."""
        records = np.zeros(len(time_us), layout)
        for name in layout.names or ():
            records[name] = time_us % (1 << 32) if name == "timestamp_us" else getattr(self, name)
        return records

    @cached_property
    def quaternion(self) -> FloatArray:
        """(n, 4) the shortest turn that brings what the accelerometer feels upright."""
        length = np.linalg.norm(self.acc_m_s2, axis=1)
        x, y, z = self.acc_m_s2.T / np.where(length, length, 1.0)
        turn = np.column_stack([1 + np.where(length, z, 1.0), y, -x, np.zeros_like(x)])
        upside_down = np.linalg.norm(turn, axis=1) < 1e-6
        turn[upside_down] = (0.0, 1.0, 0.0, 0.0)
        return np.asarray(turn / np.linalg.norm(turn, axis=1, keepdims=True))

    @property
    def euler_deg(self) -> FloatArray:
        """(n, 3) roll, pitch, yaw: turned about z, then y, then x."""
        w, x, y, z = self.quaternion.T
        roll = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
        pitch = np.arcsin(np.clip(2 * (w * y - z * x), -1, 1))
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        return np.asarray(np.degrees(np.column_stack([roll, pitch, yaw])))

    @property
    def free_acc_m_s2(self) -> FloatArray:
        """(n, 3) in earth axes, without gravity."""
        w, v = self.quaternion[:, :1], self.quaternion[:, 1:]
        across = 2 * np.cross(v, self.acc_m_s2)
        turned = self.acc_m_s2 + w * across + np.cross(v, across)
        return np.asarray(turned - (0.0, 0.0, STANDARD_GRAVITY_M_S2))

    @property
    def dq(self) -> FloatArray:
        """(n, 4) the turn of one period."""
        half_rad = np.radians(self.gyr_dps) * self._period_s / 2
        angle = np.linalg.norm(half_rad, axis=1, keepdims=True)
        return np.hstack([np.cos(angle), np.sinc(angle / np.pi) * half_rad])

    @property
    def dv_m_s(self) -> FloatArray:
        """(n, 3) the change of velocity in one period."""
        return self.acc_m_s2 * self._period_s

    @property
    def mag_counts(self) -> NDArray[np.int16]:
        """(n, 3) 4096 for 40 µT."""
        return np.clip(np.rint(self._signals.mag_ut * _MAG_COUNTS_PER_UT), -32768, 32767).astype(np.int16)

    @property
    def status(self) -> NDArray[np.uint16]:
        """(n,) a bit for each axis out of range; the magnetometer's reading is always new."""
        out_of_range = np.hstack(
            [np.abs(self._signals.acc_m_s2) > ACC_RANGE_M_S2, np.abs(self._true_gyr_dps) > GYR_RANGE_DPS]
        )
        return (out_of_range @ (1 << np.arange(6)) | 0x200).astype(np.uint16)

    @property
    def acc_clips(self) -> NDArray[np.uint8]:
        """(n,) readings out of range: one to a sample here, where the real chip takes 800 a second."""
        return np.asarray(self.status & 0x07 != 0, dtype=np.uint8)

    @property
    def gyr_clips(self) -> NDArray[np.uint8]:
        """(n,) the same of the gyroscope."""
        return np.asarray(self.status & 0x38 != 0, dtype=np.uint8)
