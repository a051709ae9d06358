"""Shows a running session at the clinic while the patient agrees, and shows the patient what the clinic says.

A convenience beside the record: what does not get through is not sent again, and nothing waits for it. Events go up as
a phone hears them; angles, which nobody there needs as often, at most ten times a second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from analytics.domain.live import Cue, CueEvent, CueLevel, SessionState
from analytics.domain.live_view import NOT_SHARED, REPLACED, LiveRequest
from device_gateway.errors import ShutOutError, UnreachableError
from device_gateway.live.hub import Listener, LiveHub

from .uplink import pause_s

ANGLE_INTERVAL_S = 0.1
"""Of the machine's time: a remote picture of a joint needs no more, and a home's upstream is shared."""
OPEN_TIMEOUT_S = 10.0
WORDS_CODE = "physiotherapist.says"

log = logging.getLogger(__name__)


class LiveView:
    """`begin` when a session begins whose patient agrees; it ends with the session, or by `close`.

    url: the clinic's. token: asked at each connect, since tokens are short-lived.
    """

    def __init__(self, hub: LiveHub, url: str, token: Callable[[], Awaitable[str]], rng: random.Random) -> None:
        self._hub = hub
        self._url = f"ws{url.removeprefix('http')}/api/v1/gateway/live"
        self._token = token
        self._rng = rng
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Show what happens from now on, until the session has finished."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="live view")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while not failures or self._hub.snapshot.state not in {SessionState.IDLE, SessionState.FINISHED}:
            try:
                async with connect(
                    self._url,
                    additional_headers={"Authorization": f"Bearer {await self._token()}"},
                    open_timeout=OPEN_TIMEOUT_S,
                    logger=log,
                ) as connection:
                    failures = 0
                    await self._show(connection)
                    return
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code in {NOT_SHARED, REPLACED}:
                    log.info("The live view has ended: %s", closed.rcvd.reason or closed.rcvd.code)
                    return
            except ShutOutError:
                return  # the uplink tells of it
            except (UnreachableError, OSError, TimeoutError, WebSocketException) as trouble:
                if not failures:
                    log.info("The live view does not reach the clinic (%s).", type(trouble).__name__)
            failures += 1
            await asyncio.sleep(pause_s(failures, self._rng))

    async def _show(self, connection: ClientConnection) -> None:
        """Until the session has finished. Raises ConnectionClosed."""
        listener = self._hub.join()
        tasks = [asyncio.create_task(job) for job in (_tell(connection, listener), self._obey(connection))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._hub.leave(listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _obey(self, connection: ClientConnection) -> None:
        while True:
            message = await connection.recv()
            try:
                request = LiveRequest.model_validate_json(message)
            except ValidationError:
                continue  # a newer server may ask for more than this gateway understands
            if request.snapshot:
                await connection.send(self._hub.snapshot.model_dump_json())
            if request.words is not None:
                cue = Cue(code=WORDS_CODE, text=request.words.text, level=CueLevel.INFO)
                self._hub.publish(CueEvent(cue=cue))


async def _tell(connection: ClientConnection, listener: Listener) -> None:
    while True:
        message = await listener.next()
        await connection.send(message, text=True)
        match json.loads(message)["kind"]:
            case "angle":
                await asyncio.sleep(ANGLE_INTERVAL_S)  # the listener keeps none but the newest meanwhile
            case "finished":
                return
