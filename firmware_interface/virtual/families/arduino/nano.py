"""A Nano 33 BLE Sense with the sketch of its test dashboard."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...playback import to_counts
from ...reel import Signals
from .sketch import SketchFirmware

_ACC, _GYR, _MAG = "3001", "3002", "3003"
_ACC_RANGE_G, _GYR_RANGE_DPS, _MAG_RANGE_UT = 4, 2000, 400
_CHIP_RATES_HZ = (100.0, 119.0)
_MAG_EVERY = 5


class NanoFirmware(SketchFirmware):
    """Sends in g, degrees a second and microtesla, as fast as the chip of the first board (119 Hz) or of Rev2."""

    family = "arduino_nano"
    uuid = "6fbe1da7-{}-44de-92c4-bb6e04fb0212"
    streams = (_ACC, _GYR, _MAG)

    def rate_hz(self) -> float:
        return min(_CHIP_RATES_HZ, key=lambda chips: abs(chips - self.sensor.reel.rate_hz))

    def readings(self, number: int, signals: Signals) -> Iterator[tuple[str, bytes]]:
        yield _ACC, _read(signals.acc_m_s2[0] / 9.80665, _ACC_RANGE_G)
        yield _GYR, _read(np.degrees(signals.gyr_rad_s[0]), _GYR_RANGE_DPS)
        if number % _MAG_EVERY == 0:
            yield _MAG, _read(signals.mag_ut[0], _MAG_RANGE_UT)


def _read(values: NDArray[np.float64], full_scale: float) -> bytes:
    """As the library makes floats of what the chip counts."""
    step = full_scale / 32768
    return (to_counts(values, step) * step).astype("<f4").tobytes()
