"""Recordings in a Capture2Go's own memory."""

import asyncio
import struct

import numpy as np
import pytest

from firmware_interface.drivers.capture2go.driver import Capture2GoDriver, State, decode_recording
from firmware_interface.errors import DecodeError, NoReplyError, SensorRefusedError
from firmware_interface.virtual.families.capture2go.bytes import package
from firmware_interface.virtual.families.capture2go.firmware import Capture2GoFirmware

ACC_STEP = 16 * 9.81 / 32768
PART = 0x0504


def file_of(content, sensor, name=b"knee"):
    sensor.firmware.memory.files[name] = content
    return content


async def test_what_was_recorded_is_what_was_measured(make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(200.0, 5.0), firmware=Capture2GoFirmware)
    driver = Capture2GoDriver(await connect(sensor))
    await driver.start_recording("knee 1", 200.0)
    assert (await driver.status()).state == State.RECORDING
    with pytest.raises(SensorRefusedError, match="is recording into its own memory; stop the recording first"):
        await driver.start(100.0, 1, new_listener())
    await driver.stop()
    await asyncio.sleep(0.5)
    await driver.stop_recording()
    (file,) = await driver.recordings()
    assert (file.number, file.filename) == (0, "knee 1")
    content = await driver.download("knee 1")
    assert len(content) == file.size
    runs = decode_recording(content)
    acc, times_us = (np.concatenate([getattr(run, name) for run in runs]) for name in ("acc_m_s2", "sensor_time_us"))
    first = times_us[0] // 5000
    assert len(acc) >= 80
    assert np.abs(acc - sensor.reel.playback.acc_m_s2[first : first + len(acc)]).max() <= ACC_STEP / 2 * 1.001
    np.testing.assert_array_equal(np.diff(times_us), 5000)
    await driver.delete_recording("knee 1")
    assert await driver.recordings() == []


async def test_a_recording_outlives_the_link(make_sensor, connect, playback):
    sensor = await make_sensor(playback(100.0, 3.0), firmware=Capture2GoFirmware)
    client = await connect(sensor)
    await Capture2GoDriver(client).start_recording("night", 100.0)
    await client.disconnect()
    await asyncio.sleep(0.5)
    driver = Capture2GoDriver(await connect(sensor))
    await driver.stop_recording()
    assert sum(map(len, decode_recording(await driver.download("night")))) >= 48


@pytest.mark.parametrize("size", [0, 1, 232, 233, 5000])
async def test_files_arrive_as_they_are(size, make_sensor, connect):
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    content = file_of(bytes(k % 251 for k in range(size)), sensor)
    assert await Capture2GoDriver(await connect(sensor)).download("knee") == content


async def test_a_file_that_holds_whole_packages_is_not_mistaken_for_the_stream(make_sensor, connect):
    """Each part of this file carries a package of its own, which narrow notifications cut in two."""
    sensor = await make_sensor(firmware=Capture2GoFirmware, greatest_mtu=60)
    content = file_of(b"".join(package(0x0201, bytes([k % 256] * 19)) for k in range(100)), sensor)
    assert await Capture2GoDriver(await connect(sensor)).download("knee") == content


async def test_a_part_that_is_lost_is_asked_for_again(make_sensor, connect, monkeypatch):
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    content, tell, lose = file_of(bytes(range(256)) * 20, sensor), sensor.firmware._tell, {3, 11}
    parts = iter(range(1000))
    monkeypatch.setattr(
        sensor.firmware.memory,
        "_tell",
        lambda header, said: None if header == PART and next(parts) in lose else tell(header, said),
    )
    assert await Capture2GoDriver(await connect(sensor)).download("knee") == content


async def test_a_file_of_which_nothing_comes_is_given_up(make_sensor, connect, monkeypatch):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    file_of(bytes(1000), sensor)
    tell, driver = sensor.firmware._tell, Capture2GoDriver(await connect(sensor))
    memory = sensor.firmware.memory
    memory._tell = lambda header, said: None if header == PART else tell(header, said)
    with pytest.raises(NoReplyError, match="sends no more of its files; bring it closer"):
        await driver.download("knee")
    memory._tell = lambda header, said: tell(header, struct.pack("<I", 7) + said[4:] if header == PART else said)
    with pytest.raises(NoReplyError, match="does not send the rest of knee"):
        await driver.download("knee")


async def test_names_are_refused_with_the_sensors_reason(make_sensor, connect):
    sensor = await make_sensor(firmware=Capture2GoFirmware)
    file_of(b"", sensor)
    driver = Capture2GoDriver(await connect(sensor))
    with pytest.raises(SensorRefusedError, match=r"CMD_SET_RECORDING_CONFIG \(file already exists\); choose another"):
        await driver.start_recording("knee", 100.0)
    with pytest.raises(SensorRefusedError, match=r"CMD_FS_GET_SIZE \(file not found\); look into the list"):
        await driver.download("hip")
    with pytest.raises(SensorRefusedError, match=r"CMD_FS_DELETE_FILE \(file not found\)"):
        await driver.delete_recording("hip")


def test_a_file_of_something_else_holds_no_samples():
    assert decode_recording(b"") == []
    assert decode_recording(package(0x0201, bytes(19))) == []
    with pytest.raises(DecodeError, match="no package"):
        decode_recording(b"something else")


def test_damaged_packages_of_a_file_count_as_lost():
    rows = [package(0x0222, struct.pack("<q", k * 80_000_000) + bytes(144) + bytes(8) + bytes(3)) for k in range(5)]
    spoilt = rows[1][:60] + b"?" + rows[1][61:]
    runs = decode_recording(rows[0] + spoilt + rows[2] + rows[0] + rows[3] + rows[4])
    assert [(len(run), run.lost_before) for run in runs] == [(8, 0), (8, 8), (8, 0), (8, 0)]
