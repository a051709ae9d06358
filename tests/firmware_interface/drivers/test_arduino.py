"""Arduino's sketches: what their streams make together, and how a rate is found that nobody tells."""

import asyncio
import math
import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.drivers.arduino.nano import NANO, NanoDriver
from firmware_interface.drivers.arduino.nicla import NICLA, NiclaDriver, decode_pressure, decode_temperature
from firmware_interface.drivers.arduino.sketch import NOMINAL_RATE_HZ, rate_of_arrivals
from firmware_interface.errors import DecodeError, NoReplyError, SensorRefusedError, WrongSensorError
from firmware_interface.virtual.families.arduino import nicla
from firmware_interface.virtual.families.arduino.nano import NanoFirmware
from firmware_interface.virtual.families.arduino.nicla import NiclaFirmware
from firmware_interface.virtual.playback import Playback

BOARDS = pytest.mark.parametrize(
    ("driver_type", "firmware"), [(NiclaDriver, NiclaFirmware), (NanoDriver, NanoFirmware)]
)


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def decoder_of(driver_type, rate_hz=100.0):
    decoder = driver_type.new_decoder()
    decoder.begin(rate_hz=rate_hz)
    return decoder


def test_nicla_sends_what_its_chip_counts():
    """At rest, as issue 46 of nicla-sense-me-fw shows it: 1 g, hardly a turn."""
    decoder = decoder_of(NiclaDriver)
    assert decoder.decode(floats(1, -1, 0), NICLA.gyr) == []
    (run,) = decoder.decode(floats(-298, -3906, -1219), NICLA.acc)
    np.testing.assert_allclose(run.acc_m_s2 / 9.80665, [[-298 / 4096, -3906 / 4096, -1219 / 4096]], atol=1e-9)
    assert np.linalg.norm(run.acc_m_s2) == pytest.approx(9.80665, rel=0.01)
    np.testing.assert_allclose(np.degrees(run.gyr_rad_s), [[2000 / 32768, -2000 / 32768, 0]], atol=1e-9)
    assert (run.mag_ut, run.lost_before, run.clipped.tolist(), run.sensor_time_us.tolist()) == (None, 0, [False], [0])


def test_nano_sends_g_degrees_and_microtesla():
    decoder = decoder_of(NanoDriver, 119.0)
    runs = []
    for data, uuid in [
        (floats(0, 0, 1), NANO.acc),
        (floats(90, 0, 0), NANO.gyr),
        (floats(20, 0, -40), NANO.mag),
        (floats(0.5, 0, 1), NANO.acc),
        (floats(0, 180, 0), NANO.gyr),
        (floats(4, 0, 0), NANO.acc),
        (floats(0, 0, 0), NANO.gyr),
    ]:
        runs += decoder.decode(data, uuid)
    acc, gyr, mag = (
        np.concatenate([getattr(run, name) for run in runs]) for name in ("acc_m_s2", "gyr_rad_s", "mag_ut")
    )
    np.testing.assert_allclose(acc / 9.80665, [[0, 0, 1], [0.5, 0, 1], [4, 0, 0]])
    np.testing.assert_allclose(gyr, [[math.pi / 2, 0, 0], [0, math.pi, 0], [0, 0, 0]])
    np.testing.assert_array_equal(mag, [[np.nan] * 3, [20, 0, -40], [np.nan] * 3])
    assert [bool(run.clipped[0]) for run in runs] == [False, False, True]
    assert [int(run.sensor_time_us[0]) for run in runs] == [0, 8403, 16807]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(6), "an old sketch that sends integers; load the present one"),
        (b"", "0 bytes and not 12"),
        (bytes(13), "13 bytes and not 12"),
        (floats(math.nan, 0, 0), "beyond what the chip measures"),
        (floats(0, math.inf, 0), "beyond what the chip measures"),
        (floats(0, 0, 4.5), "beyond what the chip measures"),
    ],
)
def test_a_reading_that_is_none_is_left_out_by_name(data, message):
    decoder = decoder_of(NanoDriver)
    with pytest.raises(DecodeError, match=message):
        decoder.decode(data, NANO.acc)
    with pytest.raises(DecodeError, match="does not have"):
        decoder.decode(floats(0, 0, 1), NICLA.acc)
    assert decoder.decode(floats(0, 0, 1), NANO.acc) == []
    assert len(decoder.decode(floats(0, 0, 0), NANO.gyr)) == 1


@BOARDS
@given(st.lists(st.tuples(st.sampled_from(["acc", "gyr", "mag", "none"]), st.binary(max_size=20)), max_size=40))
def test_whatever_comes_the_next_pair_is_decoded(driver_type, firmware, notifications):
    decoder, sketch = decoder_of(driver_type), driver_type.sketch
    for stream, data in notifications:
        try:
            decoder.decode(data, getattr(sketch, stream, None) or "")
        except DecodeError:
            continue
    pairs = decoder.decode(floats(0, 0, 1), sketch.acc)
    pairs += decoder.decode(floats(0, 0, 0), sketch.gyr)
    assert sum(map(len, pairs)) >= 1


arrivals_at = pytest.mark.parametrize("rate_hz", [50.0, 100.0, 119.0])


@arrivals_at
@pytest.mark.parametrize("interval_s", [0.0, 0.0075, 0.03, 0.05])
def test_a_rate_is_found_in_bursts_of_arrivals(rate_hz, interval_s):
    """What has been sent arrives with the next connection event."""
    sent_s = 5.0 + np.arange(0, 1, 1 / rate_hz)
    arrived_s = sent_s if not interval_s else np.ceil(sent_s / interval_s) * interval_s
    assert rate_of_arrivals(arrived_s.tolist(), NANO.rates_hz) == rate_hz


@arrivals_at
def test_a_rate_is_found_although_the_gateway_was_busy(rate_hz):
    arrived_s = np.arange(0, 1, 1 / rate_hz)
    arrived_s[(arrived_s > 0.8)] = 1.0
    assert rate_of_arrivals(arrived_s.tolist(), NANO.rates_hz) == rate_hz


def test_a_rate_that_no_sketch_names_is_told_as_measured():
    assert rate_of_arrivals((np.arange(300) / 294.0).tolist()) == 294.0
    assert rate_of_arrivals([0.0] * 100) == 10_000.0
    assert rate_of_arrivals([0.0, 0.01, 0.02]) == NOMINAL_RATE_HZ


@BOARDS
async def test_nothing_is_lost_while_the_rate_is_measured(
    driver_type, firmware, make_sensor, connect, playback, new_listener
):
    signals = playback(seconds=2.0)
    sensor = await make_sensor(replace(signals, acc_m_s2=signals.acc_m_s2 / 2), firmware=firmware)
    driver, heard = driver_type(await connect(sensor)), new_listener()
    settings = await driver.start(0.0, 5, heard)
    assert (settings.rate_hz, settings.timestamped) == (100.0, False)
    assert heard.received > 50, "of the first second, too"
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await driver.stop()
    assert (heard.lost, driver.decode_errors) == (0, 0)
    assert len(sensor.playback.time_s) - heard.received < 25, "but those before both streams had begun"
    acc, gyr = (np.concatenate([getattr(run, name) for run in heard.runs]) for name in ("acc_m_s2", "gyr_rad_s"))
    truth = sensor.reel.playback
    assert np.abs(acc - truth.acc_m_s2[-len(acc) :]).max() <= 0.501 * settings.resolution.acc_m_s2
    assert np.abs(gyr - truth.gyr_rad_s[-len(gyr) :]).max() <= 0.501 * settings.resolution.gyr_rad_s
    assert heard.times_us.tolist() == [10_000 * number for number in range(heard.received)]


async def test_the_first_nano_has_another_rate(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(rate_hz=119.0, seconds=3.0), firmware=NanoFirmware)
    driver, heard = NanoDriver(await connect(sensor)), new_listener()
    assert (await driver.start(0.0, 5, heard)).rate_hz == 119.0


@BOARDS
async def test_it_falls_silent_and_begins_anew(driver_type, firmware, make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(), firmware=firmware, loop=True)
    driver, first, second = driver_type(await connect(sensor)), new_listener(), new_listener()
    await driver.start(0.0, 5, first)
    await driver.stop()
    count = first.received
    await asyncio.sleep(0.1)
    assert first.received == count
    await driver.start(0.0, 5, second)
    assert second.times_us[0] == 0


async def test_a_board_that_sends_nothing_has_the_nominal_rate(make_sensor, connect, monkeypatch, new_listener):
    monkeypatch.setattr("firmware_interface.drivers.arduino.sketch.FIRST_READING_S", 0.1)
    monkeypatch.setattr(NiclaFirmware, "readings", lambda *_: iter(()))
    driver = NiclaDriver(await connect(await make_sensor(firmware=NiclaFirmware)))
    assert (await driver.start(0.0, 5, new_listener())).rate_hz == NOMINAL_RATE_HZ


async def test_an_old_sketch_is_named(make_sensor, connect, new_listener):
    class Old(NiclaFirmware):
        def readings(self, number, signals):
            for stream, data in super().readings(number, signals):
                yield stream, bytes(6) if stream == "6001" else data

    driver = NiclaDriver(await connect(await make_sensor(firmware=Old)))
    with pytest.raises(WrongSensorError, match="sends angular rate as integers; load the present one from github"):
        await driver.start(0.0, 5, new_listener())


async def test_nicla_can_be_asked_for_its_orientation(make_sensor, connect, new_listener):
    """Tilted by 30 degrees about x."""
    acc = np.tile(9.80665 * np.array([0.0, math.sin(math.radians(30)), math.cos(math.radians(30))]), (300, 1))
    sensor = await make_sensor(Playback(100.0, np.arange(300) / 100, acc, np.zeros((300, 3))), firmware=NiclaFirmware)
    driver, heard = NiclaDriver(await connect(sensor)), new_listener()
    await driver.start(0.0, 5, heard)
    expected = [math.cos(math.radians(15)), math.sin(math.radians(15)), 0, 0]
    np.testing.assert_allclose(await driver.orientation(), expected, atol=1e-3)
    np.testing.assert_allclose(await driver.orientation(), expected, atol=1e-3)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert driver.decode_errors == 0


async def test_nicla_tells_its_surroundings_and_lights_its_lamp(make_sensor, connect):
    sensor = await make_sensor(firmware=NiclaFirmware)
    driver = NiclaDriver(await connect(sensor))
    assert await driver.surroundings() == (24.5, 41, 1009.25)
    await driver.light(255, 128, 0)
    assert sensor.firmware.light == (255, 128, 0)
    with pytest.raises(ValueError, match="range"):
        await driver.light(256, 0, 0)


@pytest.mark.parametrize(("humidity", "message"), [(b"", "0 bytes and not 1 or 4"), (bytes(2), "2 bytes and not 1")])
async def test_surroundings_that_are_none_are_named(make_sensor, connect, monkeypatch, humidity, message):
    monkeypatch.setitem(nicla._SURROUNDINGS, "3001", humidity)
    driver = NiclaDriver(await connect(await make_sensor(firmware=NiclaFirmware)))
    with pytest.raises(SensorRefusedError, match=f"does not follow its protocol: .* {message}.* Load its sketch"):
        await driver.surroundings()


@pytest.mark.parametrize("data", [b"", bytes(3), bytes(5), floats(math.nan), floats(math.inf)])
def test_a_number_that_is_none_is_refused(data):
    for decode in (decode_temperature, decode_pressure):
        with pytest.raises(DecodeError):
            decode(data)


async def test_a_board_that_keeps_its_orientation_to_itself_is_named(make_sensor, connect, monkeypatch):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)
    monkeypatch.setattr(NiclaFirmware, "readings", lambda *_: iter(()))
    driver = NiclaDriver(await connect(await make_sensor(firmware=NiclaFirmware)))
    with pytest.raises(NoReplyError, match="did not send its orientation"):
        await driver.orientation()


async def test_they_tell_no_battery(make_sensor, connect):
    driver = NanoDriver(await connect(await make_sensor(firmware=NanoFirmware)))
    with pytest.raises(WrongSensorError, match="does not tell its battery level"):
        await driver.battery_percent()
