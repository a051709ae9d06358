"""One stream of Polar's virtual sensors: it samples the board's signals at its own rate, and packs them into frames."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from analytics.signals.samples import FloatArray, IntArray

from ....driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ....drivers.polar.control import Measurement
from ....drivers.polar.frame import GAUSS_UT
from ...reel import Reel
from .frames import encode_compressed, encode_raw


class Stream(NamedTuple):
    """full_scale: in g, degrees per second or gauss."""

    measurement: Measurement
    rate_hz: int
    full_scale: int
    compressed: bool

    @property
    def factor(self) -> float:
        """What a count of angular rate or magnetic field is; exact in 32 bits, as full scales are."""
        return self.full_scale / 32768

    def frames(self, reel: Reel, first: int, count: int, size: int) -> list[bytes]:
        """What it samples while the board takes samples `first` to `first + count`, up to `size` to a frame."""
        ratio = reel.rate_hz / self.rate_hz
        begin, end = math.floor((first - 1) / ratio) + 1, math.floor((first + count - 1) / ratio) + 1
        places = np.arange(max(0, begin), end, dtype=np.float64) * ratio
        parts = [places[at : at + size] for at in range(0, len(places), size)]
        return [self._frame(_time_ns(reel, float(part[-1])), self._counts(reel, part)) for part in parts]

    def _frame(self, last_ns: int, counts: IntArray) -> bytes:
        if not self.compressed:
            return encode_raw(self.measurement, last_ns, counts)
        return encode_compressed(self.measurement, last_ns, 1 if self.measurement is Measurement.ACC else 0, counts)

    def _counts(self, reel: Reel, places: FloatArray) -> IntArray:
        """Readings at these places, which may be between two of the board's samples."""
        first = math.floor(places[0])
        count = math.ceil(places[-1]) - first + 1
        signals = reel.signals(first, count)
        if self.measurement is Measurement.ACC:
            signal, step, greatest = signals.acc_m_s2, STANDARD_GRAVITY_M_S2 * 1e-3, 1000 * self.full_scale
        elif self.measurement is Measurement.GYRO:
            signal, step, greatest = signals.gyr_rad_s, DPS_RAD_S * self.factor, 32767
        else:
            signal, step, greatest = signals.mag_ut, GAUSS_UT * self.factor, 32767
        readings = np.column_stack([np.interp(places - first, np.arange(count), axis) for axis in signal.T])
        return np.clip(np.rint(readings / step), -greatest, greatest).astype(np.int64)


def _time_ns(reel: Reel, place: float) -> int:
    """The clock at a place between two of the board's samples."""
    before = math.floor(place)
    return reel.time_us(before) * 1000 + round((place - before) * 1e9 / reel.rate_hz)
