"""What a Movella DOT tells of itself and how it is set up: configuration, measurement and battery (§2 to §4)."""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import NamedTuple

from ...errors import DecodeError

# --------------------------------------------------------------------------------------------------- device info, §2.1

_INFO = struct.Struct("<6s3BH5BIQ")
_PRODUCT_CODE_BYTES = 6


class DeviceInfo(NamedTuple):
    """address: as "D4:22:CD:…". firmware: as "2.4.0". built: as "2023-06-30 12:00:00"; serial as an integer.

    product: "XS-T01" of the first generation, "XS-T02" of the second; early firmware does not tell it.
    """

    address: str
    firmware: str
    built: str
    softdevice: int
    serial: int
    product: str = ""


def decode_device_info(data: bytes) -> DeviceInfo:
    """Raises DecodeError. The address is little-endian as all the rest (§1.3; §5.4.3.1 names the one exception)."""
    if len(data) < _INFO.size:
        raise DecodeError(f"A device info of {len(data)} bytes is too short.")
    address, major, minor, revision, *built, softdevice, serial = _INFO.unpack_from(data)
    product = data[_INFO.size : _INFO.size + _PRODUCT_CODE_BYTES].split(b"\0")[0].decode("ascii", errors="replace")
    date = "{:04}-{:02}-{:02} {:02}:{:02}:{:02}".format(*built)
    return DeviceInfo(address[::-1].hex(":").upper(), f"{major}.{minor}.{revision}", date, softdevice, serial, product)


# ------------------------------------------------------------------------------------------------ device control, §2.2

_CONTROL = struct.Struct("<8B16sHB5x")
_LONGEST_TAG_BYTES = 16
RATES_HZ = (1, 4, 10, 12, 15, 20, 30, 60, 120)
RECORDING_RATE_HZ = 120
"""Not streamed, only recorded."""


class Visit(IntFlag):
    """Which fields a write is to change."""

    IDENTIFY = 0x01
    POWER = 0x02
    POWER_SAVING = 0x04
    TAG = 0x08
    RATE = 0x10
    FILTER = 0x20


class Power(IntFlag):
    OFF = 0x01
    ON_BY_USB = 0x02


class FilterProfile(IntEnum):
    GENERAL = 0
    DYNAMIC = 1


class DeviceControl(NamedTuple):
    """The sensor's settings. Timeouts [s] until it saves power while advertising and while connected; 0 is never."""

    tag: str
    rate_hz: int
    filter_profile: int
    advertising_timeout_s: int
    connection_timeout_s: int
    power: int = 0


def encode_device_control(
    visit: int,
    before: bytes = bytes(_CONTROL.size),
    *,
    tag: str | None = None,
    rate_hz: int | None = None,
    filter_profile: int | None = None,
    advertising_timeout_s: int | None = None,
    connection_timeout_s: int | None = None,
    power: int | None = None,
) -> bytes:
    """Settings of which the sensor takes over those in `visit`. None leaves one as it is in what was read `before`.

    Raises DecodeError where `before` is too short, and ValueError for a tag of over 16 bytes.
    """
    _check_device_control(before)
    control = bytearray(before)
    control[:2] = visit, visit & Visit.IDENTIFY
    if power is not None:
        control[2] = power
    for at, timeout_s in ((3, advertising_timeout_s), (5, connection_timeout_s)):
        if timeout_s is not None:
            control[at : at + 2] = divmod(timeout_s, 60)
    if tag is not None:
        name = tag.encode()
        if len(name) > _LONGEST_TAG_BYTES:
            raise ValueError(f"The tag {tag!r} is longer than {_LONGEST_TAG_BYTES} bytes; shorten it.")
        control[7:24] = bytes([len(name)]) + name.ljust(_LONGEST_TAG_BYTES, b"\0")
    if rate_hz is not None:
        control[24:26] = rate_hz.to_bytes(2, "little")
    if filter_profile is not None:
        control[26] = filter_profile
    return bytes(control)


def decode_device_control(data: bytes) -> DeviceControl:
    """The settings, whatever a write may have visited. Raises DecodeError."""
    _check_device_control(data)
    _, _, power, *timeouts, length, name, rate_hz, filter_profile = _CONTROL.unpack_from(data)
    tag = name[:length].decode(errors="replace")
    return DeviceControl(
        tag, rate_hz, filter_profile, timeouts[0] * 60 + timeouts[1], timeouts[2] * 60 + timeouts[3], power
    )


def _check_device_control(data: bytes) -> None:
    if len(data) < _CONTROL.size:
        raise DecodeError(f"A device control of {len(data)} bytes is too short.")


# ------------------------------------------------------------------------------------------------- device report, §2.3


class ReportKind(IntEnum):
    POWER_OFF = 1
    POWER_SAVING = 4
    SINGLE_CLICK = 5
    DOUBLE_CLICK = 6
    TRIPLE_CLICK = 7


class DeviceReport(NamedTuple):
    """time_ms: when its button was pressed, on the sensor's own clock, which no synchronisation changes."""

    kind: ReportKind
    time_ms: int | None = None


def decode_device_report(data: bytes) -> DeviceReport:
    """Raises DecodeError for one that this program does not know."""
    if not data or data[0] not in tuple(ReportKind):
        raise DecodeError(f"The sensor sent the unknown report {data[:6].hex(' ')}.")
    kind = ReportKind(data[0])
    if kind < ReportKind.SINGLE_CLICK:
        return DeviceReport(kind)
    if len(data) < 6 or data[1] != 4:
        raise DecodeError(f"A report of a click holds no time: {data[:6].hex(' ')}.")
    return DeviceReport(kind, int.from_bytes(data[2:6], "little"))


# ---------------------------------------------------------------------------------- measurement and heading, §3.1, §3.6

_MEASUREMENT = 1


class Measurement(NamedTuple):
    running: bool
    mode: int


def encode_measurement(running: bool, mode: int) -> bytes:
    """Start measuring in a payload mode, or stop."""
    return bytes([_MEASUREMENT, running, mode])


def decode_measurement(data: bytes) -> Measurement:
    """Raises DecodeError."""
    if len(data) != 3 or data[0] != _MEASUREMENT or data[1] > 1:
        raise DecodeError(f"{data.hex(' ')} is no state of the measurement.")
    return Measurement(bool(data[1]), data[2])


class Heading(IntEnum):
    """Reset makes the present yaw zero; only while measuring, and again only after a revert."""

    RESET = 0x0001
    REVERT = 0x0007
    DEFAULT = 0x0008


def encode_heading(heading: int) -> bytes:
    """Reset or revert the heading."""
    return heading.to_bytes(2, "little")


def decode_heading_result(data: bytes) -> bool:
    """Whether the last reset worked. Raises DecodeError."""
    if len(data) != 1 or data[0] > 1:
        raise DecodeError(f"{data.hex(' ')} is no result of a heading reset.")
    return data[0] == 1


# ------------------------------------------------------------------------------------------------------- battery, §4.1


class Battery(NamedTuple):
    percent: int
    charging: bool


def decode_battery(data: bytes) -> Battery:
    """Raises DecodeError."""
    if len(data) < 2 or data[0] > 100 or data[1] > 1:
        raise DecodeError(f"{data.hex(' ')} is no battery level.")
    return Battery(data[0], data[1] == 1)
