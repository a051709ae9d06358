"""One Bluetooth adapter: scans, or connects one sensor, and holds as many connections as its chip can."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError
from bleak_retry_connector import establish_connection

USUAL_SLOTS = 7
"""Connections at a time of an adapter that nothing is known of. Too many and a connect fails that is tried again; too
few and a sensor is shut out that had room."""
CONNECT_TIMEOUT_S = 20.0
"""A sensor that was just heard connects within 2 s; while it is tried, no other can be."""
DISCONNECT_S = 5.0
CONNECT_ATTEMPTS = 2
"""Before the sensor is looked for anew. Errors that BlueZ is known to raise in passing are tried again on top."""
SCAN_ANSWER_S = 5.0
"""How long who is cancelled waits to learn whether the scan has begun that it asked for."""
SCAN_SILENCE_S = 15.0
"""A scan that has heard nothing at all for so long is begun anew: when Bluetooth is switched off during a scan, the
scan ends without a word and does not go on when it is switched on again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Port:
    """How bleak reaches an adapter. The options go to its BleakScanner and BleakClient."""

    name: str
    slots: int
    scanner_options: Mapping[str, Any] = field(default_factory=dict)
    client_options: Mapping[str, Any] = field(default_factory=dict)


class Adapter:
    """Scanning while connecting is what Bluetooth chips do worst, so one lock holds the air for either.

    `on_heard` is told of every advertisement. `wants_scan` says whether anybody listens.
    """

    def __init__(
        self,
        port: Port,
        on_heard: Callable[[Adapter, BLEDevice, AdvertisementData], None],
        wants_scan: Callable[[], bool],
    ) -> None:
        self.port = port
        self._on_heard = on_heard
        self._wants_scan = wants_scan
        self._air = asyncio.Lock()
        self._scanner: BleakScanner | None = None
        self._last_sign_s = 0.0
        self._waiting = 0
        self._clients: list[BleakClient] = []

    @property
    def scanning(self) -> bool:
        return self._scanner is not None

    @property
    def connecting(self) -> bool:
        """Whether a sensor has the air, or waits for it."""
        return self._waiting > 0

    @property
    def connections(self) -> int:
        """How many slots are taken, or promised to a sensor that is being connected."""
        self._clients = [client for client in self._clients if client.is_connected]
        return len(self._clients) + self._waiting

    @property
    def free_slots(self) -> int:
        return max(0, self.port.slots - self.connections)

    async def try_out(self) -> None:
        """Scan for a moment, unless it is in use. Raises BleakError or OSError where that fails."""
        if not self.connecting:
            async with self._air:
                await self._scan(True)
                await self._scan(self._wants_scan())

    async def follow(self) -> None:
        """Scan if somebody listens, else not; begin a scan anew that seems dead. Raises BleakError or OSError.

        While a sensor is being connected nothing happens: `connect` does the same at its end.
        """
        if not self.connecting:
            async with self._air:
                if self.scanning and asyncio.get_running_loop().time() - self._last_sign_s >= SCAN_SILENCE_S:
                    await self._scan(False)
                await self._scan(self._wants_scan())

    async def stop(self) -> None:
        """Scan no more: the adapter is gone or off."""
        async with self._air:
            await self._scan(False)

    async def connect(self, device: BLEDevice, on_gone: Callable[[], None]) -> BleakClient:
        """Connect to a sensor that this adapter heard; `on_gone` is called when the link ends.

        The slot is taken before the first await. Raises BleakError or TimeoutError where it does not succeed.
        """
        client: BleakClient | None = None
        self._waiting += 1
        try:
            async with self._air:
                await self._scan(False)
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    client = await establish_connection(
                        BleakClient,
                        device,
                        device.name or device.address,
                        lambda _: on_gone(),
                        max_attempts=CONNECT_ATTEMPTS,
                        **self.port.client_options,
                    )
                self._clients.append(client)
                return client
        finally:
            self._waiting -= 1
            try:
                await self._resume()
            except BaseException:  # nobody is given the client: connected for ever, its sensor would not advertise
                if client is not None:
                    await disconnect(client)
                raise

    async def _resume(self) -> None:
        """Go on scanning; where that fails, whoever listens will try again and be told."""
        try:
            await self.follow()
        except (BleakError, OSError, EOFError) as trouble:
            log.debug("Scanning did not go on after a connect: %s", trouble)

    async def _scan(self, wanted: bool) -> None:
        """The caller holds the air."""
        if wanted and self._scanner is None:
            scanner = BleakScanner(self._heard, **self.port.scanner_options)
            await _start(scanner)
            self._scanner, self._last_sign_s = scanner, asyncio.get_running_loop().time()
        elif self._scanner is not None and not wanted:
            scanner, self._scanner = self._scanner, None
            await _stop(scanner)

    def _heard(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        self._last_sign_s = asyncio.get_running_loop().time()
        self._on_heard(self, device, advertisement)


async def _start(scanner: BleakScanner) -> None:
    """Cancelled, it waits for the answer first, and stops what has begun.

    To bleak a scan has begun when BlueZ answers, to BlueZ when it is asked: that scan could never be stopped, and every
    other would be refused as "in progress" (BlueZ src/adapter.c, start_discovery).
    """
    starting = asyncio.create_task(scanner.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=SCAN_ANSWER_S)
        if not starting.done():
            starting.cancel()
        elif starting.exception() is None:
            await _stop(scanner)
        raise


async def _stop(scanner: BleakScanner) -> None:
    try:
        await scanner.stop()
    except (BleakError, OSError, EOFError) as trouble:  # a scan that cannot be stopped has ended with its adapter
        log.debug("A scan could not be stopped: %s", trouble)


async def disconnect(client: BleakClient) -> None:
    """For so long as it may take; a link that is gone needs none."""
    with contextlib.suppress(BleakError, TimeoutError, EOFError, OSError):
        async with asyncio.timeout(DISCONNECT_S):
            await client.disconnect()


def failing(what: str, reason: str) -> str:
    """What to tell of Bluetooth trouble that nobody knows a better name for."""
    return (
        f"Bluetooth fails on the gateway's computer ({what}: {reason}), so sensors may not be heard: the gateway goes "
        "on trying; if it stays so, restart the gateway's computer."
    )
