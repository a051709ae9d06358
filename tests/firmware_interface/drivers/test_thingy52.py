"""The Thingy:52 driver in conversation with the emulator, over real GATT."""

import asyncio
import struct
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from bumble import att
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.signals.samples import Source
from firmware_interface.drivers import thingy52
from firmware_interface.drivers.thingy52 import CONFIG_UUID, HEADING_UUID, TAP_UUID, ThingyDecoder, ThingyDriver
from firmware_interface.errors import DecodeError, SensorRefusedError
from firmware_interface.virtual.families.thingy52 import ThingyFirmware
from firmware_interface.virtual.playback import Playback

ACC_STEP_M_S2, GYR_STEP_RAD_S = 9.80665 / 1024, np.radians(1 / 32)


def calm(playback: Playback) -> Playback:
    """Within the 2 g of its chip."""
    mag_ut = np.random.default_rng(4).uniform(20, 60, playback.acc_m_s2.shape)
    return replace(playback, acc_m_s2=playback.acc_m_s2 / 3, mag_ut=mag_ut)


@pytest.fixture
def make_thingy(make_sensor, playback):
    async def make(signals=None, **options):
        return await make_sensor(signals or calm(playback()), firmware=ThingyFirmware, **options)

    return make


def joined(heard, name):
    return np.concatenate([getattr(run, name) for run in heard.runs])


@pytest.mark.parametrize("rate_hz", [5.0, 25.0, 100.0, 200.0])
async def test_what_was_measured_arrives(make_thingy, connect, playback, new_listener, rate_hz):
    signals = calm(playback(rate_hz, 0.8))
    sensor = await make_thingy(signals)
    driver, heard = ThingyDriver(await connect(sensor)), new_listener()
    settings = await driver.start(rate_hz, 5, heard)
    assert (settings.rate_hz, settings.timestamped, settings.continues) == (rate_hz, False, False)
    assert sensor.firmware.config == (1000, 500, 500, rate_hz, 1), "only the rate is changed"
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert (heard.received, heard.lost, driver.decode_errors) == (len(signals.time_s), 0, 0)
    assert np.abs(joined(heard, "acc_m_s2") - signals.acc_m_s2).max() <= ACC_STEP_M_S2 * 1.05, "specific force, upwards"
    assert np.abs(joined(heard, "gyr_rad_s") - signals.gyr_rad_s).max() <= GYR_STEP_RAD_S * 2.1
    np.testing.assert_array_equal(heard.times_us, np.rint(np.arange(heard.received) * 1e6 / rate_hz))
    assert settings.resolution.acc_m_s2 == ACC_STEP_M_S2


async def test_the_magnetic_field_comes_when_it_is_new(make_thingy, connect, new_listener):
    sensor = await make_thingy()
    driver, heard = ThingyDriver(await connect(sensor)), new_listener()
    await driver.start(100.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    mag = joined(heard, "mag_ut")
    assert np.flatnonzero(np.isfinite(mag).all(axis=1)).tolist() == [0, 50]
    assert np.abs(mag[[0, 50]] - sensor.reel.playback.mag_ut[[0, 50]]).max() <= 0.15 / 2 + 1 / 16


async def test_the_usual_rate_and_who_it_is(make_thingy, connect, new_listener):
    sensor = await make_thingy(loop=True)
    driver = ThingyDriver(await connect(sensor))
    stream = await driver.start(0.0, 5, new_listener())
    calibration = "by the sensor's motion library, in use"
    assert stream.rate_hz == 100.0
    assert stream.source == Source("thingy52", sensor.address, firmware="2.2.0", calibration=calibration)
    assert await driver.battery_percent() == 90


async def test_its_flash_memory_is_written_only_for_a_change(make_thingy, connect, new_listener, monkeypatch):
    sensor = await make_thingy(loop=True)
    driver, heard = ThingyDriver(await connect(sensor)), new_listener()
    written = []
    write = driver._write

    async def noted(characteristic, command, what):
        written.append((characteristic, command.hex()))
        await write(characteristic, command, what)

    monkeypatch.setattr(driver, "_write", noted)
    for rate_hz in (50.0, 50.0, 200.0):
        assert (await driver.start(rate_hz, 5, heard)).rate_hz == rate_hz
        await asyncio.sleep(0.1)
        await driver.stop()
        before = heard.received
        await asyncio.sleep(0.1)
        assert heard.received == before, "stopped"
    assert written == [(CONFIG_UUID, "e803f401f401320001"), (CONFIG_UUID, "e803f401f401c80001")]


async def test_the_rate_can_be_changed_while_it_streams(make_thingy, connect, new_listener):
    sensor = await make_thingy(loop=True)
    driver, heard = ThingyDriver(await connect(sensor)), new_listener()
    for rate_hz in (20.0, 200.0):
        await driver.start(rate_hz, 5, heard)
        await asyncio.sleep(0.2)
    assert np.diff(heard.runs[-1].sensor_time_us).size == 0
    assert heard.runs[-1].sensor_time_us[0] - heard.runs[-2].sensor_time_us[0] == 5_000


async def test_the_count_goes_on_after_a_lost_link(make_thingy, connect, new_listener):
    sensor, heard, decoder = await make_thingy(loop=True), new_listener(), None
    for _ in range(2):
        client = await connect(sensor)
        driver = ThingyDriver(client, decoder)
        assert not (await driver.start(100.0, 5, heard)).continues
        await asyncio.sleep(0.15)
        decoder = driver.decoder
        await client.disconnect()
    assert heard.received > 10
    np.testing.assert_array_equal(np.diff(heard.times_us), 10_000)
    assert heard.lost == 0, "nobody can know"


async def test_readings_at_the_end_of_their_range_are_flagged(make_thingy, connect, playback, new_listener):
    signals = calm(playback(100.0, 0.3))
    signals.acc_m_s2[5] = 0, 0, 30.0
    signals.gyr_rad_s[9] = 0, -20.0, 0
    signals.gyr_rad_s[11] = 17.0, 0, 0
    sensor = await make_thingy(signals)
    driver, heard = ThingyDriver(await connect(sensor)), new_listener()
    await driver.start(100.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert np.flatnonzero(joined(heard, "clipped")).tolist() == [5, 9]
    assert joined(heard, "acc_m_s2")[5, 2] == pytest.approx(2 * 9.80665, rel=1e-3)
    assert joined(heard, "gyr_rad_s")[9, 1] == pytest.approx(np.radians(-1024), rel=1e-3)


async def test_what_its_own_library_estimates(make_thingy, connect):
    sensor = await make_thingy(loop=True)
    driver, taps, headings = ThingyDriver(await connect(sensor)), [], []
    await driver.watch(thingy52.decode_tap, taps.append)
    await driver.watch(thingy52.decode_heading, headings.append)
    sensor.firmware.tell(TAP_UUID, bytes([5, 2]))
    sensor.firmware.tell(TAP_UUID, bytes([9, 2]))
    sensor.firmware.tell(HEADING_UUID, struct.pack("<i", 270 << 16))
    await asyncio.sleep(0.1)
    assert (taps, headings, driver.decode_errors) == ([("z up", 2)], [270.0], 1)
    await driver.unwatch(thingy52.decode_tap)
    sensor.firmware.tell(TAP_UUID, bytes([5, 1]))
    await asyncio.sleep(0.1)
    assert len(taps) == 1


@pytest.mark.parametrize(
    "config",
    ["", "e803f401f4016400", "e803f401f40164000100", "e803f401f401c90001", "e803f401f401040001", "6300f401f401640001"],
)
async def test_the_emulator_refuses_what_the_firmware_refuses(make_thingy, connect, config):
    driver = ThingyDriver(await connect(await make_thingy()))
    with pytest.raises(SensorRefusedError, match=r"refused a rate: .*; restart it"):
        await driver._write(CONFIG_UUID, bytes.fromhex(config), "a rate")


async def test_a_read_that_is_refused_is_named(make_thingy, connect, new_listener, monkeypatch):
    sensor = await make_thingy()
    client = await connect(sensor)
    driver = ThingyDriver(client)
    await driver.prepare()

    async def refused(*_):
        raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)

    monkeypatch.setattr(client._backend._peer.gatt_client, "read_value", refused)
    with pytest.raises(SensorRefusedError, match=r"refused to tell its configuration: .*; restart it"):
        await driver.start(100.0, 5, new_listener())


async def test_a_configuration_that_is_none_is_named(make_thingy, connect, new_listener, monkeypatch):
    monkeypatch.setattr("firmware_interface.virtual.families.thingy52.encode_config", lambda *_: bytes(8))
    driver = ThingyDriver(await connect(await make_thingy()))
    with pytest.raises(SensorRefusedError, match="does not follow its protocol: 8 bytes came where 9 were due"):
        await driver.start(100.0, 5, new_listener())


def test_samples_before_the_start_are_refused():
    with pytest.raises(DecodeError, match="before their rate was known"):
        ThingyDecoder().decode(bytes(18))


@settings(deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=18, max_size=18)), max_size=20))
def test_any_bytes_are_samples_or_refused(packets):
    decoder, count = ThingyDecoder(), 0
    decoder.begin(100.0)
    for data in packets:
        try:
            runs = decoder.decode(data)
        except DecodeError:
            assert len(data) != 18
            continue
        assert len(data) == 18
        assert bool(runs) == any(data[:12])
        assert all(np.isfinite(run.acc_m_s2).all() and np.isfinite(run.gyr_rad_s).all() for run in runs)
        count += len(runs)
    (run,) = decoder.decode(bytes.fromhex("000000000004000000000000000000000000"))
    assert run.sensor_time_us.tolist() == [count * 10_000]


@pytest.mark.parametrize("decode", [*thingy52.ESTIMATES, thingy52.decode_config, thingy52.decode_firmware_version])
@given(data=st.binary(max_size=40))
@settings(deadline=None, max_examples=30)
def test_no_answer_raises_more_than_a_decode_error(decode, data):
    with suppress(DecodeError):
        decode(data)
