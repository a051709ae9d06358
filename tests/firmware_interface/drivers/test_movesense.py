"""The Movesense driver in conversation with the emulator, over real GATT."""

import asyncio
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

from analytics.signals.samples import Source
from firmware_interface.drivers.movesense.decoder import resolution
from firmware_interface.drivers.movesense.driver import MovesenseDriver
from firmware_interface.virtual.families.movesense.firmware import MovesenseFirmware, MovesenseSampleFirmware
from firmware_interface.virtual.families.movesense.logbook import Status
from firmware_interface.virtual.firmware import Advertised

STEP = resolution(8, 2000)


@pytest.fixture
def make_movesense(make_sensor):
    async def make(playback=None, firmware=MovesenseFirmware, **options):
        return await make_sensor(playback, firmware=firmware, **options)

    return make


@pytest.fixture
async def driver(make_movesense, connect, playback):
    return MovesenseDriver(await connect(await make_movesense(playback(104.0), loop=True)))


@pytest.fixture
def awaited_listener(new_listener):
    class AwaitedListener(new_listener):
        def __init__(self):
            super().__init__()
            self._came = asyncio.Event()

        def __call__(self, samples):
            super().__call__(samples)
            self._came.set()

        async def until(self, received):
            async with asyncio.timeout(5):
                while self.received < received:
                    self._came.clear()
                    await self._came.wait()

    return AwaitedListener()


def with_mag(signals):
    return replace(signals, mag_ut=np.random.default_rng(2).uniform(-60, 60, signals.acc_m_s2.shape))


def joined(heard, name):
    return np.concatenate([getattr(run, name) for run in heard.runs])


@pytest.mark.parametrize(("rate_hz", "in_packet"), [(13.0, 1), (26.0, 2), (52.0, 4), (104.0, 8), (1666.0, 8)])
async def test_what_was_measured_arrives(make_movesense, connect, playback, new_listener, rate_hz, in_packet):
    signals = playback(rate_hz, 0.8)
    sensor = await make_movesense(signals, clock_start_us=4_000_000)
    driver, heard = MovesenseDriver(await connect(sensor)), new_listener()
    settings = await driver.start(rate_hz, 5, heard)
    assert (settings.rate_hz, settings.resolution, settings.continues) == (rate_hz, STEP, False)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert {len(run) for run in heard.runs[:-1]} == {in_packet}
    assert (heard.received, heard.lost, driver.decode_errors) == (len(signals.time_s), 0, 0)
    assert np.abs(joined(heard, "acc_m_s2") - signals.acc_m_s2).max() <= STEP.acc_m_s2 * 0.501
    assert np.abs(joined(heard, "gyr_rad_s") - signals.gyr_rad_s).max() <= STEP.gyr_rad_s * 0.501
    assert all(run.mag_ut is None and not run.clipped.any() for run in heard.runs)
    late_us = heard.times_us - (4_000_000 + np.arange(heard.received) * 1e6 / rate_hz)
    assert -1001 <= late_us.min() <= late_us.max() <= 1, "whole milliseconds, cut off"


async def test_nine_axes_come_in_halves(make_movesense, connect, playback, new_listener):
    signals = with_mag(playback(104.0, 0.5))
    sensor = await make_movesense(signals)
    driver, heard = MovesenseDriver(await connect(sensor)), new_listener()
    driver.stream = "IMU9"
    await driver.start(104.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert len(sensor.firmware.packets(0, 8)[0].notifications) == 2
    assert (heard.received, driver.decode_errors) == (52, 0)
    np.testing.assert_allclose(joined(heard, "mag_ut"), signals.mag_ut, rtol=1e-6)
    assert np.abs(joined(heard, "gyr_rad_s") - signals.gyr_rad_s).max() <= STEP.gyr_rad_s * 0.501


@pytest.mark.parametrize(
    ("name", "services", "known"),
    [
        ("Movesense 174630000192", (), True),
        ("knee", ("FDF3",), True),
        ("Movesense 174630000192", ("FE06",), True),
        ("Movesensor", (), False),
    ],
)
async def test_it_is_known_by_its_uuid_or_its_name(make_movesense, software_radio, monkeypatch, name, services, known):
    monkeypatch.setattr(MovesenseFirmware, "advertised", lambda _: Advertised(name, services))
    await make_movesense()
    found = await BleakScanner.discover(timeout=0.3, return_adv=True, backend=software_radio.scanner_backend)
    ((device, advertisement),) = found.values()
    assert MovesenseDriver.matches(device, advertisement) == known


async def test_the_usual_rate_and_who_it_is(driver, new_listener):
    settings = await driver.start(0.0, 5, new_listener())
    address = driver._client.address
    assert settings.rate_hz == 104.0
    assert settings.source == Source(
        "movesense",
        address,
        model="Virtual Movesense",
        serial=address.replace(":", ""),
        firmware="Sinew virtual 1.0.0",
    )


async def test_what_passes_while_it_is_stopped_is_no_loss(driver, awaited_listener):
    heard = awaited_listener
    for _ in range(2):
        settings = await driver.start(52.0, 5, heard)
        assert not settings.continues
        await heard.until(heard.received + 8)
        await driver.stop()
        before = heard.received
        await asyncio.sleep(0.2)
        assert heard.received == before
    assert (heard.lost, driver.decode_errors) == (0, 0)
    assert (await driver.start(52.0, 5, heard)).rate_hz == 52.0
    assert (await driver.start(52.0, 9, heard)).rate_hz == 52.0, "the same again changes nothing"
    assert (await driver.start(208.0, 5, heard)).rate_hz == 208.0


async def test_stopping_waits_for_the_answer_and_not_for_data(make_movesense, connect, playback, new_listener):
    sensor = await make_movesense(playback(104.0), loop=True)
    driver = MovesenseDriver(await connect(sensor))
    unsubscribe, loop = sensor.firmware._handlers[2], asyncio.get_running_loop()
    sensor.firmware._handlers[2] = lambda *command: loop.call_later(0.1, unsubscribe, *command)
    await driver.start(1666.0, 5, new_listener())
    await driver.stop()
    assert not sensor.firmware._paths


async def test_what_a_lost_link_cost_is_counted(make_movesense, software_radio, playback, awaited_listener):
    sensor, heard, decoder = await make_movesense(playback(104.0), loop=True), awaited_listener, None
    for number in range(2):
        async with BleakClient(sensor.address, backend=software_radio.client_backend) as client:
            driver = MovesenseDriver(client, decoder)
            assert (await driver.start(104.0, 5, heard)).continues == bool(number)
            await heard.until(heard.received + 24)
            decoder = driver.decoder
        await asyncio.sleep(0.2)
    gaps = [round((b.sensor_time_us[0] - a.sensor_time_us[-1]) * 104e-6) - 1 for a, b in pairwise(heard.runs)]
    lost = [run.lost_before for run in heard.runs[1:]]
    assert sum(lost) >= 16
    assert max(abs(gap - count) for gap, count in zip(gaps, lost, strict=True)) <= 1, "to the millisecond"


async def test_a_reboot_begins_anew(make_movesense, software_radio, playback, awaited_listener):
    sensor, heard, decoder = await make_movesense(playback(104.0), loop=True), awaited_listener, None
    for number in range(2):
        async with BleakClient(sensor.address, backend=software_radio.client_backend) as client:
            driver = MovesenseDriver(client, decoder)
            assert not (await driver.start(104.0, 5, heard)).continues
            await heard.until(heard.received + 48)
            decoder = driver.decoder
            if not number:
                await driver.restart()
                await asyncio.sleep(0.5)
                assert not client.is_connected
    assert heard.lost == 0
    assert heard.runs[-1].sensor_time_us[-1] < 2_000_000


@pytest.mark.parametrize("rate_hz", [104.0, 833.0, 1666.0])
async def test_lost_packets_are_counted_at_every_rate(make_movesense, connect, playback, new_listener, rate_hz):
    """Whole milliseconds cannot tell single samples at 833 Hz, but whole packets."""
    sensor = await make_movesense(playback(rate_hz, 1.5), queue_loss=0.2)
    driver, heard = MovesenseDriver(await connect(sensor)), new_listener()
    await driver.start(rate_hz, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    numbers = np.rint((heard.times_us - heard.times_us[0]) * rate_hz * 1e-6 / 8)
    firsts = np.cumsum([0, *(len(run) for run in heard.runs)])[:-1]
    skipped = np.diff(numbers[firsts]) - 1
    assert [run.lost_before for run in heard.runs[1:]] == list(skipped * 8)
    assert 0 < heard.lost <= sensor.dropped
    assert driver.decode_errors == 0


async def test_readings_at_the_end_of_their_range_are_flagged(make_movesense, connect, playback, new_listener):
    signals = playback(104.0, 0.3)
    signals.acc_m_s2[5] = 0, 0, 100.0
    signals.gyr_rad_s[9] = 0, -50.0, 0
    sensor = await make_movesense(signals)
    driver, heard = MovesenseDriver(await connect(sensor)), new_listener()
    await driver.start(104.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert np.flatnonzero(joined(heard, "clipped")).tolist() == [5, 9]
    assert joined(heard, "acc_m_s2")[5, 2] == pytest.approx(8 * 9.807, rel=1e-3)


async def test_a_sensor_that_does_not_tell_its_ranges(make_movesense, connect, playback, new_listener, monkeypatch):
    sensor = await make_movesense(playback(104.0, 0.3))
    get = sensor.firmware._get
    handlers = sensor.firmware._handlers
    without = lambda reference, path: get(reference, b"" if path.endswith(b"Config\0") else path)  # noqa: E731
    monkeypatch.setitem(handlers, 4, without)
    driver, heard = MovesenseDriver(await connect(sensor)), new_listener()
    settings = await driver.start(104.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert settings.resolution == resolution(None, None)
    assert settings.resolution.acc_m_s2 * 32767 > 16 * 9.8
    assert all(run.clipped is None for run in heard.runs)


async def test_the_sample_firmware_streams(make_movesense, connect, playback, new_listener):
    sensor = await make_movesense(playback(104.0, 0.5), firmware=MovesenseSampleFirmware)
    driver, heard = MovesenseDriver(await connect(sensor)), new_listener()
    settings = await driver.start(104.0, 5, heard)
    assert (settings.resolution, settings.continues) == (resolution(None, None), False)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert (heard.received, heard.lost, driver.decode_errors) == (52, 0, 0)
    assert not sensor.firmware._paths
    assert driver.source.firmware == ""


async def test_stopping_after_the_link_is_lost_is_harmless(make_movesense, software_radio, new_listener):
    sensor = await make_movesense(loop=True)
    client = BleakClient(sensor.address, backend=software_radio.client_backend)
    await client.connect()
    driver = MovesenseDriver(client)
    await driver.start(0, 5, new_listener())
    await client.disconnect()
    await driver.stop()
    with pytest.raises(BleakError):
        await driver.battery_percent()


def test_steps_are_those_of_the_captures():
    assert STEP.acc_m_s2 * 456 == pytest.approx(1.0911661386489868, rel=1e-5)
    assert math.degrees(STEP.gyr_rad_s) * 30 == pytest.approx(2.0999999046325684, rel=1e-6)
    assert Status.NO_ROOM == 507
