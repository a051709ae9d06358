"""Following a session through a line that may break: connect, listen, wait a little longer each time, try again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from random import Random

from analytics.domain.live import Command, LiveEvent

from .clinic import ClinicError, GatewayAddress
from .gateway import GatewayError, LiveLine, open_live_line

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0


class Link(StrEnum):
    SEARCHING = "searching"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"


class Follower:
    """Keeps one line to the gateway for as long as `run` runs.

    find: asks where the gateway is, before each try, since it may have moved or renewed its certificate.
    on_event: hears every live event in order. on_link: hears how the line stands, with a sentence when it is down.
    """

    def __init__(
        self,
        find: Callable[[], Awaitable[GatewayAddress]],
        on_event: Callable[[LiveEvent], None],
        on_link: Callable[[Link, str], None],
        *,
        random: Random,
    ) -> None:
        self._find = find
        self._on_event = on_event
        self._on_link = on_link
        self._random = random
        self._line: LiveLine | None = None
        self._again = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        wait_s = FIRST_WAIT_S
        self._on_link(Link.SEARCHING, "")
        while True:
            try:
                async with open_live_line(await self._find()) as line:
                    wait_s = FIRST_WAIT_S
                    await self._listen(line)
                reason = "Your gateway closed the line."
            except (GatewayError, ClinicError) as error:
                reason = str(error)
            finally:
                self._line = None
            self._on_link(Link.UNREACHABLE, reason)
            await self._pause(wait_s * self._random.uniform(0.8, 1.2))
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _listen(self, line: LiveLine) -> None:
        self._line = line
        self._on_link(Link.CONNECTED, "")
        async for event in line.events():
            self._on_event(event)

    async def _pause(self, seconds: float) -> None:
        self._again.clear()
        try:
            await asyncio.wait_for(self._again.wait(), seconds)
        except TimeoutError:
            return

    def try_now(self) -> None:
        """The patient asked: do not wait any longer."""
        self._again.set()

    async def send(self, command: Command) -> bool:
        """Send a command; False when the line is down. Nothing is kept here (mobile_app.urgent)."""
        line = self._line
        try:
            if line is not None:
                await line.send(command)
                return True
        except GatewayError:
            self._line = None
        return False
