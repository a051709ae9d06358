"""Recordings in a Capture2Go's own memory: started, stopped, listed, fetched, deleted."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from analytics.signals.samples import ImuSamples

from ...driver_kit import driver
from ...errors import DecodeError, NoReplyError, SensorRefusedError
from .decoder import Capture2GoDecoder
from .frames import PackageReader
from .headers import Header, Role, State
from .link import COMMAND_UUID, Capture2GoLink
from .packages import (
    File,
    FileBytes,
    FileCount,
    FileSize,
    MeasurementMode,
    Status,
    decode_package,
    encode_command,
    encode_package,
    header_of,
)
from .samples import MEASUREMENTS, RATES_HZ

_PARTS_ON_THE_WAY = 1024
_OF_FILES = (Header.DATA_FS_FILE, Header.DATA_FS_BYTES)


def decode_recording(content: bytes) -> list[ImuSamples]:
    """The samples of a recorded file, which is a row of packages; damaged ones are left out and count as lost.

    Raises DecodeError where it holds no package at all.
    """
    packages = PackageReader().take(b"\xff" + content)
    rates_hz = [MEASUREMENTS[header_of(package)].rate_hz for package in packages if header_of(package) in MEASUREMENTS]
    decoder = Capture2GoDecoder()
    decoder.begin(rates_hz[0] if rates_hz else RATES_HZ[0])
    runs: list[ImuSamples] = []
    for package in packages:
        with contextlib.suppress(DecodeError):
            runs += decoder.decode_one(package)
    return runs


class Capture2GoStorage(Capture2GoLink):
    """A recording goes on when the link is lost, and needs none."""

    def __init__(self, client: BleakClient, decoder: Capture2GoDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self._sync = (Role.ALONE, 0)
        self._of_files: asyncio.Queue[bytes] = asyncio.Queue(_PARTS_ON_THE_WAY)

    async def start_recording(self, filename: str, rate_hz: float) -> None:
        """Record at one of the family's rates into a file that is not there yet."""
        await self._idle_status()
        await self._set_mode(rate_hz, packed=True)
        await self._command(
            "CMD_SET_RECORDING_CONFIG", Header.DATA_RECORDING_CONFIG, end_ns=0, end_is_relative=False, filename=filename
        )
        await self._command("CMD_START_RECORDING", Header.ACK_START_RECORDING)

    async def stop_recording(self) -> None:
        """End the recording; its file is then complete."""
        await self.prepare()
        await self._command("CMD_STOP_RECORDING", Header.ACK_STOP_RECORDING)

    async def recordings(self) -> list[File]:
        """Names and sizes, in bytes, of the files in its memory."""
        await self.prepare()
        self._of_files = asyncio.Queue(_PARTS_ON_THE_WAY)
        count: FileCount = await self._command("CMD_FS_LIST_FILES", Header.DATA_FS_FILE_COUNT)
        return [await self._next_of_files() for _ in range(count.files)]

    async def download(self, filename: str) -> bytes:
        """A file's content, for `decode_recording`. What is lost on the way is asked for again."""
        await self.prepare()
        size: FileSize = await self._command("CMD_FS_GET_SIZE", Header.DATA_FS_SIZE, filename=filename)
        content = b""
        while len(content) < size.size:
            more = await self._download_from(filename, len(content), size.size)
            if not more:
                raise NoReplyError(f"{self._name} does not send the rest of {filename}; bring it closer and try again.")
            content += more
        return content

    async def delete_recording(self, filename: str) -> None:
        """Remove a file from its memory, once its content is safe elsewhere."""
        await self.prepare()
        await self._command("CMD_FS_DELETE_FILE", Header.ACK_FS_DELETE_FILE, filename=filename)

    async def _download_from(self, filename: str, start: int, size: int) -> bytes:
        """From here to the end, or to where a part is missing."""
        self._of_files = asyncio.Queue(_PARTS_ON_THE_WAY)
        request = encode_command("CMD_FS_GET_BYTES", filename=filename, start=start, end=0)
        await self._write(COMMAND_UUID, request, "CMD_FS_GET_BYTES", response=self._confirms_writes)
        content = bytearray()
        while start + len(content) < size:
            part: FileBytes = await self._next_of_files()
            if part.offset != start + len(content):
                await self._command("CMD_FS_STOP_GET_BYTES", Header.ACK_FS_STOP_GET_BYTES)
                break
            content += part.content
        return bytes(content)

    async def _next_of_files(self) -> Any:
        try:
            async with asyncio.timeout(driver.REPLY_TIMEOUT_S):
                return decode_package(await self._of_files.get())[1]
        except TimeoutError as error:
            raise NoReplyError(f"{self._name} sends no more of its files; bring it closer and try again.") from error

    async def _idle_status(self) -> Status:
        """Its status, once it streams no more. Raises SensorRefusedError where it records: that is not ours to end."""
        status = await self.status()
        if status.state == State.RECORDING:
            raise SensorRefusedError(f"{self._name} is recording into its own memory; stop the recording first.")
        if status.state == State.STREAMING:
            await self._stop_at_once()
        return status

    async def _stop_at_once(self) -> None:
        """Of the buffer that is cleared, the begin of a package may still come."""
        cleared = Header.ACK_STOP_STREAMING_AND_CLEAR_BUFFER
        self._reader.skip_to(encode_package(cleared))
        try:
            await self._command("CMD_STOP_STREAMING_AND_CLEAR_BUFFER", cleared)
        finally:
            self._reader = PackageReader()

    async def _set_mode(self, rate_hz: float, *, packed: bool) -> None:
        code, (role, sync_id) = RATES_HZ.index(rate_hz) + 1, self._sync
        wanted = MeasurementMode(
            full_fixed=0 if packed else code, full_packed=code if packed else 0, sync_role=role, sync_id=sync_id
        )
        taken: MeasurementMode = await self._command(
            "CMD_SET_MEASUREMENT_MODE", Header.DATA_MEASUREMENT_MODE, **wanted._asdict()
        )
        if taken._replace(timestamp_ns=0) != wanted:
            raise SensorRefusedError(f"{self._name} measures otherwise than it was told; update its firmware.")

    def _on_package(self, characteristic: BleakGATTCharacteristic, package: bytes) -> None:
        if header_of(package) not in _OF_FILES:
            super()._on_package(characteristic, package)
        elif not self._of_files.full():
            self._of_files.put_nowait(package)
