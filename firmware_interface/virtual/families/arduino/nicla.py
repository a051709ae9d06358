"""A Nicla Sense ME with the sketch of its dashboard."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...playback import to_counts
from ...reel import Signals
from .sketch import SketchFirmware

_ACC, _GYR, _ORIENTATION = "5001", "6001", "7001"
_ACC_STEP, _GYR_STEP = 8 * 9.80665 / 32768, math.radians(2000) / 32768


class NiclaFirmware(SketchFirmware):
    """Sends what its chip counts, as floats. It faces north, inclined as its acceleration says."""

    family = "arduino_nicla"
    uuid = "19b10000-{}-537e-4f6c-d104768a1214"
    streams = (_GYR, _ACC, _ORIENTATION)

    def readings(self, number: int, signals: Signals) -> Iterator[tuple[str, bytes]]:
        yield _GYR, to_counts(signals.gyr_rad_s[0], _GYR_STEP).astype("<f4").tobytes()
        yield _ACC, to_counts(signals.acc_m_s2[0], _ACC_STEP).astype("<f4").tobytes()
        x, y, z = signals.acc_m_s2[0] / max(1e-9, float(np.linalg.norm(signals.acc_m_s2[0])))
        turned = np.array([y, -x, 0.0, 1 + z]) if z > -1 + 1e-9 else np.array([1.0, 0.0, 0.0, 0.0])
        yield _ORIENTATION, (turned / np.linalg.norm(turned)).astype("<f4").tobytes()
