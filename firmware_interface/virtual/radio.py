"""A Bluetooth adapter in software, with the backends that put bleak on it.

    link = SoftwareLink()
    async with SoftwareRadio(link) as radio:  # or SoftwareRadio.over_tcp(host, port), the sensors in another process
        device = await BleakScanner.find_device_by_address("C1:…", backend=radio.scanner_backend)
        async with BleakClient(device, backend=radio.client_backend) as client: …

bleak takes a class, not an object, as backend; so each radio makes classes of its own that know it, and nothing global.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Self

from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakError
from bumble import core, hci
from bumble.device import Advertisement, Connection, Device

from .adapter import adapter_on_link, adapter_over_tcp
from .cancellation import to_the_end, was_cancelled
from .client import SoftwareClient
from .link import SoftwareLink
from .scanner import SoftwareScanner

_DEFAULT_ADDRESS = "C0:00:00:00:00:01"
_START_TIMEOUT_S = 10.0
_OFF = "The software radio is off; start it first."
_GONE = "The software radio's adapter is gone; start the virtual sensors' process, then the radio again."

Adapter = Callable[[str], contextlib.AbstractAsyncContextManager[Device]]


class SoftwareRadio:
    """One adapter, on a software link or over TCP. `scanner_backend` and `client_backend` are injected into bleak."""

    def __init__(self, link: SoftwareLink | Adapter, address: str = _DEFAULT_ADDRESS) -> None:
        self.scanner_backend: type[BaseBleakScanner] = type("SoftwareScanner", (SoftwareScanner,), {"radio": self})
        self.client_backend: type[BaseBleakClient] = type("SoftwareClient", (SoftwareClient,), {"radio": self})
        self._adapter = partial(adapter_on_link, link) if isinstance(link, SoftwareLink) else link
        self._address = address
        self._device: Device | None = None
        self._opened = contextlib.AsyncExitStack()
        self._why_off = _OFF
        self._scanners: set[SoftwareScanner] = set()
        self._scanning = asyncio.Lock()
        self._connecting = asyncio.Lock()

    @classmethod
    def over_tcp(cls, host: str, port: int, address: str = _DEFAULT_ADDRESS) -> Self:
        """A radio whose adapter another process offers (hci_server.py)."""
        return cls(partial(adapter_over_tcp, host, port), address)

    async def start(self) -> None:
        """Switch on. Starting twice is harmless. Raises BleakError where the adapter does not answer."""
        if self._device is not None:
            return
        async with contextlib.AsyncExitStack() as opened:
            with _as_bleak_error("Switching the radio on"):
                async with asyncio.timeout(_START_TIMEOUT_S):
                    device = await opened.enter_async_context(self._adapter(self._address))
                    await device.power_on()
            device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
            device.on(Device.EVENT_FLUSH, self._on_flush)
            self._device, self._opened = device, opened.pop_all()

    async def stop(self) -> None:
        """Hang up on everyone and switch off."""
        device, self._device = self._device, None
        self._why_off = _OFF
        async with self._opened:
            if device is not None:
                await device.power_off()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def add_scanner(self, scanner: SoftwareScanner) -> None:
        """Scan for this scanner too; the controller scans while anyone listens."""
        device = self._powered()
        async with self._scanning:
            self._scanners.add(scanner)
            if not device.is_scanning:
                with _as_bleak_error("Scanning"):
                    await device.start_scanning(filter_duplicates=False)

    async def remove_scanner(self, scanner: SoftwareScanner) -> None:
        """Scan for this scanner no more."""
        async with self._scanning:
            self._scanners.discard(scanner)
            if not self._scanners and self._device is not None and self._device.is_scanning:
                with _as_bleak_error("Scanning"):
                    await self._device.stop_scanning()

    async def connect(self, address: str) -> Connection:
        """Connect to an advertiser, one at a time as HCI demands. However this ends, no request stays pending."""
        device = self._powered()
        async with self._connecting:
            with _as_bleak_error(f"Connecting to {address}"):
                attempt = asyncio.ensure_future(device.connect_le(hci.Address(address), timeout=None))
                try:
                    return await asyncio.shield(attempt)
                except asyncio.CancelledError:
                    await to_the_end(self._withdraw(device, attempt))
                    raise

    async def hang_up(self, connection: Connection) -> None:
        """Disconnect, even while the caller is being cancelled."""
        if connection.handle not in connection.device.connections:
            return  # it has ended already; bumble would wait for an event that has passed
        with contextlib.suppress(BleakError), _as_bleak_error("Disconnecting"):
            await to_the_end(connection.disconnect())

    async def _withdraw(self, device: Device, attempt: asyncio.Future[Connection]) -> None:
        while not attempt.done():
            with contextlib.suppress(core.BaseBumbleError):  # refused while the request is not yet with the controller
                await device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
            await asyncio.wait([attempt], timeout=0.01)
        if not attempt.cancelled() and attempt.exception() is None:
            with contextlib.suppress(core.BaseBumbleError):
                await attempt.result().disconnect()  # it came in the very last moment

    def _powered(self) -> Device:
        if self._device is None:
            raise BleakError(self._why_off)
        return self._device

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        for scanner in list(self._scanners):
            scanner.on_advertisement(advertisement)

    def _on_flush(self) -> None:
        """bumble forgets its connections: the radio is being switched off, or else its adapter went away."""
        if self._device is not None:
            self._device, self._why_off = None, _GONE


@contextlib.contextmanager
def _as_bleak_error(doing: str) -> Iterator[None]:
    """Raise what bleak's callers expect where bumble fails, or gives up because the radio goes off meanwhile."""
    try:
        yield
    except asyncio.CancelledError:
        if was_cancelled():
            raise
        raise BleakError(f"{doing} ended: the radio was switched off.") from None
    except core.BaseBumbleError as error:
        raise BleakError(f"{doing} failed: {error}.") from error
    except TimeoutError:
        raise BleakError(f"{doing} failed: its adapter does not answer, or another radio holds it.") from None
