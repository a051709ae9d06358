"""A Nordic Thingy:52: its motion service, with an MPU-9250 at 2 g and 2000 °/s as its firmware sets it."""

from __future__ import annotations

import struct

import numpy as np
from bumble import att
from bumble.core import UUID
from bumble.gatt import Service

from ...drivers.thingy52 import (
    CONFIG_UUID,
    CONFIGURATION_SERVICE_UUID,
    EULER_UUID,
    FIRMWARE_VERSION_UUID,
    GRAVITY_UUID,
    HEADING_UUID,
    ORIENTATION_UUID,
    QUATERNION_UUID,
    RAW_UUID,
    ROTATION_UUID,
    SERVICE_UUID,
    STEPS_UUID,
    TAP_UUID,
    MotionConfig,
    encode_config,
)
from ...open_profile import STANDARD_GRAVITY_M_S2
from ..firmware import Advertised, Firmware, Packet
from ..gatt import GattCharacteristic, notifying, readable, writable
from ..playback import to_counts
from ..sensor import VirtualSensor

FIRMWARE_VERSION = bytes([2, 2, 0])
_DEFAULT_CONFIG = MotionConfig(1000, 500, 500, 10, 1)
_LIMITS = ((100, 5000), (100, 5000), (100, 1000), (5, 200), (0, 1))
"""ble_tms.h of v2.2.0."""
_ESTIMATE_UUIDS = (
    TAP_UUID,
    ORIENTATION_UUID,
    QUATERNION_UUID,
    STEPS_UUID,
    EULER_UUID,
    ROTATION_UUID,
    HEADING_UUID,
    GRAVITY_UUID,
)
_ACC_STEP_M_S2, _GYR_STEP_DPS, _MAG_STEP_UT = STANDARD_GRAVITY_M_S2 / 16384, 2000 / 32768, 0.15


class ThingyFirmware(Firmware):
    """Measures while someone listens. What its motion library would estimate it says when it is told to."""

    family = "thingy52"

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self.config = _DEFAULT_CONFIG
        self._raw = notifying(RAW_UUID)
        self._estimates = {uuid: notifying(uuid) for uuid in _ESTIMATE_UUIDS}

    def advertised(self) -> Advertised:
        return Advertised(self.sensor.name, (CONFIGURATION_SERVICE_UUID,))

    def services(self) -> list[Service]:
        config = writable(CONFIG_UUID, self._on_config, read=lambda: encode_config(*self.config))
        version = readable(FIRMWARE_VERSION_UUID, lambda: FIRMWARE_VERSION)
        return [
            Service(UUID(CONFIGURATION_SERVICE_UUID), [version]),
            Service(UUID(SERVICE_UUID), [config, self._raw, *self._estimates.values()]),
        ]

    def packets(self, first: int, count: int) -> list[Packet]:
        return [Packet(1, [(self._raw, self._sample(number))]) for number in range(first, first + count)]

    def on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        if characteristic is not self._raw:
            return
        if subscribed:
            self.sensor.set_rate(float(self.config.rate_hz))
            self.sensor.begin(1)
        else:
            self.sensor.fall_silent()

    def tell(self, uuid: str, data: bytes) -> None:
        """Send an estimate to who has subscribed to it."""
        self.sensor.notify(self._estimates[uuid], data)

    def _on_config(self, data: bytes) -> None:
        if len(data) != 9:
            raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)
        config = MotionConfig(*struct.unpack("<4HB", data))
        if not all(least <= value <= most for value, (least, most) in zip(config, _LIMITS, strict=True)):
            raise att.ATT_Error(att.ErrorCode.WRITE_NOT_PERMITTED)
        self.config = config
        if self.sensor.listening(self._raw):
            self.sensor.fall_silent()
            self.on_subscription(self._raw, True)

    def _sample(self, number: int) -> bytes:
        """16.16 fixed point as its motion library makes it, cut by shifts as m_motion.c cuts it."""
        acc, gyr, mag = (signal[0] for signal in self.sensor.reel.signals(number, 1))
        acc_q16 = -4 * to_counts(acc, _ACC_STEP_M_S2).astype(np.int64)
        gyr_q16 = 4000 * to_counts(np.degrees(gyr), _GYR_STEP_DPS).astype(np.int64)
        mag_q16 = np.rint(np.rint(mag / _MAG_STEP_UT) * _MAG_STEP_UT * 65536).astype(np.int64)
        gyr_q16 = np.where(gyr_q16 >= 1023 << 16, 1023 << 16, np.maximum(gyr_q16, -1024 << 16))
        counts = np.concatenate([acc_q16 >> 6, gyr_q16 >> 11, (mag_q16 >> 12) * self._mag_is_new(number)])
        return counts.astype("<i2").tobytes()

    def _mag_is_new(self, number: int) -> bool:
        period_ms, interval_ms = 1000 / self.sensor.reel.rate_hz, self.config.compass_interval_ms
        return number == 0 or int(number * period_ms // interval_ms) != int((number - 1) * period_ms // interval_ms)
