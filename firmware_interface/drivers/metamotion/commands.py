"""What a MetaMotion is told and what it answers, byte for byte.

Source: MbientLab's API specification (github.com/mbientlab/MetaWear-API) and the tests of their SDK
(github.com/mbientlab/MetaWear-SDK-Cpp). A packet is module, register, data; bit 7 of the register asks or answers.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from ...driver_kit.units import STANDARD_GRAVITY_M_S2
from ...errors import DecodeError

SERVICE_UUID = "326a9000-85cb-9195-d9dd-464cfbbae75a"
COMMAND_UUID = "326a9001-85cb-9195-d9dd-464cfbbae75a"
NOTIFY_UUID = "326a9006-85cb-9195-d9dd-464cfbbae75a"
READ = 0x80

ACCELEROMETER, GYROSCOPE, MAGNETOMETER, FUSION = 0x03, 0x13, 0x15, 0x19
INFO, POWER, SAMPLING, CONFIG = 0x00, 0x01, 0x02, 0x03
ACC_DATA = 0x04
FUSION_MODE, FUSION_OUTPUTS = 0x02, 0x03
RATE_CODES = {25.0: 6, 50.0: 7, 100.0: 8, 200.0: 9}
MAG_RATE_CODES = {10.0: 0, 20.0: 5, 25.0: 6}
GYR_RANGES_DPS = (2000, 1000, 500, 250, 125)
ACC_RANGES_G = (2, 4, 8, 16)


class Chip(NamedTuple):
    """How the two generations of boards differ. acc_filter: the upper half of the accelerometer's setting.
    packs_from_revision: of its modules, which have packed streams from then on.
    """

    name: str
    acc_implementation: int
    gyr_implementation: int
    acc_filter: int
    acc_range_codes: Mapping[int, int]
    packed_acc: int
    gyr_data: int
    packed_gyr: int
    packs_from_revision: int


CHIPS = {
    chip.name: chip
    for chip in (
        Chip("BMI160", 1, 0, 0x20, {2: 3, 4: 5, 8: 8, 16: 12}, 0x1C, 0x05, 0x07, packs_from_revision=1),
        Chip("BMI270", 4, 1, 0xA0, {2: 0, 4: 1, 8: 2, 16: 3}, 0x05, 0x04, 0x05, packs_from_revision=0),
    )
}


class FusionMode(IntEnum):
    """The modes of the board's own sensor fusion that have a gyroscope: with the magnetometer and without."""

    NDOF = 1
    IMU_PLUS = 2


class FusionData(IntEnum):
    """What the fusion can send: its registers. The bit of each in the mask of outputs counts from the first."""

    CORRECTED_ACC = 0x04
    CORRECTED_GYR = 0x05
    CORRECTED_MAG = 0x06
    QUATERNION = 0x07
    EULER = 0x08
    GRAVITY = 0x09
    LINEAR_ACC = 0x0A

    @property
    def output(self) -> int:
        return 1 << (self - FusionData.CORRECTED_ACC)


class ModuleInfo(NamedTuple):
    """implementation, revision: 0 where the board has no such module."""

    module: int
    present: bool
    implementation: int = 0
    revision: int = 0


class Corrected(NamedTuple):
    """A vector as the fusion has corrected it, and how sure it is of its calibration, from 0 to 3."""

    vector: tuple[float, float, float]
    accuracy: int


class Euler(NamedTuple):
    heading_deg: float
    pitch_deg: float
    roll_deg: float
    yaw_deg: float


def encode_read(module: int, register: int = INFO) -> bytes:
    """Ask for what a register holds; register 0 tells of the module itself."""
    return bytes([module, register | READ])


def encode_acc_config(chip: str, rate_hz: float, range_g: int) -> bytes:
    """Rate and range of the accelerometer of this chip: "BMI160" or "BMI270"."""
    known = CHIPS[chip]
    return bytes([ACCELEROMETER, CONFIG, known.acc_filter | RATE_CODES[rate_hz], known.acc_range_codes[range_g]])


def encode_gyr_config(rate_hz: float, range_dps: int) -> bytes:
    """Rate and range of the gyroscope, which are set alike in both chips. 0x20: the filter's normal mode."""
    return bytes([GYROSCOPE, CONFIG, 0x20 | RATE_CODES[rate_hz], GYR_RANGES_DPS.index(range_dps)])


def encode_subscribe(module: int, register: int, on: bool) -> bytes:
    """Send what this register comes to hold, or no more."""
    return bytes([module, register, on])


def encode_sampling(module: int, on: bool) -> bytes:
    """Have a running sensor hand its readings on. Bits to set, bits to clear."""
    return bytes([module, SAMPLING, on, not on])


def encode_power(module: int, on: bool) -> bytes:
    """Start or stop a sensor, or the fusion."""
    return bytes([module, POWER, on])


def encode_fusion_mode(mode: int, acc_range_g: int, gyr_range_dps: int) -> bytes:
    """The gyroscope's ranges count from 1 here: the fusion's first is one that no board has."""
    ranges = (GYR_RANGES_DPS.index(gyr_range_dps) + 1) << 4 | ACC_RANGES_G.index(acc_range_g)
    return bytes([FUSION, FUSION_MODE, mode, ranges])


def encode_fusion_outputs(outputs: int) -> bytes:
    """Let the fusion send what this mask says; 0 for nothing more."""
    return bytes([FUSION, FUSION_OUTPUTS, outputs, 0 if outputs else 0x7F])


def encode_mag_repetitions(xy: int, z: int) -> bytes:
    """How often the magnetometer measures for one reading."""
    return bytes([MAGNETOMETER, 0x04, (xy - 1) // 2, z - 1])


def encode_mag_rate(rate_hz: float) -> bytes:
    """How often the magnetometer takes a reading."""
    return bytes([MAGNETOMETER, CONFIG, MAG_RATE_CODES[rate_hz]])


def decode_module_info(data: bytes) -> ModuleInfo | None:
    """None where this answers something else."""
    if len(data) < 2 or data[1] != READ:
        return None
    return ModuleInfo(data[0], True, data[2], data[3]) if len(data) >= 4 else ModuleInfo(data[0], False)


def decode_corrected_acc(data: bytes) -> Corrected:
    """In m/s²; the board sends thousandths of g."""
    return _corrected(data, FusionData.CORRECTED_ACC, STANDARD_GRAVITY_M_S2 / 1000)


def decode_corrected_gyr(data: bytes) -> Corrected:
    """In degrees per second, as the board sends it."""
    return _corrected(data, FusionData.CORRECTED_GYR)


def decode_corrected_mag(data: bytes) -> Corrected:
    """In µT."""
    return _corrected(data, FusionData.CORRECTED_MAG)


def decode_quaternion(data: bytes) -> tuple[float, ...]:
    """w, x, y, z."""
    return _floats(data, FusionData.QUATERNION, "<2x4f")


def decode_euler(data: bytes) -> Euler:
    """Heading, pitch, roll and yaw."""
    return Euler(*_floats(data, FusionData.EULER, "<2x4f"))


def decode_gravity(data: bytes) -> tuple[float, ...]:
    """In m/s², along the sensor's axes."""
    return _floats(data, FusionData.GRAVITY, "<2x3f")


def decode_linear_acc(data: bytes) -> tuple[float, ...]:
    """In m/s², without gravity."""
    return _floats(data, FusionData.LINEAR_ACC, "<2x3f")


def _corrected(data: bytes, register: FusionData, unit: float = 1.0) -> Corrected:
    x, y, z, accuracy = _floats(data, register, "<2x3fB")
    return Corrected((x * unit, y * unit, z * unit), int(accuracy))


def _floats(data: bytes, register: FusionData, layout: str) -> tuple[float, ...]:
    if data[:2] != bytes([FUSION, register]) or len(data) != struct.calcsize(layout):
        raise DecodeError(f"This is no {register.name.lower()} of a MetaMotion's fusion: {data[:20].hex()}.")
    return struct.unpack(layout, data)
