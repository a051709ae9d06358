"""What a family's sensor really sends: a stream recorded over the software radio, and a decoder set up for it."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from bleak import BleakClient

from firmware_interface.driver_kit.decoder import Decoder
from firmware_interface.drivers import DRIVERS, StreamSettings
from firmware_interface.virtual.families import FIRMWARES
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

DRIVER_OF = {driver.family.code: driver for driver in DRIVERS}


@dataclass(frozen=True)
class Stream:
    """Notifications in order, as (bytes, characteristic), and the decoder as it stood before the first."""

    code: str
    settings: StreamSettings
    notifications: tuple[tuple[bytes, str], ...]
    _decoder: Decoder

    def decoder(self) -> Decoder:
        return copy.deepcopy(self._decoder)

    @property
    def longest_silence(self) -> int:
        """After how many notifications at most an undisturbed decoder has given samples again."""
        decoder, silence, longest = self.decoder(), 0, 0
        for data, characteristic in self.notifications:
            silence = 0 if decoder.decode(data, characteristic) else silence + 1
            longest = max(longest, silence)
        return longest + 1


def limb(rate_hz: float, seconds: float, seed: int = 1) -> Playback:
    """A limb that swings, with a little noise: 1 Hz, 40 degrees to either side."""
    time_s = np.arange(round(rate_hz * seconds)) / rate_hz
    angle = np.radians(40) * np.sin(2 * np.pi * time_s)
    rate = np.gradient(angle, time_s)
    zero, noise = np.zeros_like(angle), np.random.default_rng(seed)
    acc = 9.81 * np.column_stack([np.sin(angle), zero, np.cos(angle)]) + noise.normal(0, 0.05, (len(angle), 3))
    gyr = np.column_stack([zero, rate, zero]) + noise.normal(0, 0.01, (len(angle), 3))
    mag = np.column_stack([20 * np.cos(angle), zero, 40 * np.sin(angle)])
    return Playback(rate_hz, time_s, acc, gyr, mag)


def recorded(code: str, *, batch: int = 1, seconds: float = 16.0, speed: float = 8.0) -> Stream:
    """What a sensor of this family sends at its usual rate in so long a time, `speed` times as fast."""
    return asyncio.run(_record(code, batch, seconds, speed))


async def _record(code: str, batch: int, seconds: float, speed: float) -> Stream:
    link = SoftwareLink()
    sensor = VirtualSensor(
        "Sensor", "C1:00:00:00:00:01", limb(100.0, seconds), link, firmware=FIRMWARES[code], speed=speed
    )
    notifications: list[tuple[bytes, str]] = []

    def listen(data: bytes, characteristic: str) -> None:
        notifications.append((data, characteristic))

    radio = SoftwareRadio(link)
    async with radio, sensor, BleakClient(sensor.address, backend=radio.client_backend) as client:
        driver: Any = DRIVER_OF[code](client)
        driver._decode = listen
        settings = await driver.start(0.0, batch, lambda _: None)
        at_start = copy.deepcopy(driver.decoder)
        await asyncio.wait_for(sensor.finished.wait(), 60)
        await driver.stop()
    return Stream(code, settings, tuple(notifications), at_start)
