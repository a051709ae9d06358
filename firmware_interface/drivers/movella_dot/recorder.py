"""The recorder of a Movella DOT: it measures without a radio link, at up to 120 Hz, and is downloaded later (§5.2)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from enum import Enum, auto

from bleak.exc import BleakError

from ...errors import NoReplyError, SensorError, SensorRefusedError
from .export import Export, Exported
from .message import Topic, decode_message
from .message_link import MessageLink, Notified
from .payload import record_type
from .recording import (
    EXPORTED,
    UNLIMITED_S,
    FileInfo,
    FlashInfo,
    RecordId,
    RecordingTime,
    RecordResult,
    decode_acknowledgement,
    decode_file_data,
    decode_file_info,
    decode_flash_info,
    decode_recording_time,
    encode_erase,
    encode_get_file_data,
    encode_get_file_info,
    encode_get_flash_info,
    encode_get_recording_time,
    encode_get_state,
    encode_retransmit,
    encode_select_data,
    encode_start_recording,
    encode_stop_export,
    encode_stop_recording,
)

SAMPLES = ("quaternion", "acc_m_s2", "gyr_dps", "status", "acc_clips", "gyr_clips")
"""What samples are made of; the time comes with everything."""
ERASE_TIMEOUT_S = 120.0
MOST_ATTEMPTS = 8
"""To get one sample across, before a download is given up."""
_RUN_SAMPLES = 256
_MOST_FLASH_MESSAGES = 256  # of 128 bytes: sectors for 7 GB
_REASONS = {
    RecordResult.INVALID_COMMAND: "because it does not take it now",
    RecordResult.FLASH_BUSY: "because its memory is busy",
    RecordResult.IDLE: "because it is idle",
    RecordResult.ERASING: "because it is erasing",
    RecordResult.RECORDING: "because it is recording",
    RecordResult.EXPORTING_FLASH_INFO: "because it is listing its files",
    RecordResult.EXPORTING_FILE_INFO: "because it is describing a file",
    RecordResult.EXPORTING_FILE_DATA: "because it is sending a file",
}


class _Step(Enum):
    """What a notification brought a download: a sample, news of a missing one, the end."""

    ON = auto()
    MISSING = auto()
    DONE = auto()


class Recorder:
    """All raise SensorRefusedError, with the reason, where the sensor cannot; NoReplyError where it falls silent."""

    def __init__(self, link: MessageLink) -> None:
        self._link = link

    async def state(self) -> RecordResult:
        """What it is doing; IDLE where it would take a command."""
        async with self._link.conversation():
            told = await self._link.acknowledged(
                encode_get_state(), "the question for its state", decode_acknowledgement
            )
        if told.result not in tuple(RecordResult):
            raise SensorRefusedError(f"{self._link.name} is in the unknown state {told.result:#04x}; update Sinew.")
        return RecordResult(told.result)

    async def start(self, utc_s: int, seconds: int = UNLIMITED_S) -> None:
        """Record, at the rate and with the filter that are set, for so long or until `stop`. The link may be cut."""
        async with self._link.conversation():
            await self._command(encode_start_recording(utc_s, seconds), "a recording")

    async def stop(self) -> None:
        """End the recording; it is stored when this returns."""
        async with self._link.conversation():
            await self._command(encode_stop_recording(), "the end of the recording")
            await self._notified("the end of the recording", RecordId.STOP)

    async def time(self) -> RecordingTime:
        """How the recording under way was asked for, and what is left of it."""
        async with self._link.conversation():
            what = "the question for its recording time"
            await self._command(encode_get_recording_time(), what)
            told = await self._notified(what, RecordId.TIME)
            return self._link.decoded(told.data, what, decode_recording_time)

    async def erase(self, utc_s: int, timeout_s: float = ERASE_TIMEOUT_S) -> None:
        """Erase all recordings."""
        async with self._link.conversation():
            await self._command(encode_erase(utc_s), "to be erased")
            await self._notified("to be erased", RecordId.ERASED, timeout_s=timeout_s)

    async def flash_info(self) -> FlashInfo:
        """Which files there are."""
        messages: list[bytes] = []
        async with self._link.conversation():
            what = "the question for its files"
            await self._command(encode_get_flash_info(), what)
            ends = (RecordId.FLASH_INFO_DONE, RecordId.INVALID_FLASH_FORMAT)
            while (told := await self._notified(what, RecordId.FLASH_INFO, *ends)).kind == RecordId.FLASH_INFO:
                messages.append(told.data)
                if len(messages) > _MOST_FLASH_MESSAGES:
                    raise SensorRefusedError(f"{self._link.name} lists files without end; erase its memory.")
        if not messages:
            raise SensorRefusedError(
                f"{self._link.name} has a memory that is not set up for recordings; erase it once."
            )
        return self._link.decoded(messages[0], what, lambda header: decode_flash_info(header, *messages[1:]))

    async def file_info(self, file: int) -> FileInfo:
        """When a file was recorded; the first is 1."""
        async with self._link.conversation():
            what = f"the question for file {file}"
            await self._command(encode_get_file_info(file), what)
            told = await self._notified(what, RecordId.FILE_INFO, RecordId.NO_FILE)
            if told.kind == RecordId.NO_FILE:
                raise SensorRefusedError(f"{self._link.name} has no file {file}; ask which files there are.")
            info = self._link.decoded(told.data, what, decode_file_info)
            await self._notified(what, RecordId.FILE_INFO_DONE)
        return info

    async def download(self, file: int, quantities: Sequence[str] = SAMPLES) -> AsyncIterator[Exported]:
        """Runs of samples of a file, with progress; the time is always among the quantities.

        Use it in `contextlib.aclosing`: left early, it tells the sensor to stop. Samples that get lost on the way are
        asked for again. If it is the very last ones nobody notices, because a sensor does not tell how many there are.
        """
        selected = sorted({"timestamp_us", *quantities}, key=lambda name: EXPORTED.get(name, 0))
        command = encode_select_data(selected)
        info = await self.file_info(file)
        export = Export(record_type(selected), info.seconds)
        async with self._link.conversation():
            await self._command(command, "the choice of quantities")
            await self._command(encode_get_file_data(file), f"file {file}")
            step = _Step.ON
            try:
                while (step := await self._step(export, file)) is not _Step.DONE:
                    if step is _Step.MISSING:
                        await self._ask_again(export, file)
                    if export.pending >= _RUN_SAMPLES:
                        for run in export.take():
                            yield run
            finally:
                if step is not _Step.DONE:
                    with contextlib.suppress(SensorError, BleakError):
                        await self._command(encode_stop_export(), "the end of the download")
        for run in export.take():
            yield run

    async def _step(self, export: Export, file: int) -> _Step:
        """Take the next sample."""
        what = f"file {file}"
        try:
            told = await self._notified(what, RecordId.FILE_DATA, RecordId.INVALID_FILE_DATA, RecordId.FILE_DATA_DONE)
        except NoReplyError:
            return _Step.MISSING
        if told.kind == RecordId.FILE_DATA_DONE:
            return _Step.DONE if export.complete else _Step.MISSING
        missing = self._link.decoded(told.data, what, lambda data: export.add(decode_file_data(data)))
        return _Step.MISSING if missing else _Step.ON

    async def _ask_again(self, export: Export, file: int) -> None:
        """From the sample that is missing, or from the beginning where the sensor believes that it has sent all."""
        if export.attempts == MOST_ATTEMPTS:
            raise NoReplyError(
                f"{self._link.name} does not get sample {export.next} of file {file} across; bring it closer."
            )
        export.attempts += 1
        told = await self._link.acknowledged(
            encode_retransmit(export.next), "a sample once more", decode_acknowledgement
        )
        if told.result != RecordResult.SUCCESS:
            export.begun_again()
            await self._command(encode_get_file_data(file), f"file {file}")

    async def _command(self, command: bytes, what: str) -> None:
        told = await self._link.acknowledged(command, what, decode_acknowledgement)
        if told.command != decode_message(command).data:
            raise NoReplyError(f"{self._link.name} did not answer {what}; restart it.")
        if told.result != RecordResult.SUCCESS:
            why = _REASONS.get(RecordResult(told.result)) if told.result in tuple(RecordResult) else None
            raise SensorRefusedError(
                f"{self._link.name} refused {what}, {why or f'with the unknown result {told.result:#04x}'}; "
                "wait, or stop what it does, and try again."
            )

    async def _notified(self, what: str, *kinds: int, timeout_s: float = 0.0) -> Notified:
        """The next notification of these kinds; that the memory is busy answers everything (§5.2.4.1)."""
        told = await self._link.notification(Topic.RECORDING, what, *kinds, RecordId.FLASH_BUSY, timeout_s=timeout_s)
        if told.kind == RecordId.FLASH_BUSY:
            raise SensorRefusedError(f"{self._link.name} refused {what}, because its memory is busy; try again.")
        return told
