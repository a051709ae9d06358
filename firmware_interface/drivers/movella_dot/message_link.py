"""Talking in messages with a Movella DOT: commands are written, acknowledgements read, what they bring is notified."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeVar

from ...errors import DecodeError, NoReplyError, SensorRefusedError
from .message import decode_message

REPLY_TIMEOUT_S = 5.0
_WAITING_MESSAGES = 4096
"""An export brings hundreds a second, and can be asked again for what there was no room for."""

T = TypeVar("T")


class Notified(NamedTuple):
    """kind: the message's identifier. data: the whole message."""

    kind: int
    data: bytes


class MessageLink:
    """One conversation at a time, because the next command overwrites the acknowledgement of the last (§5.2.1).

    name: the sensor, for errors. subscribe: to the notifications, unless that was done. write: a command, and what it
    is called. read: the acknowledgement of what is called so.
    """

    def __init__(
        self,
        name: str,
        subscribe: Callable[[], Awaitable[None]],
        write: Callable[[bytes, str], Awaitable[None]],
        read: Callable[[str], Awaitable[bytes]],
    ) -> None:
        self.name = name
        self._subscribe = subscribe
        self._write = write
        self._read = read
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(_WAITING_MESSAGES)
        self._turn = asyncio.Lock()

    def on_notification(self, data: bytes) -> None:
        """Take a notification. One that is damaged, or for which there is no room, is lost."""
        with contextlib.suppress(DecodeError, asyncio.QueueFull):
            decode_message(data)
            self._waiting.put_nowait(data)

    @contextlib.asynccontextmanager
    async def conversation(self) -> AsyncIterator[None]:
        """From a command to the last of what it brings. What came unasked before is forgotten."""
        async with self._turn:
            await self._subscribe()
            while not self._waiting.empty():
                self._waiting.get_nowait()
            yield

    async def tell(self, command: bytes, what: str) -> None:
        """Only write a command."""
        async with self.conversation():
            await self._write(command, what)

    async def ask(self, command: bytes, what: str, kind: int, decode: Callable[[bytes], T]) -> T:
        """Write a command that is answered by a notification of this kind."""
        async with self.conversation():
            await self._write(command, what)
            return self.decoded((await self.notification(command[0], what, kind)).data, what, decode)

    async def acknowledged(self, command: bytes, what: str, decode: Callable[[bytes], T]) -> T:
        """Within a conversation: write a command and read how it was received."""
        await self._write(command, what)
        return await self.acknowledgement(what, decode)

    async def acknowledgement(self, what: str, decode: Callable[[bytes], T]) -> T:
        """Read the last acknowledgement. Raises SensorRefusedError where it is none of this kind."""
        return self.decoded(await self._read(what), what, decode)

    async def notification(self, topic: int, what: str, *kinds: int, timeout_s: float = 0.0) -> Notified:
        """Within a conversation: the next notification of one of these kinds. Raises NoReplyError.

        timeout_s: 0 is the usual one.
        """
        try:
            async with asyncio.timeout(timeout_s or REPLY_TIMEOUT_S):
                while True:
                    data = await self._waiting.get()
                    message = decode_message(data)
                    if message.topic == topic and message.id in kinds:
                        return Notified(message.id, data)
        except TimeoutError as error:
            raise NoReplyError(f"{self.name} did not answer {what}; bring it closer or restart it.") from error

    def decoded(self, data: bytes, what: str, decode: Callable[[bytes], T]) -> T:
        """What a message means. Raises SensorRefusedError where it is not what the protocol says."""
        try:
            return decode(data)
        except DecodeError as error:
            raise SensorRefusedError(
                f"{self.name} answered {what} wrongly: {error} Restart it, or update its firmware."
            ) from error
