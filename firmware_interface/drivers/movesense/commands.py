"""Speaking GSP on one connection: commands and their answers, and who each notification is for."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from analytics.signals.samples import Source

from ...driver_kit.driver import SensorDriver
from ...errors import DecodeError, FirmwareTooOldError, NoReplyError, SensorRefusedError
from .decoder import MovesenseDecoder
from .protocol import (
    COMMAND_UUID,
    DATA_UUID,
    Command,
    Hello,
    Kind,
    LogChunk,
    decode_hello,
    decode_log_chunk,
    decode_result,
    encode_get,
    encode_hello,
    encode_subscribe,
    encode_unsubscribe,
)

T = TypeVar("T")
LOG_SILENCE_S = 10.0
"""So long a recording may pause while it is sent."""
_CHUNKS_WAITING = 4096
_REFUSALS = {
    404: "it has no such thing",
    409: "it is recording; stop its recording first, and where there is none restart it",
    429: "it has no room for more requests; restart it",
    507: "it has no room for another subscription; end one first, or restart it",
}


class GspDriver(SensorDriver[MovesenseDecoder]):
    """Each command has a reference of its own, which its answer and its data carry.

    The maker's sample firmware ("old" here) knows only HELLO, SUBSCRIBE and UNSUBSCRIBE, and answers the last two only
    to refuse; that a subscription is accepted, its data tell.
    """

    def __init__(self, client: BleakClient, decoder: MovesenseDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self._hello = Hello(protocol=0)
        self._references = itertools.cycle(range(2, 256))
        self._awaited: set[int] = set()
        self._watchers: dict[int, Callable[[bytes], None]] = {}
        self._fetches: dict[int, asyncio.Queue[bytes]] = {}

    @property
    def _old(self) -> bool:
        return self._hello.protocol == 0

    async def watch(self, path: str, decode: Callable[[bytes], T], on_value: Callable[[T], None]) -> int:
        """Subscribe to a resource beside the motion, as "/Meas/HR" with `decode_heart_rate`.

        Returns the reference for `unwatch`. Raises SensorRefusedError where it has no such, or no room: four is all.
        """
        await self.prepare()

        def tell(payload: bytes) -> None:
            try:
                value = decode(payload)
            except DecodeError:
                self.decode_errors += 1
            else:
                on_value(value)

        reference = self._next_reference()
        self._watchers[reference] = tell
        try:
            await self._subscribe_to(path, reference)
        except BaseException:
            del self._watchers[reference]
            raise
        return reference

    async def unwatch(self, reference: int) -> None:
        """End what `watch` began."""
        if self._watchers.pop(reference, None) is not None:
            await self._unsubscribe_from(reference)

    async def _read_source(self) -> Source:
        await self._listen(DATA_UUID)
        reference = self._next_reference()
        with self._awaiting(reference):
            self._hello = hello = await self._ask(COMMAND_UUID, encode_hello(reference), decode_hello, "HELLO")
        told = await super()._read_source()
        return replace(
            told,
            model=told.model or hello.product,
            serial=told.serial or hello.serial,
            firmware=told.firmware or f"{hello.app} {hello.app_version}".strip(),
        )

    async def _subscribe_to(self, path: str, reference: int) -> None:
        await self._command(lambda ref: encode_subscribe(ref, path), f"SUBSCRIBE {path}", bytes, reference)

    async def _unsubscribe_from(self, reference: int) -> None:
        if self._old:
            await self._write(COMMAND_UUID, encode_unsubscribe(reference), "UNSUBSCRIBE")
        else:
            await self._command(encode_unsubscribe, "UNSUBSCRIBE", bytes, reference)

    async def _get(self, path: str, decode: Callable[[bytes], T]) -> T:
        return await self._command(lambda reference: encode_get(reference, path), f"GET {path}", decode)

    async def _command(
        self, encode: Callable[[int], bytes], what: str, decode: Callable[[bytes], T], reference: int = 0
    ) -> T:
        """Send a command and decode what it is answered. Raises SensorRefusedError, naming the command as `what`."""
        await self.prepare()
        reference = reference or self._next_reference()
        command = encode(reference)
        if self._old and command[0] > Command.UNSUBSCRIBE:
            raise FirmwareTooOldError(
                f"{self._name} does not know {what}: it runs the maker's sample firmware; install its DataLogger app."
            )

        def answer(data: bytes) -> T | None:
            if data[0] != Kind.RESULT:
                return decode(b"") if command[0] == Command.SUBSCRIBE else None
            result = decode_result(data)
            if result.status >= 300:
                reason = _REFUSALS.get(result.status, "restart it or update its firmware")
                raise SensorRefusedError(f"{self._name} refused {what} ({result.status}): {reason}.")
            return decode(result.content)

        with self._awaiting(reference):
            return await self._ask(COMMAND_UUID, command, answer, what)

    async def _log_chunks(self, encode: Callable[[int], bytes], what: str) -> AsyncGenerator[LogChunk, None]:
        """What the sensor sends of a recording, to its end, which has no content."""
        reference, chunks = self._next_reference(), asyncio.Queue[bytes](_CHUNKS_WAITING)
        self._fetches[reference] = chunks
        try:
            await self._command(encode, what, bytes, reference)
            while True:
                async with asyncio.timeout(LOG_SILENCE_S):
                    chunk = decode_log_chunk(await chunks.get())
                yield chunk
                if not chunk.content:
                    return
        except TimeoutError as error:
            raise NoReplyError(f"{self._name} stopped sending; bring it closer and ask again.") from error
        except DecodeError as error:
            raise SensorRefusedError(f"{self._name} does not follow its protocol: {error} Ask again.") from error
        finally:
            del self._fetches[reference]

    def _next_reference(self) -> int:
        taken = self._watchers.keys() | self._fetches.keys()
        return next(reference for reference in self._references if reference not in taken)

    @contextlib.contextmanager
    def _awaiting(self, reference: int) -> Iterator[None]:
        """Meanwhile what has this reference is an answer, and nothing else is."""
        self._awaited.add(reference)
        try:
            yield
        finally:
            self._awaited.discard(reference)

    def _on_data(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        kind, reference = (data[0], data[1]) if len(data) > 1 else (0, 0)
        if reference in self._awaited:
            self._on_reply(characteristic, data)
        if kind == Kind.RESULT:
            return  # an answer, be it late
        if reference in self._fetches:
            with contextlib.suppress(asyncio.QueueFull):  # the gap is noticed by its offset
                self._fetches[reference].put_nowait(bytes(data))
        elif reference in self._watchers:
            self._watchers[reference](bytes(data[2:]))
        else:
            super()._on_data(characteristic, data)
