"""Resending, ranges, nine axes, time exchange and identify: driver and virtual sensor over real ATT/GATT."""

import asyncio
import random
from dataclasses import replace

import numpy as np
import pytest
from bleak import BleakClient

from firmware_interface import open_profile as profile
from firmware_interface.drivers import open_imu
from firmware_interface.drivers.open_imu import OpenImuDriver
from firmware_interface.errors import SensorRefusedError


def measured(heard):
    return np.concatenate([run.acc_m_s2 for run in heard.runs])


@pytest.mark.parametrize("loss", [0.02, 0.3])
async def test_what_the_queue_lost_comes_again_and_in_order(make_sensor, connect, playback, new_listener, loss):
    signals = playback(seconds=20.0)
    sensor = await make_sensor(signals, speed=10.0, queue_loss=loss, rng=random.Random(7))
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    settings = await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await asyncio.sleep(0.1)
    await driver.stop()
    assert sensor.dropped > 10
    assert heard.lost == 0
    np.testing.assert_array_equal(heard.times_us, np.arange(heard.received) * 10_000)
    assert heard.received >= 2000 - 40, "only the very last can be missing: no later packet tells of it"
    assert np.abs(measured(heard) - signals.acc_m_s2[: heard.received]).max() <= settings.resolution.acc_m_s2


async def test_what_has_left_the_ring_is_counted_as_lost(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=20.0), speed=10.0, queue_loss=0.3, rng=random.Random(7))
    sensor.firmware.fifo_s = 0.25  # a packet and a half
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await asyncio.sleep(0.1)
    await driver.stop()
    assert 0 < heard.lost < sensor.dropped
    gaps = np.diff(heard.times_us) // 10_000 - 1
    assert heard.lost == gaps.sum()
    assert (np.diff(heard.times_us) > 0).all()


async def test_a_walk_into_the_next_room_costs_nothing(make_sensor, software_radio, playback, new_listener):
    sensor = await make_sensor(playback(seconds=20.0))
    heard, gone = new_listener(), asyncio.Event()
    client = BleakClient(
        sensor.address, disconnected_callback=lambda _: gone.set(), backend=software_radio.client_backend
    )
    await client.connect()
    driver = OpenImuDriver(client)
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.2)
    sensor.walk_away()
    await asyncio.wait_for(gone.wait(), 5)
    driver.close()
    await asyncio.sleep(0.2)
    sensor.walk_back()
    await client.connect()
    driver = OpenImuDriver(client, driver.decoder)
    assert (await driver.start(0, 5, heard)).continues
    await asyncio.sleep(0.3)
    await driver.stop()
    await client.disconnect()
    assert heard.lost == 0
    np.testing.assert_array_equal(heard.times_us, np.arange(heard.received) * 10_000)
    assert sensor.unheard > 10


async def test_a_sensor_that_cannot_send_again_holds_nothing_up(make_sensor, connect, playback, new_listener):
    """It answers RESEND as unknown: what it lost is counted, and the stream goes on as it comes."""
    sensor = await make_sensor(playback(seconds=10.0), speed=10.0, queue_loss=0.2, rng=random.Random(1))

    def cannot(_asked):
        raise profile.CommandError(profile.Opcode.RESEND, profile.Status.UNKNOWN_OPCODE)

    sensor.firmware._send_again = cannot
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await driver.stop()
    at_the_ends = 1000 - 1 - int(heard.times_us[-1] - heard.times_us[0]) // 10_000  # nothing came to tell of these
    assert heard.lost + at_the_ends == sensor.dropped > 0
    assert heard.received == sensor.samples_sent


async def test_what_is_promised_and_does_not_come_is_given_up(
    make_sensor, connect, playback, new_listener, monkeypatch
):
    monkeypatch.setattr(open_imu, "RESEND_PATIENCE_S", 0.05)
    sensor = await make_sensor(playback(seconds=10.0), speed=10.0, queue_loss=0.1, rng=random.Random(1))
    sensor.notify = lambda *_: None  # which is how what was promised goes out
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await driver.stop()
    at_the_ends = 1000 - 1 - int(heard.times_us[-1] - heard.times_us[0]) // 10_000  # nothing came to tell of these
    assert heard.lost + at_the_ends == sensor.dropped > 0
    assert heard.received == sensor.samples_sent


async def test_what_waits_when_the_link_ends_stays_for_the_next_or_is_given_up(
    make_sensor, software_radio, playback, new_listener
):
    sensor = await make_sensor(playback(seconds=20.0), queue_loss=0.5, rng=random.Random(2))
    sensor.firmware._send_again = lambda _: None  # it is asked, and never answers
    client, heard = BleakClient(sensor.address, backend=software_radio.client_backend), new_listener()
    await client.connect()
    driver = OpenImuDriver(client)
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.6)
    waiting = heard.received
    await client.disconnect()
    driver.close()
    assert heard.received == waiting, "the next connection may ask for what is missing"
    for run in driver.decoder.give_up():
        heard(run)
    assert heard.received == sensor.samples_sent > waiting
    await asyncio.sleep(0)  # the cancelled question ends


async def test_ranges_are_taken_between_streams(make_sensor, connect, new_listener):
    sensor = await make_sensor()
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    assert await driver.set_ranges(3, 0) == profile.RangesSet(4, 1000)
    assert await driver.set_ranges(99, 1) == profile.RangesSet(16, 250)
    settings = await driver.start(0, 5, heard)
    assert settings.resolution == profile.resolution(16, 250)
    with pytest.raises(SensorRefusedError, match=r"refused RANGES \(busy\)"):
        await driver.set_ranges(2, 250)
    await asyncio.sleep(0.7)
    await driver.stop()
    assert any(run.clipped.any() for run in heard.runs), "the invented signal goes beyond 250 °/s"


async def test_nine_axes_bring_the_magnetic_field(make_sensor, connect, playback, new_listener):
    signals = playback(seconds=0.3)
    field = np.random.default_rng(1).uniform(-50, 50, signals.acc_m_s2.shape)
    sensor = await make_sensor(replace(signals, mag_ut=field))
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    driver.axes = 9
    await driver.start(0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert np.abs(np.concatenate([run.mag_ut for run in heard.runs]) - field).max() <= 0.15 / 2 * 1.001
    assert driver.decode_errors == 0


async def test_a_sensor_without_a_magnetometer_starts_six_axes(make_sensor, connect, new_listener):
    driver, heard = OpenImuDriver(await connect(await make_sensor())), new_listener()
    driver.axes = 9
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.1)
    await driver.stop()
    assert heard.received > 0
    assert all(run.mag_ut is None for run in heard.runs)


async def test_a_two_way_exchange_bounds_the_clocks_offset(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=20.0), clock_start_us=123_456_789)
    driver = OpenImuDriver(await connect(sensor))
    await driver.start(0, 5, new_listener())
    loop = asyncio.get_running_loop()
    for _ in range(3):
        told = await driver.clock_bounds(loop.time)
        assert told.asked_s - 2e-6 <= sensor.taken_at(told.sensor_heard_us) <= sensor.taken_at(told.sensor_told_us)
        assert sensor.taken_at(told.sensor_told_us) <= told.heard_s + 2e-6
    await driver.stop()


async def test_a_person_finds_the_sensor(make_sensor, connect):
    sensor = await make_sensor()
    driver = OpenImuDriver(await connect(sensor))
    await driver.identify(30)
    assert sensor.firmware.identifies_s == 30


async def test_a_long_gap_comes_at_the_links_pace(make_sensor, software_radio, software_link, playback, new_listener):
    """Each packet renews the patience: 4 s of samples over a slow link take longer than that."""
    sensor = await make_sensor(playback(seconds=30.0), speed=10.0)
    sensor.firmware.fifo_s = 20.0
    heard, gone = new_listener(), asyncio.Event()
    client = BleakClient(
        sensor.address, disconnected_callback=lambda _: gone.set(), backend=software_radio.client_backend
    )
    await client.connect()
    driver = OpenImuDriver(client)
    await driver.start(0, 1, heard)
    await asyncio.sleep(0.1)
    sensor.walk_away()
    await asyncio.wait_for(gone.wait(), 5)
    driver.close()
    await asyncio.sleep(0.4)
    sensor.walk_back()
    await client.connect()
    _send_single_samples(sensor.firmware)
    software_link.connection_interval_s, software_link.packets_per_event = 0.02, 8
    driver = OpenImuDriver(client, driver.decoder)
    await driver.start(0, 1, heard)
    await asyncio.sleep(2.0)
    software_link.connection_interval_s = 0.0
    await driver.stop()
    await client.disconnect()
    assert heard.lost == 0
    np.testing.assert_array_equal(heard.times_us, np.arange(heard.received) * 10_000)


async def test_a_busy_sensor_is_asked_again(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=10.0), speed=10.0, queue_loss=0.1, rng=random.Random(5))
    send_again, busy = sensor.firmware._send_again, iter([True, True] + [False] * 1000)

    def sometimes(asked):
        if next(busy):
            raise profile.CommandError(profile.Opcode.RESEND, profile.Status.BUSY)
        send_again(asked)

    sensor.firmware._send_again = sometimes
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await asyncio.sleep(0.2)
    await driver.stop()
    assert sensor.dropped > 10
    assert heard.lost == 0


async def test_stopping_ends_though_what_is_promised_never_comes(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=100.0), speed=10.0, queue_loss=0.3, rng=random.Random(1))
    sensor.firmware._send_again = lambda asked: sensor.firmware._reply(
        profile.encode_resending(profile.Resending(asked.first, asked.samples))
    )
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.sleep(0.5)
    await asyncio.wait_for(driver.stop(), 5)
    received = heard.received
    await asyncio.sleep(0.1)
    assert heard.received == received > 0


async def test_a_second_stream_is_as_good_as_the_first(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=60.0), speed=10.0, queue_loss=0.1, rng=random.Random(4))
    driver = OpenImuDriver(await connect(sensor))
    for _ in range(2):
        heard, times_us = new_listener(), []
        await driver.start(0, 1, heard, times_us.append)
        await asyncio.sleep(0.6)
        await driver.stop()
        assert heard.lost == 0
        assert heard.received > 300
        assert len(times_us) > 20, "the clock is told of each packet"


def _send_single_samples(firmware):
    """So that a gap takes many packets, and so many connection events."""
    firmware.__class__ = type("Single", (type(firmware),), {"largest_batch": property(lambda _: 1)})
