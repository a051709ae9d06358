"""How a command on this computer speaks to the gateway that runs here: a UNIX socket in its home, for its owner alone.

One question per connection, a line of JSON each way: `{"ask": "pair"}` is answered by `{"answer": {...}}`, or by
`{"trouble": "one sentence"}`. In the gateway, a part offers what it can answer:

    control.offer("status", self.status)      # async def status(self, question: Mapping[str, Any]) -> dict[str, Any]

and a command, which runs no event loop, asks for it:

    answer = ask(home, "status")              # GatewayError where no gateway runs, or it says that it cannot
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from device_gateway.errors import GatewayError, NotRunningError

SOCKET = "control.sock"
LARGEST_LINE_BYTES = 2**20
TIMEOUT_S = 10.0

Handler = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

log = logging.getLogger(__name__)


class Control:
    """The gateway's end. Handlers may be offered at any time; `start` begins to answer, `close` ends it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._handlers: dict[str, Handler] = {}
        self._server: asyncio.Server | None = None

    def offer(self, question: str, handler: Handler) -> None:
        """A GatewayError that `handler` raises is the asker's answer; what it returns must be JSON."""
        self._handlers[question] = handler

    async def start(self) -> None:
        """Listen. The store's lock has made sure that no other gateway does so in this home."""
        listener = socket.socket(socket.AF_UNIX)
        try:
            os.fchmod(listener.fileno(), 0o600)  # before it has a name, so that nobody else can ever open it
            with _short(self._home) as path:
                path.unlink(missing_ok=True)  # left by a gateway that was killed
                listener.bind(str(path))
            self._server = await asyncio.start_unix_server(self._answer, sock=listener, limit=LARGEST_LINE_BYTES)
        except OSError as trouble:
            listener.close()
            raise GatewayError(
                f"The gateway cannot be spoken to in {self._home} ({trouble}): choose a folder on this computer's own "
                "disk with --home."
            ) from trouble

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            (self._home / SOCKET).unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, TimeoutError, ValueError
        ):  # ValueError: no line, or a longer one than allowed
            async with asyncio.timeout(TIMEOUT_S):
                said = await self._reply(await reader.readline())
                writer.write(json.dumps(said).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _reply(self, line: bytes) -> dict[str, Any]:
        try:
            question = json.loads(line)
            handler = self._handlers[question["ask"]]
        except (ValueError, KeyError, TypeError):
            return {"trouble": "This gateway does not know that question: update it, or the command that asked."}
        try:
            return {"answer": dict(await handler(question))}
        except GatewayError as trouble:
            return {"trouble": str(trouble)}
        except Exception:
            log.exception("A question on the control socket met a fault.")
            return {"trouble": "The gateway met a fault in this program: please report it."}


def ask(home: Path, question: str, **details: Any) -> dict[str, Any]:
    """Ask the gateway that runs with this home. Raises NotRunningError where none does, else GatewayError."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(TIMEOUT_S)
        try:
            with _short(home) as path:
                line.connect(str(path))
            line.sendall(json.dumps({"ask": question, **details}).encode() + b"\n")
            with line.makefile("rb") as answers:
                said = json.loads(answers.readline())
        except PermissionError as trouble:
            raise GatewayError(f"The gateway in {home} is another user's: ask again with sudo.") from trouble
        except (FileNotFoundError, ConnectionError, NotADirectoryError) as trouble:
            raise NotRunningError(
                f"No gateway runs with the home {home}: start it first, or name its folder with --home."
            ) from trouble
        except (OSError, ValueError) as trouble:
            raise GatewayError(f"The gateway in {home} does not answer: start it again.") from trouble
    if "answer" not in said:
        raise GatewayError(str(said.get("trouble")))
    return dict(said["answer"])


@contextlib.contextmanager
def _short(home: Path) -> Iterator[Path]:
    """The socket's path by way of an open folder: a socket's own path may have 107 bytes at most (unix(7))."""
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{folder}") / SOCKET
    finally:
        os.close(folder)
