"""The gateway's end of Bluetooth: every adapter it has, what they hear, and what is wrong with them.

Sensors are looked for together, by one scanner on each adapter, and each is connected by the adapter that hears it best
among those with room. Bluetooth that does not work is a condition of the gateway, not its end: whoever looks for a
sensor is told so at once, and may wait until it is usable again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bleak import BleakClient
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakError

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import RadioError

from .adapter import USUAL_SLOTS, Adapter, Port, failing
from .listening import Listening, Sighting, heed_cancellation
from .sharing import Sharing

COMPARE_S = 1.0
"""How long the other adapters have to hear a sensor too: as long as most sensors take between two advertisements."""
BUSY_DB = 5
"""What each connection that an adapter holds already counts for against its signal: five sensors at 100 Hz are much for
one, and 5 dB is what an RSSI wavers by anyway (bleak-retry-connector, RSSI_SWITCH_THRESHOLD)."""
WATCH_S = 10.0
"""How soon a person is told that an adapter was pulled out or switched off while nobody exercises."""
RETRY_S = 2.0
_BLUETOOTH = tuple(trouble for trouble in Trouble if trouble.value.startswith("bluetooth."))

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Radio:
    """One adapter by bleak's two backend types, as a software radio brings them.

    sensors_outlive: whether what it reaches goes on when this program ends, and not with it.
    """

    scanner_backend: type[BaseBleakScanner]
    client_backend: type[BaseBleakClient]
    name: str = "software radio"
    slots: int = USUAL_SLOTS
    sensors_outlive: bool = True


class Central:
    """Finds sensors and connects them.

    radio: None for this computer's own Bluetooth, or the adapters to use instead. slots: how many connections each
    adapter of this computer takes; None for what its maker is known for. conditions: where Bluetooth trouble is told.
    sharing: which of the sensors share a clock.
    """

    def __init__(
        self,
        radio: Radio | Sequence[Radio] | None,
        *,
        conditions: Conditions | None = None,
        slots: int | None = None,
    ) -> None:
        radios = [radio] if isinstance(radio, Radio) else radio
        self.sensors_outlive = radios is None or all(each.sensors_outlive for each in radios)
        self._ports = None if radios is None else [_port(each) for each in radios]
        self._conditions = conditions or Conditions()
        self.sharing = Sharing(self._conditions)
        self._slots = slots
        self._adapters: dict[str, Adapter] = {}
        self._listening: set[Listening] = set()
        self._looking = asyncio.Lock()
        self._absent: RadioError | None = None
        self._failing: RadioError | None = None
        self._full: tuple[Adapter, ...] = ()

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        """Those that can be used, as of the last look."""
        return tuple(self._adapters.values())

    async def watch(self) -> None:
        """Keep the gateway's conditions true, for ever: what is wrong with Bluetooth, and that it is mended."""
        look = self.check
        while True:
            try:
                await look()
            except RadioError as trouble:
                log.debug("%s", trouble)  # which is a condition
            except Exception:  # whatever one look met, the next tells whether Bluetooth works
                log.exception("The watch over Bluetooth met a fault.")
            look = self.check if self._absent or self._failing else self._look
            await asyncio.sleep(WATCH_S)

    async def check(self) -> None:
        """Raises RadioError where this computer's Bluetooth cannot be used: no adapter, or none that scans."""
        await self._look()
        await self._on_all(Adapter.try_out)

    async def usable(self) -> None:
        """Wait until Bluetooth works, and an adapter has room for a sensor."""
        while True:
            heed_cancellation()
            with contextlib.suppress(RadioError):
                await self.check()
                if not self._full or any(adapter.free_slots for adapter in self.adapters):
                    return
            await asyncio.sleep(RETRY_S)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Listening]:
        """Hear every advertisement, while this lasts. Raises RadioError where Bluetooth fails, in an iteration too."""
        heard = Listening(self._follow)
        self._listening.add(heard)
        try:
            await self._follow()
            yield heard
        finally:
            self._listening.discard(heard)
            if not self._listening:
                for adapter in self.adapters:
                    with contextlib.suppress(BleakError, OSError, EOFError):
                        await adapter.follow()

    async def find(self, address: str) -> Sighting:
        """Wait until the sensor with this address is heard. Raises RadioError where Bluetooth fails meanwhile."""
        by_adapter: dict[Adapter, Sighting] = {}
        with contextlib.suppress(TimeoutError):
            async with self.listening() as heard, asyncio.timeout(None) as comparing:
                async for sighting in heard:
                    if sighting.address != address:
                        continue
                    if not by_adapter:
                        comparing.reschedule(asyncio.get_running_loop().time() + COMPARE_S)
                    by_adapter[sighting.adapter] = sighting
                    if len(by_adapter) >= len(self._adapters):
                        break
        first, *others = by_adapter.values()
        return replace(first, others=tuple(others))

    async def connect(self, sighting: Sighting, on_gone: Callable[[], None]) -> BleakClient:
        """Connect to a sensor that was heard; `on_gone` is called when the link ends.

        Of the adapters that heard it and have a free slot the one takes it that hears it best, each connection it has
        already counting for BUSY_DB. Raises RadioError where none has, BleakError or TimeoutError where it fails.
        """
        heard = (sighting, *sighting.others)
        free = [each for each in heard if each.adapter.free_slots > 0]
        if not free:
            self._full = tuple(each.adapter for each in heard)
            self._tell()
            raise self._no_slot()
        best = max(free, key=lambda each: each.advertisement.rssi - BUSY_DB * each.adapter.connections)
        client = await best.adapter.connect(best.device, on_gone)
        self._full = ()
        self._tell()
        return client

    @contextlib.asynccontextmanager
    async def pairing(self) -> AsyncIterator[set[str]]:
        """While this lasts, sensors whose addresses are put into the set may pair. Raises RadioError.

        BlueZ asks for leave; software radios and other systems do not.
        """
        if not self._on_bluez:
            yield set()
            return
        from .pairing_agent import pairing_allowed  # noqa: PLC0415 - there is D-Bus on Linux only

        async with pairing_allowed(()) as addresses:
            yield addresses

    async def forget(self, address: str) -> None:
        """Take back the bond with a sensor that is the patient's no more. Raises RadioError where that fails."""
        if self._on_bluez:
            from . import bluez  # noqa: PLC0415 - there is D-Bus on Linux only

            await bluez.forget(address)

    @property
    def _on_bluez(self) -> bool:
        return self._ports is None and sys.platform == "linux"

    async def _look(self) -> None:
        """See which adapters there are. Raises RadioError, which says why, where there is none."""
        async with self._looking:
            try:
                ports, self._absent = await self._list(), None
            except RadioError as trouble:
                ports, self._absent = [], trouble
            names = {port.name for port in ports}
            for name in [name for name in self._adapters if name not in names]:
                await self._adapters.pop(name).stop()
            for port in ports:
                if port.name not in self._adapters:
                    self._adapters[port.name] = Adapter(port, self._heard, lambda: bool(self._listening))
            if any(adapter.free_slots for adapter in self._full):
                self._full = ()
            self._tell()
            if self._absent is not None:
                raise self._absent

    async def _list(self) -> list[Port]:
        if self._ports is not None:
            return self._ports
        if not self._on_bluez:
            return [Port("Bluetooth", self._slots or USUAL_SLOTS)]
        from . import bluez  # noqa: PLC0415 - there is D-Bus on Linux only

        return await bluez.adapters(self._slots)

    async def _follow(self) -> None:
        """Have every adapter scan. Raises RadioError where none does."""
        if not self._adapters:
            await self._look()
        await self._on_all(Adapter.follow)

    async def _on_all(self, action: Callable[[Adapter], Awaitable[None]]) -> None:
        """Raises RadioError where it works on none of the adapters; where it fails on some, only tells.

        An adapter that was switched off, or pulled out, fails as one that is broken does: a look tells them apart.
        """
        failed = []
        for adapter in self.adapters:
            try:
                await action(adapter)
            except (BleakError, OSError, EOFError) as trouble:
                failed.append(RadioError(failing(adapter.port.name, str(trouble) or type(trouble).__name__)))
        all_failed = bool(failed) and len(failed) == len(self._adapters)
        if all_failed:
            await self._look()
        self._failing = failed[0] if failed else None
        self._tell()
        if all_failed:
            raise failed[0]

    def _heard(self, adapter: Adapter, device: BLEDevice, advertisement: AdvertisementData) -> None:
        sighting = Sighting(device, advertisement, adapter)
        for listening in self._listening:
            listening.hear(sighting)

    def _tell(self) -> None:
        """Set the conditions that hold, and clear those that do not."""
        found = [self._absent, None if self._absent else self._failing, self._no_slot() if self._full else None]
        told = {trouble.trouble: str(trouble) for trouble in found if trouble is not None}
        self._conditions.clear(*(trouble for trouble in _BLUETOOTH if trouble not in told))
        for trouble, sentence in told.items():
            self._conditions.set(trouble, sentence)

    def _no_slot(self) -> RadioError:
        slots = sum(adapter.port.slots for adapter in self._full)
        return RadioError(
            f"A sensor cannot be connected, because all {slots} connections that Bluetooth can hold here are taken: "
            "switch off the sensors that are not worn, or plug in another adapter.",
            Trouble.BLUETOOTH_FULL,
        )


def _port(radio: Radio) -> Port:
    return Port(
        radio.name,
        radio.slots,
        scanner_options={"backend": radio.scanner_backend},
        client_options={"backend": radio.client_backend},
    )
