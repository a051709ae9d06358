"""Who says yes when BlueZ asks whether a sensor may pair.

BlueZ pairs with nobody unless a program has registered as agent (bluez, doc/agent-api: org.bluez.Agent1), and bleak
does not. Small sensors have neither display nor keys, so that pairing is "Just Works": encrypted, and nobody is told a
number to compare. What protects the patient is therefore that only sensors that are being paired on purpose are let in.
"""

# No `from __future__ import annotations`: dbus-fast reads D-Bus types from them, and cannot read a None that is text.
import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection

from dbus_fast import BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath, DBusStr, DBusUInt32
from dbus_fast.errors import DBusFastError
from dbus_fast.service import ServiceInterface, dbus_method

from device_gateway.errors import RadioError

from .bluez import REPLY_TIMEOUT_S, hang_up

_PATH = "/org/sinew/pairing_agent"
_NO_BLUETOOTHD = (
    "Sensors cannot be paired because this computer's Bluetooth service does not run: "
    "install and start bluetoothd (Debian: apt install bluez), then pair again."
)


@contextlib.asynccontextmanager
async def pairing_allowed(addresses: Collection[str]) -> AsyncIterator[set[str]]:
    """While this lasts, sensors with these addresses may pair with this computer, and no other device.

    What is yielded are the addresses, in capitals: those that are added later may pair too. Raises RadioError where
    Bluetooth does not run, or does not take an agent.
    """
    allowed = {address.upper() for address in addresses}
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        await _register(bus, _PairingAgent(allowed))
        yield allowed
    finally:
        await hang_up(bus)  # BlueZ forgets an agent whose connection ends


class _PairingAgent(ServiceInterface):
    """Methods are BlueZ's; it calls those that fit an agent without input and output."""

    def __init__(self, addresses: set[str]) -> None:
        super().__init__("org.bluez.Agent1")
        self._addresses = addresses

    @dbus_method(name="RequestAuthorization")
    def authorise(self, device: DBusObjectPath) -> None:
        self._check(device)

    @dbus_method(name="RequestConfirmation")
    def confirm(self, device: DBusObjectPath, passkey: DBusUInt32) -> None:
        self._check(device)

    @dbus_method(name="AuthorizeService")
    def authorise_service(self, device: DBusObjectPath, uuid: DBusStr) -> None:
        self._check(device)

    @dbus_method(name="Cancel")
    def cancel(self) -> None:
        """BlueZ no longer waits for an answer; there is none that takes time."""

    @dbus_method(name="Release")
    def release(self) -> None:
        """BlueZ is ending."""

    def _check(self, device: str) -> None:
        """A device's path ends in dev_C1_00_00_00_00_01. Raises the error by which BlueZ refuses it."""
        address = device.rpartition("/dev_")[2].replace("_", ":").upper()
        if address not in self._addresses:
            raise DBusError("org.bluez.Error.Rejected", "This device is not being paired.")


async def _register(bus: MessageBus, agent: _PairingAgent) -> None:
    try:
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            await bus.connect()
            bus.export(_PATH, agent)
            await _tell_bluez(bus, "RegisterAgent", "os", _PATH, "NoInputNoOutput")
            await _tell_bluez(bus, "RequestDefaultAgent", "o", _PATH)
    except TimeoutError as trouble:
        raise RadioError("Sensors cannot be paired (no answer): restart bluetoothd, then pair again.") from trouble
    except (OSError, EOFError, DBusFastError) as trouble:  # no socket there, nobody behind it, or cut off
        raise RadioError(_NO_BLUETOOTHD) from trouble


async def _tell_bluez(bus: MessageBus, member: str, signature: str, *body: str) -> None:
    reply = await bus.call(
        Message(
            destination="org.bluez",
            path="/org/bluez",
            interface="org.bluez.AgentManager1",
            member=member,
            signature=signature,
            body=list(body),
        )
    )
    if reply is None or reply.message_type is MessageType.ERROR:
        reason = (reply.error_name if reply else None) or "no answer"
        if reason in {"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"}:
            raise RadioError(_NO_BLUETOOTHD)
        raise RadioError(f"Sensors cannot be paired ({reason}): restart bluetoothd, then pair again.")
