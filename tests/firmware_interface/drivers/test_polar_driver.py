"""Conversations with Polar's sensors over GATT: settings, starts, stops, SDK mode, and what is refused."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from bleak import BleakClient

from analytics.signals.samples import Source
from firmware_interface.drivers import driver_for
from firmware_interface.drivers.polar.control import (
    CONTROL_UUID,
    DATA_UUID,
    Measurement,
    Settings,
    Status,
    encode_start,
)
from firmware_interface.drivers.polar.driver import PolarH10Driver, PolarVerityDriver
from firmware_interface.errors import NoReplyError, SensorRefusedError, WrongSensorError
from firmware_interface.virtual.families.polar.firmware import H10Firmware, VerityFirmware

ACC, GYRO, MAG = Measurement.ACC, Measurement.GYRO, Measurement.MAG


async def streamed(sensor, driver, new_listener, rate_hz=0.0):
    """What a sensor sends to the end of its playback, and how it said that it would."""
    heard = new_listener()
    settings = await driver.start(rate_hz, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await driver.stop()
    return heard, settings


def joined(heard, name):
    return np.concatenate([getattr(run, name) for run in heard.runs])


@pytest.mark.parametrize(
    ("rate_hz", "sdk_mode"), [(0.0, False), (52.0, False), (60.0, False), (26.0, True), (416.0, True)]
)
async def test_a_verity_measures_what_was_played(make_sensor, connect, playback, new_listener, rate_hz, sdk_mode):
    sensor = await make_sensor(
        playback(104.0, 4.0), firmware=VerityFirmware, speed=4.0, clock_start_us=762_028_708_863_099
    )
    driver = PolarVerityDriver(await connect(sensor))
    modes = []
    sensor.firmware._switch_sdk_mode = lambda command, on, switch=sensor.firmware._switch_sdk_mode: (
        modes.append(on),
        switch(command, on=on),
    )
    heard, settings = await streamed(sensor, driver, new_listener, rate_hz)
    assert modes == [True, False] * sdk_mode
    played = sensor.reel.playback
    assert settings.rate_hz == played.rate_hz == {0.0: 52.0, 60.0: 52.0}.get(rate_hz, rate_hz)
    assert settings.timestamped
    assert not settings.continues
    assert (driver.decode_errors, heard.lost, heard.received) == (0, 0, len(played.time_s))
    for name, step in (("acc_m_s2", settings.resolution.acc_m_s2), ("gyr_rad_s", settings.resolution.gyr_rad_s)):
        assert np.abs(joined(heard, name) - getattr(played, name)).max() <= 0.5 * step * (1 + 1e-6)
    np.testing.assert_allclose(heard.times_us, sensor.reel.times_us(0, heard.received), rtol=0, atol=2)
    assert not joined(heard, "clipped").any()


@pytest.mark.parametrize("rate_hz", PolarH10Driver.family.rates_hz)
async def test_an_h10_measures_what_was_played(make_sensor, connect, playback, new_listener, rate_hz):
    sensor = await make_sensor(playback(rate_hz, 4.0), firmware=H10Firmware, speed=4.0)
    driver = PolarH10Driver(await connect(sensor))
    heard, settings = await streamed(sensor, driver, new_listener, rate_hz)
    played = sensor.reel.playback
    assert (settings.rate_hz, heard.received, heard.lost) == (rate_hz, len(played.time_s), 0)
    assert np.abs(joined(heard, "acc_m_s2") - played.acc_m_s2).max() <= 0.5 * settings.resolution.acc_m_s2 * (1 + 1e-6)
    assert np.isnan(joined(heard, "gyr_rad_s")).all()
    assert settings.source == Source("polar_h10", sensor.address, "Polar Electro Oy", "H10", "00000001", "5.0.0")
    assert not driver.family.has_imu


async def test_the_magnetic_field_comes_at_its_own_rate(make_sensor, connect, playback, new_listener):
    signals = playback(52.0, 4.0)
    time_s = signals.time_s - signals.time_s[0]
    signals = replace(signals, mag_ut=np.column_stack([10 * time_s, 40 - time_s, -20 * time_s]))
    sensor = await make_sensor(signals, firmware=VerityFirmware, speed=4.0)
    driver = PolarVerityDriver(await connect(sensor))
    driver.magnetometer = True
    heard, _ = await streamed(sensor, driver, new_listener)
    mag_ut, time_s = joined(heard, "mag_ut"), heard.times_us / 1e6
    new = np.isfinite(mag_ut).all(axis=1)
    assert heard.received >= 3 * 52, "the last may wait for a reading that is not taken any more"
    assert new.sum() == pytest.approx(len(mag_ut) * 50 / 52, abs=2)
    # Each stands in the sample nearest to it, half a period away at most.
    np.testing.assert_allclose(mag_ut[new, 0], 10 * time_s[new], rtol=0, atol=10 * 0.5 / 52 + 0.1)


async def test_full_scales_are_the_nearest_that_are_offered(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(52.0, 4.0), firmware=VerityFirmware, speed=4.0)
    driver = PolarVerityDriver(await connect(sensor))
    driver.acc_range_g, driver.gyr_range_dps = 15.0, 300.0
    heard, settings = await streamed(sensor, driver, new_listener)
    assert settings.resolution.gyr_rad_s == pytest.approx(np.radians(250 / 32768))
    beyond = np.abs(np.degrees(sensor.reel.playback.gyr_rad_s)).max(axis=1) >= 250
    assert 0 < beyond.sum() < heard.received
    np.testing.assert_array_equal(joined(heard, "clipped"), beyond)


async def test_what_a_full_queue_dropped_is_counted_by_time(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(52.0, 20.0), firmware=VerityFirmware, speed=10.0, queue_loss=0.2)
    heard, _ = await streamed(sensor, PolarVerityDriver(await connect(sensor)), new_listener)
    numbers = np.rint(heard.times_us * 52e-6).astype(int)
    assert sensor.dropped > 0
    assert heard.received + heard.lost == numbers[-1] - numbers[0] + 1
    assert heard.received == sensor.samples_sent


async def test_asking_again_for_the_same_changes_nothing_and_for_another_rate_begins_anew(
    make_sensor, connect, playback, new_listener
):
    sensor = await make_sensor(playback(100.0, 30.0), firmware=H10Firmware)
    driver, heard, again = PolarH10Driver(await connect(sensor)), new_listener(), new_listener()
    first = await driver.start(100, 5, heard)
    assert await driver.start(100, 7, heard) == first
    await asyncio.sleep(0.5)
    assert heard.received > 0
    other = await driver.start(200, 5, again)
    await asyncio.sleep(0.5)
    await driver.stop()
    assert other.rate_hz == 200
    assert set(np.diff(again.times_us)) == {5000}
    assert (heard.lost, again.lost, driver.decode_errors) == (0, 0, 0)


@pytest.mark.parametrize("same_rate", [True, False])
async def test_a_stream_that_was_left_on_is_taken_over_and_the_loss_is_counted(
    make_sensor, software_radio, playback, new_listener, same_rate
):
    """A link that is lost leaves the device streaming; its clock has gone on. Of another rate nothing is counted."""
    sensor = await make_sensor(playback(100.0, 30.0), firmware=H10Firmware)
    heard, lost_link = new_listener(), asyncio.Event()
    client = BleakClient(
        sensor.address, disconnected_callback=lambda _: lost_link.set(), backend=software_radio.client_backend
    )
    await client.connect()
    driver = PolarH10Driver(client)
    assert not (await driver.start(100, 5, heard)).continues
    await asyncio.sleep(0.6)
    sensor.walk_away()
    await asyncio.wait_for(lost_link.wait(), 5)
    assert heard.received > 0
    sensor.walk_back()
    await client.connect()
    driver, again = PolarH10Driver(client, driver.decoder), new_listener()
    assert (await driver.start(100 if same_rate else 200, 5, again)).continues == same_rate
    await asyncio.sleep(0.6)
    await driver.stop()
    between = np.rint((again.times_us[0] - heard.times_us[-1]) / 10_000) - 1
    assert between >= 30, "0.3 s to the supervision timeout"
    assert again.lost == again.runs[0].lost_before == (between if same_rate else 0)
    assert set(np.diff(again.times_us)) == {10_000 if same_rate else 5_000}
    assert (heard.lost, driver.decode_errors) == (0, 0)
    await client.disconnect()


async def test_after_a_reboot_the_stream_is_another(make_sensor, software_radio, playback, new_listener):
    sensor = await make_sensor(playback(100.0, 30.0), firmware=H10Firmware, clock_start_us=10**9)
    client = BleakClient(sensor.address, backend=software_radio.client_backend)
    await client.connect()
    driver, again = PolarH10Driver(client), new_listener()
    await driver.start(100, 5, new_listener())
    await asyncio.sleep(0.5)
    await sensor.reboot()
    await asyncio.sleep(0.1)
    await client.connect()
    driver = PolarH10Driver(client, driver.decoder)
    assert not (await driver.start(100, 5, again)).continues
    await asyncio.sleep(0.6)
    await driver.stop()
    assert again.received > 0
    assert again.lost == 0
    assert again.times_us[0] < 10**9
    await client.disconnect()


async def test_stopping_stops_every_stream_so_that_the_device_can_sleep(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(104.0, 30.0), firmware=VerityFirmware)
    driver = PolarVerityDriver(await connect(sensor))
    driver.magnetometer = True
    await driver.start(104, 5, new_listener())
    assert list(sensor.firmware._running) == [ACC, GYRO, MAG]
    assert await driver.sdk_mode()
    await driver.stop()
    assert not sensor.firmware._running
    assert not await driver.sdk_mode()
    assert not sensor.begun


async def test_a_start_that_fails_leaves_nothing_streaming(make_sensor, connect, monkeypatch, new_listener):
    sensor = await make_sensor(firmware=VerityFirmware)
    driver = PolarVerityDriver(await connect(sensor))
    monkeypatch.setitem(VerityFirmware.offers, GYRO, Settings(sample_rate=(52,), channels=(3,)))
    monkeypatch.setattr(VerityFirmware, "sdk_offers", {})
    with pytest.raises(SensorRefusedError, match="names no rate or range of GYRO; update its firmware"):
        await driver.start(0, 5, new_listener())
    assert not sensor.firmware._running


async def test_features_and_settings_are_told(make_sensor, connect):
    driver = PolarVerityDriver(await connect(await make_sensor(firmware=VerityFirmware)))
    assert set(await driver.features()) == {ACC, GYRO, MAG, Measurement.PPG, Measurement.PPI, Measurement.SDK_MODE}
    assert (await driver.offered(ACC)).sample_rate == (52,)
    assert (await driver.offered(ACC, sdk_mode=True)).sample_rate == (26, 52, 104, 208, 416)
    assert not await driver.sdk_mode()
    await driver.set_sdk_mode(True)
    await driver.set_sdk_mode(True)
    assert await driver.sdk_mode()
    assert (await driver.offered(GYRO)).range == (250, 500, 1000, 2000)
    assert await driver.battery_percent() == 90


async def test_an_answer_in_several_parts_is_put_together(make_sensor, connect):
    sensor = await make_sensor(firmware=VerityFirmware)
    driver = PolarVerityDriver(await connect(sensor))

    def in_parts(command, status=Status.SUCCESS, *, parameters=b""):
        for more, part in ((1, parameters[:5]), (1, parameters[5:9]), (0, parameters[9:])):
            sensor.indicate(sensor.firmware._control, bytes([0xF0, *command[:2], status, more]) + part)

    sensor.firmware._reply = in_parts
    assert await driver.offered(ACC) == VerityFirmware.offers[ACC]


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (Status.DEVICE_IN_CHARGER, "device in charger); take it off its charger"),
        (Status.INVALID_STATE, "invalid state); end what else it streams or records"),
        (Status.INVALID_MTU, "invalid mtu); use a Bluetooth adapter of version 4.2"),
        (Status.INVALID_SAMPLE_RATE, "invalid sample rate); restart it or update its firmware"),
    ],
)
async def test_a_refusal_is_named_with_what_to_do(make_sensor, connect, new_listener, status, advice):
    sensor = await make_sensor(firmware=H10Firmware)
    driver = PolarH10Driver(await connect(sensor))
    reply = sensor.firmware._reply
    sensor.firmware._start = lambda command: reply(command, status)
    with pytest.raises(SensorRefusedError, match="refused START of ACC") as refusal:
        await driver.start(0, 5, new_listener())
    assert advice in str(refusal.value)


async def test_a_stop_that_is_refused_is_named_and_the_others_are_stopped(make_sensor, connect, new_listener):
    sensor = await make_sensor(firmware=VerityFirmware, loop=True)
    driver = PolarVerityDriver(await connect(sensor))
    await driver.start(0, 5, new_listener())
    reply, stop = sensor.firmware._reply, sensor.firmware._stop
    sensor.firmware._stop = lambda command: (
        reply(command, Status.NOT_SUPPORTED) if command[1] == GYRO else stop(command)
    )
    with pytest.raises(SensorRefusedError, match="refused STOP of GYRO"):
        await driver.stop()
    assert list(sensor.firmware._running) == [GYRO]


@pytest.mark.parametrize("answer", ["f00102", "f0010263", "f0010200000001", "f001020000000534"])
async def test_an_answer_beyond_the_protocol_is_named(make_sensor, connect, answer):
    """Too short, an unknown error, settings cut short in their head or their values."""
    sensor = await make_sensor(firmware=H10Firmware)
    sensor.firmware._reply = lambda *_, **__: sensor.indicate(sensor.firmware._control, bytes.fromhex(answer))
    driver = PolarH10Driver(await connect(sensor))
    with pytest.raises(SensorRefusedError, match="does not follow its protocol"):
        await driver.offered(ACC)


async def test_answers_to_other_questions_are_passed_over(make_sensor, connect):
    """A stream that the device ended itself, its features, an answer about another measurement."""
    sensor = await make_sensor(firmware=H10Firmware)
    driver = PolarH10Driver(await connect(sensor))
    reply = sensor.firmware._reply

    def babble(*args, **kwargs):
        for other in ("", "0102", "0f0500", "f002020000", "f0010500000001ffff"):
            sensor.indicate(sensor.firmware._control, bytes.fromhex(other))
        reply(*args, **kwargs)

    sensor.firmware._reply = babble
    assert (await driver.offered(ACC)).sample_rate == (25, 50, 100, 200)


async def test_silence_is_named(make_sensor, connect, monkeypatch, new_listener):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)
    sensor = await make_sensor(firmware=H10Firmware)
    sensor.firmware._reply = lambda *_, **__: None
    with pytest.raises(NoReplyError, match="did not answer SETTINGS of ACC"):
        await PolarH10Driver(await connect(sensor)).start(0, 5, new_listener())


async def test_a_model_without_a_gyroscope_is_named(make_sensor, connect, new_listener):
    driver = PolarVerityDriver(await connect(await make_sensor(firmware=H10Firmware)))
    with pytest.raises(WrongSensorError, match="does not stream GYRO"):
        await driver.start(0, 5, new_listener())


async def test_features_that_are_none_are_named(make_sensor, connect):
    sensor = await make_sensor(firmware=H10Firmware)
    sensor.firmware._features = lambda: b"\x0e\x05"
    sensor.firmware._control.value.read = lambda _: b"\x0e\x05"
    with pytest.raises(SensorRefusedError, match="0e05 is no list of its measurements"):
        await PolarH10Driver(await connect(sensor)).features()


async def test_the_emulator_refuses_as_the_device_does(make_sensor, connect, playback):
    client = await connect(await make_sensor(playback(52.0, 30.0), firmware=VerityFirmware))
    answers = asyncio.Queue()
    await client.start_notify(CONTROL_UUID, lambda _, data: answers.put_nowait(bytes(data)))
    await client.start_notify(DATA_UUID, lambda *_: None)
    chosen = {"sample_rate": 52, "resolution": 16, "range": 8, "channels": 3}
    start = encode_start(ACC, **chosen).hex()
    for command, status in [
        ("", Status.INVALID_OP_CODE),
        ("7f02", Status.INVALID_OP_CODE),
        ("01", Status.INVALID_LENGTH),
        ("010200", Status.INVALID_LENGTH),
        ("0104", Status.INVALID_MEASUREMENT_TYPE),
        ("0100", Status.NOT_SUPPORTED),
        ("0109", Status.NOT_SUPPORTED),
        ("020200", Status.INVALID_PARAMETER),
        (encode_start(ACC, sample_rate=52).hex(), Status.INVALID_PARAMETER),
        (start + "0001", Status.INVALID_LENGTH),
        (encode_start(ACC, **{**chosen, "sample_rate": 104}).hex(), Status.INVALID_SAMPLE_RATE),
        (encode_start(ACC, **{**chosen, "resolution": 14}).hex(), Status.INVALID_RESOLUTION),
        (encode_start(ACC, **{**chosen, "range": 16}).hex(), Status.INVALID_RANGE),
        (encode_start(ACC, **{**chosen, "channels": 4}).hex(), Status.INVALID_NUMBER_OF_CHANNELS),
        ("0302", Status.ALREADY_IN_STATE),
        ("0309", Status.ALREADY_IN_STATE),
        (start, Status.SUCCESS),
        (start, Status.ALREADY_IN_STATE),
        ("0209", Status.INVALID_STATE),
        ("0302", Status.SUCCESS),
        ("0209", Status.SUCCESS),
        ("0209", Status.ALREADY_IN_STATE),
    ]:
        await client.write_gatt_char(CONTROL_UUID, bytes.fromhex(command), response=True)
        answer = await asyncio.wait_for(answers.get(), 2)
        assert (answer[0], answer[3]) == (0xF0, status), f"{command} was answered {answer.hex()}"


async def test_on_a_narrow_link_a_device_refuses_to_stream(make_sensor, connect):
    sensor = await make_sensor(firmware=H10Firmware, greatest_mtu=63)
    driver = PolarH10Driver(await connect(sensor))
    with pytest.raises(SensorRefusedError, match="invalid mtu"):
        await driver._start(ACC, 100.0)


@pytest.mark.parametrize("name", ["Polar Sense C0FFEE21", "Polar H10 6FFF5628", "Polar OH1 12345678", "Polar 360 1"])
def test_models_are_told_apart_by_name(name):
    class Seen:
        address, local_name, service_uuids, manufacturer_data, service_data = "C1", name, [], {}, {}

    assert driver_for(Seen, Seen) is (PolarVerityDriver if "Sense" in name else PolarH10Driver)
