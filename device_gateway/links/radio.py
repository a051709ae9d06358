"""The gateway's end of Bluetooth: one scanner for all sensors, and one connect at a time.

Scanning while connecting, and connecting to several at once, are what BlueZ does worst. So sensors are looked for
together by a single scanner, which pauses while one of them is being connected.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakError
from bleak_retry_connector import establish_connection

from device_gateway.errors import RadioError

CONNECT_TIMEOUT_S = 20.0
"""A sensor that was just heard connects within 2 s; while it is tried, no other can be."""
CONNECT_ATTEMPTS = 2
"""Before the sensor is looked for anew. Errors that BlueZ is known to raise in passing are tried again on top."""
SCAN_SILENCE_S = 15.0
"""A scan that has heard nothing at all for so long is begun anew: when Bluetooth is switched off during a scan, the
scan ends without a word and does not go on when it is switched on again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Radio:
    """Which Bluetooth to use: bleak's two backend types, as a software radio brings them."""

    scanner_backend: type[BaseBleakScanner]
    client_backend: type[BaseBleakClient]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sensor that was heard."""

    device: BLEDevice
    advertisement: AdvertisementData


class Central:
    """Finds sensors and connects them. `radio` None is this computer's own Bluetooth."""

    def __init__(self, radio: Radio | None) -> None:
        self._client_options: dict[str, Any] = {"backend": radio.client_backend} if radio else {}
        self._scanner_options: dict[str, Any] = {"backend": radio.scanner_backend} if radio else {}
        self._scanner: BleakScanner | None = None
        self._last_sign_s = 0.0
        self._air = asyncio.Lock()
        self._wanted: dict[str, asyncio.Future[Sighting]] = {}

    async def check(self) -> None:
        """Raises RadioError where this computer's Bluetooth cannot be used."""
        try:
            async with self._air:
                await self._scan(True)
                await self._scan(False)
        except (BleakError, OSError) as trouble:
            raise _radio_error(trouble) from trouble

    async def find(self, address: str) -> Sighting:
        """Wait until the sensor with this address is heard. Raises RadioError where Bluetooth fails meanwhile."""
        wanted: asyncio.Future[Sighting] = asyncio.get_running_loop().create_future()
        self._wanted[address] = wanted
        try:
            async with self._air:
                await self._scan_for_wanted()
            while not (await asyncio.wait([wanted], timeout=SCAN_SILENCE_S))[0]:
                async with self._air:
                    await self._revive_scan()
            return await wanted
        except (BleakError, OSError) as trouble:
            raise _radio_error(trouble) from trouble
        finally:
            del self._wanted[address]
            if not self._wanted:
                async with self._air:
                    await self._scan_for_wanted()

    async def connect(self, device: BLEDevice, on_gone: Callable[[], None]) -> BleakClient:
        """Connect to a sensor that was heard; `on_gone` is called when the link ends.

        Raises BleakError or TimeoutError where that does not succeed.
        """
        async with self._air:
            await self._scan(False)
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    return await establish_connection(
                        BleakClient,
                        device,
                        device.name or device.address,
                        lambda _: on_gone(),
                        max_attempts=CONNECT_ATTEMPTS,
                        **self._client_options,
                    )
            finally:
                await self._scan_for_wanted()

    def _heard(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        self._last_sign_s = asyncio.get_running_loop().time()
        wanted = self._wanted.get(device.address.upper())
        if wanted is not None and not wanted.done():
            wanted.set_result(Sighting(device, advertisement))

    async def _scan_for_wanted(self) -> None:
        """Scan if a sensor is looked for, and tell those who look when that fails; the caller holds the air."""
        try:
            await self._scan(bool(self._wanted))
        except (BleakError, OSError) as trouble:
            for wanted in self._wanted.values():
                if not wanted.done():
                    wanted.set_exception(trouble)

    async def _revive_scan(self) -> None:
        """Begin a scan anew that does not run or seems dead; the caller holds the air."""
        if asyncio.get_running_loop().time() - self._last_sign_s >= SCAN_SILENCE_S:
            await self._scan(False)
        await self._scan_for_wanted()

    @property
    def _scanning(self) -> bool:
        return self._scanner is not None

    async def _scan(self, wanted: bool) -> None:
        if wanted and self._scanner is None:
            scanner = BleakScanner(self._heard, **self._scanner_options)
            await scanner.start()
            self._scanner, self._last_sign_s = scanner, asyncio.get_running_loop().time()
        elif self._scanner is not None and not wanted:
            scanner, self._scanner = self._scanner, None
            try:
                await scanner.stop()
            except (BleakError, OSError) as trouble:  # a scan that cannot be stopped has ended with its adapter
                log.debug("A scan could not be stopped: %s", trouble)


def _radio_error(trouble: Exception) -> RadioError:
    if isinstance(trouble, BleakBluetoothNotAvailableError):
        return RadioError(
            f"Bluetooth cannot be used ({trouble.reason.name.lower().replace('_', ' ')}): "
            "plug in or switch on a Bluetooth adapter and start the gateway again."
        )
    if isinstance(trouble, OSError):
        return RadioError(
            "Bluetooth cannot be used because this computer's Bluetooth service does not run: "
            "install and start bluetoothd (Debian: apt install bluez), then start the gateway again."
        )
    return RadioError(f"Bluetooth cannot be used ({trouble}): switch the adapter off and on, then start again.")
