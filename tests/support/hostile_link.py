"""A TCP relay that does to connections what bad networks do, as drawn from a seed.

Refused: closed before anything passes. Cut in the request or in the answer: both ends lose it after so many bytes.
Slow: it dribbles. Overtaken: a request is held back until the client has given up and sent the same again by another
connection; then it arrives all the same, late, in whatever order, and nobody is there for the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from enum import StrEnum


class Fault(StrEnum):
    NONE = "none"
    REFUSED = "refused"
    REQUEST_CUT = "request cut"
    ANSWER_CUT = "answer cut"
    SLOW = "slow"
    OVERTAKEN = "overtaken"


class HostileLink:
    """`async with HostileLink(port, seed) as link:`; clients use `link.url`. `calm` lets everything pass.

    held_s: how long an overtaken connection is held back; longer than the client's patience. What is held back still
    arrives after `drain`, also when the client has long gone.
    """

    def __init__(self, port: int, seed: int, *, held_s: tuple[float, float] = (0.6, 1.2)) -> None:
        self.calm = False
        self.met: Counter[Fault] = Counter()
        self._port = port
        self._rng = random.Random(seed)
        self._held_s = held_s
        self._open: set[asyncio.Task[None]] = set()
        self._holding: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> HostileLink:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def drain(self) -> None:
        """Wait until everything held back has arrived."""
        await asyncio.gather(*self._holding, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        fault = Fault.NONE if self.calm else self._rng.choice(list(Fault))
        self.met[fault] += 1
        try:
            with contextlib.suppress(OSError):
                await self._relay(fault, reader, writer)
        except asyncio.CancelledError:
            pass  # the link is taken down; asyncio's server would report it otherwise
        finally:
            writer.transport.abort()
            self._open.discard(task)
            self._holding.discard(task)

    async def _relay(self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault is Fault.REFUSED:
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        if fault is Fault.OVERTAKEN:
            await self._overtake(reader, writer, there, back)
            return
        # What is not cut soon is cut later, for a client keeps a connection that serves it.
        request_limit = None if self.calm else self._rng.randrange(8_000 if fault is Fault.REQUEST_CUT else 20_000)
        answer_limit = self._rng.randrange(1500) if fault is Fault.ANSWER_CUT else None
        pace_s = 0.01 if fault is Fault.SLOW else 0.0
        pumps = [
            asyncio.ensure_future(_pump(reader, back, request_limit, pace_s)),
            asyncio.ensure_future(_pump(there, writer, answer_limit, pace_s)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            back.transport.abort()

    async def _overtake(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        """Some requests pass; the next reaches the server late, as much as was sent, and its answer nobody."""
        answers = asyncio.ensure_future(_pump(there, writer, None, 0.0))
        try:
            to_pass = self._rng.randrange(8_000)
            while (held := await reader.read(1 << 16)) and (to_pass > 0 or self.calm):
                back.write(held)
                to_pass -= len(held)
            if not held:
                return
            task = asyncio.current_task()
            assert task is not None
            self._holding.add(task)  # one that only idles, kept open by its client, has nothing that could arrive
            answers.cancel()
            await asyncio.sleep(self._rng.uniform(*self._held_s))
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(0.2):
                    while held:
                        back.write(held)
                        held = await reader.read(1 << 16)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await there.read(1 << 16)
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            back.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, limit: int | None, pace_s: float) -> None:
    """Until the source ends, or `limit` bytes have passed, which cuts the connection."""
    passed = 0
    with contextlib.suppress(OSError):
        while data := await source.read(2048 if pace_s else 65536):
            if limit is not None and passed + len(data) > limit:
                sink.write(data[: limit - passed])
                with contextlib.suppress(OSError):
                    await sink.drain()
                return
            passed += len(data)
            sink.write(data)
            await sink.drain()
            await asyncio.sleep(pace_s)
