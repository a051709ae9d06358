"""A sensor's link over real GATT between software controllers: found, lost, found again, every sample counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from bleak_retry_connector import establish_connection

from analytics.domain.exercise import Segment
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.clock import Clock
from device_gateway.links import link as link_module
from device_gateway.links.link import LinkState, SensorLink
from device_gateway.links.radio import Central, Radio
from firmware_interface.virtual.gate import StartGate
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

THIGH, SHANK = "C1:00:00:00:00:01", "C1:00:00:00:00:02"


def playback(seconds: float, rate_hz: float = 100.0) -> Playback:
    count = round(seconds * rate_hz)
    rng = np.random.default_rng(5)
    return Playback(rate_hz, np.arange(count) / rate_hz, rng.normal(0, 8, (count, 3)), rng.normal(0, 2, (count, 3)))


@dataclass
class Air:
    """A software link with the gateway's radio on it, and what the gateway's links have told."""

    until: Callable[..., Awaitable[None]]
    link: SoftwareLink
    radio: SoftwareRadio
    central: Central
    clock: Clock = field(default_factory=Clock)
    sensors: list[VirtualSensor] = field(default_factory=list)
    links: list[SensorLink] = field(default_factory=list)
    states: dict[Segment, list[LinkState]] = field(default_factory=dict)
    runs: dict[Segment, list[tuple[ImuSamples, FloatArray]]] = field(default_factory=dict)

    async def wear(self, address: str, play: Playback, **options: object) -> VirtualSensor:
        sensor = VirtualSensor(f"Sinew {address[-1]}", address, play, self.link, speed=self.clock.speed, **options)
        await sensor.start()
        self.sensors.append(sensor)
        return sensor

    def connect(self, address: str, segment: Segment) -> SensorLink:
        began = self.clock.now()
        self.states[segment], self.runs[segment] = [], []
        link = SensorLink(
            address,
            segment,
            central=self.central,
            now_s=lambda: self.clock.now() - began,
            on_samples=lambda link, samples, time_s: self.runs[segment].append((samples, time_s)),
            on_change=lambda link: self.states[segment].append(link.state),
        )
        self.links.append(link)
        return link

    async def reach(self, link: SensorLink, state: LinkState) -> None:
        await self.until(lambda: link.state is state)


@pytest.fixture
async def air(until: Callable[..., Awaitable[None]]) -> AsyncIterator[Air]:
    software_link = SoftwareLink(supervision_timeout_s=0.3)
    async with SoftwareRadio(software_link) as radio:
        air = Air(until, software_link, radio, Central(Radio(radio.scanner_backend, radio.client_backend)))
        yield air
        for link in air.links:
            await link.close()
        for sensor in air.sensors:
            await sensor.stop()


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
    monkeypatch.setattr(link_module, "SILENCE_S", 0.2)
    air.link.supervision_timeout_s = 60
    sensor = await air.wear(THIGH, playback(20.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    await asyncio.sleep(0.2)
    monkeypatch.setattr(link_module, "GOODBYE_S", 0.1)
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
    assert air.central._scanning
    await asyncio.wait_for(link.close(), 1)
    assert not air.central._scanning
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
        scanning.append(air.central._scanning)
        return await establish_connection(*arguments, **options)

    monkeypatch.setattr("device_gateway.links.radio.establish_connection", observed)
    await air.wear(THIGH, playback(5.0))
    absent = air.connect(SHANK, Segment.RIGHT_SHANK)
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.reach(link, LinkState.STREAMING)
    assert scanning == [False]
    assert air.central._scanning, "the other is still looked for"
    await absent.close()
    assert not air.central._scanning


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


async def test_a_fault_in_a_library_does_not_silence_a_sensor(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter([KeyError("a fault")])

    async def faulty(*arguments, **options):
        for fault in faults:
            raise fault
        return await establish_connection(*arguments, **options)

    monkeypatch.setattr("device_gateway.links.radio.establish_connection", faulty)
    monkeypatch.setattr(link_module, "RETRY_PAUSE_S", 0.05)
    sensor = await air.wear(THIGH, playback(0.5))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await link.close()
    assert link.samples_received == 50
    assert "met a fault and is tried again" in caplog.text


async def test_a_scan_that_died_without_a_word_is_begun_anew(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when Bluetooth is switched off and on during a scan."""
    monkeypatch.setattr("device_gateway.links.radio.SCAN_SILENCE_S", 0.2)
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.until(lambda: air.central._scanning)
    dead = air.central._scanner
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
