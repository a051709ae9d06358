"""A sensor's link over real GATT between software controllers: found, lost, found again, every sample counted."""

from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock

import numpy as np
import pytest
from air import SHANK, THIGH, Air, playback
from bleak.exc import BleakError
from bleak_retry_connector import establish_connection

from analytics.domain.exercise import Segment
from device_gateway.links import connection as connection_module
from device_gateway.links import link as link_module
from device_gateway.links.state import LinkState
from firmware_interface.virtual.gate import StartGate
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor


async def test_every_sample_arrives_in_order_and_is_placed_forwards(air: Air) -> None:
    play = playback(1.5)
    sensor = await air.wear(THIGH, play)
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await sensor.finished.wait()
    await link.close()
    assert air.states[Segment.RIGHT_THIGH] == [LinkState.CONNECTING, LinkState.STREAMING, LinkState.CLOSED]
    assert (link.samples_received, link.samples_lost) == (150, 0) == (sensor.samples_sent, sensor.dropped)
    runs = air.runs[Segment.RIGHT_THIGH]
    acc = np.concatenate([samples.acc_m_s2 for samples, _ in runs])
    assert link.stream is not None
    assert np.abs(acc - play.acc_m_s2).max() <= link.stream.resolution.acc_m_s2
    time_s = np.concatenate([placed for _, placed in runs])
    assert (np.diff(time_s) > 0).all()
    assert time_s[-1] - time_s[0] == pytest.approx(1.49, abs=0.15)
    record = link.record()
    assert (record.name, record.rate_hz, record.battery_percent) == ("Sinew 1", 100.0, 90)


@pytest.mark.parametrize("rate_hz", [25.0, 100.0])
async def test_a_packet_holds_about_50_ms_of_movement(air: Air, rate_hz: float) -> None:
    sensor = await air.wear(THIGH, playback(1.0, rate_hz))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await sensor.finished.wait()
    await link.close()
    sizes = [len(samples) for samples, _ in air.runs[Segment.RIGHT_THIGH]]
    assert set(sizes[2:-1]) == {max(1, round(rate_hz * 0.05))}
    assert sum(sizes) == rate_hz


async def test_out_of_range_and_back_the_gap_is_counted_exactly(air: Air) -> None:
    sensor = await air.wear(THIGH, playback(3.0))
    sensor.firmware.fifo_s = 0.0
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    await asyncio.sleep(0.5)
    sensor.walk_away()
    await air.reach(link, LinkState.LOST)
    assert not link.sensor_state().connected
    await asyncio.sleep(0.2)
    sensor.walk_back()
    await air.reach(link, LinkState.STREAMING)
    await sensor.finished.wait()
    await link.close()
    assert air.states[Segment.RIGHT_THIGH] == [
        LinkState.CONNECTING, LinkState.STREAMING, LinkState.LOST,
        LinkState.SEARCHING, LinkState.CONNECTING, LinkState.STREAMING, LinkState.CLOSED,
    ]  # fmt: skip
    assert link.samples_lost > 30
    assert link.samples_received + link.samples_lost == 300
    gaps = [samples.lost_before for samples, _ in air.runs[Segment.RIGHT_THIGH] if samples.lost_before]
    assert gaps == [link.samples_lost]
    time_s = np.concatenate([placed for _, placed in air.runs[Segment.RIGHT_THIGH]])
    assert (np.diff(time_s) > 0).all()


async def test_a_connection_that_brings_nothing_is_given_up(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link layer still holds it, but no sample comes: as when a sensor's firmware hangs."""
    monkeypatch.setattr(connection_module, "SILENCE_S", 0.2)
    air.link.supervision_timeout_s = 60
    sensor = await air.wear(THIGH, playback(20.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    await asyncio.sleep(0.2)
    monkeypatch.setattr(connection_module, "GOODBYE_S", 0.1)
    sensor.walk_away()
    await air.reach(link, LinkState.LOST)
    sensor.walk_back()
    await air.reach(link, LinkState.STREAMING)
    await asyncio.sleep(0.2)
    assert link.connections == 2
    assert link.samples_lost == 0, "what was taken meanwhile was sent again"
    time_s = np.concatenate([placed for _, placed in air.runs[Segment.RIGHT_THIGH]])
    true_s = np.arange(len(time_s)) / 100
    assert np.abs(time_s - time_s[0] - true_s).max() < 0.15, "and lies where it was taken, not where it came"


async def test_a_start_that_is_never_answered_is_given_up(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link_module, "START_S", 0.5)
    monkeypatch.setattr(connection_module, "GOODBYE_S", 0.1)
    air.link.supervision_timeout_s = 60
    sensor = await air.wear(THIGH, playback(20.0))
    with monkeypatch.context() as patch:
        patch.setattr(sensor.firmware, "on_subscription", lambda *_: sensor.walk_away())
        link = air.connect(THIGH, Segment.RIGHT_THIGH)
        await air.reach(link, LinkState.LOST)
    assert "does not begin to stream" in caplog.text
    sensor.walk_back()
    await air.reach(link, LinkState.STREAMING)


async def test_a_sensor_that_comes_late_keeps_nobody_waiting_but_its_own(air: Air) -> None:
    """The first is connected while the second is still looked for; both then begin at the same instant."""
    gate = StartGate()
    sensors = [await air.wear(THIGH, playback(1.0), gate=gate)]
    late = VirtualSensor("Sinew 2", SHANK, playback(1.0), air.link, gate=gate)
    thigh = air.connect(THIGH, Segment.RIGHT_THIGH)
    shank = air.connect(SHANK, Segment.RIGHT_SHANK)
    await air.reach(thigh, LinkState.STREAMING)
    assert shank.state is LinkState.SEARCHING
    await late.start()
    air.sensors.append(late)
    await asyncio.gather(*(sensor.finished.wait() for sensor in (*sensors, late)))
    await asyncio.gather(thigh.close(), shank.close())
    assert (thigh.samples_received, shank.samples_received) == (100, 100)
    assert thigh.samples_lost == shank.samples_lost == 0


async def test_closing_while_searching_ends_at_once_and_stops_the_scan(air: Air) -> None:
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await asyncio.sleep(0.1)
    assert air.scanning
    await asyncio.wait_for(link.close(), 1)
    assert not air.scanning
    assert link.state is LinkState.CLOSED


async def test_closing_tells_the_sensor_to_stop(air: Air) -> None:
    sensor = await air.wear(THIGH, playback(30.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    await asyncio.sleep(0.3)
    await link.close()
    sent = sensor.samples_sent
    assert link.samples_received == sent, "what the sensor had taken came before the answer to STOP"
    assert sensor.firmware._stream == 2, "after a STOP the next START begins another stream"
    await asyncio.sleep(0.2)
    assert sensor.samples_sent == sent


async def test_no_scanning_goes_on_while_connecting_or_streaming(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    scanning: list[bool] = []

    async def observed(*arguments, **options):
        scanning.append(air.scanning)
        return await establish_connection(*arguments, **options)

    monkeypatch.setattr("device_gateway.links.adapter.establish_connection", observed)
    await air.wear(THIGH, playback(5.0))
    absent = air.connect(SHANK, Segment.RIGHT_SHANK)
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    assert scanning == [False]
    assert air.scanning, "the other is still looked for"
    await absent.close()
    assert not air.scanning


async def test_a_stranger_at_the_address_is_not_connected(air: Air, caplog: pytest.LogCaptureFixture) -> None:
    other = SoftwareRadio(air.link, "C1:00:00:00:00:09")
    await other.start()
    assert other._device is not None
    await other._device.start_advertising(auto_restart=True)
    link = air.connect("C1:00:00:00:00:09", Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.LOST)
    assert "is no sensor that Sinew knows" in caplog.text
    await link.close()
    await other._device.stop_advertising()
    await other.stop()


async def test_a_scan_that_died_without_a_word_is_begun_anew(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when Bluetooth is switched off and on during a scan."""
    monkeypatch.setattr("device_gateway.links.adapter.SCAN_SILENCE_S", 0.2)
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.until(lambda: air.scanning)
    dead = air.central.adapters[0]._scanner
    assert dead is not None
    await dead.stop()
    await air.wear(THIGH, playback(5.0))
    await air.until(lambda: link.state is LinkState.STREAMING, 5)
    await link.close()


async def test_a_sensor_is_unsubscribed_from_before_it_is_disconnected(air: Air) -> None:
    """Or bluetoothd 5.66 dies (tests/bluez): data first, then replies."""
    sensor, events = await air.wear(THIGH, playback(30.0)), []
    on_subscription, on_disconnection = sensor.firmware.on_subscription, sensor.firmware.on_disconnection

    def subscription(characteristic, subscribed):
        events.append(("on" if subscribed else "off", characteristic is sensor.firmware._data))
        on_subscription(characteristic, subscribed)

    def disconnection():
        events.append(("gone", False))
        on_disconnection()

    sensor.firmware.on_subscription, sensor.firmware.on_disconnection = subscription, disconnection
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    await link.close()
    assert events[-3:] == [("off", True), ("off", False), ("gone", False)]


async def test_battery_and_signal_are_told_and_the_battery_is_read_again(
    air: Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "BATTERY_S", 0.1)
    sensor = await air.wear(THIGH, playback(30.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    told = link.sensor_state()
    assert (told.battery_percent, told.signal_dbm) == (90, -50)
    changes = len(air.states[Segment.RIGHT_THIGH])
    sensor.battery_percent = 42
    await air.until(lambda: link.sensor_state().battery_percent == 42)
    assert air.states[Segment.RIGHT_THIGH][changes:] == [LinkState.STREAMING], "told once, when it changed"
    received = link.samples_received
    await air.until(lambda: link.samples_received > received)
    assert (link.record().battery_percent, link.record().signal_dbm) == (42, -50)


async def test_a_battery_that_can_be_read_no_more_does_not_end_the_stream(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link_module, "BATTERY_S", 0.1)
    await air.wear(THIGH, playback(30.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    driver = link._driver
    assert driver is not None
    for fault in (BleakError("busy"), KeyError("a fault")):
        monkeypatch.setattr(driver, "battery_percent", AsyncMock(side_effect=fault))
        await asyncio.sleep(0.2)
    received = link.samples_received
    await air.until(lambda: link.samples_received > received + 50)
    assert (link.connections, link.state) == (1, LinkState.STREAMING)
    assert caplog.text.count("met a fault; the stream goes on") == 1, "what is busy is asked again, a fault is not"


async def test_connections_gaps_and_readings_at_the_end_of_the_range_are_counted(air: Air) -> None:
    play = playback(4.0)
    play.acc_m_s2[350:360, 2] = 1000.0
    sensor = await air.wear(THIGH, play)
    sensor.firmware.fifo_s = 0.0
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    for gaps in (1, 2):
        await air.reach(link, LinkState.STREAMING)
        await asyncio.sleep(0.3)
        sensor.walk_away()
        await air.reach(link, LinkState.LOST)
        sensor.walk_back()
        await air.reach(link, LinkState.STREAMING)
        await air.until(lambda gaps=gaps: link.gaps == gaps)
    await sensor.finished.wait()
    await link.close()
    record = link.record()
    assert (record.connections, record.gaps, record.clipped_samples) == (3, 2, 10)


async def test_a_sensor_that_begins_anew_after_a_drop_leaves_a_gap_though_it_cannot_say_how_long(air: Air) -> None:
    sensor = await air.wear(THIGH, playback(4.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    await air.until(lambda: link.samples_received > 20)
    await sensor.reboot()
    await air.until(lambda: link.connections == 2)
    assert link.stream is not None
    assert not link.stream.continues
    assert (link.gaps, link.samples_lost) == (1, 0)
