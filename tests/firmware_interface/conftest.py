"""A world of software: a link, a radio on it, and sensors that play small invented signals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from bleak import BleakClient

from analytics.signals.samples import ImuSamples, IntArray
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

MakeSensor = Callable[..., VirtualSensor]


def invented_playback(rate_hz: float = 100.0, seconds: float = 1.0, seed: int = 1) -> Playback:
    count = round(rate_hz * seconds)
    noise = np.random.default_rng(seed)
    return Playback(
        rate_hz, 3.0 + np.arange(count) / rate_hz, noise.normal(0, 8, (count, 3)), noise.normal(0, 2, (count, 3))
    )


class Listener:
    """Collects runs of samples and when they came."""

    def __init__(self) -> None:
        self.runs: list[ImuSamples] = []
        self.arrivals: list[float] = []

    def __call__(self, samples: ImuSamples) -> None:
        self.runs.append(samples)
        self.arrivals.append(asyncio.get_running_loop().time())

    async def has(self, samples: int) -> None:
        """Wait until so many have come."""
        async with asyncio.timeout(10):
            while self.received < samples:  # noqa: ASYNC110 - a listener is told of runs, not of counts
                await asyncio.sleep(0.01)

    @property
    def received(self) -> int:
        return sum(len(run) for run in self.runs)

    @property
    def lost(self) -> int:
        return sum(run.lost_before for run in self.runs)

    @property
    def times_us(self) -> IntArray:
        return np.concatenate([run.sensor_time_us for run in self.runs])


@pytest.fixture
def playback() -> Callable[..., Playback]:
    return invented_playback


@pytest.fixture
def new_listener() -> type[Listener]:
    return Listener


@pytest.fixture
async def software_link() -> SoftwareLink:
    return SoftwareLink(supervision_timeout_s=0.3)


@pytest.fixture
async def software_radio(software_link: SoftwareLink) -> AsyncIterator[SoftwareRadio]:
    async with SoftwareRadio(software_link) as radio:
        yield radio


@pytest.fixture
async def make_sensor(software_link: SoftwareLink) -> AsyncIterator[MakeSensor]:
    """Makes and starts sensors C1:…:01, :02, … and stops them after the test."""
    sensors: list[VirtualSensor] = []

    async def make(playback: Playback | None = None, **options: object) -> VirtualSensor:
        number = len(sensors) + 1
        name, address = f"Sinew sensor {number}", f"C1:00:00:00:00:{number:02X}"
        sensor = VirtualSensor(name, address, playback or invented_playback(seed=number), software_link, **options)
        await sensor.start()
        sensors.append(sensor)
        return sensor

    yield make
    for sensor in sensors:
        await sensor.stop()


@pytest.fixture
async def connect(software_radio: SoftwareRadio) -> AsyncIterator[Callable[[VirtualSensor], object]]:
    """Connects to a sensor and disconnects after the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def connected(sensor: VirtualSensor) -> BleakClient:
            client = BleakClient(sensor.address, backend=software_radio.client_backend)
            return await stack.enter_async_context(client)

        yield connected
