"""What WitMotion's registers hold, and the commands that read and write them.

Sources: "BLE 5.0 Communication Protocol" of WitMotion (WT901BLE, WT9011DCL-BT50); the maker's own programs in
github.com/WITMOTION/WitBluetooth_BWT901BLE5_0 (Bwt901bleProcessor.java for battery, version and magnetometer).
"""

from __future__ import annotations

import struct
from enum import IntEnum

import numpy as np

from ...errors import DecodeError
from .frames import FRAME_BYTES, REPLY, START


class Register(IntEnum):
    SAVE = 0x00
    CALIBRATION = 0x01
    RATE = 0x03
    BANDWIDTH = 0x1F
    ALGORITHM = 0x24
    READ = 0x27
    VERSION = 0x2E
    MAGNETIC_FIELD = 0x3A
    TEMPERATURE = 0x40
    QUATERNION = 0x51
    BATTERY = 0x64
    KEY = 0x69
    MAGNETOMETER = 0x72
    OUTPUT = 0x96
    """What a frame 55 61 holds: 0 acceleration, angular rate, angles; otherwise displacement and speed."""


RATE_CODES = {
    **{0.2: 0x01, 0.5: 0x02, 1.0: 0x03, 2.0: 0x04, 5.0: 0x05, 10.0: 0x06, 20.0: 0x07, 50.0: 0x08, 100.0: 0x09},
    **{125.0: 0x0A, 200.0: 0x0B},
}
"""By Hz. The maker's documents differ on 0x01, which others call 0.1 Hz, and on 0x0A, which others call 200 Hz."""
BANDWIDTH_CODES = {256: 0, 188: 1, 98: 2, 42: 3, 20: 4, 10: 5, 5: 6}
"""By Hz of the low-pass filter; 20 Hz when new."""
ALGORITHM_CODES = {9: 0, 6: 1}
"""By axes: 9 finds north with the magnetometer, 6 does without."""
CALIBRATION_NONE, CALIBRATION_ACC, CALIBRATION_YAW_ZERO = 0, 1, 4
UNLOCKING_KEY = 0xB588

_MAGNETOMETER_UT = {2: 0.15, 3: 0.013, 4: 0.058, 5: 0.098, 6: 1 / 150, 7: 0.02}
"""Step [µT] of each kind of magnetometer that the sensors were built with."""
_ONE_CELL_V = (3.4, 3.5, 3.68, 3.7, 3.73, 3.77, 3.79, 3.82, 3.87, 3.93, 3.96, 3.99)
_ONE_CELL_PERCENT = (0, 5, 10, 15, 20, 30, 40, 50, 60, 75, 90, 100)
_TWO_CELLS_V = (6.5, 6.8, 7.35, 7.75, 8.5, 8.8)
_TWO_CELLS_PERCENT = (0, 10, 30, 60, 90, 100)


def encode_write(register: int, value: int) -> bytes:
    """Write a register; heeded only for 10 s after `encode_unlock`."""
    return struct.pack("<BBBH", 0xFF, 0xAA, register, value & 0xFFFF)


def encode_read(register: int) -> bytes:
    """Ask for a register and the seven that follow it."""
    return encode_write(Register.READ, register)


def encode_unlock() -> bytes:
    """Have the sensor heed writes for 10 s."""
    return encode_write(Register.KEY, UNLOCKING_KEY)


def encode_save() -> bytes:
    """Keep the registers in flash, which wears: only where something has changed."""
    return encode_write(Register.SAVE, 0)


def encode_rate(rate_hz: float) -> bytes:
    """Send so many frames a second: one of RATE_CODES."""
    return encode_write(Register.RATE, RATE_CODES[rate_hz])


def encode_bandwidth(bandwidth_hz: int) -> bytes:
    """Filter readings: one of BANDWIDTH_CODES."""
    return encode_write(Register.BANDWIDTH, BANDWIDTH_CODES[bandwidth_hz])


def encode_algorithm(axes: int) -> bytes:
    """Compute orientation from 9 or from 6 axes."""
    return encode_write(Register.ALGORITHM, ALGORITHM_CODES[axes])


def encode_calibration(mode: int) -> bytes:
    """Begin a calibration, or end it with CALIBRATION_NONE."""
    return encode_write(Register.CALIBRATION, mode)


def decode_reply(frame: bytes) -> tuple[int, tuple[int, ...]]:
    """The first register that this frame tells, and eight values from it on, signed. Raises DecodeError."""
    if len(frame) != FRAME_BYTES or frame[0] != START or frame[1] != REPLY:
        raise DecodeError(f"{frame.hex()} is no answer of registers (55 71 and 18 bytes).")
    register, *values = struct.unpack_from("<H8h", frame, 2)
    return register, tuple(values)


def decode_value(frame: bytes) -> int:
    """The first register of an answer, where one is all that was wanted."""
    return decode_reply(frame)[1][0]


def decode_version(frame: bytes) -> str:
    """The firmware: of newer sensors three numbers packed into two registers, of older ones a single number."""
    low, high = (value & 0xFFFF for value in decode_reply(frame)[1][:2])
    packed = high << 16 | low
    if not packed >> 31:
        return str(low)
    return f"{packed >> 14 & 0xFFFF}.{packed >> 8 & 0x1F}.{packed & 0x7F}"


def decode_magnetic_field_ut(frame: bytes, magnetometer: int) -> tuple[float, ...]:
    """x, y, z, given what register MAGNETOMETER holds. Raises DecodeError where that kind is unknown."""
    if magnetometer not in _MAGNETOMETER_UT:
        raise DecodeError(f"it has a magnetometer of kind {magnetometer}, whose unit its maker has not published.")
    return tuple(value * _MAGNETOMETER_UT[magnetometer] for value in decode_reply(frame)[1][:3])


def decode_temperature_celsius(frame: bytes) -> float:
    """Of the chip, which is warmer than the air."""
    return decode_value(frame) / 100


def decode_quaternion(frame: bytes) -> tuple[float, ...]:
    """w, x, y, z, sensor to east-north-up earth (to a heading of its own with six axes)."""
    return tuple(value / 32768 for value in decode_reply(frame)[1][:4])


def decode_battery_percent(frame: bytes) -> int:
    """From the voltage of one cell or of two, by the maker's own curves. Raises DecodeError for any other voltage."""
    volts = decode_value(frame) / 100
    if 2.5 <= volts <= 5.5:
        return round(float(np.interp(volts, _ONE_CELL_V, _ONE_CELL_PERCENT)))
    if 5.5 < volts <= 9.5:
        return round(float(np.interp(volts, _TWO_CELLS_V, _TWO_CELLS_PERCENT)))
    raise DecodeError(f"it tells a battery of {volts:g} V.")
