"""The recorder of a virtual Movella DOT (§5.2 of its specification): it records what is played, and sends it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ....drivers.movella_dot.message import Topic, encode_message
from ....drivers.movella_dot.payload import Records, record_type
from ....drivers.movella_dot.recording import EXPORTED, UNLIMITED_S, RecordId, RecordResult
from ...firmware import Packet
from ...reel import Reel
from .measured import Measured

if TYPE_CHECKING:
    from .firmware import MovellaDotFirmware

_QUANTITY_OF = {code: name for name, code in EXPORTED.items()}
_SPACE_BYTES = 64 << 20
_SAMPLE_BYTES, _SECTOR_BYTES = 64, 228 << 10  # how much a sample takes in the real memory is not told
_VALID_IN = {
    RecordId.ERASE: RecordResult.IDLE,
    RecordId.START: RecordResult.IDLE,
    RecordId.STOP: RecordResult.RECORDING,
    RecordId.GET_TIME: RecordResult.RECORDING,
    RecordId.GET_FLASH_INFO: RecordResult.IDLE,
    RecordId.GET_FILE_INFO: RecordResult.IDLE,
    RecordId.GET_FILE_DATA: RecordResult.IDLE,
    RecordId.SELECT_DATA: RecordResult.IDLE,
    RecordId.STOP_EXPORT: RecordResult.EXPORTING_FILE_DATA,
    RecordId.RETRANSMIT: RecordResult.EXPORTING_FILE_DATA,
}


@dataclass(slots=True)
class Recording:
    """Samples `first` to `end` of a reel, the first taken at `first_us`; `end` is None until it is known.

    damaged: samples that the memory has lost.
    """

    reel: Reel
    first: int
    first_us: int
    utc_s: int
    seconds: int
    end: int | None
    damaged: set[int] = field(default_factory=set)

    def records(self, layout: np.dtype[np.void]) -> Records:
        """All samples as laid out."""
        count = (self.end or self.first) - self.first
        times_us = self.reel.times_us(self.first, count)
        return Measured(self.reel, self.first, count).records(layout, times_us + (self.first_us - times_us[:1]))


class Flash:
    """Goes on recording when the gateway leaves, as the real one does."""

    def __init__(self, firmware: MovellaDotFirmware) -> None:
        self.files: list[Recording] = []
        self._firmware = firmware
        self._recording: Recording | None = None
        self._selected = record_type(("timestamp_us", "euler_deg", "acc_m_s2", "gyr_dps"))
        self._initialised_utc_s = 0
        self._exported: tuple[Recording, Records] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._handlers: dict[int, Callable[[bytes], None]] = {
            RecordId.ERASE: self._erase,
            RecordId.START: self._start,
            RecordId.STOP: self._stop,
            RecordId.GET_TIME: self._tell_time,
            RecordId.GET_FLASH_INFO: self._tell_flash_info,
            RecordId.GET_FILE_INFO: self._tell_file_info,
            RecordId.GET_FILE_DATA: self._export,
            RecordId.SELECT_DATA: self._select,
            RecordId.STOP_EXPORT: self._stop_export,
            RecordId.RETRANSMIT: self._retransmit,
        }

    @property
    def state(self) -> RecordResult:
        """What it is doing; a recording whose time is up has ended."""
        if self._recording is not None and self._recording.end is not None and self._taken() >= self._recording.end:
            self.close()
        if self._recording is not None:
            return RecordResult.RECORDING
        return RecordResult.EXPORTING_FILE_DATA if self._exported is not None else RecordResult.IDLE

    @property
    def recording(self) -> bool:
        return self.state is RecordResult.RECORDING

    def on_command(self, data: bytes) -> bytes:
        """Obey, and return the acknowledgement."""
        state, kind = self.state, data[0] if data else 0
        if kind == RecordId.GET_STATE:
            result = state
        elif kind not in self._handlers:
            result = RecordResult.INVALID_COMMAND
        elif _VALID_IN[RecordId(kind)] is not state:
            result = state
        else:
            result = self._obey(kind, data[1:])
        return encode_message(Topic.RECORDING, bytes([RecordId.ACKNOWLEDGEMENT, result]) + data)

    def packets(self, first: int, count: int) -> list[Packet]:
        """Nothing is sent of what is recorded, but that the time is up."""
        end = None if self._recording is None else self._recording.end
        over = [(self._firmware.notification, encode_message(Topic.RECORDING, bytes([RecordId.STOP])))]
        return [Packet(1, over if sample + 1 == end else []) for sample in range(first, first + count)]

    def close(self) -> None:
        """End the recording, if there is one, and keep it."""
        if self._recording is not None:
            end = self._taken()
            self._recording.end = end if self._recording.end is None else min(end, self._recording.end)
            self.files.append(self._recording)
            self._recording = None
            self._firmware.sensor.fall_silent()

    def forget_export(self) -> None:
        """The gateway has gone, or asks for something else."""
        if self._sending is not None:
            self._sending.cancel()
        self._sending = self._exported = None

    def _obey(self, kind: int, content: bytes) -> RecordResult:
        try:
            self._handlers[kind](content)
        except (struct.error, KeyError):
            return RecordResult.INVALID_COMMAND
        return RecordResult.SUCCESS

    def _erase(self, content: bytes) -> None:
        (self._initialised_utc_s,) = struct.unpack("<I", content)
        self.files.clear()
        self._tell(RecordId.ERASED)

    def _start(self, content: bytes) -> None:
        utc_s, seconds = struct.unpack("<IH", content)
        sensor = self._firmware.sensor
        self._firmware.prepare()
        sensor.begin(1)
        first = sensor.next_sample
        end = None if seconds == UNLIMITED_S else first + round(seconds * sensor.reel.rate_hz)
        self._recording = Recording(sensor.reel, first, self._firmware.time_us(first), utc_s, seconds, end)

    def _stop(self, content: bytes) -> None:
        self.close()
        self._tell(RecordId.STOP)

    def _tell_time(self, content: bytes) -> None:
        recording = self._recording
        assert recording is not None
        left = UNLIMITED_S
        if recording.end is not None:
            left = round((recording.end - self._taken()) / recording.reel.rate_hz)
        self._tell(RecordId.TIME, struct.pack("<IHH", recording.utc_s, recording.seconds, left))

    def _tell_flash_info(self, content: bytes) -> None:
        sectors = [-(-((file.end or 0) - file.first) * _SAMPLE_BYTES // _SECTOR_BYTES) for file in self.files]
        marks = b"".join(b"\xee" + b"\xcc" * count for count in sectors)
        header = struct.pack("<IIHIII106x", 0x466C6173, 128, 0x0200, self._initialised_utc_s, _SPACE_BYTES, len(marks))
        chunks = [marks[at : at + 128].ljust(128, b"\xff") for at in range(0, len(marks), 128)]
        for chunk in (header, *chunks):
            self._tell(RecordId.FLASH_INFO, chunk)
        self._tell(RecordId.FLASH_INFO_DONE)

    def _tell_file_info(self, content: bytes) -> None:
        if (file := self._file(content)) is None:
            return
        header = struct.pack("<IIHIH112x", 0x5265636F, 128, 0x0100, file.utc_s, file.seconds)
        self._tell(RecordId.FILE_INFO, header)
        self._tell(RecordId.FILE_INFO_DONE)

    def _select(self, content: bytes) -> None:
        self._selected = record_type(_QUANTITY_OF[code] for code in content)

    def _export(self, content: bytes) -> None:
        if (file := self._file(content)) is not None:
            self._exported = file, file.records(self._selected)
            self._send_from(0)

    def _retransmit(self, content: bytes) -> None:
        self._send_from(*struct.unpack("<I", content))

    def _stop_export(self, content: bytes) -> None:
        self.forget_export()
        self._tell(RecordId.STOP_EXPORT)

    def _file(self, content: bytes) -> Recording | None:
        number: int = struct.unpack("<B", content)[0]
        if not 1 <= number <= len(self.files):
            self._tell(RecordId.NO_FILE)
            return None
        return self.files[number - 1]

    def _send_from(self, number: int) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = asyncio.get_running_loop().create_task(self._send(number))

    async def _send(self, first: int) -> None:
        assert self._exported is not None
        file, records = self._exported
        for number in range(first, len(records)):
            kind = RecordId.INVALID_FILE_DATA if number in file.damaged else RecordId.FILE_DATA
            self._tell(kind, number.to_bytes(4, "little") + records[number].tobytes())
            await asyncio.sleep(0)  # what the gateway asks meanwhile is heard
        self._exported = None
        self._tell(RecordId.FILE_DATA_DONE)

    def _taken(self) -> int:
        sensor = self._firmware.sensor
        first = sensor.first_sample_at
        return 0 if first is None else sensor.reel.taken(asyncio.get_running_loop().time(), first)

    def _tell(self, kind: RecordId, content: bytes = b"") -> None:
        self._firmware.tell(encode_message(Topic.RECORDING, bytes([kind]) + content))
