"""What goes wrong around a sensor's link costs a sample, not the sensor, and is told: over real GATT."""

from __future__ import annotations

import asyncio

import pytest
from air import SHANK, THIGH, Air, playback
from bleak_retry_connector import establish_connection

from analytics.domain.exercise import Segment
from device_gateway.links import link as link_module
from device_gateway.links.state import LinkState
from firmware_interface.drivers.open_imu import OpenImuDriver
from firmware_interface.errors import SensorRefusedError
from firmware_interface.virtual.sensor import VirtualSensor


async def test_closing_while_the_sensor_starts_tells_it_to_stop_too(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some families go on measuring when they are only disconnected, until their battery is empty."""
    begin, began = OpenImuDriver._begin, asyncio.Event()

    async def hesitant(driver, rate_hz, batch):
        settings = await begin(driver, rate_hz, batch)
        began.set()
        await asyncio.sleep(30)
        return settings

    monkeypatch.setattr(OpenImuDriver, "_begin", hesitant)
    sensor = await air.wear(THIGH, playback(30.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await asyncio.wait_for(began.wait(), 5)
    await link.close()
    assert air.states[Segment.RIGHT_THIGH] == [LinkState.CONNECTING, LinkState.CLOSED]
    assert sensor.firmware._stream == 2, "after a STOP the next START begins another stream"


async def test_closing_while_the_scan_goes_on_after_a_connect_leaves_no_sensor_connected(
    air: Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stays connected does not advertise, and is never found again."""
    backend, resuming, may_resume = air.radio.scanner_backend, asyncio.Event(), asyncio.Event()
    start = backend.start

    async def slow(scanner):
        if any(client.is_connected for client in air.central.adapters[0]._clients):
            resuming.set()
            await may_resume.wait()
        await start(scanner)

    monkeypatch.setattr(backend, "start", slow)
    await air.wear(THIGH, playback(30.0))
    air.connect(SHANK, Segment.RIGHT_SHANK)  # is not there, so that scanning goes on
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await asyncio.wait_for(resuming.wait(), 5)
    await link.close()
    assert air.central.adapters[0].connections == 0
    may_resume.set()
    await air.reach(air.connect(THIGH, Segment.RIGHT_THIGH), LinkState.STREAMING)


async def test_a_fault_in_a_library_does_not_silence_a_sensor(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter([KeyError("a fault")])

    async def faulty(*arguments, **options):
        for fault in faults:
            raise fault
        return await establish_connection(*arguments, **options)

    monkeypatch.setattr("device_gateway.links.adapter.establish_connection", faulty)
    monkeypatch.setattr(link_module, "RETRY_PAUSE_S", 0.05)
    sensor = await air.wear(THIGH, playback(0.5))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await link.close()
    assert link.samples_received == 50
    assert "met a fault and is tried again" in caplog.text


async def test_a_fault_while_bluetooth_is_waited_for_does_not_silence_a_sensor_either(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link_module, "RETRY_PAUSE_S", 0.05)
    start, faults = air.radio.scanner_backend.start, [OSError("gone"), KeyError("org.bluez.Adapter1")]

    async def faulty(scanner):
        if faults:
            raise faults.pop(0)
        await start(scanner)

    monkeypatch.setattr(air.radio.scanner_backend, "start", faulty)
    await air.wear(THIGH, playback(20.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    assert air.states[Segment.RIGHT_THIGH] == [
        LinkState.LOST, LinkState.SEARCHING, LinkState.CONNECTING, LinkState.STREAMING,
    ]  # fmt: skip
    assert "met a fault and is tried again" in caplog.text


async def test_why_a_sensor_does_not_stream_is_told_until_it_does(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "RETRY_PAUSE_S", 0.05)
    begin, refusals = OpenImuDriver._begin, [SensorRefusedError("It is busy: restart it.")]

    async def refusing(driver, rate_hz, batch):
        if refusals:
            raise refusals.pop()
        return await begin(driver, rate_hz, batch)

    monkeypatch.setattr(OpenImuDriver, "_begin", refusing)
    await air.wear(THIGH, playback(20.0))
    await air.reach(air.connect(THIGH, Segment.RIGHT_THIGH), LinkState.STREAMING)
    told = dict(zip(air.states[Segment.RIGHT_THIGH], air.problems[Segment.RIGHT_THIGH], strict=True))
    assert told[LinkState.LOST] == "It is busy: restart it."
    assert told[LinkState.STREAMING] is None


async def wear_encrypted(air: Air) -> VirtualSensor:
    """A sensor whose control point is written over an encrypted link only."""
    sensor = VirtualSensor("Sinew 1", THIGH, playback(30.0), air.link)
    (control,) = [
        characteristic
        for service in sensor.firmware.services()
        for characteristic in service.characteristics
        if characteristic is sensor.firmware._control
    ]
    control.permissions |= control.Permissions.WRITE_REQUIRES_ENCRYPTION
    await sensor.start()
    air.sensors.append(sensor)
    return sensor


async def test_a_sensor_that_wants_to_be_paired_is_paired_while_it_is_assigned(air: Air) -> None:
    await wear_encrypted(air)
    link = air.connect(THIGH, Segment.RIGHT_THIGH, pairs=True)
    await air.until(lambda: link.samples_received > 20)
    assert (link.connections, link.gaps) == (1, 0)


async def test_a_sensor_that_wants_to_be_paired_is_not_paired_in_a_session(
    air: Air, caplog: pytest.LogCaptureFixture
) -> None:
    await wear_encrypted(air)
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.LOST)
    assert "streams only to a gateway it is paired with: assign it anew" in caplog.text
    await air.until(lambda: air.states[Segment.RIGHT_THIGH].count(LinkState.LOST) == 3)
    assert caplog.text.count("assign it anew") == 1, "a complaint is written once, however often it is tried"
    assert link.samples_received == 0
    problem = link.sensor_state().problem
    assert problem is not None
    assert problem.endswith("assign it anew, by tapping it.")
