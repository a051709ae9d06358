"""Five virtual sensors over real GATT with connection events, and where different clocks place their samples."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import combinations

import numpy as np
from bleak import BleakClient
from numpy.typing import NDArray

from device_gateway.clocks.exchange import keep_exchanging
from device_gateway.clocks.sensor_clock import SensorClock
from firmware_interface.driver_kit.clock_bounds import ClockBounds
from firmware_interface.drivers.open_imu import OpenImuDriver
from firmware_interface.virtual.gate import StartGate
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor
from firmware_interface.virtual.swing import swinging_limb

INTERVAL_S = 0.030
DRIFTS_PPM = (-50.0, -25.0, 0.0, 25.0, 50.0)
BATCH = 5
EVENTS_LOST = 0.08
QUEUE_LOSS = 0.1

Packet = tuple[int, float]
"""The sensor's time of its newest sample [µs], and its arrival [s]."""
Floats = NDArray[np.float64]


class Heard(SensorClock):
    """All that the gateway hears of one sensor's clock, in its order. It places as the gateway does."""

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__()
        self.sensor = sensor
        self.log: list[Packet | ClockBounds] = []

    def observe(self, sensor_time_us: int, arrival_s: float) -> None:
        self.log.append((sensor_time_us, arrival_s))
        super().observe(sensor_time_us, arrival_s)

    def bound(self, exchange: ClockBounds) -> None:
        self.log.append(exchange)
        super().bound(exchange)

    @property
    def packets(self) -> list[Packet]:
        return [told for told in self.log if not isinstance(told, ClockBounds)]

    @property
    def exchanged(self) -> list[ClockBounds]:
        return [told for told in self.log if isinstance(told, ClockBounds)]

    def taken_s(self) -> Floats:
        """The truth (n,): when the newest sample of each packet was taken."""
        return np.array([self.sensor.taken_at(time_us) for time_us, _ in self.packets])


async def hear_five(seconds: float, seed: int, drifts_ppm: Sequence[float] = DRIFTS_PPM) -> list[Heard]:
    """Have sensors stream for so long, with lost connection events and a lossy queue, and exchange clocks meanwhile."""
    rng, link = random.Random(seed), SoftwareLink(connection_interval_s=INTERVAL_S)
    async with contextlib.AsyncExitStack() as stack:
        radio = await stack.enter_async_context(SoftwareRadio(link))
        all_heard = []
        for number, drift_ppm in enumerate(drifts_ppm):
            gate = StartGate()
            gate.join(rng)  # so that it opens at any phase of the connection interval, not at the event that says start
            sensor = VirtualSensor(
                f"Sinew {number}", f"C1:00:00:00:00:{number + 1:02}", swinging_limb(), link, loop=True, gate=gate,
                clock_drift_ppm=drift_ppm, clock_start_us=rng.randrange(2**32), queue_loss=QUEUE_LOSS, rng=rng,
            )  # fmt: skip
            await stack.enter_async_context(sensor)
            all_heard.append(await stack.enter_async_context(_heard(sensor, gate, radio, rng)))
        fading = [asyncio.create_task(_fade(heard.sensor, rng)) for heard in all_heard]
        await asyncio.sleep(seconds)
        for task in fading:
            task.cancel()
        await asyncio.gather(*fading, return_exceptions=True)
    return all_heard


@contextlib.asynccontextmanager
async def _heard(
    sensor: VirtualSensor, gate: StartGate, radio: SoftwareRadio, rng: random.Random
) -> AsyncIterator[Heard]:
    now_s, heard = asyncio.get_running_loop().time, Heard(sensor)
    async with BleakClient(sensor.address, backend=radio.client_backend) as client:
        driver = OpenImuDriver(client)
        await driver.start(0.0, BATCH, lambda _: None, lambda newest_us: heard.observe(newest_us, now_s()))
        await asyncio.sleep(rng.uniform(0, 10 * INTERVAL_S))
        gate.release()
        exchanging = asyncio.create_task(keep_exchanging(driver, lambda: heard, now_s, rng))
        yield heard
        exchanging.cancel()
        await asyncio.gather(exchanging, return_exceptions=True)
        await driver.stop()
        await driver.unsubscribe()


async def _fade(sensor: VirtualSensor, rng: random.Random) -> None:
    """Lose single connection events."""
    while True:
        await asyncio.sleep(rng.expovariate(EVENTS_LOST / INTERVAL_S))
        sensor.walk_away()
        try:
            await asyncio.sleep(INTERVAL_S)
        finally:
            sensor.walk_back()


# ------------------------------------------------------------- ways to place samples, each of (n,) times as they come


def by_arrival(heard: Heard) -> Floats:
    return np.array([arrival_s for _, arrival_s in heard.packets])


def by_least_squares(heard: Heard) -> Floats:
    """Ordinary least squares of arrival over sensor time on all points until then."""
    time_us, arrival_s = np.array(heard.packets).T
    sensor_s = (time_us - time_us[0]) * 1e-6
    delay_s, count = arrival_s - sensor_s, np.arange(1, len(sensor_s) + 1)
    mean_x, mean_y = np.cumsum(sensor_s) / count, np.cumsum(delay_s) / count
    spread = np.cumsum(sensor_s**2) / count - mean_x**2
    slope = (np.cumsum(sensor_s * delay_s) / count - mean_x * mean_y) / np.where(spread > 0, spread, np.inf)
    return np.asarray(sensor_s + mean_y + slope * (sensor_s - mean_x))


def by_least_round_trip(heard: Heard) -> Floats:
    """NTP's clock filter: the middle of the exchange with the least round trip of the last eight."""
    placed, last, offset_s = [], [], 0.0
    for told in heard.log:
        if isinstance(told, ClockBounds):
            last = [*last[-7:], told]
            best = min(last, key=lambda one: one.heard_s - one.asked_s)
            offset_s = (best.asked_s + best.heard_s) / 2 - (best.sensor_heard_us + best.sensor_told_us) / 2e6
        else:
            placed.append(told[0] * 1e-6 + offset_s)
    return np.array(placed)


def by_clock(*, exchange: bool) -> Callable[[Heard], Floats]:
    return lambda heard: replayed(heard, exchange=exchange)[0]


def replayed(heard: Heard, *, exchange: bool) -> tuple[Floats, Floats]:
    """Ours: placed times (n,) and the uncertainty [ms] stated with each."""
    clock, placed, stated = SensorClock(), [], []
    for told in heard.log:
        if not isinstance(told, ClockBounds):
            clock.observe(*told)
            placed.append(float(clock.place(np.array([told[0]]))[0]))
            stated.append(clock.uncertainty_ms or 0.0)
        elif exchange:
            clock.bound(told)
    return np.array(placed), np.array(stated)


def pairwise_ms(all_heard: Sequence[Heard], place: Callable[[Heard], Floats], after_s: float) -> Floats:
    """How far two sensors' samples are apart from where they should be, for each pair at each tenth of a second."""
    truths = [heard.taken_s() for heard in all_heard]
    instants_s = np.arange(max(t[0] for t in truths) + after_s, min(t[-1] for t in truths), 0.1)
    errors_s = []
    for heard, taken_s in zip(all_heard, truths, strict=True):
        which = np.minimum(np.searchsorted(taken_s, instants_s), len(taken_s) - 1)
        errors_s.append((place(heard) - taken_s)[which])
    return np.concatenate([np.abs(one - other) * 1e3 for one, other in combinations(errors_s, 2)])


def covered(all_heard: Sequence[Heard], *, exchange: bool, after_s: float = 0.0) -> float:
    """Share of samples that lie no farther from the truth than was stated."""
    within: list[bool] = []
    for heard in all_heard:
        placed_s, stated_ms = replayed(heard, exchange=exchange)
        taken_s = heard.taken_s()
        late = taken_s >= taken_s[0] + after_s
        within += (np.abs(placed_s - taken_s)[late] * 1e3 <= stated_ms[late]).tolist()
    return float(np.mean(within))
