"""Worn Movella DOTs are brought to one clock by their own radio, which no arrival at the gateway can do as well.

They must be left alone for it, so it is done between sessions. Other families tell the gateway their clocks while they
stream (`clocks/exchange.py`), or cannot.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from bleak.exc import BleakError

from analytics.domain.exercise import Segment
from analytics.domain.live import Cue, CueLevel
from device_gateway.errors import GatewayError
from firmware_interface.drivers import driver_for
from firmware_interface.drivers.movella_dot import MovellaDotDriver, synchronise
from firmware_interface.drivers.movella_dot.driver import USUAL_RATE_HZ
from firmware_interface.drivers.movella_dot.synchronisation import Synchronised, SyncResult
from firmware_interface.errors import SensorError

from .connection import connected
from .radio import Central

FIND_S = 20.0
"""To hear and connect a sensor that is switched on; for each of the attempts to get it back, too."""
WHY_NOT = {
    None: "it did not come back. Bring it near the gateway",
    SyncResult.NOT_ENOUGH_SAMPLES: "it did not hear the others. Put them closer together",
    SyncResult.SKEW_TOO_LARGE: "its clock is too fast or too slow. Restart it",
    SyncResult.STARTING_TIME_ERROR: "it began at another time. Restart it",
    SyncResult.UNSTARTED: "it did not begin. Restart it",
}

log = logging.getLogger(__name__)


class Synchronising:
    """`worn`: address to segment. busy: whether a session has the sensors. tell: to everybody who listens.

    sleep: while the sensors are left alone.
    """

    def __init__(
        self,
        worn: Mapping[str, Segment],
        *,
        central: Central,
        busy: Callable[[], bool],
        tell: Callable[[Cue], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._worn = worn
        self._central = central
        self._busy = busy
        self._tell = tell
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def begin(self) -> None:
        """Begin, anew where it has begun already. Raises GatewayError where that cannot be."""
        async with self._changing:
            if self._busy():
                raise GatewayError("A session is running: stop it before you synchronise the sensors.")
            if len(self._worn) < 2:
                raise GatewayError("Fewer than two sensors are worn, so there is nothing to synchronise: assign them.")
            await self._end()
            self._task = asyncio.create_task(self._run(), name="synchronising")

    async def stop(self) -> bool:
        """Go no further, and let go of every sensor; whether there was anything to stop. What they began they end."""
        async with self._changing:
            stopped = await self._end()
        if stopped:
            self._say("stopped", "Synchronising was stopped: the sensors can be used again within 15 seconds.")
        return stopped

    async def _end(self) -> bool:
        task, self._task = self._task, None
        if task is None:
            return False
        stopped = task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return stopped

    async def _run(self) -> None:
        party = _Party(self._central)
        try:
            self._say("searching", "Switch your sensors on and put them close together.")
            await self._synchronise(party)
        except GatewayError as trouble:
            self._say("failed", str(trouble), CueLevel.WARN)
        except (BleakError, SensorError, TimeoutError, EOFError, OSError) as trouble:
            log.warning("The sensors were not synchronised: %s", trouble)
            self._say("failed", "A sensor was lost before it was synchronised: try again.", CueLevel.WARN)
        except Exception:
            log.exception("Synchronising the sensors met a fault.")
            self._say("failed", "The sensors could not be synchronised: try again.", CueLevel.WARN)
        finally:
            await party.part()

    async def _synchronise(self, party: _Party) -> None:
        found = await party.gather(self._worn)
        if len(found) < 2:
            raise GatewayError(
                "Fewer than two Movella DOT were found, and no other sensors can be synchronised: switch them on, "
                "bring them near the gateway, and try again."
            )
        self._say("started", "Leave the sensors close together; this takes 15 seconds.")
        self._tell_results(
            await synchronise(
                found, USUAL_RATE_HZ, disconnect=party.disconnect, reconnect=party.reconnect, sleep=self._sleep
            ),
            party,
        )

    def _tell_results(self, results: Sequence[Synchronised[MovellaDotDriver]], party: _Party) -> None:
        for sensor, result in results:
            address = party.address(sensor)
            if result is SyncResult.SUCCESS:
                self._central.sharing.shares(address)
            else:
                self._central.sharing.is_alone(address)
        left_out = party.unheard | {
            party.address(sensor): WHY_NOT[result] for sensor, result in results if result is not SyncResult.SUCCESS
        }
        for address, why in left_out.items():
            where = self._worn[address].replace("_", " ")
            self._say("left_out", f"The sensor on the {where} did not take part: {why}, and try again.", CueLevel.WARN)
        together = sum(result is SyncResult.SUCCESS for _, result in results)
        if together < 2:
            raise GatewayError("The sensors were not synchronised: put them close together, and try again.")
        self._say("done", f"{together} sensors share one clock now, until they are switched off.", CueLevel.GOOD)

    def _say(self, code: str, text: str, level: CueLevel = CueLevel.INFO) -> None:
        self._tell(Cue(code=f"synchronise.{code}", text=text, level=level))


class _Party:
    """The sensors that take part, each with its connection of the moment. unheard: address, and why it does not."""

    def __init__(self, central: Central) -> None:
        self.unheard: dict[str, str] = {}
        self._central = central
        self._connections: dict[MovellaDotDriver, tuple[str, contextlib.AsyncExitStack]] = {}

    async def gather(self, addresses: Iterable[str]) -> list[MovellaDotDriver]:
        """Connect all that can be. Raises RadioError where Bluetooth fails."""
        met = await asyncio.gather(*map(self._find, addresses), return_exceptions=True)  # none is left at work behind
        for trouble in met:
            if isinstance(trouble, BaseException):
                raise trouble
        return [driver for driver in met if isinstance(driver, MovellaDotDriver)]

    async def _find(self, address: str) -> MovellaDotDriver | None:
        """Connect a worn sensor; None where it is not heard, or is no Movella DOT. Raises RadioError."""
        try:
            return await self._connect(address)
        except (BleakError, SensorError, TimeoutError) as trouble:
            log.info("A worn sensor is not synchronised: %s", trouble)
            self.unheard[address] = "it was not found. Switch it on"
            return None

    def address(self, driver: MovellaDotDriver) -> str:
        return self._connections[driver][0]

    async def disconnect(self, driver: MovellaDotDriver) -> None:
        await self._connections[driver][1].aclose()

    async def reconnect(self, driver: MovellaDotDriver) -> MovellaDotDriver:
        await self.disconnect(driver)  # which it is not where it came back but did not tell its result
        again = await self._connect(self.address(driver))
        if again is None:
            raise SensorError("Another sensor answers at its address.")
        return again

    async def part(self) -> None:
        await asyncio.gather(*(stack.aclose() for _, stack in self._connections.values()))

    async def _connect(self, address: str) -> MovellaDotDriver | None:
        async with asyncio.timeout(FIND_S), contextlib.AsyncExitStack() as stack:
            sighting = await self._central.find(address)
            if driver_for(sighting.device, sighting.advertisement) is not MovellaDotDriver:
                return None
            driver = (await stack.enter_async_context(connected(self._central, sighting, None))).driver
            assert isinstance(driver, MovellaDotDriver)
            await driver.prepare()
            self._connections[driver] = (address, stack.pop_all())
            return driver
