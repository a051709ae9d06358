"""One connection to one sensor: made, kept alive while samples come, and ended with a goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine

from bleak import BleakClient
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

from firmware_interface.driver_kit.decoder import Decoder
from firmware_interface.drivers import AnyDriver, StreamSettings, driver_for
from firmware_interface.errors import SensorError, WrongSensorError

from .listening import Sighting
from .radio import Central

PACKET_S = 0.05
"""How much movement one packet holds: little enough to feel immediate, enough to spare the radio."""
SILENCE_S = 2.0
"""A link is given up when this long, on top of three packets, brings no samples: longer than a supervision timeout.

Of the machine's time, as all that concerns the radio: a replay's radio is no faster.
"""
FIRST_SILENCE_S = 10.0
"""The same after a start: a sensor may have to wake its chip, or wait for another to start together with it."""
STOP_S = 10.0
"""A second for what is being sent again, five for an answer, and as much again for a radio that is busy."""
CANCEL_AGAIN_S = 1.0
GOODBYE_S = 5.0
_UNPAIRED = {
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION_KEY_SIZE,
}

log = logging.getLogger(__name__)


class NotPairedError(SensorError):
    """The sensor streams only to those it is paired with."""


class Connection:
    """A sensor that is connected, with the driver that speaks to it."""

    def __init__(self, client: BleakClient, driver: AnyDriver, gone: asyncio.Event) -> None:
        self.client = client
        self.driver = driver
        self._gone = gone
        self._heard = asyncio.Event()

    @property
    def gone(self) -> bool:
        return self._gone.is_set()

    def hear(self) -> None:
        """A packet came."""
        self._heard.set()

    async def until_over(self, stream: StreamSettings, closing: asyncio.Event) -> None:
        """Return when the link is gone or to be closed. Raises TimeoutError when samples stop coming."""
        packet_s = max(packet_samples(stream.rate_hz) / stream.rate_hz, stream.longest_silence_s)
        silence_s = SILENCE_S + 3 * packet_s
        heard = await _first_of(self._gone, closing, self._heard, timeout_s=FIRST_SILENCE_S)
        while heard and not self._gone.is_set() and not closing.is_set():
            self._heard.clear()
            heard = await _first_of(self._gone, closing, timeout_s=silence_s) or self._heard.is_set()
        if not heard:
            raise TimeoutError("no samples come although it is connected; it is connected anew")

    async def stop(self) -> None:
        """Have the sensor send what it still holds, and no more. Harmless where the link is gone."""
        if not self._gone.is_set():
            async with asyncio.timeout(STOP_S):
                await self.driver.stop()


@contextlib.asynccontextmanager
async def connected(central: Central, sighting: Sighting, decoder: Decoder | None) -> AsyncIterator[Connection]:
    """Connect to a sensor that was heard; `decoder` is that of the connection before, whose stream may go on.

    Raises UnknownSensorError and WrongSensorError for what is no sensor, RadioError and BleakError where it fails.
    """
    kind = driver_for(sighting.device, sighting.advertisement)
    if not kind.family.has_imu:
        raise WrongSensorError(
            f"A {kind.family.name} cannot follow a joint, because it does not measure angular rate; wear another."
        )
    gone = asyncio.Event()
    client = await central.connect(sighting, gone.set)
    driver = kind(client, decoder)
    try:
        yield Connection(client, driver, gone)
    finally:
        driver.close()
        await _part(client, driver)


@contextlib.asynccontextmanager
async def in_background(*jobs: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these beside what is done within, and end them with it. One that fails ends alone: samples matter more."""
    tasks = [asyncio.create_task(_alone(job)) for job in jobs]
    try:
        yield
    finally:
        # More than once, because wait_for of Python 3.11 loses a cancellation that comes together with its answer.
        while running := [task for task in tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=CANCEL_AGAIN_S)


def asks_to_pair(refusal: BaseException | None) -> bool:
    """Whether a sensor refused because the link is not encrypted, which pairing makes it."""
    while refusal is not None:
        if isinstance(refusal, BleakGATTProtocolError) and refusal.code in _UNPAIRED:
            return True
        if isinstance(refusal, BleakDBusError) and refusal.dbus_error_details == "Not paired":
            return True  # BlueZ says so for each of the three (src/gatt-client.c, create_gatt_dbus_error)
        refusal = refusal.__cause__
    return False


def packet_samples(rate_hz: float) -> int:
    """How many samples one packet holds."""
    return max(1, round(rate_hz * PACKET_S))


async def _alone(job: Coroutine[None, None, None]) -> None:
    try:
        await job
    except (BleakError, SensorError, TimeoutError, EOFError, OSError) as trouble:
        log.debug("A job beside a stream has ended: %s", trouble)
    except Exception:
        log.exception("A job beside a stream met a fault; the stream goes on.")


async def _first_of(*events: asyncio.Event, timeout_s: float) -> bool:
    """Wait until one of these is set; False when none is within the time."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for task in waiting:
            task.cancel()


async def _part(client: BleakClient, driver: AnyDriver) -> None:
    """Unsubscribe and disconnect, each for so long as it may take; a link that is gone needs neither."""
    for goodbye in (driver.unsubscribe, client.disconnect):
        with contextlib.suppress(BleakError, TimeoutError, EOFError, OSError):
            async with asyncio.timeout(GOODBYE_S):
                await goodbye()
