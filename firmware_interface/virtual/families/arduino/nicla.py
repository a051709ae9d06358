"""A Nicla Sense ME with the sketch of its dashboard."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from functools import partial

import numpy as np
from bumble import att
from bumble.gatt import Service

from ...gatt import readable, writable
from ...playback import to_counts
from ...reel import Signals
from ...sensor import VirtualSensor
from .sketch import SketchFirmware

_ACC, _GYR, _ORIENTATION = "5001", "6001", "7001"
_SURROUNDINGS = {"2001": struct.pack("<f", 24.5), "3001": struct.pack("<I", 41), "4001": struct.pack("<f", 1009.25)}
"""What a room has: °C, %, hPa."""
_ACC_STEP, _GYR_STEP = 8 * 9.80665 / 32768, math.radians(2000) / 32768


class NiclaFirmware(SketchFirmware):
    """Sends what its chip counts, as floats. It faces north, inclined as its acceleration says.

    light: the colour that it was told to show: red, green, blue.
    """

    family = "arduino_nicla"
    uuid = "19b10000-{}-537e-4f6c-d104768a1214"
    streams = (_GYR, _ACC, _ORIENTATION)

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self.light = (0, 255, 0)

    def services(self) -> list[Service]:
        (service,) = super().services()
        surroundings = [readable(self.uuid.format(uuid), partial(bytes, told)) for uuid, told in _SURROUNDINGS.items()]
        light = writable(self.uuid.format("8001"), self._on_light, read=lambda: bytes(self.light))
        return [Service(service.uuid, [*service.characteristics, *surroundings, light])]

    def _on_light(self, data: bytes) -> None:
        if len(data) != 3:
            raise att.ATT_Error(att.ErrorCode.INVALID_ATTRIBUTE_LENGTH)
        self.light = (data[0], data[1], data[2])

    def readings(self, number: int, signals: Signals) -> Iterator[tuple[str, bytes]]:
        yield _GYR, to_counts(signals.gyr_rad_s[0], _GYR_STEP).astype("<f4").tobytes()
        yield _ACC, to_counts(signals.acc_m_s2[0], _ACC_STEP).astype("<f4").tobytes()
        x, y, z = signals.acc_m_s2[0] / max(1e-9, float(np.linalg.norm(signals.acc_m_s2[0])))
        turned = np.array([y, -x, 0.0, 1 + z]) if z > -1 + 1e-9 else np.array([1.0, 0.0, 0.0, 0.0])
        yield _ORIENTATION, (turned / np.linalg.norm(turned)).astype("<f4").tobytes()
