"""The file system of a virtual Capture2Go, and what it tells of it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from .bytes import NAME_BYTES, name

FILE_NOT_FOUND, FILE_ALREADY_EXISTS, NAME_INVALID, CONFIG_NOT_SET = 0xF0, 0xF3, 0xF5, 0xF9
COMMANDS = frozenset({0x0500, 0x0503, 0x0505, 0x0507, 0x0509, 0x050D})
_COUNT, _FILE, _PART, _STOPPED, _SIZE, _DELETED, _FORMATTED = 0x0501, 0x0502, 0x0504, 0x0506, 0x0508, 0x050A, 0x050E
_PART_BYTES = 232


class Refused(Exception):  # noqa: N818 - it is an answer
    """A command is answered with this number of a problem."""

    def __init__(self, problem: int) -> None:
        super().__init__(problem)
        self.problem = problem


class Memory:
    """Files by name, kept while the sensor is off. tell: sends a header and a payload."""

    def __init__(self, tell: Callable[[int, bytes], None]) -> None:
        self.files: dict[bytes, bytes] = {}
        self._tell = tell
        self._sending: asyncio.Task[None] | None = None

    def obey(self, header: int, content: bytes) -> None:
        """Carry out one of `COMMANDS`. Raises Refused."""
        match header:
            case 0x0500:
                self._tell(_COUNT, struct.pack("<H", len(self.files)))
                for number, (filename, held) in enumerate(self.files.items()):
                    self._tell(_FILE, struct.pack("<H", number) + name(filename) + struct.pack("<I", len(held)))
            case 0x0503:
                start, end = struct.unpack("<2I", content[NAME_BYTES:])
                held = self._held(content)
                self.fall_silent()
                self._sending = asyncio.get_running_loop().create_task(self._send(held, start, end or len(held)))
            case 0x0505:
                self.fall_silent()
                self._tell(_STOPPED, b"")
            case 0x0507:
                self._tell(_SIZE, content + struct.pack("<I", len(self._held(content))))
            case 0x0509:
                self._held(content)
                del self.files[_name_in(content)]
                self._tell(_DELETED, content)
            case 0x050D:
                self.files.clear()
                self._tell(_FORMATTED, b"")

    def fall_silent(self) -> None:
        """Send no more of a file."""
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def free(self, content: bytes) -> bytes:
        """The name at the begin of this, which no file has yet. Raises Refused."""
        if not (wanted := _name_in(content)):
            raise Refused(NAME_INVALID)
        if wanted in self.files:
            raise Refused(FILE_ALREADY_EXISTS)
        return wanted

    def _held(self, content: bytes) -> bytes:
        held = self.files.get(_name_in(content))
        if held is None:
            raise Refused(FILE_NOT_FOUND)
        return held

    async def _send(self, held: bytes, start: int, end: int) -> None:
        for offset in range(start, end, _PART_BYTES):
            self._tell(_PART, struct.pack("<I", offset) + held[offset : min(offset + _PART_BYTES, end)])
            await asyncio.sleep(0.001)


def _name_in(content: bytes) -> bytes:
    return content[:NAME_BYTES].split(b"\0")[0]
