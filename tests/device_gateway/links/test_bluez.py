"""What the gateway makes of BlueZ's answers, on a real D-Bus. In `make test-bluez` BlueZ itself answers."""

# No `from __future__ import annotations`, as in links/pairing_agent.py.
import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from dbus_fast import BusType, Message, Variant
from dbus_fast.aio import MessageBus

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import RadioError
from device_gateway.links import adapter as adapter_module
from device_gateway.links import bluez as bluez_module
from device_gateway.links.adapter import Adapter
from device_gateway.links.bluez import adapters, forget
from device_gateway.links.radio import Central

KNEE = "C1:00:00:00:00:01"


def adapter(*, powered: bool = True, roles: tuple[str, ...] = ("central", "peripheral"), **more: Variant) -> dict:
    properties = {"Powered": Variant("b", powered), "Roles": Variant("as", list(roles)), **more}
    return {"org.bluez.Adapter1": properties}


def device(address: str, on: str, *, paired: bool) -> dict:
    return {
        "org.bluez.Device1": {
            "Address": Variant("s", address), "Paired": Variant("b", paired), "Adapter": Variant("o", on),
        }
    }  # fmt: skip


class Bluez:
    """What bluetoothd is to who asks which adapters there are."""

    def __init__(self, bus: MessageBus) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.refuses: str | None = None
        self.silent = False
        self.removed: list[tuple[str, str]] = []
        self.discovering = False
        self.asked_to_discover = asyncio.Event()
        self._bus = bus
        self._asked: Message | None = None
        bus.add_message_handler(self._on_message)

    def answer(self) -> None:
        """Who asked to discover is told that it does."""
        self._bus.send(Message.new_method_return(self._asked))

    def _on_message(self, message: Message) -> Message | bool | None:
        match message.member:
            case "StartDiscovery" if self.discovering:
                return Message.new_error(message, "org.bluez.Error.InProgress", "Operation already in progress")
            case "StartDiscovery":
                self.discovering, self._asked = True, message
                self.asked_to_discover.set()
                return True
            case "SetDiscoveryFilter":
                return Message.new_method_return(message)
            case "StopDiscovery":
                self.discovering = False
                return Message.new_method_return(message)
            case "GetManagedObjects" | "RemoveDevice":
                return self._on_question(message)
        return None

    def _on_question(self, message: Message) -> Message | bool:
        if self.silent:
            return True
        if self.refuses:
            return Message.new_error(message, self.refuses, "")
        if message.member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])
        self.removed.append((message.path, message.body[0]))
        return Message.new_method_return(message)


@pytest.fixture
async def bluez(system_bus: None) -> AsyncIterator[Bluez]:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    await bus.request_name("org.bluez")
    yield Bluez(bus)
    bus.disconnect()
    await bus.wait_for_disconnect()


async def refused(trouble: Trouble, sentence: str) -> None:
    """The same to who asks, and as the gateway's only condition."""
    with pytest.raises(RadioError, match=sentence) as told:
        await adapters(None)
    assert told.value.trouble is trouble
    conditions = Conditions()
    with pytest.raises(RadioError, match=sentence):
        await Central(None, conditions=conditions).check()
    (condition,) = conditions.now()
    assert condition.code == trouble
    assert re.search(sentence, condition.sentence)


async def test_adapters_have_the_slots_that_their_makers_chips_have(bluez: Bluez) -> None:
    bluez.objects = {
        "/org/bluez": {"org.bluez.AgentManager1": {}},
        "/org/bluez/hci2": adapter(),
        "/org/bluez/hci0": adapter(Manufacturer=Variant("q", 0x0131)),
        "/org/bluez/hci1": adapter(Manufacturer=Variant("q", 0x000A)),
        "/org/bluez/hci3": adapter(powered=False),
        "/org/bluez/hci1/dev_C1_00_00_00_00_01": device(KNEE, "/org/bluez/hci1", paired=False),
    }
    found = await adapters(None)
    assert [(port.name, port.slots) for port in found] == [("hci0", 7), ("hci1", 5), ("hci2", 7)]
    assert [port.scanner_options for port in found] == [{"bluez": {"adapter": port.name}} for port in found]
    assert {port.slots for port in await adapters(3)} == {3}


async def test_no_adapter(bluez: Bluez) -> None:
    await refused(Trouble.BLUETOOTH_NO_ADAPTER, "no Bluetooth adapter .* plug one in")


async def test_an_adapter_of_old_bluetooth_only_is_none(bluez: Bluez) -> None:
    bluez.objects = {"/org/bluez/hci0": adapter(roles=("peripheral",))}
    await refused(Trouble.BLUETOOTH_NO_ADAPTER, "no Bluetooth adapter that can talk to sensors")


async def test_powered_off(bluez: Bluez) -> None:
    bluez.objects = {"/org/bluez/hci0": adapter(powered=False, PowerState=Variant("s", "off"))}
    await refused(Trouble.BLUETOOTH_OFF, "switched off .*bluetoothctl power on")


async def test_flight_mode(bluez: Bluez) -> None:
    bluez.objects = {"/org/bluez/hci0": adapter(powered=False, PowerState=Variant("s", "off-blocked"))}
    await refused(Trouble.BLUETOOTH_OFF, "blocked .*rfkill unblock bluetooth")


async def test_not_permitted_by_bluez(bluez: Bluez) -> None:
    bluez.refuses = "org.freedesktop.DBus.Error.AccessDenied"
    await refused(Trouble.BLUETOOTH_NOT_PERMITTED, "does not permit .* group bluetooth")


async def test_not_permitted_by_the_policy_of_d_bus(start_system_bus) -> None:
    """As where the gateway's user is not in the group bluetooth: the bus itself refuses to deliver."""
    await start_system_bus('<deny send_destination="org.bluez" send_interface="org.freedesktop.DBus.ObjectManager"/>')
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    await bus.request_name("org.bluez")
    await refused(Trouble.BLUETOOTH_NOT_PERMITTED, "does not permit")
    bus.disconnect()
    await bus.wait_for_disconnect()


async def test_a_bus_that_does_not_know_the_gateways_user(start_system_bus) -> None:
    await start_system_bus(auth="ANONYMOUS")
    await refused(Trouble.BLUETOOTH_NOT_PERMITTED, "does not permit")


async def test_no_bluetoothd(system_bus: None) -> None:
    await refused(Trouble.BLUETOOTH_NO_SERVICE, "Bluetooth service does not run.* apt install bluez")


async def test_no_d_bus(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    await refused(Trouble.BLUETOOTH_NO_SERVICE, r"message bus \(D-Bus\) does not run.* apt install dbus bluez")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open any socket")
async def test_a_bus_that_may_not_be_opened(tmp_path, monkeypatch: pytest.MonkeyPatch, system_bus: None) -> None:
    (tmp_path / "bus").chmod(0)
    await refused(Trouble.BLUETOOTH_NOT_PERMITTED, "does not permit")


async def test_a_bluez_that_hangs(bluez: Bluez, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluez_module, "REPLY_TIMEOUT_S", 0.2)
    bluez.silent = True
    await refused(Trouble.BLUETOOTH_FAILING, "does not answer.* restart the gateway's computer")


async def test_a_condition_goes_when_its_reason_does(bluez: Bluez) -> None:
    told = []
    central = Central(None, conditions=Conditions(lambda now: told.append([condition.code for condition in now])))
    for objects in ({}, {"/org/bluez/hci0": adapter(powered=False)}, {"/org/bluez/hci0": adapter()}):
        bluez.objects = objects
        with contextlib.suppress(RadioError):
            await central._look()
    assert told[-1] == []
    assert [codes for codes in told if codes] == [[Trouble.BLUETOOTH_NO_ADAPTER], [Trouble.BLUETOOTH_OFF]]
    assert [each.port.name for each in central.adapters] == ["hci0"]


async def test_a_bond_is_taken_back_on_the_adapter_that_has_it(bluez: Bluez) -> None:
    bluez.objects = {
        "/org/bluez/hci0": adapter(),
        "/org/bluez/hci1": adapter(),
        "/org/bluez/hci0/dev_1": device(KNEE, "/org/bluez/hci0", paired=False),
        "/org/bluez/hci1/dev_1": device(KNEE, "/org/bluez/hci1", paired=True),
        "/org/bluez/hci1/dev_2": device("C1:00:00:00:00:02", "/org/bluez/hci1", paired=True),
    }
    await forget(KNEE.lower())
    assert bluez.removed == [("/org/bluez/hci1", "/org/bluez/hci1/dev_1")]


@pytest.mark.parametrize("answers", [True, False])
async def test_a_scan_that_is_cancelled_before_bluez_answers_does_not_go_on(
    bluez: Bluez, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """BlueZ would refuse every other as in progress. One that never answers keeps nobody."""
    monkeypatch.setattr(adapter_module, "SCAN_ANSWER_S", 10.0 if answers else 0.1)
    bluez.objects = {"/org/bluez/hci0": adapter()}
    (port,) = await adapters(None)
    scanner = Adapter(port, lambda *_: None, lambda: True)
    following = asyncio.create_task(scanner.follow())
    await asyncio.wait_for(bluez.asked_to_discover.wait(), 5)
    following.cancel()
    await asyncio.sleep(0)
    if answers:
        bluez.answer()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(following, 5)
    assert not scanner.scanning
    assert not (answers and bluez.discovering)
