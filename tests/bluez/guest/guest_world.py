"""What the scenarios in the virtual machine work with: sensors' links, BlueZ itself, the stage outside, CPU time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any

from bleak import BleakClient
from bleak.exc import BleakError
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from analytics.signals.samples import ImuSamples
from device_gateway.links.radio import Central
from firmware_interface.drivers import OpenImuDriver, driver_for
from firmware_interface.open_profile import Packet

RATE_HZ = 100.0
_PROGRAMS = ("bluetoothd", "dbus-daemon", "hci_bridge", "scenarios")
_PROPERTIES = "org.freedesktop.DBus.Properties"


class Heard:
    """The samples of one sensor as they come."""

    def __init__(self) -> None:
        self.received = self.lost = self.notifications = 0
        self._first_us: int | None = None
        self._last_us = 0

    def __call__(self, samples: ImuSamples) -> None:
        self.received += len(samples)
        self.lost += samples.lost_before
        self.notifications += 1
        self._first_us = int(samples.sensor_time_us[0]) if self._first_us is None else self._first_us
        self._last_us = int(samples.sensor_time_us[-1])

    @property
    def taken(self) -> int:
        """What the sensor took from the first of them to the last, by its own clock."""
        return round((self._last_us - (self._first_us or 0)) * RATE_HZ / 1e6) + 1


class Counted:
    """The same by sequence alone, of packets that are not made into samples."""

    def __init__(self) -> None:
        self.received = self.lost = self.notifications = 0
        self._next: int | None = None

    def __call__(self, packet: Packet) -> None:
        count = len(packet.counts)
        self.lost += 0 if self._next is None else (packet.sequence - self._next) & 0xFFFF
        self._next = (packet.sequence + count) & 0xFFFF
        self.received += count
        self.notifications += 1

    @property
    def taken(self) -> int:
        return self.received + self.lost


class Link:
    """One sensor, found and connected as the gateway does it."""

    def __init__(self, address: str, central: Central) -> None:
        self.address = address
        self.driver: OpenImuDriver
        self.client: BleakClient | None = None
        self.gone = asyncio.Event()
        self.gone_at = 0.0
        self._central = central

    async def connect(self, kind: type[OpenImuDriver] = OpenImuDriver, before: OpenImuDriver | None = None) -> str:
        """Returns the sensor's name. The decoder of the driver from `before` goes on."""
        await self.disconnect()
        self.gone.clear()
        sighting = await self._central.find(self.address)
        assert driver_for(sighting.device, sighting.advertisement) is OpenImuDriver
        self.client = await self._central.connect(sighting, self._on_gone)
        self.driver = kind(self.client, before.decoder if before else None)
        return sighting.advertisement.local_name or ""

    async def disconnect(self) -> None:
        if self.client is not None:
            with contextlib.suppress(BleakError):
                await self.driver.unsubscribe()
            await self.client.disconnect()

    def _on_gone(self) -> None:
        self.gone_at = time.monotonic()
        self.gone.set()


class Bluez:
    """BlueZ itself, over D-Bus: what bleak has no word for."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus

    async def switch(self, *, on: bool) -> None:
        await self._call(
            "/org/bluez/hci0", _PROPERTIES, "Set", "ssv", "org.bluez.Adapter1", "Powered", Variant("b", on)
        )

    async def switch_on(self) -> None:
        while True:
            try:
                await self.switch(on=True)
            except RuntimeError:  # bluetoothd, or its adapter, is not there yet
                await asyncio.sleep(0.1)
            else:
                return

    async def device(self, address: str) -> dict[str, Any]:
        path = "/org/bluez/hci0/dev_" + address.replace(":", "_")
        found = await self._call(path, _PROPERTIES, "GetAll", "s", "org.bluez.Device1")
        return {name: variant.value for name, variant in found.items()}

    async def known(self, address: str) -> bool:
        """Whether BlueZ has a device of this address."""
        objects = await self._call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        return "/org/bluez/hci0/dev_" + address.replace(":", "_") in objects

    async def acquired(self) -> int:
        """How many characteristics notify past D-Bus, by AcquireNotify."""
        objects = await self._call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        found = [interfaces.get("org.bluez.GattCharacteristic1", {}) for interfaces in objects.values()]
        return sum(each["NotifyAcquired"].value for each in found if "NotifyAcquired" in each)

    async def _call(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> Any:
        message = Message("org.bluez", path, interface, member, signature=signature, body=list(body))
        reply = await self._bus.call(message)
        if reply is None or reply.message_type is MessageType.ERROR:
            raise RuntimeError(f"{member}: {reply.error_name if reply else 'no answer'}")
        return reply.body[0] if reply.body else None


class Stage:
    """Asks for what happens to the sensors, outside (tests/bluez/stage.py)."""

    def __init__(self, port: Path) -> None:
        self._port = os.open(port, os.O_RDWR)

    async def ask(self, direction: str, address: str) -> None:
        os.write(self._port, f"{direction} {address}\n".encode())
        assert await asyncio.to_thread(os.read, self._port, 64) == b"done\n"


def uptime_s() -> float:
    """Since the kernel began."""
    return float(Path("/proc/uptime").read_text().split()[0])


class CpuUse:
    """Share of one core that BlueZ and D-Bus use, from now on."""

    def __init__(self) -> None:
        self._since, self._used_s = time.monotonic(), self._used()

    def percent(self) -> dict[str, float]:
        elapsed_s = time.monotonic() - self._since
        return {name: round(100 * (used - self._used_s[name]) / elapsed_s, 1) for name, used in self._used().items()}

    def _used(self) -> dict[str, float]:
        used = {}
        for process in Path("/proc").glob("[0-9]*"):
            _, _, fields = (process / "stat").read_text().partition("(")[2].rpartition(")")
            command = (process / "cmdline").read_bytes().split(b"\0")
            program = next((part for part in _PROGRAMS if any(part.encode() in word for word in command)), None)
            if program is not None:
                user, system = map(int, fields.split()[11:13])  # man 5 proc: utime, stime
                used[program] = (user + system) / os.sysconf("SC_CLK_TCK")
        return used
