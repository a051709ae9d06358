"""Driver and virtual sensor together, through bleak: what is sent arrives, and what does not arrive is counted."""

import asyncio
import random

import numpy as np
import pytest
from bleak import BleakClient

from analytics.signals.samples import Source
from firmware_interface import open_profile as profile
from firmware_interface.drivers import OpenImuDriver, StreamSettings
from firmware_interface.virtual.gate import StartGate


async def test_what_was_recorded_arrives_to_half_a_step(make_sensor, connect, playback, new_listener):
    signals = playback(seconds=0.4)
    sensor = await make_sensor(signals, clock_start_us=2**32 - 200_000)
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    settings = await driver.start(0, 5, heard)
    source = Source("open_imu", sensor.address, "Sinew", "Virtual IMU", "C10000000001", "open profile 1")
    assert settings == StreamSettings(100.0, profile.resolution(8, 1000), continues=False, source=source)
    assert all(run.source == source for run in heard.runs)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    acc, gyr = (np.concatenate([getattr(run, name) for run in heard.runs]) for name in ("acc_m_s2", "gyr_rad_s"))
    assert np.abs(acc - signals.acc_m_s2).max() <= settings.resolution.acc_m_s2 / 2 * (1 + 1e-9)
    assert np.abs(gyr - signals.gyr_rad_s).max() <= settings.resolution.gyr_rad_s / 2 * (1 + 1e-9)
    np.testing.assert_array_equal(heard.times_us, 2**32 - 200_000 + np.arange(40) * 10_000)
    assert [len(run) for run in heard.runs] == [5] * 8
    assert (sensor.samples_sent, sensor.dropped, sensor.unheard, heard.lost) == (40, 0, 0, 0)


async def test_no_packet_comes_before_its_last_sample_was_taken(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=0.3))
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 7, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    delays = [
        arrival - sensor.taken_at(int(run.sensor_time_us[-1]))
        for run, arrival in zip(heard.runs, heard.arrivals, strict=True)
    ]
    assert min(delays) >= 0
    assert [len(run) for run in heard.runs] == [7, 7, 7, 7, 2]
    assert sensor.taken_at(0) == sensor.first_sample_at


@pytest.mark.parametrize("rate_hz", [25.0, 100.0])
async def test_twenty_times_as_fast_nothing_is_lost(make_sensor, connect, rate_hz, playback, new_listener):
    gate = StartGate()
    sensors = [await make_sensor(playback(rate_hz, 20.0, seed), speed=20.0, gate=gate) for seed in range(2)]
    drivers = [OpenImuDriver(await connect(sensor)) for sensor in sensors]
    listeners = [new_listener(), new_listener()]
    for driver, heard in zip(drivers, listeners, strict=True):
        await driver.start(0, 1, heard)
    for sensor, driver, heard in zip(sensors, drivers, listeners, strict=True):
        await asyncio.wait_for(sensor.finished.wait(), 20)
        await driver.stop()
        assert (sensor.samples_sent, sensor.dropped, sensor.unheard) == (20 * rate_hz, 0, 0)
        assert (heard.received, heard.lost, driver.decode_errors) == (20 * rate_hz, 0, 0)
        assert max(len(run) for run in heard.runs) == 20, "a packet spans the same time on the clock on the wall"


async def test_sensors_of_one_gate_begin_together(make_sensor, connect, playback, new_listener):
    gate = StartGate()
    sensors = [await make_sensor(playback(seconds=0.5, seed=seed), gate=gate, clock_start_us=seed) for seed in range(3)]
    drivers = [OpenImuDriver(await connect(sensor)) for sensor in sensors]
    listeners = [new_listener() for _ in sensors]
    for number, (driver, heard) in enumerate(zip(drivers, listeners, strict=True)):
        assert gate.opened_at is None
        assert all(not other.runs for other in listeners)
        await driver.start(0, 5, heard)
        await asyncio.sleep(0.05 if number < 2 else 0)
    for sensor in sensors:
        await asyncio.wait_for(sensor.finished.wait(), 5)
    await asyncio.sleep(0.01)
    assert len({sensor.first_sample_at for sensor in sensors}) == 1
    for k in (0, 17, 49):
        instants = [s.taken_at(int(heard.times_us[k])) for s, heard in zip(sensors, listeners, strict=True)]
        assert instants == pytest.approx([gate.opened_at + k / 100] * 3, abs=1e-6)
    assert [heard.received for heard in listeners] == [50] * 3


async def test_a_gate_waits_again_for_a_sensor_that_left_before_it_opened(make_sensor, connect, new_listener):
    gate = StartGate()
    sensors = [await make_sensor(gate=gate) for _ in range(2)]
    drivers = [OpenImuDriver(await connect(sensor)) for sensor in sensors]
    await drivers[0].start(0, 5, new_listener())
    await drivers[0].stop()
    await drivers[1].start(0, 5, new_listener())
    assert gate.opened_at is None
    await drivers[0].start(0, 5, new_listener())
    assert gate.opened_at is not None


async def test_after_a_lost_link_the_recording_goes_on_and_the_loss_is_exact(
    make_sensor, software_radio, playback, new_listener
):
    sensor = await make_sensor(playback(seconds=20.0))
    sensor.firmware.fifo_s = 0.0
    heard, lost_link = new_listener(), asyncio.Event()
    client = BleakClient(
        sensor.address, disconnected_callback=lambda _: lost_link.set(), backend=software_radio.client_backend
    )
    await client.connect()
    driver = OpenImuDriver(client)
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.3)
    sensor.walk_away()
    await asyncio.wait_for(lost_link.wait(), 5)
    before = heard.received
    await asyncio.sleep(0.3)
    sensor.walk_back()
    await client.connect()
    driver = OpenImuDriver(client, driver.decoder)
    settings = await driver.start(0, 5, heard)
    assert settings.continues
    await asyncio.sleep(0.3)
    await driver.stop()
    resumed = heard.runs[[run.lost_before > 0 for run in heard.runs].index(True)]
    assert sum(run.lost_before > 0 for run in heard.runs) == 1
    steps = np.diff(heard.times_us)
    assert set(steps.tolist()) == {10_000, (resumed.lost_before + 1) * 10_000}
    taken = (int(heard.times_us[-1]) // 10_000) + 1
    assert heard.received + heard.lost == taken == sensor.samples_sent + sensor.dropped + sensor.unheard
    assert resumed.lost_before >= 45, "0.3 s to the supervision timeout and 0.3 s after it"
    assert before < heard.received
    instant = sensor.taken_at(int(resumed.sensor_time_us[0]))
    assert instant == pytest.approx(sensor.first_sample_at + (before + resumed.lost_before) / 100, abs=1e-6)
    await client.disconnect()


async def test_a_stop_loses_nothing_and_ends_the_count(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=5.0))
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 50, heard)
    await asyncio.sleep(0.25)
    await driver.stop()
    assert heard.received == sensor.samples_sent > 0
    await asyncio.sleep(0.1)
    again = new_listener()
    assert not (await driver.start(0, 5, again)).continues
    await asyncio.sleep(0.1)
    await driver.stop()
    assert (heard.lost, again.lost) == (0, 0)
    assert again.times_us[0] > heard.times_us[-1] + 90_000, "the world went on"
    assert sensor.unheard > 0


async def test_a_full_queue_drops_and_every_sample_is_accounted_for(
    make_sensor, connect, software_link, playback, new_listener
):
    sensor = await make_sensor(playback(400.0, 1.0), transmit_queue_packets=4)
    sensor.firmware.fifo_s = 0.0
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    software_link.connection_interval_s, software_link.packets_per_event = 0.05, 2
    await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await asyncio.sleep(0.3)
    software_link.connection_interval_s = 0.0
    await driver.stop()
    assert sensor.dropped > 200
    assert sensor.samples_sent + sensor.dropped == 400
    assert heard.received == sensor.samples_sent
    trailing = 400 - 1 - round(int(heard.times_us[-1]) / 2500)
    assert heard.lost + trailing == sensor.dropped


async def test_a_recording_nobody_hears_ends_all_the_same(make_sensor, playback):
    gate = StartGate()
    sensor = await make_sensor(playback(seconds=0.2), gate=gate)
    gate.release()
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert (sensor.samples_sent, sensor.unheard) == (0, 20)


async def test_a_loop_has_no_end_and_no_seam(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=0.1), speed=10.0, loop=True)
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.sleep(0.3)
    await driver.stop()
    assert heard.received > 200
    np.testing.assert_array_equal(heard.times_us, np.arange(heard.received) * 10_000)
    assert heard.lost == 0
    assert not sensor.finished.is_set()


async def test_the_least_mtu_still_carries_samples(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=0.2), greatest_mtu=23)
    client = await connect(sensor)
    assert client.mtu_size == 23
    driver, heard = OpenImuDriver(client), new_listener()
    await driver.start(100.0, 10, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert [len(run) for run in heard.runs] == [1] * 20


async def test_a_listener_that_unsubscribes_is_sent_nothing_more(make_sensor, connect, new_listener):
    sensor = await make_sensor()
    client = await connect(sensor)
    driver = OpenImuDriver(client)
    await driver.start(0, 1, new_listener())
    await asyncio.sleep(0.05)
    await client.stop_notify(profile.DATA_UUID)
    sent = sensor.samples_sent
    await asyncio.sleep(0.05)
    assert sensor.samples_sent == sent > 0


async def test_after_a_reboot_clock_and_sequence_begin_anew(make_sensor, software_radio, playback, new_listener):
    sensor = await make_sensor(playback(seconds=20.0), clock_start_us=5_000_000)
    heard, gone = new_listener(), asyncio.Event()
    client = BleakClient(
        sensor.address, disconnected_callback=lambda _: gone.set(), backend=software_radio.client_backend
    )
    await client.connect()
    driver = OpenImuDriver(client)
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.1)
    assert heard.times_us[0] == 5_000_000
    await sensor.reboot()
    await asyncio.wait_for(gone.wait(), 5)
    await client.connect()
    again = new_listener()
    driver = OpenImuDriver(client, driver.decoder)
    assert not (await driver.start(0, 5, again)).continues
    await asyncio.sleep(0.2)
    await driver.stop()
    await client.disconnect()
    assert 0 <= again.times_us[0] < 1_000_000
    assert again.lost == 0, "what was lost with the power nobody can know"
    instant = sensor.taken_at(int(again.times_us[0]))
    assert instant > sensor.first_sample_at + 0.4, "yet the movement went on meanwhile"


async def test_what_its_queue_loses_is_seen_by_its_sequence(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=10.0), speed=20.0, queue_loss=0.2, rng=random.Random(3))
    sensor.firmware.fifo_s = 0.0
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await driver.stop()
    trailing = 1000 - 1 - int(heard.times_us[-1]) // 10_000
    assert sensor.dropped > 50
    assert heard.lost + trailing == sensor.dropped
    assert heard.received == sensor.samples_sent == 1000 - sensor.dropped
