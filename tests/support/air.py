"""Virtual sensors and a gateway's links on one software link, over real GATT."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics.domain.exercise import Segment
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.clock import Clock
from device_gateway.links.link import SensorLink
from device_gateway.links.radio import Central
from device_gateway.links.state import LinkState
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

THIGH, SHANK = "C1:00:00:00:00:01", "C1:00:00:00:00:02"


def playback(seconds: float, rate_hz: float = 100.0) -> Playback:
    count = round(seconds * rate_hz)
    rng = np.random.default_rng(5)
    return Playback(rate_hz, np.arange(count) / rate_hz, rng.normal(0, 8, (count, 3)), rng.normal(0, 2, (count, 3)))


@dataclass
class Air:
    """A software link with the gateway's radio on it, and what the gateway's links have told."""

    until: Callable[..., Awaitable[None]]
    link: SoftwareLink
    radio: SoftwareRadio
    central: Central
    clock: Clock = field(default_factory=Clock)
    sensors: list[VirtualSensor] = field(default_factory=list)
    links: list[SensorLink] = field(default_factory=list)
    states: dict[Segment, list[LinkState]] = field(default_factory=dict)
    problems: dict[Segment, list[str | None]] = field(default_factory=dict)
    runs: dict[Segment, list[tuple[ImuSamples, FloatArray]]] = field(default_factory=dict)

    async def wear(self, address: str, play: Playback, **options: object) -> VirtualSensor:
        sensor = VirtualSensor(f"Sinew {address[-1]}", address, play, self.link, speed=self.clock.speed, **options)
        await sensor.start()
        self.sensors.append(sensor)
        return sensor

    def connect(self, address: str, segment: Segment, **options: Any) -> SensorLink:
        began = self.clock.now()
        self.states[segment], self.problems[segment], self.runs[segment] = [], [], []

        def changed(link: SensorLink) -> None:
            self.states[segment].append(link.state)
            self.problems[segment].append(link.sensor_state().problem)

        link = SensorLink(
            address,
            segment,
            central=self.central,
            now_s=lambda: self.clock.now() - began,
            on_samples=lambda link, samples, time_s: self.runs[segment].append((samples, time_s)),
            on_change=changed,
            **options,
        )
        self.links.append(link)
        return link

    @property
    def scanning(self) -> bool:
        return any(adapter.scanning for adapter in self.central.adapters)

    async def reach(self, link: SensorLink, state: LinkState) -> None:
        await self.until(lambda: link.state is state)
