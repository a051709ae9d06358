"""One worn sensor's link, kept alive for as long as a session runs: found, connected, streaming, lost, found again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Coroutine

from bleak.exc import BleakError

from analytics.domain.exercise import Segment
from analytics.domain.live import SensorState
from analytics.domain.session import SensorRecord
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.exchange import keep_exchanging
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.errors import RadioError
from firmware_interface.driver_kit.decoder import Bookmark
from firmware_interface.drivers import AnyDriver, StreamSettings
from firmware_interface.errors import SensorError

from .connection import Connection, NotPairedError, asks_to_pair, connected, in_background, packet_samples
from .listening import Sighting
from .radio import Central
from .state import LinkState, LinkStateMachine

USUAL_RATE_HZ = 100.0
"""Assumed until the sensor has told its own."""
START_S = 40.0
"""A sensor is set up in a second or two, and synchronised in 15. bluetoothd has been seen to keep a write that needs
encryption for more than a minute when pairing was refused (tests/bluez)."""
RETRY_PAUSE_S = 0.5
BATTERY_S = 300.0
"""Between two readings of the battery: a sensor runs for hours, and a reading costs the radio next to nothing."""

log = logging.getLogger(__name__)


class SensorLink:
    """Owns one sensor. Samples go to `on_samples(link, samples, session times)`, every change to `on_change`.

    `now_s` tells the session's time. While `state` is STREAMING, `stream` says how the sensor samples. `signal_dbm` is
    how well it was last heard while it was looked for: BlueZ tells no RSSI of a device that is connected
    (doc/org.bluez.Device.rst). `problem` is why the sensor itself does not stream, and what to do. pairs: a sensor that
    wants to be paired before it streams is paired with. groups: by name, the clocks that sensors of this session share;
    None for one that is by itself.
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
        pairs: bool = False,
        groups: defaultdict[str, SensorClock] | None = None,
    ) -> None:
        self.address = address
        self.segment = segment
        self.name = address
        self.battery_percent: int | None = None
        self.signal_dbm: int | None = None
        self.problem: str | None = None
        self.stream: StreamSettings | None = None
        self.clock = SensorClock()
        self.connections = 0
        self.samples_received = 0
        self.samples_lost = 0
        self.gaps = 0
        self.clipped_samples = 0
        self._central = central
        self._now_s = now_s
        self._on_samples = on_samples
        self._on_change = on_change
        self._pairs = pairs
        self._groups = groups
        self._shared: bool | None = None
        self._machine = LinkStateMachine(lambda: on_change(self))
        self._connection: Connection | None = None
        self._driver: AnyDriver | None = None
        self._early: list[ImuSamples] | None = None
        self._bookmark: Bookmark | None = None
        self._closing = asyncio.Event()
        self._last_s = 0.0
        self._complaint = ""
        self._rng = random.Random(address)  # noqa: S311 - when to ask a clock, not a secret
        self._task = asyncio.create_task(self._run(), name=f"link {segment}")

    @property
    def state(self) -> LinkState:
        return self._machine.now

    async def close(self) -> None:
        """Stop the stream, take in what the sensor had sent, disconnect. Afterwards no sample comes any more."""
        self._closing.set()
        if self.state is not LinkState.STREAMING:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._driver is not None:
            for samples in self._driver.decoder.give_up():
                self._place(samples)
        if self.state is not LinkState.CLOSED:
            self._machine.move(LinkState.CLOSED)

    def sensor_state(self) -> SensorState:
        return SensorState(
            segment=self.segment,
            name=self.name,
            connected=self.state is LinkState.STREAMING,
            battery_percent=self.battery_percent,
            signal_dbm=self.signal_dbm,
            problem=self.problem,
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
            clock_uncertainty_ms=self.clock.uncertainty_ms,
            battery_percent=self.battery_percent,
            signal_dbm=self.signal_dbm,
            connections=self.connections,
            gaps=self.gaps,
            clipped_samples=self.clipped_samples,
        )

    def bookmark(self) -> Bookmark | None:
        """Where its stream stands behind all that was given to `on_samples`; see Decoder."""
        if self._early is not None or self._driver is None:
            return self._bookmark
        bookmark: Bookmark | None = self._driver.decoder.bookmark()
        return bookmark

    async def _run(self) -> None:
        usable = True
        while not self._closing.is_set():
            try:
                if not usable:
                    await self._central.usable()
                    usable = True
                if self.state is LinkState.LOST:
                    self._machine.move(LinkState.SEARCHING)
                sighting = await self._central.find(self.address)
                self.signal_dbm = sighting.advertisement.rssi
                self._machine.move(LinkState.CONNECTING)
                await self._one_connection(sighting)
            except RadioError as trouble:
                self._complain(str(trouble))
                usable = False
            except SensorError as trouble:
                self._complain(str(trouble))
                self.problem = None if self._closing.is_set() else str(trouble)
            except (BleakError, TimeoutError, EOFError, OSError) as trouble:
                self._complain(str(trouble) or type(trouble).__name__)
            except Exception:  # a fault of ours or of a library must not silence a sensor for the rest of the session
                log.exception("%s sensor: its link met a fault and is tried again.", self.segment)
            if not self._closing.is_set():
                if self.state is not LinkState.LOST:
                    self._machine.move(LinkState.LOST)
                await asyncio.sleep(RETRY_PAUSE_S)

    def _complain(self, reason: str) -> None:
        """Once, however often it is tried again for the same reason."""
        log.log(logging.DEBUG if reason == self._complaint else logging.WARNING, "%s sensor: %s", self.segment, reason)
        self._complaint = reason

    async def _one_connection(self, sighting: Sighting) -> None:
        """From connecting to the link's end, however it comes."""
        decoder = self._driver.decoder if self._driver is not None else None
        async with connected(self._central, sighting, decoder) as connection:
            self.name = sighting.advertisement.local_name or sighting.device.name or self.address
            self._connection, self._driver = connection, connection.driver
            try:
                await self._start_in_time(connection)
            except BaseException:
                if self._closing.is_set():  # some families go on measuring when they are only disconnected
                    with contextlib.suppress(BleakError, SensorError, TimeoutError, EOFError, OSError):
                        await connection.stop()
                raise
            self._complaint, self.problem = "", None
            self._machine.move(LinkState.STREAMING)
            async with in_background(*self._jobs(connection.driver)):
                await connection.until_over(self._streaming(), self._closing)
            await connection.stop()

    def _jobs(self, driver: AnyDriver) -> tuple[Coroutine[None, None, None], ...]:
        """What goes on beside the stream, from its beginning to the connection's end."""
        exchanging = keep_exchanging(driver, lambda: self.clock, self._now_s, self._rng)
        return (self._watch_battery(driver), exchanging)

    async def _start_in_time(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(START_S):
                await self._start_paired(connection)
        except TimeoutError as late:
            raise TimeoutError("it is connected but does not begin to stream; it is connected anew") from late

    async def _start_paired(self, connection: Connection) -> None:
        """Have the sensor stream; one that wants to be paired before is paired, if that is allowed now."""
        try:
            await self._start(connection.driver)
        except (SensorError, BleakError) as refusal:
            if not asks_to_pair(refusal):
                raise
            if not self._pairs:
                raise NotPairedError(
                    f"{self.name} streams only to a gateway it is paired with: assign it anew, by tapping it."
                ) from refusal
            await connection.client.pair()
            await self._start(connection.driver)

    async def _start(self, driver: AnyDriver) -> None:
        """Have the sensor stream in packets of PACKET_S; ask again when its own rate makes that another batch.

        Its samples may come before its answer, which says how to read them; until then they wait.
        """
        await driver.prepare()
        await self._read_battery(driver)
        before, self.clock = self.clock, self._new_clock()
        self._bookmark, self._early = self.bookmark(), []
        batch = packet_samples(self.stream.rate_hz if self.stream else USUAL_RATE_HZ)
        try:
            self.stream = stream = await driver.start(0.0, batch, self._take, self._hear)
        except BaseException:  # what is held back of the stream before is of its clock
            self._early = None
            if self.clock.uncertainty_ms is None:
                self.clock = before
            raise
        if self.samples_received and not stream.continues:
            self.gaps += 1  # how many are missing it cannot tell, but some are
        if stream.shared_clock is not None and self._groups is not None:
            self.clock.join(self._groups[stream.shared_clock])
        self._note_sharing()
        new, self.clock = self.clock, before
        for samples in driver.decoder.forsaken():
            self._place(samples)
        self.clock = new
        for samples in self._early:
            self._place(samples)
        self._early = None
        if driver.batches and packet_samples(stream.rate_hz) != batch:
            self.stream = await driver.start(stream.rate_hz, packet_samples(stream.rate_hz), self._take, self._hear)
        self.connections += 1

    def _streaming(self) -> StreamSettings:
        assert self.stream is not None, "a connection's stream has begun"
        return self.stream

    async def _watch_battery(self, driver: AnyDriver) -> None:
        while True:
            await asyncio.sleep(BATTERY_S)
            before = self.battery_percent
            with contextlib.suppress(BleakError, TimeoutError):  # the next time, perhaps
                await self._read_battery(driver)
            if self.battery_percent != before:
                self._on_change(self)

    async def _read_battery(self, driver: AnyDriver) -> None:
        """Not every sensor tells it, and none is given up for that."""
        with contextlib.suppress(SensorError):
            self.battery_percent = await driver.battery_percent()

    def _hear(self, newest_us: int) -> None:
        assert self._connection is not None
        self._connection.hear()
        now_s = self._now_s()
        if self.clock.jumped(newest_us, now_s):
            self.clock = self._new_clock()
        self.clock.observe(newest_us, now_s)
        if self._early is None:
            self._note_sharing()

    def _note_sharing(self) -> None:
        """Tell it when the sensor no longer shares the others' clock: it was restarted, or has drifted away."""
        before, shared = self._shared, self.clock.shared
        if self._groups is None or shared is before:
            return
        self._shared = shared
        if shared:
            self._central.sharing.shares(self.address)
        elif before is None:
            self._central.sharing.is_alone(self.address)
        else:
            log.warning("%s sensor: it no longer shares the other sensors' clock.", self.segment)
            self._central.sharing.has_lost(self.address, self.segment)

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
        self.gaps += samples.lost_before > 0
        self.clipped_samples += 0 if samples.clipped is None else int(samples.clipped.sum())
        self._on_samples(self, samples, time_s)
