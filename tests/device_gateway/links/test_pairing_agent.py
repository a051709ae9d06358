"""The pairing agent on a real D-Bus, asked as BlueZ asks it. In `make test-bluez` BlueZ itself asks."""

import asyncio
import os
import signal

import pytest
from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from device_gateway.errors import RadioError
from device_gateway.links import pairing_agent
from device_gateway.links.pairing_agent import pairing_allowed

KNEE = "C1:00:00:00:00:01"
KNEE_PATH = "/org/bluez/hci0/dev_C1_00_00_00_00_01"
STRANGER_PATH = "/org/bluez/hci0/dev_C1_00_00_00_00_02"
REJECTED = "org.bluez.Error.Rejected"


class Bluez:
    """What bluetoothd is to an agent: org.bluez, which takes a registration and asks."""

    def __init__(self, bus):
        self._bus = bus
        self.registered = []
        self.refuses = None
        self.hangs = False
        self._agent = None
        bus.add_message_handler(self._on_message)

    def _on_message(self, message):
        if message.interface != "org.bluez.AgentManager1":
            return None
        if self.hangs:
            return True
        if self.refuses:
            return Message.new_error(message, self.refuses, "")
        self.registered.append((message.member, *message.body))
        self._agent = message.sender, message.body[0]
        return Message.new_method_return(message)

    async def ask(self, member, signature, *body):
        """None, or the error's name."""
        agent, path = self._agent
        reply = await self._bus.call(
            Message(agent, path, "org.bluez.Agent1", member, signature=signature, body=list(body))
        )
        return reply.error_name if reply.message_type is MessageType.ERROR else None


@pytest.fixture
async def bluez(system_bus):
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    await bus.request_name("org.bluez")
    yield Bluez(bus)
    bus.disconnect()
    await bus.wait_for_disconnect()


async def test_it_registers_as_the_agent_of_a_device_without_keys_or_display(bluez):
    async with pairing_allowed({KNEE}):
        path = bluez.registered[0][1]
        assert bluez.registered == [("RegisterAgent", path, "NoInputNoOutput"), ("RequestDefaultAgent", path)]
        assert await bluez.ask("Cancel", "") is None
    assert await bluez.ask("Cancel", "") is not None, "gone"


@pytest.mark.parametrize(
    ("member", "signature", "rest"),
    [
        ("RequestAuthorization", "o", ()),
        ("RequestConfirmation", "ou", (123456,)),
        ("AuthorizeService", "os", ("180f",)),
    ],
)
async def test_only_sensors_that_are_being_paired_are_let_in(bluez, member, signature, rest):
    async with pairing_allowed({KNEE.lower()}):
        assert await bluez.ask(member, signature, KNEE_PATH, *rest) is None
        assert await bluez.ask(member, signature, STRANGER_PATH, *rest) == REJECTED
        assert await bluez.ask(member, signature, "/org/bluez/hci0", *rest) == REJECTED


async def test_a_sensor_that_is_heard_later_may_be_let_in_too(bluez):
    async with pairing_allowed(()) as allowed:
        assert await bluez.ask("RequestAuthorization", "o", KNEE_PATH) == REJECTED
        allowed.add(KNEE)
        assert await bluez.ask("RequestAuthorization", "o", KNEE_PATH) is None


async def test_keys_that_nobody_can_type_are_refused(bluez):
    async with pairing_allowed({KNEE}):
        assert await bluez.ask("RequestPinCode", "o", KNEE_PATH) is not None


async def test_a_refused_registration_says_what_to_do(bluez):
    bluez.refuses = "org.bluez.Error.AlreadyExists"
    with pytest.raises(RadioError, match=r"AlreadyExists.*restart bluetoothd"):
        async with pairing_allowed({KNEE}):
            pass


async def test_bluetoothd_that_hangs_is_not_waited_for(bluez, monkeypatch):
    monkeypatch.setattr(pairing_agent, "REPLY_TIMEOUT_S", 0.2)
    bluez.hangs = True
    with pytest.raises(RadioError, match=r"no answer.*restart bluetoothd"):
        async with asyncio.timeout(2), pairing_allowed({KNEE}):
            pass


async def pair_while_the_bus_ends(daemon_pid):
    async with pairing_allowed({KNEE}):
        os.kill(daemon_pid, signal.SIGTERM)
        await asyncio.sleep(0.2)
        raise RadioError("what went wrong")


async def test_a_message_bus_that_ends_meanwhile_does_not_hide_what_went_wrong(start_system_bus):
    await start_system_bus()
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    await bus.request_name("org.bluez")
    Bluez(bus)
    asked = Message("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetConnectionUnixProcessID", signature="s")
    asked.body = ["org.freedesktop.DBus"]
    reply = await bus.call(asked)
    with pytest.raises(RadioError, match="what went wrong"):
        await pair_while_the_bus_ends(reply.body[0])
    with pytest.raises(EOFError):
        await bus.wait_for_disconnect()


async def test_without_bluetoothd_it_says_so(system_bus):
    with pytest.raises(RadioError, match="install and start bluetoothd"):
        async with pairing_allowed({KNEE}):
            pass


async def test_without_a_system_bus_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    with pytest.raises(RadioError, match="install and start bluetoothd"):
        async with pairing_allowed({KNEE}):
            pass
