"""What can be asked of a sensor that manages its own firmware: one link, in words, with errors for people.

Source: Zephyr, "MCUmgr" (groups OS and image), its subsys/mgmt/mcumgr/smp and subsys/mgmt/mcumgr/grp/img_mgmt.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from bleak.exc import BleakError
from smp.image_management import ImageState, ImageUploadWriteResponse
from smp.message import ReadResponse, WriteResponse
from smpclient import SMPClient
from smpclient.generics import SMPRequest, success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite, ImageUploadWrite
from smpclient.requests.os_management import ResetWrite

from ..errors import NarrowLinkError, NoReplyError, WrongSensorError
from .answers import check, in_words
from .errors import FrameCutError, InterruptedUpdateError, NotRestartedError, UpdateRefusedError
from .transport import ClientTransport, Connect
from .version import Version

_IMAGE_HEADER_BYTES = 32

_Answer = TypeVar("_Answer", bound=ReadResponse | WriteResponse)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait before something is called a failure.

    erase_s: the first piece of an upload has the sensor erase its flash, about 85 ms for each 4 KiB on an nRF52.
    gone_s: from the answer to a reset to the end of the link; a quarter of a second, and the supervision timeout.
    return_s: until the sensor is found and connected; after a restart MCUboot first swaps two images, page by page.
    """

    answer_s: float = 5.0
    erase_s: float = 40.0
    gone_s: float = 15.0
    return_s: float = 180.0


@dataclass(frozen=True, slots=True)
class Slots:
    """The image that runs, with its version, and the one beside it, if any."""

    version: Version
    running: ImageState
    other: ImageState | None

    @property
    def pending(self) -> bool:
        """Whether the next restart starts the other one."""
        return self.other is not None and bool(self.other.pending)

    @property
    def settled(self) -> bool:
        """Whether a restart would change nothing."""
        return bool(self.running.confirmed) and not self.pending


class ManagedSensor:
    """One link. Methods raise InterruptedUpdateError, UpdateRefusedError, and WrongSensorError over garbled answers."""

    def __init__(self, transport: ClientTransport, client: SMPClient, patience: Patience) -> None:
        self._transport = transport
        self._client = client
        self._patience = patience

    @property
    def name(self) -> str:
        """How a sentence about it begins."""
        return self._transport.name

    async def slots(self) -> Slots:
        """What it holds."""
        states = await self._ask("to tell its firmware", ImageStatesRead())
        mine = [image for image in states.images if not image.image]  # image 1 is another processor's
        running = next((image for image in mine if image.active), None)
        if running is None:
            raise WrongSensorError(f"{self.name} does not tell which firmware it runs; update it with its maker's app.")
        try:
            version = Version.parse(running.version)
        except ValueError as error:
            raise WrongSensorError(f"{self.name} cannot be updated, its firmware has no version: {error}") from error
        return Slots(version, running, next((image for image in mine if not image.active), None))

    async def upload(self, data: bytes) -> AsyncGenerator[int]:
        """Send an image; yields how many bytes of it the sensor holds, going on where an earlier upload broke off.

        Raises also FrameCutError and NarrowLinkError. smpclient's own upload has neither, and takes the refusal of a
        frame that could not be read ({"rc": 9}) for a success.
        """
        answer = await self._send_first(data)
        offset = -1
        while (held := self._held(answer, len(data))) > offset:
            offset = held
            yield offset
            if offset == len(data):
                return
            answer = await self._send(data, offset, self._patience.answer_s)
        raise InterruptedUpdateError(f"{self.name} takes no more of the firmware: restart it, then try again.")

    async def test(self, digest: bytes) -> None:
        """Have the image with this hash started once, at the next restart."""
        await self._ask("to try the new firmware", ImageStatesWrite(hash=digest))

    async def confirm(self, digest: bytes) -> None:
        """Have the image with this hash, which runs, started from now on."""
        await self._ask("to keep the new firmware", ImageStatesWrite(hash=digest, confirm=True))

    async def restart(self) -> None:
        """Restart it and wait until it is gone. Raises also NotRestartedError."""
        await self._ask("to restart", ResetWrite())
        try:
            async with asyncio.timeout(self._patience.gone_s):
                await self._transport.gone.wait()
        except TimeoutError as error:
            raise NotRestartedError(f"{self.name} does not restart: switch it off and on, then try again.") from error

    async def _send_first(self, data: bytes) -> ImageUploadWriteResponse:
        """Name the image with its first piece. The answer tells what the sensor has of it already."""
        opening = {"image": 0, "len": len(data), "sha": hashlib.sha256(data).digest()}
        try:
            return await self._send(data, 0, self._patience.erase_s, **opening)
        except UpdateRefusedError as refused:
            if refused.code == "ECORRUPT":
                raise FrameCutError(str(refused)) from refused
            raise
        except InterruptedUpdateError as silent:
            if not self._transport.gone.is_set():
                raise FrameCutError(str(silent)) from silent
            raise

    async def _send(self, data: bytes, off: int, timeout_s: float, **opening: Any) -> ImageUploadWriteResponse:
        """Send as much from `off` as a frame holds."""
        empty = ImageUploadWrite(off=off, data=b"", **opening)
        with in_words(self._transport):
            frame_bytes = self._transport.max_unencoded_size
            _, room = self._client.get_max_cbor_and_data_size(empty)
        if room < _IMAGE_HEADER_BYTES:
            raise NarrowLinkError(
                f"{self.name} takes requests of only {frame_bytes} bytes on this link, too few for firmware: try "
                "another Bluetooth adapter, or its maker's app."
            )
        piece = ImageUploadWrite(off=off, data=data[off : off + room], **opening)
        return await self._ask("to take the new firmware", piece, timeout_s)

    def _held(self, answer: ImageUploadWriteResponse, size: int) -> int:
        if answer.off is None or not 0 <= answer.off <= size:
            raise WrongSensorError(f"{self.name} does not tell how much it received; update it with its maker's app.")
        if answer.match is False:
            raise InterruptedUpdateError(f"{self.name} received the firmware damaged: try again.")
        return answer.off

    async def _ask(
        self, request: str, message: SMPRequest[_Answer, Any, Any], timeout_s: float | None = None
    ) -> _Answer:
        with in_words(self._transport):
            answer = await self._client.request(message, timeout_s)
        check(answer, self.name, request)
        assert success(answer)
        return answer


@asynccontextmanager
async def managed_sensor(
    connect: Connect, patience: Patience, *, one_write_per_frame: bool = False
) -> AsyncIterator[ManagedSensor]:
    """Connect, and hang up at the end. Raises also NoReplyError where no sensor is found, and NoUpdateServiceError."""
    transport = ClientTransport(one_write_per_frame=one_write_per_frame)
    client = SMPClient(transport, address="", timeout_s=patience.answer_s)
    try:
        await _attach(transport, connect, patience.return_s)
        with in_words(transport):
            await client.connect()
        yield ManagedSensor(transport, client, patience)
    finally:
        await transport.disconnect()


async def _attach(transport: ClientTransport, connect: Connect, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s) as patience:
            transport.client = await connect(transport.on_gone)
    except (BleakError, TimeoutError) as error:
        if patience.expired():
            raise NoReplyError(
                f"The sensor was not found within {timeout_s:.0f} s: switch it off and on, bring it closer, and stop "
                "whatever else is connected to it."
            ) from error
        raise InterruptedUpdateError(f"The sensor could not be connected ({error}): bring it closer.") from error
