"""The memory of a virtual Movesense sensor: what its DataLogger records, keeps and sends."""

from __future__ import annotations

import asyncio
import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from ....drivers.movesense.protocol import FIRST_HALF_BYTES, Kind, LoggerState

if TYPE_CHECKING:
    from .firmware import MovesenseFirmware

_HEADER = b"SBEM0102"
_CHUNK_SAMPLES = 4
"""So few that a chunk's length fits one byte."""
_FIRST_CHUNK_ID = 100


class Status(IntEnum):
    """HTTP's codes, as the firmware answers them."""

    OK = 200
    ACCEPTED = 202
    BAD_REQUEST = 400
    NOT_FOUND = 404
    CONFLICT = 409
    UNAVAILABLE = 503
    NO_ROOM = 507


class Logbook:
    """Records "/Meas/IMU6" whatever else it is configured with, at the rate that the sensor has.

    A recording has the shape of the maker's SBEM: eight bytes of header, then chunks of id, length and payload. A real
    sensor's holds as well what describes its chunks.
    """

    def __init__(self, firmware: MovesenseFirmware) -> None:
        self.state = LoggerState.READY
        self._firmware = firmware
        self._paths: list[bytes] = []
        self._logs: list[bytes] = []
        self._since = 0

    @property
    def recording(self) -> bool:
        return self.state is LoggerState.LOGGING

    def configure(self, reference: int, content: bytes) -> None:
        """PUT_DATALOGGER_CONFIG: paths, each with its end mark."""
        if not self.recording:
            self._paths = content.rstrip(b"\0").split(b"\0")
        self._firmware.answer(reference, Status.CONFLICT if self.recording else Status.OK)

    def set_state(self, reference: int, content: bytes) -> None:
        """PUT_DATALOGGER_STATE."""
        if content == bytes([LoggerState.LOGGING]) and self._paths:
            self.state, self._since = LoggerState.LOGGING, self._taken()
            self._firmware.answer(reference, Status.OK)
        elif content == bytes([LoggerState.READY]):
            self.stop()
            self._firmware.answer(reference, Status.OK)
        else:
            self._firmware.answer(reference, Status.BAD_REQUEST)

    def stop(self) -> None:
        """Close the recording, if there is one."""
        if self.recording:
            self.state = LoggerState.READY
            self._logs.append(self._file(self._since, self._taken()))

    def entries(self) -> bytes:
        """/Mem/Logbook/Entries."""
        entries = [struct.pack("<IIQ", number, 0, len(log)) for number, log in enumerate(self._logs, 1)]
        return bytes([len(entries)]) + b"".join(entries)

    def clear(self, reference: int, _content: bytes) -> None:
        """CLEAR_LOGBOOK."""
        if not self.recording:
            self._logs.clear()
        self._firmware.answer(reference, Status.CONFLICT if self.recording else Status.OK)

    def fetch(self, reference: int, content: bytes) -> None:
        """FETCH_LOG: the file in notifications of 150 bytes, every other of them a "part 2", and an empty one last."""
        number = int.from_bytes(content, "little")
        if self.recording:
            self._firmware.answer(reference, Status.CONFLICT)
        elif not 1 <= number <= len(self._logs):
            self._firmware.answer(reference, Status.NOT_FOUND)
        else:
            self._firmware.answer(reference, Status.OK)
            self._send(reference, self._logs[number - 1])

    def _send(self, reference: int, log: bytes) -> None:
        offsets = [*range(0, len(log), FIRST_HALF_BYTES), len(log)]
        for number, offset in enumerate(offsets):
            kind = Kind.DATA_PART2 if number % 2 and offset < len(log) else Kind.DATA
            content = struct.pack("<I", offset) + log[offset : offset + FIRST_HALF_BYTES]
            self._firmware.send(kind, reference, content)

    def _file(self, first: int, end: int) -> bytes:
        file = _HEADER
        for start in range(first, end, _CHUNK_SAMPLES):
            payload = self._firmware.payload("IMU6", start, min(_CHUNK_SAMPLES, end - start))
            file += bytes([_FIRST_CHUNK_ID, len(payload)]) + payload
        return file

    def _taken(self) -> int:
        sensor = self._firmware.sensor
        opened_at = sensor.first_sample_at
        return 0 if opened_at is None else sensor.reel.taken(asyncio.get_running_loop().time(), opened_at)
