"""Several adapters, their slots, and Bluetooth that fails and comes back: on software radios, over real GATT."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable

import pytest
from air import SHANK, THIGH, Air, playback
from bleak.backends.scanner import BaseBleakScanner
from bleak_retry_connector import establish_connection

from analytics.domain.exercise import Segment
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import RadioError
from device_gateway.links import radio as radio_module
from device_gateway.links.radio import Central, Radio
from device_gateway.links.state import LinkState
from firmware_interface.virtual.radio import SoftwareRadio

FIVE = [f"C1:00:00:00:00:0{number}" for number in range(1, 6)]
PLACES = [Segment.RIGHT_THIGH, Segment.RIGHT_SHANK, Segment.LEFT_THIGH, Segment.LEFT_SHANK, Segment.PELVIS]


def heard_at(radio: SoftwareRadio, rssi_dbm: int) -> type[BaseBleakScanner]:
    """A scanner on this radio that hears all sensors with this strength."""

    def on_advertisement(self, advertisement) -> None:
        advertisement.rssi = rssi_dbm
        radio.scanner_backend.on_advertisement(self, advertisement)

    return type("ScannerAtADistance", (radio.scanner_backend,), {"on_advertisement": on_advertisement})


@pytest.fixture
async def adapters(air: Air) -> AsyncIterator[Callable[..., Central]]:
    """Makes a Central with an adapter of its own for each (signal, slots)."""
    async with contextlib.AsyncExitStack() as opened:

        async def made(*adapters: tuple[int, int], conditions: Conditions | None = None) -> Central:
            radios = []
            for number, (rssi_dbm, slots) in enumerate(adapters):
                radio = await opened.enter_async_context(SoftwareRadio(air.link, f"C0:00:00:00:01:0{number}"))
                radios.append(Radio(heard_at(radio, rssi_dbm), radio.client_backend, f"hci{number}", slots))
            air.central = Central(radios, conditions=conditions)
            return air.central

        yield made
        for link in air.links:
            await link.close()


def held(central: Central) -> list[int]:
    return [adapter.connections for adapter in central.adapters]


async def test_the_adapter_that_hears_a_sensor_best_connects_it(air: Air, adapters) -> None:
    central = await adapters((-80, 7), (-60, 7), (-70, 7))
    await air.wear(THIGH, playback(20.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    assert held(central) == [0, 1, 0]
    assert link.sensor_state().signal_dbm in {-80, -60, -70}


async def test_five_sensors_are_spread_over_adapters_that_hear_alike(air: Air, adapters) -> None:
    central = await adapters((-60, 7), (-62, 7))
    for address in FIVE:
        await air.wear(address, playback(30.0))
    links = [air.connect(address, place) for address, place in zip(FIVE, PLACES, strict=True)]
    for link in links:
        await air.reach(link, LinkState.STREAMING)
    assert sorted(held(central)) == [2, 3]


async def test_a_full_adapter_leaves_the_rest_to_one_that_hears_worse(air: Air, adapters) -> None:
    central = await adapters((-40, 2), (-90, 3))
    for address in FIVE:
        await air.wear(address, playback(30.0))
    links = [air.connect(address, place) for address, place in zip(FIVE, PLACES, strict=True)]
    for link in links:
        await air.reach(link, LinkState.STREAMING)
    assert held(central) == [2, 3]


async def test_where_all_slots_are_taken_a_sentence_says_so_until_one_is_free(
    air: Air, adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio_module, "RETRY_S", 0.1)
    conditions = Conditions()
    await adapters((-60, 1), conditions=conditions)
    for address in (THIGH, SHANK):
        await air.wear(address, playback(30.0))
    thigh = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(thigh, LinkState.STREAMING)
    shank = air.connect(SHANK, Segment.RIGHT_SHANK)
    await air.until(lambda: bool(conditions.now()))
    (condition,) = conditions.now()
    assert condition.code == Trouble.BLUETOOTH_FULL
    assert re.search("all 1 connections .* plug in another adapter", condition.sentence)
    await asyncio.sleep(0.3)
    assert conditions.now() == (condition,), "it stays until there is room"
    assert shank.state is LinkState.LOST
    await thigh.close()
    await air.reach(shank, LinkState.STREAMING)
    assert conditions.now() == ()


async def test_each_adapter_connects_one_at_a_time_and_does_not_scan_meanwhile(
    air: Air, adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    central, connecting, most = await adapters((-60, 7), (-60, 7)), {}, 0

    async def observed(kind, device, *arguments, backend, **options):
        nonlocal most
        adapter = next(a for a in central.adapters if a.port.client_options["backend"] is backend)
        assert not adapter.scanning
        connecting[adapter] = connecting.get(adapter, 0) + 1
        assert connecting[adapter] == 1
        most = max(most, sum(connecting.values()))
        try:
            await asyncio.sleep(0.1)
            return await establish_connection(kind, device, *arguments, backend=backend, **options)
        finally:
            connecting[adapter] -= 1

    monkeypatch.setattr("device_gateway.links.adapter.establish_connection", observed)
    for address in FIVE:
        await air.wear(address, playback(30.0))
    for address, place in zip(FIVE, PLACES, strict=True):
        await air.reach(air.connect(address, place), LinkState.SEARCHING)
    for link in air.links:
        await air.reach(link, LinkState.STREAMING)
    assert most == 2, "two adapters connect side by side"


async def test_bluetooth_that_is_switched_off_and_on_is_a_condition_and_the_stream_comes_back(
    air: Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radio_module, "RETRY_S", 0.1)
    monkeypatch.setattr(radio_module, "WATCH_S", 0.1)
    conditions = Conditions()
    air.central = Central(Radio(air.radio.scanner_backend, air.radio.client_backend), conditions=conditions)
    watching = asyncio.create_task(air.central.watch())
    await air.wear(THIGH, playback(60.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    received = link.samples_received
    await air.radio.stop()
    await air.until(lambda: bool(conditions.now()))
    (condition,) = conditions.now()
    assert condition.code == Trouble.BLUETOOTH_FAILING
    assert "the gateway goes on trying" in condition.sentence
    await air.reach(link, LinkState.LOST)
    await asyncio.sleep(0.3)
    told = len(air.states[Segment.RIGHT_THIGH])
    await asyncio.sleep(0.5)
    assert len(air.states[Segment.RIGHT_THIGH]) == told, "it waits, and does not flutter between states"
    await air.radio.start()
    await air.reach(link, LinkState.STREAMING)
    assert conditions.now() == ()
    await air.until(lambda: link.samples_received > received)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_one_adapter_that_fails_is_told_and_the_other_goes_on(air: Air, adapters) -> None:
    conditions = Conditions()
    central = await adapters((-60, 7), (-60, 7), conditions=conditions)
    await central.check()
    broken, sound = central.adapters

    async def fails(self) -> None:
        raise OSError("gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broken.port.scanner_options["backend"], "start", fails)
        await air.wear(THIGH, playback(20.0))
        link = air.connect(THIGH, Segment.RIGHT_THIGH)
        await air.reach(link, LinkState.STREAMING)
        assert [condition.code for condition in conditions.now()] == [Trouble.BLUETOOTH_FAILING]
        assert "hci0: gone" in conditions.now()[0].sentence
        assert sound.connections == 1
    await central.check()
    assert conditions.now() == ()


@pytest.mark.parametrize("fault", [EOFError(), KeyError("org.bluez.Adapter1")])
async def test_the_watch_over_bluetooth_outlives_whatever_a_look_meets(
    air: Air, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """EOFError is what dbus-fast raises when the message bus goes."""
    monkeypatch.setattr(radio_module, "WATCH_S", 0.05)
    air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.until(lambda: air.scanning)
    failed = asyncio.Event()

    async def fails(self) -> None:
        failed.set()
        raise fault

    monkeypatch.setattr(air.radio.scanner_backend, "stop", fails)
    air.central._ports = []  # the adapter has gone, and with it goes its scan
    watching = asyncio.create_task(air.central.watch())
    await asyncio.wait_for(failed.wait(), 5)
    await asyncio.sleep(0.1)
    assert not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_scan_that_cannot_go_on_after_a_connect_does_not_cost_the_connection(
    air: Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, failed = air.radio.scanner_backend.start, asyncio.Event()

    async def fails_once(scanner):
        if air.central.adapters[0].connections and not failed.is_set():
            failed.set()
            raise EOFError
        await start(scanner)

    monkeypatch.setattr(air.radio.scanner_backend, "start", fails_once)
    await air.wear(THIGH, playback(20.0))
    air.connect(SHANK, Segment.RIGHT_SHANK)  # is not there, so that scanning goes on
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    assert failed.is_set()
    assert air.states[Segment.RIGHT_THIGH] == [LinkState.CONNECTING, LinkState.STREAMING]


async def test_who_looks_for_a_sensor_is_told_at_once_that_bluetooth_fails(air: Air) -> None:
    await air.radio.stop()
    with pytest.raises(RadioError, match="software radio is off"):
        await air.central.find(THIGH)
    with pytest.raises(RadioError, match="software radio is off"):
        await air.central.check()


async def test_looking_for_a_sensor_ends_whenever_it_is_cancelled(air: Air) -> None:
    """Also where the answer to "scan" comes at that very moment, and Python 3.11 loses the cancellation."""
    for turns in range(12):
        looking = asyncio.create_task(air.central.find(THIGH))
        for _ in range(turns):
            await asyncio.sleep(0)
        looking.cancel()
        done, _ = await asyncio.wait([looking], timeout=5)
        assert done, f"after {turns} turns of the event loop"
        assert not air.scanning


async def test_checking_disturbs_no_scan(air: Air) -> None:
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.until(lambda: air.scanning)
    scanner = air.central.adapters[0]._scanner
    await air.central.check()
    assert air.central.adapters[0]._scanner is scanner
    await link.close()
