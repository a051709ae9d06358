"""A Capture2Go and its gateway: streams, clocks, what it refuses."""

import asyncio
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from firmware_interface.drivers.capture2go.driver import Capture2GoDriver, Role, State
from firmware_interface.drivers.capture2go.link import COMMAND_UUID
from firmware_interface.drivers.capture2go.packages import encode_command
from firmware_interface.errors import NoReplyError, SensorRefusedError, WrongSensorError
from firmware_interface.virtual.families.capture2go.bytes import package
from firmware_interface.virtual.families.capture2go.firmware import Capture2GoFirmware

ACC_STEP, GYR_STEP = 16 * 9.81 / 32768, np.radians(2000) / 32768


def joined(heard, name):
    return np.concatenate([getattr(run, name) for run in heard.runs])


def with_field(playback):
    field = np.random.default_rng(9).uniform(-60, 60, playback.acc_m_s2.shape)
    return replace(playback, mag_ut=field)


@pytest.mark.parametrize(
    ("rate_hz", "batch", "in_a_package"), [(200.0, 10, 8), (100.0, 5, 8), (100.0, 4, 1), (25.0, 1, 1), (200.0, 1, 1)]
)
async def test_samples_are_what_was_measured(
    rate_hz, batch, in_a_package, make_sensor, connect, playback, new_listener
):
    sensor = await make_sensor(
        with_field(playback(rate_hz, 0.96)), firmware=Capture2GoFirmware, clock_start_us=3_600_000_000
    )
    driver, heard = Capture2GoDriver(await connect(sensor)), new_listener()
    settings = await driver.start(rate_hz, batch, heard)
    assert (settings.rate_hz, settings.timestamped, settings.continues) == (rate_hz, True, False)
    assert (settings.resolution.acc_m_s2, settings.resolution.gyr_rad_s) == pytest.approx((ACC_STEP, GYR_STEP))
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    count = round(rate_hz * 0.96)
    assert {len(run) for run in heard.runs} == {in_a_package}
    assert (heard.received, heard.lost, driver.decode_errors) == (count, 0, 0)
    np.testing.assert_allclose(heard.times_us, 3_600_000_000 + np.arange(count) * 1e6 / rate_hz, atol=1)
    measured = sensor.reel.playback
    assert np.abs(joined(heard, "acc_m_s2") - measured.acc_m_s2).max() <= ACC_STEP / 2 * 1.001
    assert np.abs(joined(heard, "gyr_rad_s") - measured.gyr_rad_s).max() <= GYR_STEP / 2 * 1.001
    assert np.abs(joined(heard, "mag_ut") - measured.mag_ut).max() <= 1 / 32
    assert not joined(heard, "clipped").any()
    told = np.array([run.orientation[0] for run in heard.runs])
    np.testing.assert_allclose(np.linalg.norm(told, axis=1), 1, atol=1e-9)
    assert all(np.isnan(run.orientation[1:]).all() for run in heard.runs)


async def test_it_says_who_it_is(make_sensor, connect):
    sensor = await make_sensor(firmware=Capture2GoFirmware, battery_percent=61)
    driver = Capture2GoDriver(await connect(sensor))
    source = await driver.prepare()
    assert (source.maker, source.model, source.serial) == ("SensorStim Neurotechnology", "Capture2Go IMU", "000001")
    assert (source.firmware, source.hardware) == ("1.0.0", "C")
    assert "bias" in source.calibration
    status = await driver.status()
    assert (status.state, status.synchronised, status.charging) == (State.IDLE, False, False)
    assert await driver.battery_percent() == 61
    sensor.battery_percent = 0x80 + 61
    assert await driver.battery_percent() == 61
    assert (await driver.status()).charging
    sensor.battery_percent = 101
    with pytest.raises(WrongSensorError, match="tells a battery level of 101 %"):
        await driver.battery_percent()


async def test_readings_that_were_clipped_are_flagged_by_package(make_sensor, connect, playback, new_listener):
    signals = playback(seconds=0.4)
    acc, gyr = signals.acc_m_s2.copy(), signals.gyr_rad_s.copy()
    acc[9, 2], gyr[30, 0] = 200, -36
    sensor = await make_sensor(replace(signals, acc_m_s2=acc, gyr_rad_s=gyr), firmware=Capture2GoFirmware)
    driver, heard = Capture2GoDriver(await connect(sensor)), new_listener()
    await driver.start(100.0, 8, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert [bool(run.clipped.all()) for run in heard.runs] == [False, True, False, True, False]
    assert [bool(run.clipped.any()) for run in heard.runs] == [False, True, False, True, False]


async def test_after_a_lost_link_the_stream_goes_on_and_the_loss_is_counted(
    make_sensor, connect, playback, new_listener
):
    sensor = await make_sensor(playback(seconds=2.4), firmware=Capture2GoFirmware)
    client, heard = await connect(sensor), new_listener()
    driver = Capture2GoDriver(client)
    await driver.start(100.0, 1, heard)
    await asyncio.sleep(0.3)
    await client.disconnect()
    before = heard.received
    await asyncio.sleep(0.3)
    again = Capture2GoDriver(await connect(sensor), driver.decoder)
    settings = await again.start(100.0, 1, heard)
    assert settings.continues
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await again.stop()
    assert before > 10
    assert heard.lost >= 25
    assert heard.received + heard.lost == 240
    times_us = heard.times_us
    assert times_us[-1] - times_us[0] == 2_390_000
    assert again.decode_errors == 0


async def test_a_stream_that_was_ended_does_not_go_on(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(), firmware=Capture2GoFirmware, loop=True)
    driver, heard = Capture2GoDriver(await connect(sensor)), new_listener()
    await driver.start(100.0, 1, heard)
    await asyncio.sleep(0.2)
    await driver.stop()
    await asyncio.sleep(0.2)
    assert not (await driver.start(100.0, 1, heard)).continues
    await asyncio.sleep(0.2)
    await driver.stop()
    assert heard.lost == 0
    assert (np.diff(heard.times_us) > 150_000).sum() == 1


async def test_a_sensor_that_has_rebooted_begins_anew(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(), firmware=Capture2GoFirmware, loop=True)
    client, heard = await connect(sensor), new_listener()
    driver = Capture2GoDriver(client)
    await driver.start(100.0, 8, heard)
    await asyncio.sleep(0.6)
    await sensor.reboot()
    heard.runs.clear()
    again = Capture2GoDriver(await connect(sensor), driver.decoder)
    assert not (await again.start(100.0, 8, heard)).continues
    await asyncio.sleep(0.3)
    await again.stop()
    assert heard.received >= 16
    assert (heard.lost, again.decode_errors) == (0, 0)


async def test_receivers_measure_in_their_senders_time(make_sensor, connect, playback, new_listener):
    sender, receiver = [
        await make_sensor(playback(seconds=3.0), firmware=Capture2GoFirmware, clock_start_us=start)
        for start in (7_000_000, 900_000_000)
    ]
    drivers, heard = [], []
    for sensor, role, time_ns in ((sender, Role.SENDER, 1_763_900_000_000_000_000), (receiver, Role.RECEIVER, None)):
        driver = Capture2GoDriver(await connect(sensor))
        await driver.synchronise(role, 0x0123456789ABCDEF, time_ns)
        drivers.append(driver)
        heard.append(new_listener())
        await driver.start(100.0, 1, heard[-1])
        assert (await driver.status()).synchronised
    await asyncio.sleep(0.3)
    for sensor, driver, listener in zip((sender, receiver), drivers, heard, strict=True):
        await driver.stop()
        assert listener.received > 10
        assert (listener.lost, driver.decode_errors) == (0, 0)
        taken_at = [sensor.taken_at(sensor.reel.clock_start_us + k * 10_000) for k in range(listener.received)]
        behind = listener.times_us / 1e6 - 1_763_900_000 - (np.array(taken_at) - sender.first_sample_at)
        assert np.abs(behind).max() < 0.002, "one clock for both, whatever their own says"


async def test_a_clock_that_was_set_is_no_loss(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(), firmware=Capture2GoFirmware, loop=True)
    client, heard = await connect(sensor), new_listener()
    driver = Capture2GoDriver(client)
    await driver.start(100.0, 1, heard)
    await asyncio.sleep(0.2)
    await client.disconnect()
    again = Capture2GoDriver(await connect(sensor), driver.decoder)
    await again.synchronise(Role.SENDER, 1, sensor.clock_us() * 1000 + 10_000_000_000)
    assert not (await again.start(100.0, 1, heard)).continues
    await asyncio.sleep(0.2)
    await again.stop()
    assert heard.lost == 0
    assert np.diff(heard.times_us).max() > 10_000_000


async def test_its_clock_can_be_asked_and_its_lamp_lit(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(), firmware=Capture2GoFirmware, loop=True)
    driver = Capture2GoDriver(await connect(sensor))
    await driver.start(100.0, 1, new_listener())
    first = await driver.exchange_time(5)
    second = await driver.exchange_time(6)
    assert (first.host_send_ns, second.host_send_ns) == (5, 6)
    assert 0 < first.sensor_receive_ns <= first.sensor_send_ns < second.sensor_receive_ns
    await driver.flash(0.5)


async def test_a_two_way_exchange_bounds_its_clock(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(), firmware=Capture2GoFirmware, loop=True, clock_start_us=77_000_000)
    driver = Capture2GoDriver(await connect(sensor))
    await driver.start(100.0, 1, new_listener())
    told = await driver.clock_bounds(asyncio.get_running_loop().time)
    assert told.asked_s - 2e-6 <= sensor.taken_at(told.sensor_heard_us) <= sensor.taken_at(told.sensor_told_us)
    assert sensor.taken_at(told.sensor_told_us) <= told.heard_s + 2e-6


async def test_the_real_time_channel_disturbs_no_sample(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=1.6), firmware=Capture2GoFirmware)
    client, heard = await connect(sensor), new_listener()
    driver = Capture2GoDriver(client)
    await driver.start(100.0, 8, heard)
    for mode in (1, 2):
        await asyncio.sleep(0.4)
        command = encode_command("CMD_START_REAL_TIME_STREAMING", mode=mode, rate_limit_hz=0)
        await client.write_gatt_char(COMMAND_UUID, command, response=True)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert (heard.received, heard.lost, driver.decode_errors) == (160, 0, 0)


@pytest.mark.parametrize("rate_hz", [25.0, 200.0])
async def test_what_an_earlier_gateway_left_running_is_stopped_first(
    rate_hz, make_sensor, connect, playback, new_listener
):
    sensor = await make_sensor(playback(seconds=2.0), firmware=Capture2GoFirmware)
    first = await connect(sensor)
    await Capture2GoDriver(first).start(200.0, 1, new_listener())
    await first.disconnect()
    obeyed, loop = sensor.firmware._obeyed, asyncio.get_running_loop()
    for header in (0x0200, 0x0120):  # it takes its time, and goes on streaming meanwhile
        obeyed[header] = partial(loop.call_later, 0.05, obeyed[header])
    driver, heard = Capture2GoDriver(await connect(sensor)), new_listener()
    await driver.start(rate_hz, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert heard.received > 0.8 * rate_hz
    assert (heard.lost, driver.decode_errors) == (0, 0)
    np.testing.assert_array_equal(np.diff(heard.times_us), 1e6 / rate_hz)


class QuietFirmware(Capture2GoFirmware):
    """One whose command characteristic confirms no write."""

    def services(self):
        self._command.properties = self._command.Properties.WRITE_WITHOUT_RESPONSE
        return super().services()


async def test_a_sensor_that_confirms_no_write_is_written_to_all_the_same(make_sensor, connect, new_listener):
    sensor = await make_sensor(firmware=QuietFirmware, loop=True)
    driver, heard = Capture2GoDriver(await connect(sensor)), new_listener()
    await driver.start(100.0, 1, heard)
    await asyncio.sleep(0.2)
    await driver.stop()
    assert heard.received > 10
    sensor.firmware.memory.files[b"knee"] = bytes(300)
    assert await driver.download("knee") == bytes(300)


async def test_a_refusal_is_named_with_the_sensors_reason(make_sensor, connect, new_listener):
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    driver = Capture2GoDriver(await connect(sensor))
    with pytest.raises(SensorRefusedError, match=r"refused CMD_STOP_RECORDING \(wrong state\); restart it"):
        await driver.stop_recording()
    del sensor.firmware._obeyed[0x0150]
    with pytest.raises(SensorRefusedError, match=r"refused CMD_START_STREAMING \(unknown command\)"):
        await driver.start(100.0, 1, new_listener())


async def test_a_problem_without_a_name_is_told_by_its_number(make_sensor, connect, monkeypatch):
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    driver = Capture2GoDriver(await connect(sensor))
    await driver.prepare()
    monkeypatch.setattr(sensor.firmware, "_on_command", lambda _: sensor.firmware._tell(0xFFFF, b"\x42\xff\xff"))
    sensor.firmware._command.value.write = lambda _, data: sensor.firmware._on_command(data)
    with pytest.raises(SensorRefusedError, match=r"\(0x42\)"):
        await driver.status()


async def test_a_mode_that_is_not_taken_is_named(make_sensor, connect, new_listener):
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    sensor.firmware._obeyed[0x0120] = lambda content: sensor.firmware._tell(0x0122, content[:9] + bytes(21))
    with pytest.raises(SensorRefusedError, match="measures otherwise than it was told"):
        await Capture2GoDriver(await connect(sensor)).start(100.0, 8, new_listener())


async def test_a_protocol_of_somebodys_own_is_named(make_sensor, connect):
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    sensor.firmware._obeyed[0x0070] = lambda _: sensor.firmware._tell(0x0071, b"\x01\x80" + bytes(45))
    with pytest.raises(WrongSensorError, match=r"a protocol of somebody's own \(0x8001\)"):
        await Capture2GoDriver(await connect(sensor)).prepare()


async def test_an_answer_that_is_none_and_a_missing_one_are_named(make_sensor, connect, monkeypatch):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    driver = Capture2GoDriver(await connect(sensor))
    sensor.firmware._obeyed[0x0070] = lambda _: sensor.firmware._tell(0x0071, b"\x01\x00")
    with pytest.raises(SensorRefusedError, match="does not follow its protocol: A DATA_DEVICE_INFO"):
        await driver.prepare()
    sensor.firmware._obeyed[0x0070] = lambda _: None
    with pytest.raises(NoReplyError, match="did not answer CMD_GET_DEVICE_INFO; bring it closer"):
        await driver.prepare()


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (b"", 0xFC),
        (b"\x02", 0xFC),
        (package(0x0200)[:-1], 0xFC),
        (package(0x0200)[:-1] + b"\x03", 0xFC),
        (package(0x0120, bytes(29)), 0xFC),
        (package(0x7777), 0xFD),
        (package(0x0152), 0xFB),
        (package(0x0154), 0xF9),
        (package(0x0507, bytes(65)), 0xF0),
        (package(0x0140, bytes(74)), 0xF5),
    ],
)
async def test_the_sensor_says_what_is_wrong_with_a_command(written, problem, make_sensor, connect):
    client = await connect(await make_sensor(firmware=Capture2GoFirmware))
    answers = asyncio.Queue()
    await client.start_notify(Capture2GoDriver.characteristics[0], lambda _, data: answers.put_nowait(bytes(data)))
    assert (await asyncio.wait_for(answers.get(), 2))[7:9] == b"\x01\x02", "its status, by itself"
    await client.write_gatt_char(COMMAND_UUID, written, response=True)
    assert (await asyncio.wait_for(answers.get(), 2))[9] == problem
