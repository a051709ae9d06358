"""What BlueZ alone can tell: which adapters this computer has, and why none of them can be used.

bleak tells these apart only in part, and asks for one adapter at a time; the D-Bus calls are BlueZ's own
(doc/org.bluez.Adapter.rst).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from dbus_fast import AuthError, BusType, Message, MessageType, unpack_variants
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError

from device_gateway.conditions import Trouble
from device_gateway.errors import RadioError

from .adapter import USUAL_SLOTS, Port, failing

REPLY_TIMEOUT_S = 8.0
"""bluetoothd answers in milliseconds; one that does not in so long hangs."""
_SLOTS = {0x000A: 5, 0x000F: 7, 0x0131: 7}
"""Connections at a time by the maker of the chip (Bluetooth SIG company identifier): CSR dongles 5, Broadcom and
Cypress, as on every Raspberry Pi, 7 (bleak-retry-connector, bluez.py, wait_for_disconnect)."""

_ADAPTER, _DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
_NO_BUS = (
    "Bluetooth cannot be used because this computer's message bus (D-Bus) does not run, so no sensor is heard: "
    "restart the gateway's computer; if that does not help, install it (Debian: apt install dbus bluez)."
)
_NO_SERVICE = (
    "Bluetooth cannot be used because this computer's Bluetooth service does not run, so no sensor is heard: "
    "restart the gateway's computer; if that does not help, install bluetoothd (Debian: apt install bluez)."
)
_NOT_PERMITTED = (
    "Bluetooth cannot be used because this computer does not permit it to the gateway, so no sensor is heard: "
    "put the gateway's user into the group bluetooth (usermod -a -G bluetooth NAME) and restart the gateway."
)
_NO_ADAPTER = (
    "This computer has no Bluetooth adapter that can talk to sensors, so none is heard: plug one in; the gateway "
    "finds it by itself."
)
_OFF = (
    "Bluetooth is switched off on the gateway's computer, so no sensor is heard: switch it on (bluetoothctl power on); "
    "the gateway notices by itself."
)
_BLOCKED = (
    "Bluetooth is blocked on the gateway's computer, so no sensor is heard: leave its flight mode (rfkill unblock "
    "bluetooth); the gateway notices by itself."
)


async def adapters(slots: int | None) -> list[Port]:
    """The adapters that can be used now, in BlueZ's order. slots: what the settings say, for every one.

    Raises RadioError, which says which trouble it is, where there is none.
    """
    async with _objects() as (_, objects):
        found = {path: each[_ADAPTER] for path, each in objects.items() if _ADAPTER in each}
    able = {path: each for path, each in found.items() if "central" in each.get("Roles", ["central"])}
    if not able:
        raise RadioError(_NO_ADAPTER, Trouble.BLUETOOTH_NO_ADAPTER)
    powered = {path: each for path, each in able.items() if each.get("Powered")}
    if not powered:
        blocked = all(each.get("PowerState") == "off-blocked" for each in able.values())
        raise RadioError(_BLOCKED if blocked else _OFF, Trouble.BLUETOOTH_OFF)
    return [_port(path.rpartition("/")[2], each, slots) for path, each in sorted(powered.items())]


async def forget(address: str) -> None:
    """Take back the bond with this sensor, where there is one. Raises RadioError where BlueZ does not do it."""
    async with _objects() as (bus, objects):
        for path, each in objects.items():
            device = each.get(_DEVICE, {})
            if device.get("Address", "").upper() == address.upper() and device.get("Paired"):
                await _call(bus, device["Adapter"], _ADAPTER, "RemoveDevice", "o", path)


def _port(name: str, properties: dict[str, Any], slots: int | None) -> Port:
    known = _SLOTS.get(properties.get("Manufacturer", -1), USUAL_SLOTS)
    return Port(name, slots or known, scanner_options={"bluez": {"adapter": name}})


@contextlib.asynccontextmanager
async def _objects() -> AsyncIterator[tuple[MessageBus, dict[str, dict[str, Any]]]]:
    """All that BlueZ has, by path and interface, and the bus to ask for more."""
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            await bus.connect()
            objects = await _call(bus, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        yield bus, unpack_variants(objects)
    except TimeoutError as trouble:
        raise RadioError(failing("bluetoothd", "it does not answer")) from trouble
    except (PermissionError, AuthError) as trouble:
        raise RadioError(_NOT_PERMITTED, Trouble.BLUETOOTH_NOT_PERMITTED) from trouble
    except (OSError, EOFError, DBusFastError) as trouble:  # no socket there, nobody behind it, or cut off
        raise RadioError(_NO_BUS, Trouble.BLUETOOTH_NO_SERVICE) from trouble
    finally:
        await hang_up(bus)


async def hang_up(bus: MessageBus) -> None:
    """Whether it ever connected or not; that the other end has gone before is no trouble any more."""
    connected = bus.connected
    bus.disconnect()
    if connected:
        with contextlib.suppress(OSError, EOFError):
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]


async def _call(bus: MessageBus, path: str, interface: str, member: str, signature: str = "", *body: str) -> Any:
    message = Message("org.bluez", path, interface, member, signature=signature, body=list(body))
    reply = await bus.call(message)
    if reply is not None and reply.message_type is not MessageType.ERROR:
        return reply.body[0] if reply.body else None
    match reply.error_name if reply is not None else None:
        case "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner":
            raise RadioError(_NO_SERVICE, Trouble.BLUETOOTH_NO_SERVICE)
        case "org.freedesktop.DBus.Error.AccessDenied":
            raise RadioError(_NOT_PERMITTED, Trouble.BLUETOOTH_NOT_PERMITTED)
        case reason:
            raise RadioError(failing("bluetoothd", reason or "no answer"))
