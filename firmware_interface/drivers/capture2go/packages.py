"""The packages of Capture2Go: their frame, and what those hold that are no measurement.

Source: Capture2Go Communication Protocol (github.com/sensorstim/capture2go_sdk, protocol/), and the maker's package
capture2go 1.0.1, against which the bytes are checked.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

from ...errors import DecodeError
from .headers import Header, Role

START = 0x02
FRAME = struct.Struct("<BIBH")
"""Start, CRC-32 of header and payload, length of the payload, header."""
MOST_PAYLOAD_BYTES = 236


class Nothing(NamedTuple):
    """A package without payload."""


class DeviceInfo(NamedTuple):
    protocol: int
    serial: str
    hardware: str
    firmware_revision: str
    firmware: str
    firmware_date: str


class MeasurementMode(NamedTuple):
    """What is measured, from `timestamp_ns` on, or at once where that is 0.

    Of full_fixed (one sample a package), full_packed (eight), and orientation alone: 0 for none, or 1 to 6 for the
    rates of `RATES_HZ`. status_s: seconds between two statuses. mute_mag: measurements without the magnetometer's.
    """

    timestamp_ns: int = 0
    full_float_200_hz: bool = False
    full_fixed: int = 0
    full_packed: int = 0
    quat_float: int = 0
    quat_fixed: int = 0
    quat_packed: int = 0
    status_s: int = 1
    calibration_data: int = 0
    process_extension: int = 0
    sync_role: int = Role.ALONE
    sync_id: int = 0
    no_bias_estimation: bool = False
    no_mag_disturbance_rejection: bool = False
    mute_mag: bool = False


class BurstMode(NamedTuple):
    enabled: bool
    start_ns: int
    end_ns: int
    end_is_relative: bool
    acc_z_only: bool


class RecordingConfig(NamedTuple):
    """end_ns: 0 for a recording that is stopped by hand. A name has at most 64 letters."""

    end_ns: int
    end_is_relative: bool
    filename: str


class RealTimeMode(NamedTuple):
    """What is sent ahead of everything else, as often as there is room: 0 nothing, 1 orientation, 2 all of a sample.

    rate_limit_hz: 0 for the sensor's own.
    """

    mode: int
    rate_limit_hz: int


class AbsoluteTime(NamedTuple):
    timestamp_ns: int


class ClockRoundtrip(NamedTuple):
    """Sent with the first filled in; it comes back with the second and the third."""

    host_send_ns: int
    sensor_receive_ns: int = 0
    sensor_send_ns: int = 0
    host_receive_ns: int = 0


class LedConfig(NamedTuple):
    brightness_percent: int
    blue_for_green: bool
    notify_rgb: int


class Pulse(NamedTuple):
    """When the light is lit, or the sync output pulled down. start_ns: 0 for now; both 0 for never."""

    start_ns: int
    end_ns: int
    end_is_relative: bool


class Status(NamedTuple):
    """gyr_bias: what the sensor takes off its angular rate, in steps of 2 °/s / 32768. battery: +128 while charging."""

    timestamp_ns: int
    state: int
    connection: int
    gyr_bias_x: int
    gyr_bias_y: int
    gyr_bias_z: int
    synchronised: bool
    battery: int
    free_storage_percent: int

    @property
    def battery_percent(self) -> int:
        return self.battery & 0x7F

    @property
    def charging(self) -> bool:
        return self.battery >= 0x80


class SyncTrigger(NamedTuple):
    timestamp_ns: int
    rising: int


class FileCount(NamedTuple):
    files: int


class File(NamedTuple):
    number: int
    filename: str
    size: int


class FileRange(NamedTuple):
    """end: 0 for the whole file."""

    filename: str
    start: int
    end: int


class FileName(NamedTuple):
    filename: str


class FileSize(NamedTuple):
    filename: str
    size: int


class FileBytes(NamedTuple):
    offset: int
    content: bytes


class Refusal(NamedTuple):
    problem: int
    command: int


_MODE, _FILENAME, _PULSE = "q?7BHBQ3?", "65s", "2q?"
_CONTENTS: dict[Header, tuple[type[Any], str]] = {
    Header.DATA_DEVICE_INFO: (DeviceInfo, "H6s8s8s12s11s"),
    Header.CMD_SET_MEASUREMENT_MODE: (MeasurementMode, _MODE),
    Header.DATA_MEASUREMENT_MODE: (MeasurementMode, _MODE),
    Header.CMD_SET_MEASUREMENT_BURST_MODE: (BurstMode, "?2q2?"),
    Header.DATA_MEASUREMENT_BURST_MODE: (BurstMode, "?2q2?"),
    Header.CMD_SET_RECORDING_CONFIG: (RecordingConfig, "q?" + _FILENAME),
    Header.DATA_RECORDING_CONFIG: (RecordingConfig, "q?" + _FILENAME),
    Header.CMD_START_REAL_TIME_STREAMING: (RealTimeMode, "2B"),
    Header.DATA_REAL_TIME_STREAMING_MODE: (RealTimeMode, "2B"),
    Header.CMD_SET_ABSOLUTE_TIME: (AbsoluteTime, "q"),
    Header.DATA_ABSOLUTE_TIME: (AbsoluteTime, "q"),
    Header.DATA_CLOCK_ROUNDTRIP: (ClockRoundtrip, "4q"),
    Header.CMD_SET_LED_CONFIG: (LedConfig, "B?I"),
    Header.DATA_LED_CONFIG: (LedConfig, "B?I"),
    Header.CMD_SET_LED_MODE: (Pulse, _PULSE),
    Header.DATA_LED_MODE: (Pulse, _PULSE),
    Header.CMD_SET_SYNC_OUTPUT_MODE: (Pulse, _PULSE),
    Header.DATA_SYNC_OUTPUT_MODE: (Pulse, _PULSE),
    Header.DATA_STATUS: (Status, "q2B3h?2B"),
    Header.DATA_SYNC_TRIGGER: (SyncTrigger, "qB"),
    Header.DATA_FS_FILE_COUNT: (FileCount, "H"),
    Header.DATA_FS_FILE: (File, "H" + _FILENAME + "I"),
    Header.CMD_FS_GET_BYTES: (FileRange, _FILENAME + "2I"),
    Header.CMD_FS_GET_SIZE: (FileName, _FILENAME),
    Header.DATA_FS_SIZE: (FileSize, _FILENAME + "I"),
    Header.CMD_FS_DELETE_FILE: (FileName, _FILENAME),
    Header.ACK_FS_DELETE_FILE: (FileName, _FILENAME),
    Header.ERROR: (Refusal, "BH"),
}
_LAYOUTS = {header: (kind, struct.Struct("<" + layout)) for header, (kind, layout) in _CONTENTS.items()}
PAYLOAD_BYTES = {
    int(header): _LAYOUTS[header][1].size if header in _LAYOUTS else 0
    for header in Header
    if header is not Header.DATA_FS_BYTES
}
"""How long the payload of a header is; that of DATA_FS_BYTES varies."""


def encode_package(header: int, payload: bytes = b"") -> bytes:
    """Frame a payload."""
    content = header.to_bytes(2, "little") + payload
    return struct.pack("<BIB", START, zlib.crc32(content), len(payload)) + content


def encode_command(header: str, **fields: Any) -> bytes:
    """The package with this header, `CMD_START_STREAMING`, and what it holds, by name."""
    known = Header[header]
    if known not in _LAYOUTS:
        return encode_package(known)
    kind, layout = _LAYOUTS[known]
    values = [value.encode() if isinstance(value, str) else value for value in kind(**fields)]
    return encode_package(known, layout.pack(*values))


def header_of(package: bytes) -> int:
    """Of a whole package."""
    return int.from_bytes(package[6:8], "little")


def payload_of(package: bytes) -> bytes:
    """Of a whole package."""
    return package[FRAME.size :]


def decode_package(package: bytes) -> tuple[int, Any]:
    """Header, and what it holds as one of the tuples above; `Nothing` where that is not known. Raises DecodeError."""
    if len(package) < FRAME.size:
        raise DecodeError("A package of Capture2Go is shorter than its frame.")
    start, crc, size, header = FRAME.unpack_from(package)
    if start != START or size != len(package) - FRAME.size or zlib.crc32(package[6:]) != crc:
        raise DecodeError("A package of Capture2Go is damaged.")
    return header, _decode_payload(header, payload_of(package))


def _decode_payload(header: int, payload: bytes) -> Any:
    if header == Header.DATA_FS_BYTES:
        return FileBytes(int.from_bytes(payload[:4], "little"), payload[4:])
    if header not in _LAYOUTS:
        return Nothing()
    kind, layout = _LAYOUTS[Header(header)]
    if len(payload) != layout.size:
        raise DecodeError(f"A {Header(header).name} of Capture2Go has {len(payload)} bytes instead of {layout.size}.")
    return kind(*(_text(value) if isinstance(value, bytes) else value for value in layout.unpack(payload)))


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode(errors="replace").strip()
