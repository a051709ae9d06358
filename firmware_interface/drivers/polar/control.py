"""The control point of Polar's measurement data service (PMD): what is written to it and what it answers.

Source: polarofficial/polar-ble-sdk (PmdControlPointCommand, PmdControlPointResponse, PmdMeasurementType, PmdSetting and
documentation/Device Error Codes & D2H Notifications.md). All numbers are little-endian.
"""

from __future__ import annotations

import math
import struct
from enum import IntEnum
from typing import NamedTuple

from ...errors import DecodeError

SERVICE_UUID = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL_UUID = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA_UUID = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"

RESPONSE = 0xF0
FEATURES = 0x0F
LEAST_MTU = 64
"""Below it a device refuses to stream (error 10)."""


class Operation(IntEnum):
    GET_SETTINGS = 1
    START = 2
    STOP = 3
    GET_SDK_MODE_SETTINGS = 4
    GET_SDK_MODE = 6


class Measurement(IntEnum):
    """What a device can stream, by the bit that says so in its features; SDK_MODE is no stream but a wider choice."""

    ECG = 0
    PPG = 1
    ACC = 2
    PPI = 3
    GYRO = 5
    MAG = 6
    SKIN_TEMPERATURE = 7
    SDK_MODE = 9
    LOCATION = 10
    PRESSURE = 11
    TEMPERATURE = 12
    OFFLINE_RECORDING = 13
    OFFLINE_HR = 14


class Status(IntEnum):
    """Errors of the control point, by Polar's names."""

    SUCCESS = 0
    INVALID_OP_CODE = 1
    INVALID_MEASUREMENT_TYPE = 2
    NOT_SUPPORTED = 3
    INVALID_LENGTH = 4
    INVALID_PARAMETER = 5
    ALREADY_IN_STATE = 6
    INVALID_RESOLUTION = 7
    INVALID_SAMPLE_RATE = 8
    INVALID_RANGE = 9
    INVALID_MTU = 10
    INVALID_NUMBER_OF_CHANNELS = 11
    INVALID_STATE = 12
    DEVICE_IN_CHARGER = 13
    DISK_FULL = 14
    INVALID_DERIVED_MEASUREMENT_METHOD = 15
    INVALID_SOURCE_MEASUREMENT_TYPE = 16
    INVALID_SOURCE_MEASUREMENT_RATE = 17
    INVALID_DERIVED_MEASUREMENT_SETTINGS_GROUP = 18


class Reply(NamedTuple):
    """more: the parameters go on in a further reply."""

    operation: int
    measurement: int
    status: Status
    more: bool
    parameters: bytes


class Settings(NamedTuple):
    """What a measurement can be set to, in Hz, bits and g, degrees per second or gauss; empty where there is no choice.

    factor: what compressed readings are multiplied by, told once a stream has started.
    """

    sample_rate: tuple[int, ...] = ()
    resolution: tuple[int, ...] = ()
    range: tuple[int, ...] = ()
    range_milliunit: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    factor: float | None = None


# By name: the setting's number and the bytes of one value.
_CHOICES = {"sample_rate": (0, 2), "resolution": (1, 2), "range": (2, 2), "range_milliunit": (3, 4), "channels": (4, 1)}
_FACTOR = 5


def nearest_choice(offered: Settings, **wanted: float) -> dict[str, int]:
    """Of each setting that is offered the value nearest to what is wanted; the greatest where it does not matter."""
    return {
        name: min(values, key=lambda value: (abs(value - wanted.get(name, math.inf)), -value))
        for name in _CHOICES
        if (values := getattr(offered, name))
    }


def encode_get_settings(measurement: int, *, sdk_mode: bool = False) -> bytes:
    """Ask what a measurement can be set to now, or in SDK mode."""
    return bytes([Operation.GET_SDK_MODE_SETTINGS if sdk_mode else Operation.GET_SETTINGS, measurement])


def encode_start(measurement: int, **settings: int) -> bytes:
    """Start a measurement with one value for each of the settings that it offers, by their names in `Settings`."""
    values = b"".join(_encode_choice(name, (value,)) for name, value in settings.items())
    return bytes([Operation.START, measurement]) + values


def encode_stop(measurement: int) -> bytes:
    """Stop a measurement."""
    return bytes([Operation.STOP, measurement])


def encode_sdk_mode(on: bool) -> bytes:
    """Switch SDK mode, in which more rates and ranges are offered; refused while anything streams."""
    return bytes([Operation.START if on else Operation.STOP, Measurement.SDK_MODE])


def encode_get_sdk_mode() -> bytes:
    """Ask whether SDK mode is on."""
    return bytes([Operation.GET_SDK_MODE])


def decode_features(data: bytes) -> tuple[Measurement, ...]:
    """What the control point tells when it is read: the measurements that the device has. Raises DecodeError."""
    if len(data) < 3 or data[0] != FEATURES:
        raise DecodeError(f"{data.hex() or 'nothing'} is no list of its measurements.")
    bits = int.from_bytes(data[1:3], "little")
    return tuple(measurement for measurement in Measurement if bits >> measurement & 1)


def decode_reply(data: bytes) -> Reply:
    """What the control point indicates after a command. Raises DecodeError."""
    if len(data) < 4 or data[0] != RESPONSE:
        raise DecodeError(f"{data.hex() or 'nothing'} is no answer of its control point.")
    try:
        status = Status(data[3])
    except ValueError:
        raise DecodeError(f"its error {data[3]} is unknown.") from None
    # Only what succeeded goes on after its status.
    more = status is Status.SUCCESS and len(data) > 4 and data[4] != 0
    return Reply(data[1], data[2], status, more, bytes(data[5:]) if status is Status.SUCCESS else b"")


def encode_settings(settings: Settings) -> bytes:
    """The parameters of an answer to GET_SETTINGS or START."""
    choices = ((name, getattr(settings, name)) for name in _CHOICES)
    parameters = b"".join(_encode_choice(name, values) for name, values in choices if values)
    return parameters if settings.factor is None else parameters + struct.pack("<BBf", _FACTOR, 1, settings.factor)


def decode_settings(parameters: bytes) -> Settings:
    """The parameters of an answer to GET_SETTINGS or START. Raises DecodeError.

    A setting of a kind that is not known has no known size, so it and what follows it are left alone.
    """
    known = {number: (name, size) for name, (number, size) in _CHOICES.items()} | {_FACTOR: ("factor", 4)}
    found: dict[str, tuple[int, ...]] = {}
    offset = 0
    while offset + 1 < len(parameters) and parameters[offset] in known:
        name, size = known[parameters[offset]]
        values = parameters[offset + 2 : (offset := offset + 2 + parameters[offset + 1] * size)]
        if offset > len(parameters):
            raise DecodeError("the list of its settings is cut short.")
        found[name] = tuple(int.from_bytes(values[at : at + size], "little") for at in range(0, len(values), size))
    factors = found.pop("factor", ())
    return Settings(**found, factor=_factor(factors[0]) if factors else None)


def _encode_choice(name: str, values: tuple[int, ...]) -> bytes:
    number, size = _CHOICES[name]
    return bytes([number, len(values)]) + b"".join(value.to_bytes(size, "little") for value in values)


def _factor(bits: int) -> float:
    """The raw bits of a 32-bit floating-point number (PmdSetting.kt, BlePMDClient.getFactor)."""
    (factor,) = struct.unpack("<f", bits.to_bytes(4, "little"))
    if not (math.isfinite(factor) and factor > 0):
        raise DecodeError(f"its factor of {factor} is none.")
    return float(factor)
