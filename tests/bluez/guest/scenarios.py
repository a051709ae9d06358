"""Runs in the virtual machine: Sinew's own Central and driver on bleak's own backend for a real BlueZ.

Each scenario writes its figures under its name; one that fails writes its error and leaves the others theirs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bleak.exc import BleakError
from dbus_fast import BusType
from dbus_fast.aio import MessageBus
from guest_world import RATE_HZ, Bluez, Counted, CpuUse, Heard, Link, Stage, uptime_s
from home_scenarios import HomeScenarios

from device_gateway.links.pairing_agent import pairing_allowed
from device_gateway.links.radio import Central
from firmware_interface import open_profile as profile
from firmware_interface.drivers import OpenImuDriver

SETTLE_S = 2.0
"""Until what came while the sensors were started and BlueZ was asked is taken in."""
STREAM_S = 6.0
BATCH = 5
SCENARIO_TIMEOUT_S = 60.0
Figures = dict[str, Any]


class ByAcquireNotify(OpenImuDriver):
    """Hands on the bare packets: at 500 a second an emulated processor has no time to make samples of them as well."""

    def _decode(self, data: bytes, characteristic: str) -> None:
        if self._on_samples is not None:
            self._on_samples(profile.decode_packet(data))


class ByStartNotify(ByAcquireNotify):
    """For comparison: the way of notifying that bleak takes by itself."""

    async def _listen(self, characteristic: str) -> None:
        await self._subscribe(characteristic, self._on_data, acquire=False)


class Scenarios:
    """One after the other, on the same five sensors."""

    def __init__(self, bluez: Bluez, stage: Stage) -> None:
        self.bluez = bluez
        self.stage = stage
        self._central = Central(None)
        self._links = [Link(f"C1:00:00:00:00:{number:02X}", self._central) for number in range(1, 6)]

    async def power(self) -> Figures:
        begun_s, start = uptime_s(), time.monotonic()
        await self.bluez.switch_on()
        await self._central.check()
        return {"begun_s": begun_s, "seconds": since(start)}

    async def scan(self) -> Figures:
        start = time.monotonic()
        found = await asyncio.gather(*(self._central.find(link.address) for link in self._links))
        return {"found": sorted(sighting.device.address for sighting in found), "seconds": since(start)}

    async def connect(self) -> Figures:
        start = time.monotonic()
        names = await asyncio.gather(*(link.connect() for link in self._links))
        seconds = since(start)
        batteries = [await link.driver.battery_percent() for link in self._links]
        models = [(await link.driver.prepare()).model for link in self._links]
        return {"names": names, "batteries": batteries, "models": models, "seconds": seconds}

    async def stream(self) -> Figures:
        return await self._stream(BATCH, [Heard() for _ in self._links])

    async def disconnection(self) -> Figures:
        link, start = self._links[1], time.monotonic()
        await self.stage.ask("disconnect", link.address)
        await link.gone.wait()
        latency_s, start = round(link.gone_at - start, 3), time.monotonic()
        await link.connect()
        return {"latency_s": latency_s, "reconnect_s": since(start), "battery": await link.driver.battery_percent()}

    async def out_of_range(self) -> Figures:
        """One walks away while all five stream, is given up, comes back and goes on."""
        link, heard = self._links[2], [Heard() for _ in self._links]
        for each, listener in zip(self._links, heard, strict=True):
            await each.driver.start(RATE_HZ, BATCH, listener)
        await asyncio.sleep(1)
        start = time.monotonic()
        await self.stage.ask("walk_away", link.address)
        await link.gone.wait()
        latency_s = round(link.gone_at - start, 3)
        await asyncio.sleep(1)
        await self.stage.ask("walk_back", link.address)
        start = time.monotonic()
        await link.connect(before=link.driver)
        settings = await link.driver.start(RATE_HZ, BATCH, heard[2])
        reconnect_s = since(start)
        await asyncio.sleep(2)
        await self._stop(heard)
        told = {"latency_s": latency_s, "reconnect_s": reconnect_s, "continues": settings.continues}
        return {**counted(heard), **told}

    async def pairing_without_agent(self) -> Figures:
        return await self._pair(self._links[3])

    async def pairing(self) -> Figures:
        link = self._links[3]
        async with pairing_allowed({link.address}):
            figures = await self._pair(link)
        await link.connect()
        return {**figures, "battery_when_bonded": await link.driver.battery_percent()}

    async def pairing_that_the_sensor_begins(self) -> Figures:
        """First while another may pair, then while it may itself. A refused one BlueZ removes after 30 s."""
        link, paired = self._links[4], []
        for allowed in (self._links[0], link):
            await link.connect()
            async with pairing_allowed({allowed.address}):
                await self.stage.ask("ask_to_pair", link.address)
                await asyncio.sleep(3)
            paired.append((await self.bluez.device(link.address))["Paired"])
        return {"refused": not paired[0], "paired": paired[1]}

    async def acquire_notify(self) -> Figures:
        return await self._count(ByAcquireNotify)

    async def start_notify(self) -> Figures:
        return await self._count(ByStartNotify)

    async def hang_up(self) -> Figures:
        start = time.monotonic()
        await asyncio.gather(*(link.disconnect() for link in self._links))
        seconds = since(start)
        devices = [await self.bluez.device(link.address) for link in self._links]
        return {"connected": [device["Connected"] for device in devices], "seconds": seconds}

    async def _pair(self, link: Link) -> Figures:
        await link.connect()
        assert link.client is not None
        start, refused = time.monotonic(), ""
        try:
            await link.client.pair()
        except BleakError as error:
            refused = str(error)
        seconds, device = since(start), await self.bluez.device(link.address)
        return {"refused": refused, "paired": device["Paired"], "bonded": device["Bonded"], "seconds": seconds}

    async def _count(self, kind: type[OpenImuDriver]) -> Figures:
        """500 notifications a second: one sample in each."""
        await asyncio.gather(*(link.connect(kind) for link in self._links))
        return await self._stream(1, [Counted() for _ in self._links])

    async def _stream(self, batch: int, heard: list[Any]) -> Figures:
        for link, listener in zip(self._links, heard, strict=True):
            await link.driver.start(RATE_HZ, batch, listener)
        by_acquire, cpu = await self.bluez.acquired(), CpuUse()
        await asyncio.sleep(SETTLE_S)
        start, before = time.monotonic(), sum(each.notifications for each in heard)
        await asyncio.sleep(STREAM_S)
        per_s = (sum(each.notifications for each in heard) - before) / (time.monotonic() - start)
        percent = cpu.percent()
        await self._stop(heard)
        return {
            **counted(heard),
            "acquired": by_acquire,
            "notifications_per_s": round(per_s, 1),
            "cpu_percent": percent,
        }

    async def _stop(self, heard: list[Any]) -> None:
        """Silence the sensors from outside, take in what is on its way, on a slow machine much, and only then ask."""
        for link in self._links:
            await self.stage.ask("fall_silent", link.address)
        before = -1
        while (received := sum(each.received for each in heard)) > before:
            before = received
            await asyncio.sleep(1.5)
        for link in self._links:
            await link.driver.stop()


def since(start: float) -> float:
    return round(time.monotonic() - start, 3)


def counted(heard: list[Any]) -> Figures:
    return {name: [getattr(each, name) for each in heard] for name in ("received", "lost", "taken")}


async def main(stage_port: Path, results: Path) -> None:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    on = Scenarios(Bluez(bus), Stage(stage_port))
    home = HomeScenarios(on.bluez, on.stage)
    scenarios: tuple[Callable[[], Awaitable[Figures]], ...] = (
        *(on.power, on.scan, on.connect, on.stream, on.disconnection, on.out_of_range),
        *(on.pairing_without_agent, on.pairing, on.pairing_that_the_sensor_begins),
        *(on.acquire_notify, on.start_notify, on.hang_up),
        *(home.switched_off, home.assigning, home.bonded),
    )
    figures: dict[str, Figures] = {}
    for scenario in scenarios:
        name = scenario.__name__
        print(f"scenario: {name.replace('_', ' ')}", flush=True)
        try:
            async with asyncio.timeout(SCENARIO_TIMEOUT_S):
                figures[name] = await scenario()
        except Exception:  # whatever it is, it is this scenario's result
            figures[name] = {"error": traceback.format_exc()}
        await asyncio.to_thread(results.write_text, json.dumps(figures, indent=1))
    bus.disconnect()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
