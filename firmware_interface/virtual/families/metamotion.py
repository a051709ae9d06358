"""A MetaMotion S, and as a variant a MetaMotion R, as MbientLab's API specification has them."""

from __future__ import annotations

import math
import struct
from typing import ClassVar

import numpy as np
from bumble.core import UUID
from bumble.gatt import Service

from analytics.signals.samples import FloatArray

from ..firmware import Advertised, Firmware, Identity, Packet
from ..gatt import GattCharacteristic, notifying, writable
from ..playback import to_counts
from ..reel import Signals
from ..sensor import VirtualSensor

_UUID = "326a900{}-85cb-9195-d9dd-464cfbbae75a"
_GRAVITY_M_S2 = 9.80665
_ACC, _GYR, _MAG, _FUSION = 0x03, 0x13, 0x15, 0x19
_POWER, _SAMPLING, _SETTING, _OUTPUTS = 1, 2, 3, 3
_MASKS = {(_ACC, _SAMPLING), (_GYR, _SAMPLING), (_MAG, _SAMPLING), (_FUSION, _OUTPUTS)}
"""Registers that are written as bits to set and bits to clear."""
_RATES_HZ = {6: 25.0, 7: 50.0, 8: 100.0, 9: 200.0}
_DPS_PER_STEP = [1 / 16.4, 1 / 32.8, 1 / 65.6, 1 / 131.2, 1 / 262.4]
_IN_A_PACKET = 3
_SURE = 3
"""Accuracy of a calibrated sensor."""


class MetaMotionFirmware(Firmware):
    """A board is a bank of registers; what was written to them is what it does. It answers reads and nothing else.

    Its fusion is no more than the tilt that the accelerometer shows. What it was told before a lost link still holds
    after it; that is not published, and the harder case for a gateway.
    """

    family = "metamotion"
    model: ClassVar[str] = "8"
    modules: ClassVar[dict[int, bytes]] = {  # of the SDK's tests, "metawear_motion_s_services"
        _ACC: bytes.fromhex("0400"),
        _GYR: bytes.fromhex("0100"),
        _MAG: bytes.fromhex("0002"),
        _FUSION: bytes.fromhex("00030300060002000100"),
    }
    acc_ranges_g: ClassVar[dict[int, int]] = {0: 2, 1: 4, 2: 8, 3: 16}
    streams: ClassVar[dict[str, int]] = {"acc": 0x04, "packed acc": 0x05, "gyr": 0x04, "packed gyr": 0x05}
    settings: ClassVar[dict[int, bytes]] = {_ACC: bytes.fromhex("a802"), _GYR: bytes.fromhex("2800")}

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self._notify = notifying(_UUID.format(6))
        self._command = writable(_UUID.format(1), self._on_command, write_without_response=True)
        self._registers: dict[tuple[int, int], bytes] = {}

    def advertised(self) -> Advertised:
        return Advertised(self.sensor.name, (_UUID.format(0),))

    def services(self) -> list[Service]:
        return [Service(UUID(_UUID.format(0)), [self._command, self._notify])]

    def identity(self) -> Identity:
        return Identity("MbientLab Inc", self.model, self.sensor.address.replace(":", "")[-6:], "1.7.2", "r0.1")

    def power_on(self) -> None:
        self._registers = {(module, _SETTING): setting for module, setting in self.settings.items()}

    @property
    def largest_batch(self) -> int:
        """Whole packets, however fast the world goes."""
        return self._in_a_packet * max(1, int(self.sensor.reel.speed))

    def packets(self, first: int, count: int) -> list[Packet]:
        size = self._in_a_packet
        return [self._packet(first + at, min(size, count - at)) for at in range(0, count, size)]

    def on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        self._follow()

    @property
    def _in_a_packet(self) -> int:
        return _IN_A_PACKET if self._streams(_ACC, "packed acc") or self._streams(_GYR, "packed gyr") else 1

    def _packet(self, first: int, count: int) -> Packet:
        if count < self._in_a_packet:
            return Packet(count, [])  # a packet that is never filled is never sent
        signals = self.sensor.reel.signals(first, count)
        data = self._fused(signals) if self._fuses else self._counts(signals)
        return Packet(count, [(self._notify, notification) for notification in data])

    def _counts(self, signals: Signals) -> list[bytes]:
        acc_setting, gyr_setting = self._registers[_ACC, _SETTING], self._registers[_GYR, _SETTING]
        acc_step = self.acc_ranges_g[acc_setting[1]] * _GRAVITY_M_S2 / 32768
        gyr_step = math.radians(_DPS_PER_STEP[gyr_setting[1]])
        acc, gyr = to_counts(signals.acc_m_s2, acc_step), to_counts(signals.gyr_rad_s, gyr_step)
        return [
            bytes([module, self.streams[name]]) + counts.astype("<i2").tobytes()
            for module, name, counts in (
                (_ACC, "acc", acc),
                (_ACC, "packed acc", acc),
                (_GYR, "gyr", gyr),
                (_GYR, "packed gyr", gyr),
            )
            if self._streams(module, name)
        ]

    def _fused(self, signals: Signals) -> list[bytes]:
        acc, gyr, mag = signals.acc_m_s2[0], signals.gyr_rad_s[0], signals.mag_ut[0]
        made = {
            0x04: struct.pack("<3fB", *(acc / _GRAVITY_M_S2 * 1000), _SURE),
            0x05: struct.pack("<3fB", *np.degrees(gyr), _SURE),
            0x06: struct.pack("<3fB", *mag, _SURE),
            0x07: struct.pack("<4f", *_tilt(acc)),
        }
        outputs = self._register(_FUSION, _OUTPUTS)
        return [
            bytes([_FUSION, register]) + data
            for register, data in made.items()
            if outputs >> (register - 4) & 1 and self._register(_FUSION, register)
        ]

    @property
    def _fuses(self) -> bool:
        needed = (_ACC, _GYR) if self._register(_FUSION, 2) == 2 else (_ACC, _GYR, _MAG)
        return bool(self._register(_FUSION, _POWER)) and all(self._samples(module) for module in needed)

    def _streams(self, module: int, name: str) -> bool:
        """Whether this stream flows: its sensor runs, hands on its readings, and the stream was asked for."""
        return self._samples(module) and bool(self._register(module, self.streams[name]))

    def _samples(self, module: int) -> bool:
        return bool(self._register(module, _POWER) and self._register(module, _SAMPLING))

    def _register(self, module: int, register: int) -> int:
        return int.from_bytes(self._registers.get((module, register), b"")[:1], "little")

    def _on_command(self, data: bytes) -> None:
        if len(data) < 2:
            return
        module, register, content = data[0], data[1], data[2:]
        if register & 0x80:
            self._answer(module, register)
        elif self._takes(module, register, content):
            if (module, register) in _MASKS:
                on, off = (*content, 0, 0)[:2]
                content = bytes([(self._register(module, register) | on) & ~off & 0xFF])
            self._registers[module, register] = content
            self._follow()

    def _takes(self, module: int, register: int, content: bytes) -> bool:
        """A setting that the chip does not have changes nothing."""
        if register != _SETTING or module not in self.settings:
            return module in self.modules
        ranges = self.acc_ranges_g if module == _ACC else range(len(_DPS_PER_STEP))
        return len(content) == 2 and content[0] & 0x0F in _RATES_HZ and content[1] in ranges

    def _answer(self, module: int, register: int) -> None:
        held = self.modules.get(module, b"") if register == 0x80 else self._registers.get((module, register & 0x3F))
        if held is not None:
            self.sensor.notify(self._notify, bytes([module, register]) + held)

    def _follow(self) -> None:
        """Do what the registers now say."""
        streams = [(_ACC, "acc"), (_ACC, "packed acc"), (_GYR, "gyr"), (_GYR, "packed gyr")]
        flows = self._fuses or any(self._streams(*stream) for stream in streams)
        if not flows or not self.sensor.listening(self._notify):
            self.sensor.fall_silent()  # a sensor that is stopped sends nothing more, not even what it has
            self.sensor.set_rate(_RATES_HZ[self._registers[_ACC, _SETTING][0] & 0x0F])
        else:
            self.sensor.begin(self._in_a_packet)


class MetaMotionRFirmware(MetaMotionFirmware):
    """The board with the BMI160."""

    model = "5"
    modules: ClassVar[dict[int, bytes]] = {  # "metawear_motion_r_services"
        _ACC: bytes.fromhex("0101"),
        _GYR: bytes.fromhex("0001"),
        _MAG: bytes.fromhex("0001"),
        _FUSION: bytes.fromhex("00000300060002000100"),
    }
    acc_ranges_g: ClassVar[dict[int, int]] = {3: 2, 5: 4, 8: 8, 12: 16}
    streams: ClassVar[dict[str, int]] = {"acc": 0x04, "packed acc": 0x1C, "gyr": 0x05, "packed gyr": 0x07}
    settings: ClassVar[dict[int, bytes]] = {_ACC: bytes.fromhex("2803"), _GYR: bytes.fromhex("2800")}


def _tilt(acc_m_s2: FloatArray) -> tuple[float, float, float, float]:
    """The smallest rotation that takes what the accelerometer feels to straight up."""
    x, y, z = acc_m_s2 / max(float(np.linalg.norm(acc_m_s2)), 1e-9)
    w = math.sqrt(max(0.0, (1 + z) / 2))
    return (0.0, 1.0, 0.0, 0.0) if w < 1e-6 else (w, y / (2 * w), -x / (2 * w), 0.0)
