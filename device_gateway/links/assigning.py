"""A sensor is assigned to a body segment by tapping it twice: no address to read, no label to compare.

Every sensor in reach is connected and listened to, and the one that is tapped is meant. While that lasts, sensors that
stream only to whom they are paired with may pair; one that is replaced is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, Cue, CueLevel
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.errors import GatewayError, RadioError
from firmware_interface.drivers import driver_for
from firmware_interface.errors import UnknownSensorError

from .link import SensorLink
from .listening import Sighting
from .radio import Central
from .state import LinkState
from .tapping import TapDetector
from .worn import place, to_keep

FIND_S = 30.0
"""Until the first sensor streams: some advertise every 2 s, and a connect that fails is tried again."""
TAP_S = 60.0
"""To put the sensor on and tap it; after that nobody is there any more."""
COMPARE_S = 1.0
"""How much later another sensor's samples may tell that it was tapped too."""
CLEARLY = 2.0
"""A tap counts for the sensor that felt it so many times as hard as any other: two on one table feel it alike."""

log = logging.getLogger(__name__)


class Assigning:
    """`worn`, address to segment, is changed when a sensor has been tapped, and given to `keep` as text.

    busy: whether a session has the sensors. tell: to everybody who listens.
    """

    def __init__(
        self,
        worn: dict[str, Segment],
        *,
        central: Central,
        busy: Callable[[], bool],
        keep: Callable[[str], Awaitable[None]],
        tell: Callable[[Cue], None],
    ) -> None:
        self._worn = worn
        self._central = central
        self._busy = busy
        self._keep = keep
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def begin(self, command: Command) -> None:
        """Wait for a tap from now on, and no more for the one before. Raises GatewayError where that cannot be."""
        if command.segment is None:
            raise GatewayError("Say where the sensor is worn that you are going to tap.")
        async with self._changing:
            if self._busy():
                raise GatewayError("A session is running: stop it before you assign a sensor.")
            await self._end()
            self._task = asyncio.create_task(self._assign(command.segment), name="assigning")

    async def stop(self) -> bool:
        """Wait for no tap any more, and let go of every sensor; whether there was anything to stop."""
        async with self._changing:
            stopped = await self._end()
        if stopped:
            self._say("assign.stopped", "No tap is waited for any more.")
        return stopped

    async def _end(self) -> bool:
        task, self._task = self._task, None
        if task is None:
            return False
        stopped = task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return stopped

    async def _assign(self, segment: Segment) -> None:
        where = segment.replace("_", " ")
        may_be_bonded: set[str] = set()
        try:
            self._say("assign.searching", "Looking for your sensors: switch them on.")
            address = await self._tapped(where, segment, may_be_bonded)
            may_be_bonded |= set(place(self._worn, address, segment))
            self._central.sharing.only(self._worn)
            await self._keep(to_keep(self._worn))
            self._say("assign.done", f"That is the {where}.", CueLevel.GOOD)
        except GatewayError as trouble:
            self._say("assign.failed", str(trouble), CueLevel.WARN)
        except Exception:
            log.exception("Assigning a sensor met a fault.")
            self._say("assign.failed", "The sensor could not be assigned: try again.", CueLevel.WARN)
        finally:
            await self._forget(may_be_bonded - self._worn.keys())

    async def _forget(self, addresses: set[str]) -> None:
        """Neither a sensor that is worn no more nor a neighbour's stays bonded with this home."""
        for address in addresses:
            try:
                await self._central.forget(address)
            except RadioError as trouble:
                log.warning("A sensor that is not worn could not be forgotten: %s", trouble)

    async def _tapped(self, where: str, segment: Segment, met: set[str]) -> str:
        """The address of the sensor that is tapped; all that were connected are put into `met`.

        Raises GatewayError where none is tapped in time, or Bluetooth fails.
        """
        async with self._central.pairing() as may_pair:
            party = _Party(self._central, segment, may_pair)
            meeting, choosing = asyncio.create_task(party.meet()), asyncio.create_task(self._choose(where, party))
            try:
                await asyncio.wait((meeting, choosing), return_when=asyncio.FIRST_COMPLETED)
                # Meeting sensors ends only by trouble with Bluetooth, which it raises.
                return await (choosing if choosing.done() else meeting)
            finally:
                for task in (meeting, choosing):
                    task.cancel()
                await asyncio.gather(meeting, choosing, return_exceptions=True)
                met |= may_pair
                await party.part()

    async def _choose(self, where: str, party: _Party) -> str:
        try:
            async with asyncio.timeout(FIND_S):
                await party.first.wait()
        except TimeoutError:
            raise GatewayError(party.why_none_streams()) from None
        self._say("assign.tap", f"Tap the sensor on the {where} twice.")
        try:
            async with asyncio.timeout(TAP_S):
                while True:
                    felt = await party.felt()
                    first, *others = sorted(felt, key=lambda address: felt[address], reverse=True)
                    if all(felt[first] >= CLEARLY * felt[other] for other in others):
                        return first
                    self._say(
                        "assign.unclear",
                        f"{len(felt)} sensors felt that: hold the others still, away from this one, and tap again.",
                        CueLevel.WARN,
                    )
        except TimeoutError:
            raise GatewayError(
                f"No sensor was tapped: put the sensor on the {where}, keep still, and try again."
            ) from None

    def _say(self, code: str, text: str, level: CueLevel = CueLevel.INFO) -> None:
        self._tell(Cue(code=code, text=text, level=level))


class _Party:
    """All sensors in reach, connected, and what they feel."""

    def __init__(self, central: Central, segment: Segment, may_pair: set[str]) -> None:
        self.first = asyncio.Event()
        self._central = central
        self._segment = segment
        self._may_pair = may_pair
        self._links: dict[str, SensorLink] = {}
        self._detectors: dict[str, TapDetector] = {}
        self._taps: asyncio.Queue[tuple[str, float]] = asyncio.Queue()

    async def meet(self) -> str:
        """Connect every sensor that is heard and can follow a joint, for ever. Raises RadioError."""
        async with self._central.listening() as heard:
            async for sighting in heard:
                if sighting.address not in self._links and _follows_joints(sighting):
                    self._may_pair.add(sighting.address)
                    self._links[sighting.address] = self._link(sighting.address)
        raise AssertionError("there is always more to hear")

    async def felt(self) -> dict[str, float]:
        """Wait for a tap: who felt it, and how hard [m/s²]."""
        address, peak_m_s2 = await self._taps.get()
        felt = {address: peak_m_s2}
        await asyncio.sleep(COMPARE_S)
        while not self._taps.empty():
            address, peak_m_s2 = self._taps.get_nowait()
            felt[address] = max(felt.get(address, 0.0), peak_m_s2)
        return felt

    def why_none_streams(self) -> str:
        """And what to do: what a sensor's link told last, where one did."""
        problems = [link.problem for link in self._links.values() if link.problem is not None]
        if problems:
            return problems[-1]
        if self._links:
            return "A sensor was heard but does not stream: bring it near the gateway, restart it, and try again."
        return "No sensor was heard: switch the sensor on, bring it near the gateway, and try again."

    async def part(self) -> None:
        await asyncio.gather(*(link.close() for link in self._links.values()))

    def _link(self, address: str) -> SensorLink:
        self._detectors[address] = TapDetector()
        began_s = time.monotonic()
        return SensorLink(
            address,
            self._segment,
            central=self._central,
            now_s=lambda: time.monotonic() - began_s,
            on_samples=self._take,
            on_change=self._changed,
            pairs=True,
        )

    def _take(self, link: SensorLink, samples: ImuSamples, _time_s: FloatArray) -> None:
        peak_m_s2 = self._detectors[link.address].update(samples)
        if peak_m_s2 is not None:
            self._taps.put_nowait((link.address, peak_m_s2))

    def _changed(self, link: SensorLink) -> None:
        if link.state is LinkState.STREAMING:
            self.first.set()


def _follows_joints(sighting: Sighting) -> bool:
    try:
        return driver_for(sighting.device, sighting.advertisement).family.has_imu
    except UnknownSensorError:
        return False
