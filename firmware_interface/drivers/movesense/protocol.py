"""Movesense's "GATT SensorData Protocol" (GSP), version 1: commands, and what they are answered.

Sources: movesense.com/docs/esw/gatt_sensordata_protocol; the maker's sample gatt_sensordata_app
(GATTSensorDataClient.cpp) and its DataLogger app as sensein/movesense-py speaks to it (sensor_command.py).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from ...errors import DecodeError

SERVICE_UUID = "34802252-7185-4d5d-b431-630e7050e8f0"
COMMAND_UUID = "34800001-7185-4d5d-b431-630e7050e8f0"
DATA_UUID = "34800002-7185-4d5d-b431-630e7050e8f0"
ADVERTISED_UUID = "0000fdf3-0000-1000-8000-00805f9b34fb"
"""Movesense's own 16-bit UUID; the 128-bit one does not fit an advertisement beside the name."""

FIRST_HALF_BYTES = 150
"""What the first notification of a split packet holds after its header of two bytes (gatt_sensordata_app, onNotify)."""
_HEADER = struct.Struct("<BB")
_LOG_ENTRY = struct.Struct("<IIQ")
_OLD_HELLO = b"Hello"


class Command(IntEnum):
    HELLO = 0
    SUBSCRIBE = 1
    UNSUBSCRIBE = 2
    FETCH_LOG = 3
    GET = 4
    CLEAR_LOGBOOK = 5
    PUT_DATALOGGER_CONFIG = 6
    PUT_SYSTEMMODE = 7
    PUT_UTCTIME = 8
    PUT_DATALOGGER_STATE = 9


class Kind(IntEnum):
    """The first byte of a notification; the second is the reference of the command that it belongs to."""

    RESULT = 1
    DATA = 2
    DATA_PART2 = 3


class LoggerState(IntEnum):
    UNKNOWN = 1
    READY = 2
    LOGGING = 3


RESTART_MODE = 5
"""/System/Mode "Application": the firmware begins anew."""


class Result(NamedTuple):
    """A command's answer: HTTP's status codes, and the content of what was got."""

    reference: int
    status: int
    content: bytes


class Hello(NamedTuple):
    """Who the sensor is. protocol: 0 for the maker's older sample firmware, which only greets."""

    protocol: int
    serial: str = ""
    product: str = ""
    dfu_address: str = ""
    app: str = ""
    app_version: str = ""


class DeviceTime(NamedTuple):
    """Two clocks read at once: UTC [µs since 1970], and since the sensor's start [ms], which stamps the samples."""

    unix_us: int
    since_start_ms: int


class LogEntry(NamedTuple):
    """One recording in the sensor's flash memory. modified: as the sensor counts it."""

    log_id: int
    modified: int
    size_bytes: int


class LogChunk(NamedTuple):
    """A part of a recording, and where in it; its end is told by one without content."""

    offset: int
    content: bytes


def encode_hello(reference: int) -> bytes:
    """Ask who the sensor is. The reference, not 0, is the client's to choose, here and in all others."""
    return _HEADER.pack(Command.HELLO, reference)


def encode_subscribe(reference: int, path: str) -> bytes:
    """Subscribe to a resource, as "/Meas/IMU6/104"; what it sends carries the reference."""
    return _HEADER.pack(Command.SUBSCRIBE, reference) + _text(path)


def encode_unsubscribe(reference: int) -> bytes:
    """End the subscription that was made with this reference."""
    return _HEADER.pack(Command.UNSUBSCRIBE, reference)


def encode_fetch_log(reference: int, log_id: int) -> bytes:
    """Have a recording sent, in data with this reference."""
    return _HEADER.pack(Command.FETCH_LOG, reference) + struct.pack("<I", log_id)


def encode_get(reference: int, path: str) -> bytes:
    """Read a resource."""
    return _HEADER.pack(Command.GET, reference) + _text(path)


def encode_clear_logbook(reference: int) -> bytes:
    """Erase all recordings."""
    return _HEADER.pack(Command.CLEAR_LOGBOOK, reference)


def encode_put_datalogger_config(reference: int, paths: Sequence[str]) -> bytes:
    """Say what is to be recorded."""
    return _HEADER.pack(Command.PUT_DATALOGGER_CONFIG, reference) + b"".join(map(_text, paths))


def encode_put_system_mode(reference: int, mode: int) -> bytes:
    """Change /System/Mode."""
    return _HEADER.pack(Command.PUT_SYSTEMMODE, reference) + bytes([mode])


def encode_put_utc_time(reference: int, unix_us: int) -> bytes:
    """Set the sensor's UTC clock [µs since 1970]."""
    return _HEADER.pack(Command.PUT_UTCTIME, reference) + struct.pack("<q", unix_us)


def encode_put_datalogger_state(reference: int, state: int) -> bytes:
    """Begin to record (LOGGING) or end it (READY)."""
    return _HEADER.pack(Command.PUT_DATALOGGER_STATE, reference) + bytes([state])


def decode_result(data: bytes) -> Result:
    """A notification of kind RESULT. The sample firmware sends its only status, 507, the other way round: 01 FB."""
    kind, reference, status = _unpack("<BBH", data)
    if kind != Kind.RESULT:
        raise DecodeError(f"A notification of kind {kind} came where an answer was due.")
    if not 100 <= status <= 599:
        status = int.from_bytes(data[2:4], "big")
    if not 100 <= status <= 599:
        raise DecodeError(f"An answer holds {data[2:4].hex()} where its status should stand.")
    return Result(reference, status, data[4:])


def decode_hello(data: bytes) -> Hello:
    """The answer to HELLO, which alone has no status; what a short packet cuts off is empty."""
    if len(data) < 3 or data[0] != Kind.RESULT:
        raise DecodeError("An answer to HELLO is too short.")
    content = data[2:]
    if content == _OLD_HELLO:
        return Hello(protocol=0)
    texts = content[1:].decode("utf-8", "replace").split("\0")
    return Hello(content[0], *(texts + [""] * 5)[:5])


def decode_number(content: bytes) -> int:
    """Of resources that are one unsigned number: battery [%], state of the logger, ranges [g, °/s]."""
    if len(content) not in (1, 2, 4, 8):
        raise DecodeError(f"A number has {len(content)} bytes.")
    return int.from_bytes(content, "little")


def decode_time(content: bytes) -> DeviceTime:
    """/Time/Detailed. Its tick rate (1024 Hz) is the chip's; the time since its start counts milliseconds."""
    unix_us, since_start_ms = _unpack("<QI", content)
    return DeviceTime(unix_us, since_start_ms)


def decode_log_entries(content: bytes) -> tuple[LogEntry, ...]:
    """/Mem/Logbook/Entries: a count and as many entries as one notification holds."""
    (count,) = _unpack("<B", content)
    whole = len(content[1:]) // _LOG_ENTRY.size
    entries = _LOG_ENTRY.iter_unpack(content[1 : 1 + whole * _LOG_ENTRY.size])
    return tuple(LogEntry(*entry) for entry in entries)[:count]


def decode_log_chunk(data: bytes) -> LogChunk:
    """A notification with a part of a recording. Second halves have their own offset."""
    kind, _, offset = _unpack("<BBI", data)
    if kind not in (Kind.DATA, Kind.DATA_PART2):
        raise DecodeError(f"A notification of kind {kind} came where a recording was due.")
    return LogChunk(offset, data[6:])


def _text(path: str) -> bytes:
    """The sample firmware takes a path with or without its end mark, the DataLogger with it."""
    return path.encode("ascii") + b"\0"


def _unpack(layout: str, data: bytes) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(layout, data)
    except struct.error as error:
        raise DecodeError(f"An answer of {len(data)} bytes is too short.") from error
