"""Recording messages of a Movella DOT (§5.2): what is asked of its memory, and what it answers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from ...errors import DecodeError
from .message import Topic, decode_message, encode_message


class RecordId(IntEnum):
    """The recording identifier ReID."""

    ACKNOWLEDGEMENT = 0x01
    GET_STATE = 0x02
    FLASH_BUSY = 0x03
    ERASE = 0x30
    ERASED = 0x33
    FLASH_FULL = 0x34
    INVALID_FLASH_FORMAT = 0x35
    START = 0x40
    STOP = 0x41  # as a notification: stopped
    GET_TIME = 0x42
    TIME = 0x43
    GET_FLASH_INFO = 0x50
    FLASH_INFO = 0x51
    FLASH_INFO_DONE = 0x52
    GET_FILE_INFO = 0x60
    FILE_INFO = 0x61
    FILE_INFO_DONE = 0x62
    NO_FILE = 0x63
    GET_FILE_DATA = 0x70
    FILE_DATA = 0x71
    FILE_DATA_DONE = 0x72
    STOP_EXPORT = 0x73  # as a notification: stopped
    SELECT_DATA = 0x74
    RETRANSMIT = 0x75
    INVALID_FILE_DATA = 0x76


class RecordResult(IntEnum):
    """How a command was received: done, or the state in which the sensor could not (§5.2.3)."""

    SUCCESS = 0x00
    INVALID_COMMAND = 0x02
    FLASH_BUSY = 0x03
    IDLE = 0x06
    ERASING = 0x30
    RECORDING = 0x40
    EXPORTING_FLASH_INFO = 0x50
    EXPORTING_FILE_INFO = 0x60
    EXPORTING_FILE_DATA = 0x70


EXPORTED = {
    "timestamp_us": 0x00,
    "quaternion": 0x01,
    "euler_deg": 0x04,
    "dq": 0x05,
    "dv_m_s": 0x06,
    "acc_m_s2": 0x07,
    "gyr_dps": 0x08,
    "mag_counts": 0x09,
    "status": 0x0A,
    "acc_clips": 0x0B,
    "gyr_clips": 0x0C,
}
"""What can be selected, by the names of payload.FORMATS (§5.2.2.10)."""
UNLIMITED_S = 0xFFFF
"""The recording time of one that runs until it is stopped."""

# ------------------------------------------------------------------------------------------------------------ commands


def encode_get_state() -> bytes:
    """Ask what the recorder is doing; the acknowledgement tells."""
    return _encode(RecordId.GET_STATE)


def encode_erase(utc_s: int) -> bytes:
    """Ask for all recordings to be erased."""
    return _encode(RecordId.ERASE, utc_s.to_bytes(4, "little"))


def encode_start_recording(utc_s: int, seconds: int = UNLIMITED_S) -> bytes:
    """Ask for a recording, of so many seconds or until it is stopped.

    The example of §5.2.1 ends in E0, its acknowledgement in DD; E4 and E1 are what makes their sums zero.
    """
    return _encode(RecordId.START, struct.pack("<IH", utc_s, seconds))


def encode_stop_recording() -> bytes:
    """Ask for the recording to end."""
    return _encode(RecordId.STOP)


def encode_get_recording_time() -> bytes:
    """Ask how long the recording runs."""
    return _encode(RecordId.GET_TIME)


def encode_get_flash_info() -> bytes:
    """Ask which files there are."""
    return _encode(RecordId.GET_FLASH_INFO)


def encode_get_file_info(file: int) -> bytes:
    """Ask about a file; the first is 1."""
    return _encode(RecordId.GET_FILE_INFO, bytes([file]))


def encode_select_data(quantities: Sequence[str]) -> bytes:
    """Ask for these quantities in exported files, in the order of EXPORTED. Raises ValueError for one not exported."""
    if unknown := set(quantities) - set(EXPORTED):
        raise ValueError(
            f"A Movella DOT does not export {', '.join(sorted(unknown))}; choose of {', '.join(EXPORTED)}."
        )
    return _encode(RecordId.SELECT_DATA, bytes(sorted(EXPORTED[name] for name in quantities)))


def encode_get_file_data(file: int) -> bytes:
    """Ask for a file's samples."""
    return _encode(RecordId.GET_FILE_DATA, bytes([file]))


def encode_retransmit(number: int) -> bytes:
    """Ask for the samples again from this one on."""
    return _encode(RecordId.RETRANSMIT, number.to_bytes(4, "little"))


def encode_stop_export() -> bytes:
    """Ask for no more samples."""
    return _encode(RecordId.STOP_EXPORT)


# ------------------------------------------------------------------------------------------------------------- answers

_FLASH_HEADER = struct.Struct("<IIHIII")
_FLASH_MAGIC, _FILE_MAGIC = 0x466C6173, 0x5265636F
_FILE_HEADER = struct.Struct("<IIHIH")
_FILE_MARK, _SECTOR_MARK = 0xEE, 0xCC
_FILE_HEADER_KB, _SECTOR_KB = 4, 228


class Acknowledgement(NamedTuple):
    """result: one of RecordResult, or what this program does not know. command: with its parameters, as it was sent."""

    result: int
    command: bytes


class RecordingTime(NamedTuple):
    """seconds, left_s: as was asked for, and what is left of it; UNLIMITED_S of one that runs until it is stopped."""

    start_utc_s: int
    seconds: int
    left_s: int


class FlashInfo(NamedTuple):
    """The recorder's memory. files_kb: the rough size of each file, the first of which has the number 1."""

    revision: tuple[int, int]
    initialised_utc_s: int
    size_bytes: int
    files_kb: tuple[int, ...]


class FileInfo(NamedTuple):
    """seconds: as was asked for at its start; UNLIMITED_S where it was to run until it was stopped."""

    revision: tuple[int, int]
    start_utc_s: int
    seconds: int


class FileData(NamedTuple):
    """One exported sample. record: laid out as was selected. valid: False where the memory holds it damaged."""

    number: int
    record: bytes
    valid: bool


def decode_acknowledgement(data: bytes) -> Acknowledgement:
    """Read an acknowledgement. Raises DecodeError, as all below."""
    content = _content(data, RecordId.ACKNOWLEDGEMENT, 2)
    return Acknowledgement(content[0], content[1:])


def decode_recording_time(data: bytes) -> RecordingTime:
    """Read the answer to the question for the recording time."""
    return RecordingTime(*struct.unpack_from("<IHH", _content(data, RecordId.TIME, 8)))


def decode_flash_info(data: bytes, *more: bytes) -> FlashInfo:
    """Read the messages that answer the question for the files: a header, then one byte to a sector."""
    header, *rest = (_content(message, RecordId.FLASH_INFO, 1) for message in (data, *more))
    if len(header) < _FLASH_HEADER.size:
        raise DecodeError(f"A flash info of {len(header)} bytes is too short.")
    magic, _, revision, utc_s, size_bytes, indicators = _FLASH_HEADER.unpack_from(header)
    if magic != _FLASH_MAGIC:
        raise DecodeError("A flash info does not begin as one.")
    marks = b"".join(rest)
    if revision >= 0x0200:  # before, the length was not told and these bytes were reserved
        marks = marks[:indicators]
    files_kb: list[int] = []
    for mark in marks.split(b"\xff")[0]:
        if mark == _FILE_MARK:
            files_kb.append(_FILE_HEADER_KB)
        elif mark == _SECTOR_MARK and files_kb:
            files_kb[-1] += _SECTOR_KB
    return FlashInfo(_revision(revision), utc_s, size_bytes, tuple(files_kb))


def decode_file_info(data: bytes) -> FileInfo:
    """Read the answer to the question about a file."""
    content = _content(data, RecordId.FILE_INFO, _FILE_HEADER.size)
    magic, _, revision, utc_s, seconds = _FILE_HEADER.unpack_from(content)
    if magic != _FILE_MAGIC:
        raise DecodeError("A file info does not begin as one.")
    return FileInfo(_revision(revision), utc_s, seconds)


def decode_file_data(data: bytes) -> FileData:
    """Read one exported sample."""
    valid = decode_message(data).id != RecordId.INVALID_FILE_DATA
    content = _content(data, RecordId.FILE_DATA if valid else RecordId.INVALID_FILE_DATA, 4)
    return FileData(int.from_bytes(content[:4], "little"), content[4:], valid)


def _encode(kind: RecordId, content: bytes = b"") -> bytes:
    return encode_message(Topic.RECORDING, bytes([kind]) + content)


def _content(data: bytes, kind: RecordId, least: int) -> bytes:
    message = decode_message(data)
    if (message.topic, message.id) != (Topic.RECORDING, kind) or len(message.content) < least:
        raise DecodeError(f"The sensor told {message.data[:16].hex(' ')}, which is no {kind.name.lower()}.")
    return message.content


def _revision(number: int) -> tuple[int, int]:
    return number >> 8, number & 0xFF
