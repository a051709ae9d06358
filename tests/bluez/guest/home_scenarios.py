"""What happens to Bluetooth in a home, and how the gateway's own links bear it on a real BlueZ."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from guest_world import Bluez, Stage

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, Cue
from device_gateway.conditions import Conditions
from device_gateway.links import link as link_module
from device_gateway.links import radio as radio_module
from device_gateway.links.assigning import Assigning
from device_gateway.links.link import SensorLink
from device_gateway.links.radio import Central
from device_gateway.links.state import LinkState

FIRST, SHY = "C1:00:00:00:00:01", "C1:00:00:00:00:06"
"""A sensor like the others, and one that streams over an encrypted link only and is tapped twice every 8 s."""
radio_module.WATCH_S = 2.0
link_module.START_S = 20.0


class HomeScenarios:
    def __init__(self, bluez: Bluez, stage: Stage) -> None:
        self._bluez = bluez
        self._stage = stage
        self._conditions = Conditions()
        self._central = Central(None, conditions=self._conditions)
        self._cues: list[Cue] = []

    async def switched_off(self) -> dict[str, Any]:
        """The adapter is switched off while a sensor streams, and on again."""
        states: list[str] = []
        async with self._streaming(FIRST, states) as link:
            received = link.samples_received
            await self._bluez.switch(on=False)
            await _until(lambda: bool(self._conditions.now()))
            told = self._conditions.now()
            await _until(lambda: link.state is LinkState.LOST)
            await self._bluez.switch(on=True)
            await _until(lambda: link.state is LinkState.STREAMING and link.samples_received > received + 100)
            await _until(lambda: not self._conditions.now())
            record = link.record()
        slots = [(adapter.port.name, adapter.port.slots) for adapter in self._central.adapters]
        return {
            "told": [each.model_dump() for each in told],
            "states": states,
            "connections": record.connections,
            "adapters": slots,
        }

    async def assigning(self) -> dict[str, Any]:
        """The shy sensor is paired with, and tapped. The others are away: six streams are too much to emulate."""
        for number in range(1, 6):
            await self._stage.ask("walk_away", f"C1:00:00:00:00:{number:02X}")
        worn: dict[str, Segment] = {}
        assigning = Assigning(worn, central=self._central, busy=lambda: False, keep=self._keep, tell=self._cues.append)
        await assigning.begin(Command(command="assign", segment=Segment.RIGHT_THIGH))
        await _until(lambda: bool({"assign.done", "assign.failed"} & {cue.code for cue in self._cues}))
        await asyncio.sleep(2)
        await assigning.stop()
        device = await self._bluez.device(SHY)
        return {
            "cues": [cue.text for cue in self._cues],
            "worn": worn,
            "paired": device["Paired"],
            "bonded": device["Bonded"],
            "connected": device["Connected"],
        }

    async def bonded(self) -> dict[str, Any]:
        """The bonded sensor streams in a session, without pairing; once it is forgotten it does not."""
        states: list[str] = []
        async with self._streaming(SHY, states) as link:
            received = link.samples_received
        await self._central.forget(SHY)
        known = await self._bluez.known(SHY)
        states.clear()
        async with self._link(SHY, states):
            await _until(lambda: LinkState.LOST in states)
        return {"received": received, "known": known, "states": states[:2]}

    @contextlib.asynccontextmanager
    async def _streaming(self, address: str, states: list[str]) -> AsyncIterator[SensorLink]:
        async with self._link(address, states) as link:
            await _until(lambda: link.samples_received > 100)
            yield link

    @contextlib.asynccontextmanager
    async def _link(self, address: str, states: list[str]) -> AsyncIterator[SensorLink]:
        watching = asyncio.create_task(self._central.watch())
        link = SensorLink(
            address,
            Segment.RIGHT_THIGH,
            central=self._central,
            now_s=time.monotonic,
            on_samples=lambda *_: None,
            on_change=lambda link: states.append(link.state),
        )
        try:
            yield link
        finally:
            await link.close()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _keep(self, _: str) -> None:
        """Where it is kept is the store's matter."""


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - looks at objects that have no such event
        await asyncio.sleep(0.05)
