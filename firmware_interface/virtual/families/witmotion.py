"""A WitMotion sensor: frames as soon as it is subscribed to, and registers that can be written once unlocked."""

from __future__ import annotations

import asyncio
import math
import struct

import numpy as np
from bumble.core import UUID
from bumble.gatt import Service

from analytics.signals.samples import FloatArray

from ..firmware import Advertised, Firmware, Packet
from ..gatt import GattCharacteristic, notifying, writable
from ..playback import to_counts
from ..sensor import VirtualSensor

_SERVICE, _NOTIFY, _WRITE = (f"0000{number}-0000-1000-8000-00805f9a34fb" for number in ("ffe5", "ffe4", "ffe9"))
_FRAME_BYTES = 20
_PACKET_S = 0.02
"""So long its radio collects frames: one at 50 Hz, two at 100 Hz, four at 200 Hz, as many as captures show."""
_UNLOCKED_S = 10.0
_KEY_VALUE = 0xB588

_SAVE, _CALIBRATION, _RATE, _BANDWIDTH, _ALGORITHM, _READ, _VERSION = 0x00, 0x01, 0x03, 0x1F, 0x24, 0x27, 0x2E
_MAG, _TEMPERATURE, _QUATERNION, _BATTERY, _KEY, _MAGNETOMETER, _OUTPUT = 0x3A, 0x40, 0x51, 0x64, 0x69, 0x72, 0x96
_FACTORY = {_RATE: 6, _BANDWIDTH: 4, _ALGORITHM: 0, _VERSION: 13113, _TEMPERATURE: 2200, _MAGNETOMETER: 6, _OUTPUT: 0}
_RATES_HZ = {3: 1.0, 4: 2.0, 5: 5.0, 6: 10.0, 7: 20.0, 8: 50.0, 9: 100.0, 11: 200.0}

_ACC_STEP, _GYR_STEP = 16 * 9.80665 / 32768, math.radians(2000) / 32768
_ANGLE_STEP, _MAG_STEP_UT = math.pi / 32768, 1 / 150
_CELL_PERCENT = (0, 5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 100)
_CELL_V = (3.4, 3.5, 3.68, 3.7, 3.73, 3.77, 3.79, 3.82, 3.87, 3.93, 3.96, 3.99)


class WitMotionFirmware(Firmware):
    """Its flash was last written for the rate nearest to the recording's. Its angles are inclination and a fixed yaw.

    registers: how many it has; of those beyond, it tells nothing. flash_writes: how often it was told to save.
    """

    family = "witmotion"
    has_battery_service = False
    registers = 0x100

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self._data = notifying(_NOTIFY)
        self._control = writable(_WRITE, self._on_command, write_without_response=True)
        nearest = min(_RATES_HZ, key=lambda code: abs(_RATES_HZ[code] - sensor.reel.rate_hz))
        self._flash = _FACTORY | {_RATE: nearest}
        self.flash_writes = 0

    def advertised(self) -> Advertised:
        return Advertised("WT901BLE68")

    def services(self) -> list[Service]:
        return [Service(UUID(_SERVICE), [self._data, self._control])]

    def power_on(self) -> None:
        self._registers = dict(self._flash)
        self._locks_at = -math.inf
        self._yaw_rad = 1.2

    @property
    def largest_batch(self) -> int:
        return self.sensor.payload_bytes // _FRAME_BYTES

    def packets(self, first: int, count: int) -> list[Packet]:
        signals = self.sensor.reel.signals(first, count)
        readings = [to_counts(signals.acc_m_s2, _ACC_STEP), to_counts(signals.gyr_rad_s, _GYR_STEP)]
        if self._registers[_OUTPUT]:
            readings = [np.zeros_like(reading) for reading in readings]  # displacement and speed of what goes nowhere
        angles = to_counts(self._angles_rad(signals.acc_m_s2), _ANGLE_STEP)
        words = np.column_stack([np.full(count, 0x6155), *readings, angles]).astype("<i2")
        return [Packet(count, [(self._data, words.tobytes())])]

    def on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        if characteristic is self._data:
            self._stream() if subscribed else self.sensor.fall_silent()

    def _stream(self) -> None:
        self.sensor.fall_silent()
        self.sensor.set_rate(_RATES_HZ.get(self._registers[_RATE], self.sensor.reel.rate_hz))
        self.sensor.begin(max(1, round(self.sensor.reel.rate_hz * _PACKET_S)))

    def _on_command(self, data: bytes) -> None:
        """What it does not understand, or is locked for, it ignores: its protocol has no word for no."""
        if len(data) != 5 or data[:2] != b"\xff\xaa":
            return
        register, value = struct.unpack_from("<BH", data, 2)
        now = asyncio.get_running_loop().time()
        if register == _READ:
            self._answer(value)
        elif register == _KEY:
            self._locks_at = now + _UNLOCKED_S if value == _KEY_VALUE else now
        elif now < self._locks_at:
            self._write(register, value)

    def _write(self, register: int, value: int) -> None:
        if register == _SAVE:
            self._registers = dict(_FACTORY) if value == 1 else self._registers
            self._flash = dict(self._registers)
            self.flash_writes += 1
            return
        self._registers[register] = value
        if register == _CALIBRATION and value == 4 and self._registers[_ALGORITHM] == 1:
            self._yaw_rad = 0.0
        if register == _RATE and self.sensor.listening(self._data):
            self._stream()

    def _answer(self, register: int) -> None:
        if register >= self.registers:
            return
        held = self._registers | self._measured()
        values = [held.get(register + number, 0) for number in range(8)]
        signed = [(value + 0x8000) % 0x10000 - 0x8000 for value in values]
        self.sensor.notify(self._data, struct.pack("<BBH8h", 0x55, 0x71, register, *signed))

    def _measured(self) -> dict[int, int]:
        """Registers that change by themselves."""
        reel, began = self.sensor.reel, self.sensor.first_sample_at
        taken = 1 if began is None else reel.taken(asyncio.get_running_loop().time(), began)
        now = reel.signals(max(0, taken - 1), 1)
        magnetic_field = to_counts(now.mag_ut, _MAG_STEP_UT)[0]
        quaternion = to_counts(_quaternion(*self._angles_rad(now.acc_m_s2)[0]), 1 / 32768)
        volts = float(np.interp(self.sensor.battery_percent, _CELL_PERCENT, _CELL_V))
        return {
            **{_MAG + axis: int(value) for axis, value in enumerate(magnetic_field)},
            **{_QUATERNION + part: int(value) for part, value in enumerate(quaternion)},
            _BATTERY: round(volts * 100),
        }

    def _angles_rad(self, acc_m_s2: FloatArray) -> FloatArray:
        """Roll, pitch, yaw (n, 3) of a sensor that is held still: its inclination, and where it was switched on."""
        x, y, z = acc_m_s2.T
        return np.column_stack([np.arctan2(y, z), np.arctan2(-x, np.hypot(y, z)), np.full(len(x), self._yaw_rad)])


def _quaternion(roll_rad: float, pitch_rad: float, yaw_rad: float) -> FloatArray:
    """w, x, y, z of turning about z, then y, then x."""
    turned = np.array([1.0, 0.0, 0.0, 0.0])
    for axis, angle_rad in ((3, yaw_rad), (2, pitch_rad), (1, roll_rad)):
        w, x, y, z = turned
        about = {1: (-x, w, z, -y), 2: (-y, -z, w, x), 3: (-z, y, -x, w)}[axis]
        turned = math.cos(angle_rad / 2) * turned + math.sin(angle_rad / 2) * np.array(about)
    return turned
