"""A patient's home for tests: a simulated body wearing virtual sensors, a real gateway, and a phone that listens."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from websockets.asyncio.client import connect

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, FinishedEvent, LiveEvent, parse_live_event
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from device_gateway.app import Gateway
from device_gateway.clocks.clock import Clock
from device_gateway.links.radio import Radio
from device_gateway.settings import GatewaySettings
from firmware_interface.virtual.gate import StartGate
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

ADDRESSES = {"C1:00:00:00:00:01": Segment.RIGHT_THIGH, "C1:00:00:00:00:02": Segment.RIGHT_SHANK}


@dataclass
class Phone:
    """Listens on the live channel."""

    gateway: Gateway
    heard: list[LiveEvent] = field(default_factory=list)
    arrivals_s: list[float] = field(default_factory=list)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    commands: asyncio.Queue[Command] = field(default_factory=asyncio.Queue)

    async def listen(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        headers = {"Authorization": f"Bearer {self.gateway.live_token}"}
        async with connect(self.gateway.live_url, ssl=context, additional_headers=headers) as channel:
            speaking = asyncio.create_task(self._speak(channel.send))
            try:
                async for message in channel:
                    event = parse_live_event(message)
                    self.heard.append(event)
                    self.arrivals_s.append(asyncio.get_running_loop().time())
                    self.joined.set()
                    if isinstance(event, FinishedEvent):
                        self.finished.set()
            finally:
                speaking.cancel()

    async def _speak(self, send) -> None:
        while True:
            await send((await self.commands.get()).model_dump_json())

    def of(self, kind):
        return [event for event in self.heard if isinstance(event, kind)]


@dataclass
class Home:
    gateway: Gateway
    sensors: list[VirtualSensor]
    phone: Phone

    @property
    def sent(self) -> int:
        assert not any(sensor.dropped for sensor in self.sensors)
        return sum(sensor.samples_sent for sensor in self.sensors)

    async def played(self) -> None:
        await asyncio.gather(*(sensor.finished.wait() for sensor in self.sensors))


def body(repetitions: int, seed: int = 4, rate_hz: float = 100.0) -> SimulatedBody:
    return seated_knee_extensions(repetitions, np.random.default_rng(seed), rate_hz=rate_hz)


@asynccontextmanager
async def home_of(
    tmp_path: Path, url: str, claim_code: str | None, wearing: SimulatedBody, *, speed: float,
    worn: Mapping[str, Segment] = ADDRESSES, listens: bool = True,
) -> AsyncIterator[Home]:  # fmt: skip
    """`worn`: on which segment each sensor truly sits. `listens`: whether there is a phone."""
    settings = GatewaySettings(
        home=tmp_path / "gateway", server_url=url, claim_code=claim_code, simulated=True
    )  # fmt: skip
    link, gate = SoftwareLink(supervision_timeout_s=0.5), StartGate()
    sensors = [
        VirtualSensor(
            f"Sinew {segment}", address,
            Playback(wearing.rate_hz, wearing.time_s, *wearing.sensors[segment]), link, speed=speed, gate=gate,
        )
        for address, segment in worn.items()
    ]  # fmt: skip
    async with SoftwareRadio(link) as radio:
        gateway = Gateway(
            settings, sensors=ADDRESSES, radio=Radio(radio.scanner_backend, radio.client_backend), clock=Clock(speed)
        )
        await gateway.start()
        phone = Phone(gateway)
        listening = asyncio.create_task(phone.listen() if listens else asyncio.sleep(0))
        try:
            for sensor in sensors:
                await sensor.start()
            if listens:
                await asyncio.wait_for(phone.joined.wait(), 5)
            yield Home(gateway, sensors, phone)
        finally:
            await gateway.close()
            await asyncio.gather(listening, return_exceptions=True)
            for sensor in sensors:
                await sensor.stop()
