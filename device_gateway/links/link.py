"""One worn sensor's link, kept alive for as long as a session runs: found, connected, streaming, lost, found again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from enum import StrEnum

from bleak import BleakClient
from bleak.exc import BleakError

from analytics.domain.exercise import Segment
from analytics.domain.live import SensorState
from analytics.domain.session import SensorRecord
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.clock import SensorClock
from device_gateway.errors import RadioError
from firmware_interface.drivers import AnyDriver, StreamSettings, driver_for
from firmware_interface.errors import SensorError, WrongSensorError

from .radio import Central, Sighting

PACKET_S = 0.05
"""How much movement one packet holds: little enough to feel immediate, enough to spare the radio."""
USUAL_RATE_HZ = 100.0
"""Assumed until the sensor has told its own."""
SILENCE_S = 2.0
"""A link is given up when this long, on top of three packets, brings no samples: longer than a supervision timeout.

Of the machine's time, as all that concerns the radio: a replay's radio is no faster.
"""
FIRST_SILENCE_S = 10.0
"""The same after a start: a sensor may have to wake its chip, or wait for another to start together with it."""
RETRY_PAUSE_S = 0.5
STOP_S = 10.0
"""A second for what is being sent again, five for an answer, and as much again for a radio that is busy."""
GOODBYE_S = 5.0

log = logging.getLogger(__name__)


class LinkState(StrEnum):
    SEARCHING = "searching"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    LOST = "lost"
    CLOSED = "closed"


class SensorLink:
    """Owns one sensor. Samples go to `on_samples(link, samples, session times)`, every change of state to `on_change`.

    `now_s` tells the session's time. While `state` is STREAMING, `stream` says how the sensor samples.
    """

    def __init__(
        self,
        address: str,
        segment: Segment,
        *,
        central: Central,
        now_s: Callable[[], float],
        on_samples: Callable[[SensorLink, ImuSamples, FloatArray], None],
        on_change: Callable[[SensorLink], None],
    ) -> None:
        self.address = address
        self.segment = segment
        self.name = address
        self.state = LinkState.SEARCHING
        self.battery_percent: int | None = None
        self.stream: StreamSettings | None = None
        self.clock = SensorClock()
        self.connections = 0
        self.samples_received = 0
        self.samples_lost = 0
        self._central = central
        self._now_s = now_s
        self._on_samples = on_samples
        self._on_change = on_change
        self._driver: AnyDriver | None = None
        self._early: list[ImuSamples] | None = None
        self._heard = asyncio.Event()
        self._closing = asyncio.Event()
        self._last_s = 0.0
        self._task = asyncio.create_task(self._run(), name=f"link {segment}")

    async def close(self) -> None:
        """Stop the stream, take in what the sensor had sent, disconnect. Afterwards no sample comes any more."""
        self._closing.set()
        if self.state is not LinkState.STREAMING:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._become(LinkState.CLOSED)

    def sensor_state(self) -> SensorState:
        return SensorState(
            segment=self.segment,
            name=self.name,
            connected=self.state is LinkState.STREAMING,
            battery_percent=self.battery_percent,
        )

    def record(self) -> SensorRecord:
        """What this sensor delivered since the link was made."""
        return SensorRecord(
            address=self.address,
            name=self.name,
            segment=self.segment,
            samples_received=self.samples_received,
            samples_lost=self.samples_lost,
            rate_hz=self.stream.rate_hz if self.stream else 0.0,
            clock_skew_ppm=self.clock.skew_ppm,
            clock_residual_ms=self.clock.residual_ms,
            battery_percent=self.battery_percent,
        )

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._become(LinkState.SEARCHING)
                sighting = await self._central.find(self.address)
                self._become(LinkState.CONNECTING)
                await self._connection(sighting)
            except (BleakError, SensorError, RadioError, TimeoutError, EOFError, OSError) as trouble:
                log.warning("%s sensor: %s", self.segment, trouble or type(trouble).__name__)
            except Exception:  # a fault of ours or of a library must not silence a sensor for the rest of the session
                log.exception("%s sensor: its link met a fault and is tried again.", self.segment)
            if not self._closing.is_set():
                self._become(LinkState.LOST)
                await asyncio.sleep(RETRY_PAUSE_S)

    async def _connection(self, sighting: Sighting) -> None:
        """From connecting to the link's end, however it comes."""
        driver = driver_for(sighting.device, sighting.advertisement)
        if not driver.family.has_imu:
            raise WrongSensorError(
                f"A {driver.family.name} cannot follow a joint, because it does not measure angular rate; wear another."
            )
        gone = asyncio.Event()
        client = await self._central.connect(sighting.device, gone.set)
        try:
            self.name = sighting.advertisement.local_name or sighting.device.name or self.address
            self._driver = driver(client, self._driver.decoder if self._driver else None)
            await self._start(self._driver)
            await self._until_over(gone)
            if not gone.is_set():
                async with asyncio.timeout(STOP_S):
                    await self._driver.stop()
        finally:
            if self._driver is not None:
                self._driver.close()
            await _part(client, self._driver)

    async def _start(self, driver: AnyDriver) -> None:
        """Have the sensor stream in packets of PACKET_S; ask again when its own rate makes that another batch.

        Its samples may come before its answer, which says how to read them; until then they wait.
        """
        await driver.prepare()
        with contextlib.suppress(SensorError):
            self.battery_percent = await driver.battery_percent()
        self.clock = self._new_clock()
        self._heard.clear()
        self._early = []
        batch = self._batch(self.stream.rate_hz if self.stream else USUAL_RATE_HZ)
        self.stream = await driver.start(0.0, batch, self._take, self._hear)
        early, self._early = self._early, None
        for samples in early:
            self._place(samples)
        if driver.batches and self._batch(self.stream.rate_hz) != batch:
            self.stream = await driver.start(
                self.stream.rate_hz, self._batch(self.stream.rate_hz), self._take, self._hear
            )
        self.connections += 1
        self._become(LinkState.STREAMING)

    def _batch(self, rate_hz: float) -> int:
        return max(1, round(rate_hz * PACKET_S))

    async def _until_over(self, gone: asyncio.Event) -> None:
        """Return when the link is gone or to be closed. Raises TimeoutError when samples stop coming."""
        assert self.stream is not None
        packet_s = max(self._batch(self.stream.rate_hz) / self.stream.rate_hz, self.stream.longest_silence_s)
        silence_s = SILENCE_S + 3 * packet_s
        heard = await _first_of(gone, self._closing, self._heard, timeout_s=FIRST_SILENCE_S)
        while heard and not gone.is_set() and not self._closing.is_set():
            self._heard.clear()
            heard = await _first_of(gone, self._closing, timeout_s=silence_s) or self._heard.is_set()
        if not heard:
            raise TimeoutError("no samples come although it is connected; it is connected anew")

    def _hear(self, newest_us: int) -> None:
        self._heard.set()
        now_s = self._now_s()
        if self.clock.jumped(newest_us, now_s):
            self.clock = self._new_clock()
        self.clock.observe(newest_us, now_s)

    def _new_clock(self) -> SensorClock:
        assert self._driver is not None
        return SensorClock(not_before_s=self._last_s, counted=self._driver.family.timestamps is None)

    def _take(self, samples: ImuSamples) -> None:
        if self._early is None:
            self._place(samples)
        else:
            self._early.append(samples)

    def _place(self, samples: ImuSamples) -> None:
        time_s = self.clock.place(samples.sensor_time_us)
        self._last_s = float(time_s[-1])
        self.samples_received += len(samples)
        self.samples_lost += samples.lost_before
        self._on_samples(self, samples, time_s)

    def _become(self, state: LinkState) -> None:
        if state is not self.state:
            self.state = state
            self._on_change(self)


async def _first_of(*events: asyncio.Event, timeout_s: float) -> bool:
    """Wait until one of these is set; False when none is within the time."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for task in waiting:
            task.cancel()


async def _part(client: BleakClient, driver: AnyDriver | None) -> None:
    """Unsubscribe and disconnect, each for so long as it may take; a link that is gone needs neither."""
    for goodbye in ([driver.unsubscribe] if driver is not None else []) + [client.disconnect]:
        with contextlib.suppress(BleakError, TimeoutError, EOFError, OSError):
            async with asyncio.timeout(GOODBYE_S):
                await goodbye()
