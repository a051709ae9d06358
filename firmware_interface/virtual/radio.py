"""A Bluetooth adapter in software, with the backends that put bleak on it.

    link = SoftwareLink()
    async with SoftwareRadio(link) as radio:
        device = await BleakScanner.find_device_by_address("C1:…", backend=radio.scanner_backend)
        async with BleakClient(device, backend=radio.client_backend) as client: …

bleak takes a class, not an object, as backend; so each radio makes classes of its own that know it, and nothing global.
"""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakError
from bumble import core, hci
from bumble.device import Advertisement, Connection, Device

from .cancellation import to_the_end, was_cancelled
from .client import SoftwareClient
from .controller import SoftwareController, make_device
from .link import SoftwareLink
from .scanner import SoftwareScanner

_DEFAULT_ADDRESS = "C0:00:00:00:00:01"


class SoftwareRadio:
    """One adapter on a software link. `scanner_backend` and `client_backend` are injected into bleak."""

    def __init__(self, link: SoftwareLink, address: str = _DEFAULT_ADDRESS) -> None:
        self.scanner_backend: type[BaseBleakScanner] = type("SoftwareScanner", (SoftwareScanner,), {"radio": self})
        self.client_backend: type[BaseBleakClient] = type("SoftwareClient", (SoftwareClient,), {"radio": self})
        self._link = link
        self._address = address
        self._device: Device | None = None
        self._controller: SoftwareController | None = None
        self._scanners: set[SoftwareScanner] = set()
        self._scanning = asyncio.Lock()
        self._connecting = asyncio.Lock()

    @property
    def connection_pending(self) -> bool:
        """Whether the controller still holds a request to connect."""
        return self._controller is not None and self._controller.pending_le_connection is not None

    async def start(self) -> None:
        """Switch on. Starting twice is harmless."""
        if self._device is None:
            device, self._controller = make_device("radio", self._address, self._link)
            device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
            await device.power_on()
            self._device = device

    async def stop(self) -> None:
        """Hang up on everyone and switch off."""
        device, self._device = self._device, None
        controller, self._controller = self._controller, None
        if device is None or controller is None:
            return
        for connection in list(device.connections.values()):
            with contextlib.suppress(core.BaseBumbleError):
                await connection.disconnect()
        await device.power_off()
        self._link.remove_controller(controller)

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
                await device.start_scanning(filter_duplicates=False)

    async def remove_scanner(self, scanner: SoftwareScanner) -> None:
        """Scan for this scanner no more."""
        async with self._scanning:
            self._scanners.discard(scanner)
            if not self._scanners and self._device is not None and self._device.is_scanning:
                await self._device.stop_scanning()

    async def connect(self, address: str) -> Connection:
        """Connect to an advertiser, one at a time as HCI demands. However this ends, no request stays pending."""
        device = self._powered()
        async with self._connecting:
            attempt = asyncio.ensure_future(device.connect_le(hci.Address(address), timeout=None))
            try:
                return await asyncio.shield(attempt)
            except asyncio.CancelledError:
                await to_the_end(self._withdraw(device, attempt))
                if was_cancelled():
                    raise
                raise BleakError(f"Connecting to {address} ended: the radio was switched off.") from None
            except core.BaseBumbleError as error:
                raise BleakError(f"Connecting to {address} failed: {error}") from error

    async def hang_up(self, connection: Connection) -> None:
        """Disconnect, even while the caller is being cancelled."""
        with contextlib.suppress(core.BaseBumbleError):
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
            raise BleakError("The software radio is off; start it first.")
        return self._device

    def _on_advertisement(self, advertisement: Advertisement) -> None:
        for scanner in list(self._scanners):
            scanner.on_advertisement(advertisement)
