"""A Movella DOT records what it plays, and its recording comes over whole."""

import asyncio
import contextlib
import random
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_interface.drivers.movella_dot.driver import MovellaDotDriver
from firmware_interface.drivers.movella_dot.export import Export
from firmware_interface.drivers.movella_dot.message import decode_message, encode_message
from firmware_interface.drivers.movella_dot.payload import Status, record_type
from firmware_interface.drivers.movella_dot.recording import UNLIMITED_S, FileData, RecordId, RecordResult
from firmware_interface.errors import DecodeError, NoReplyError, SensorRefusedError
from firmware_interface.virtual.families.movella_dot.firmware import MovellaDotFirmware
from firmware_interface.virtual.playback import Playback

UTC_S = 1_700_000_000


@pytest.fixture
def make_dot(make_sensor):
    async def make(playback=None, **options):
        return await make_sensor(playback, firmware=MovellaDotFirmware, loop=True, **options)

    return make


@pytest.fixture
async def recorded(make_dot, connect, playback):
    """A sensor that has recorded three seconds at 60 Hz, and its driver."""
    sensor = await make_dot(playback(rate_hz=60.0, seconds=5.0), speed=10.0)
    driver = MovellaDotDriver(await connect(sensor))
    await driver.recorder.start(UTC_S)
    await asyncio.sleep(0.3)
    await driver.recorder.stop()
    return sensor, driver


async def downloaded(driver, file=1, **choice):
    async with contextlib.aclosing(driver.recorder.download(file, **choice)) as runs:
        return [run async for run in runs]


def drop(sensor, monkeypatch, *unlucky):
    """Have the sensor's radio lose these messages, each time it is told to: (kind, number, times)."""
    tell, left = sensor.firmware.tell, {(kind, number): times for kind, number, times in unlucky}

    def lossy(message):
        content = decode_message(message)
        which = content.id, int.from_bytes(content.content[:4], "little")
        if left.get(which, 0):
            left[which] -= 1
        else:
            tell(message)

    monkeypatch.setattr(sensor.firmware, "tell", lossy)


def assert_whole(sensor, runs, file=1):
    recording = sensor.firmware.flash.files[file - 1]
    count = recording.end - recording.first
    truth = recording.reel.signals(recording.first, count)
    samples = [run.samples() for run in runs]
    assert runs[-1].received == sum(map(len, samples)) == count > 0
    np.testing.assert_allclose(np.concatenate([run.acc_m_s2 for run in samples]), truth.acc_m_s2, rtol=2e-7)
    np.testing.assert_allclose(np.concatenate([run.gyr_rad_s for run in samples]), truth.gyr_rad_s, rtol=2e-7)
    times_us = np.concatenate([run.sensor_time_us for run in samples])
    np.testing.assert_array_equal(times_us, recording.reel.times_us(recording.first, count))


@pytest.mark.parametrize("rate_hz", [60, 120])
async def test_what_is_recorded_is_what_was_measured(make_dot, connect, playback, rate_hz):
    sensor = await make_dot(playback(rate_hz=240.0, seconds=10.0), speed=10.0)
    driver = MovellaDotDriver(await connect(sensor))
    await driver.set_up(rate_hz)
    assert await driver.recorder.state() is RecordResult.IDLE
    await driver.recorder.start(UTC_S, 600)
    assert await driver.recorder.state() is RecordResult.RECORDING
    await asyncio.sleep(0.5)
    told = await driver.recorder.time()
    assert (told.start_utc_s, told.seconds) == (UTC_S, 600)
    assert 0 < told.left_s < 600
    await driver.recorder.stop()
    assert await driver.recorder.state() is RecordResult.IDLE
    info = await driver.recorder.file_info(1)
    assert (info.start_utc_s, info.seconds) == (UTC_S, 600)
    runs = await downloaded(driver)
    assert len(runs) >= 2
    assert [run.received for run in runs] == list(np.cumsum([len(run.records) for run in runs]))
    assert [run.share for run in runs] == sorted(run.share for run in runs)
    assert 0 < runs[-1].share < 0.1
    assert_whole(sensor, runs)
    steps = np.diff(np.concatenate([run.time_us for run in runs]))
    np.testing.assert_allclose(steps, 1e6 / rate_hz, atol=1)


async def test_it_records_on_while_the_gateway_is_away(make_dot, connect, playback):
    sensor = await make_dot(playback(rate_hz=60.0, seconds=5.0), speed=10.0)
    client = await connect(sensor)
    await MovellaDotDriver(client).recorder.start(UTC_S)
    await client.disconnect()
    await asyncio.sleep(0.3)
    await client.connect()
    driver = MovellaDotDriver(client)
    assert (await driver.recorder.time()).left_s == UNLIMITED_S
    await driver.recorder.stop()
    runs = await downloaded(driver)
    assert runs[-1].received >= 0.3 * 600
    assert runs[-1].share is None
    assert_whole(sensor, runs)


async def test_a_timed_recording_ends_by_itself(make_dot, connect, playback):
    sensor = await make_dot(playback(rate_hz=60.0, seconds=5.0), speed=10.0)
    driver = MovellaDotDriver(await connect(sensor))
    await driver.recorder.start(UTC_S, 2)
    stopped = await driver._messages.notification(1, "the end", RecordId.STOP)
    assert stopped.data.hex() == "010141bd"
    assert await driver.recorder.state() is RecordResult.IDLE
    with pytest.raises(SensorRefusedError, match="refused the end of the recording, because it is idle"):
        await driver.recorder.stop()
    runs = await downloaded(driver)
    assert (runs[-1].received, runs[-1].share) == (120, pytest.approx(119 / 120, abs=1e-4))
    assert_whole(sensor, runs)


async def test_files_are_listed_and_erased(recorded):
    sensor, driver = recorded
    await driver.recorder.start(UTC_S + 60)
    await asyncio.sleep(0.1)
    await driver.recorder.stop()
    assert (await driver.recorder.flash_info()).files_kb == (232, 232)
    assert (await driver.recorder.file_info(2)).start_utc_s == UTC_S + 60
    for file in (1, 2):
        assert_whole(sensor, await downloaded(driver, file), file)
    with pytest.raises(SensorRefusedError, match="has no file 3; ask which files there are"):
        await downloaded(driver, 3)
    await driver.recorder.erase(UTC_S + 120)
    flash = await driver.recorder.flash_info()
    assert (flash.files_kb, flash.initialised_utc_s) == ((), UTC_S + 120)


async def test_while_it_records_it_does_nothing_else(make_dot, connect):
    driver = MovellaDotDriver(await connect(await make_dot()))
    await driver.recorder.start(UTC_S)
    for ask in (driver.recorder.flash_info, lambda: driver.recorder.erase(0), lambda: driver.recorder.start(0)):
        with pytest.raises(SensorRefusedError, match="because it is recording; wait, or stop what it does"):
            await ask()
    assert (await driver.set_up(rate_hz=10)).rate_hz == 60


async def test_other_quantities_can_be_chosen(recorded):
    _, driver = recorded
    everything = ("dv_m_s", "dq", "euler_deg", "mag_counts", "status", "acc_m_s2", "quaternion")
    (run,) = await downloaded(driver, quantities=everything)
    assert set(run.records.dtype.names) == {"timestamp_us", *everything}
    np.testing.assert_allclose(run.records["dv_m_s"], run.records["acc_m_s2"] / 60, rtol=1e-6)
    assert (run.records["status"] == Status.MAG_IS_NEW).all()
    samples = run.samples()
    assert np.isnan(samples.gyr_rad_s).all()
    assert (samples.mag_ut, samples.orientation.shape) == (None, (len(samples), 4))
    (times,) = await downloaded(driver, quantities=())
    assert times.records.dtype.names == ("timestamp_us",)
    assert (times.samples().clipped, times.samples().orientation) == (None, None)


async def test_what_was_out_of_range_is_flagged(make_dot, connect):
    acc, gyr = np.zeros((60, 3)), np.zeros((60, 3))
    acc[7, 1], gyr[9, 2] = 170.0, -36.0
    sensor = await make_dot(Playback(60.0, np.arange(60) / 60, acc, gyr), speed=5.0)
    driver = MovellaDotDriver(await connect(sensor))
    await driver.recorder.start(UTC_S, 1)
    await asyncio.sleep(0.4)
    (run,) = await downloaded(driver)
    assert np.flatnonzero(run.samples().clipped).tolist() == [7, 9]
    assert run.records["status"][[7, 9]].tolist() == [0x202, 0x220]


@pytest.mark.parametrize(
    "unlucky",
    [
        [(RecordId.FILE_DATA, 0, 1)],
        [(RecordId.FILE_DATA, 40, 1)],
        [(RecordId.FILE_DATA, 40, 3)],
        [(RecordId.FILE_DATA, number, 1) for number in range(20, 160, 7)],
        [(RecordId.FILE_DATA_DONE, 0, 1)],
        [(RecordId.FILE_DATA, 100, 2), (RecordId.FILE_DATA_DONE, 0, 2)],
    ],
)
async def test_what_the_radio_loses_is_sent_again(recorded, monkeypatch, unlucky):
    monkeypatch.setattr("firmware_interface.drivers.movella_dot.message_link.REPLY_TIMEOUT_S", 0.3)
    sensor, driver = recorded
    drop(sensor, monkeypatch, *unlucky)
    assert_whole(sensor, await downloaded(driver))


async def test_the_end_does_not_hide_what_is_missing_before_it(recorded, monkeypatch):
    sensor, driver = recorded
    recording = sensor.firmware.flash.files[0]
    drop(sensor, monkeypatch, (RecordId.FILE_DATA, recording.end - recording.first - 2, 1))
    assert_whole(sensor, await downloaded(driver))


async def test_a_sample_that_never_comes_is_named(recorded, monkeypatch):
    monkeypatch.setattr("firmware_interface.drivers.movella_dot.message_link.REPLY_TIMEOUT_S", 0.3)
    sensor, driver = recorded
    drop(sensor, monkeypatch, (RecordId.FILE_DATA, 40, 1000))
    with pytest.raises(NoReplyError, match="does not get sample 40 of file 1 across; bring it closer"):
        await downloaded(driver)
    assert await driver.recorder.state() is RecordResult.IDLE


async def test_what_its_memory_has_lost_is_counted(recorded):
    sensor, driver = recorded
    sensor.firmware.flash.files[0].damaged |= {0, 50, 51, 52}
    runs = await downloaded(driver)
    assert [run.lost_before for run in runs] == [1, 3]
    assert len(runs[0].records) == 49
    recording = sensor.firmware.flash.files[0]
    assert runs[-1].received == recording.end - recording.first - 4


async def test_a_download_can_be_left(recorded):
    sensor, driver = recorded
    sensor.firmware.flash.files[0].end += 6000
    async with contextlib.aclosing(driver.recorder.download(1)) as runs:
        async for run in runs:
            assert run.received < 1000
            break
    assert await driver.recorder.state() is RecordResult.IDLE
    sensor.firmware.flash.files[0].end -= 6000
    assert_whole(sensor, await downloaded(driver))


async def test_samples_of_another_size_are_named(recorded, monkeypatch):
    """Some programs take the time for eight bytes; if a firmware came that does, nothing would be decoded wrongly."""
    sensor, driver = recorded
    tell = sensor.firmware.tell

    def longer(message):
        content = decode_message(message)
        extra = bytes(4) if content.id == RecordId.FILE_DATA else b""
        tell(encode_message(content.topic, content.data + extra))

    monkeypatch.setattr(sensor.firmware, "tell", longer)
    with pytest.raises(SensorRefusedError, match="An exported sample has 52 bytes instead of 48"):
        await downloaded(driver)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([RecordId.FLASH_INFO_DONE], "not set up for recordings; erase it once"),
        ([RecordId.INVALID_FLASH_FORMAT], "not set up for recordings; erase it once"),
        ([RecordId.FLASH_BUSY], "because its memory is busy; try again"),
        ([RecordId.FLASH_INFO] * 300, "lists files without end"),
        ([RecordId.FLASH_INFO, RecordId.FLASH_INFO_DONE], "answered the question for its files wrongly"),
    ],
)
async def test_an_odd_memory_is_named(recorded, told, why):
    sensor, driver = recorded
    flash = sensor.firmware.flash
    flash._handlers[RecordId.GET_FLASH_INFO] = lambda _: [flash._tell(kind) for kind in told]
    with pytest.raises(SensorRefusedError, match=why):
        await driver.recorder.flash_info()


@pytest.mark.parametrize(
    ("acknowledgement", "error", "what"),
    [
        ("", SensorRefusedError, "answered a recording wrongly"),
        ("0109010040df503b5b0807dd", SensorRefusedError, "checksum is wrong"),
        ("0103010041ba", NoReplyError, "did not answer a recording"),
        (encode_message(1, b"\x01\x01\x40" + struct.pack("<IH", UTC_S, 9)).hex(), SensorRefusedError, "result 0x01"),
    ],
)
async def test_an_odd_acknowledgement_is_named(make_dot, connect, monkeypatch, acknowledgement, error, what):
    monkeypatch.setattr(MovellaDotFirmware, "_read_acknowledgement", lambda _: bytes.fromhex(acknowledgement))
    driver = MovellaDotDriver(await connect(await make_dot()))
    with pytest.raises(error, match=what):
        await driver.recorder.start(UTC_S, 9)


async def test_the_sensor_says_no_to_what_it_does_not_know(make_dot, connect):
    sensor = await make_dot()
    await connect(sensor)
    for command in ("7f", "40", "4000", "7000", "5000", "7420", "60"):
        data = bytes.fromhex(command)
        sensor.firmware._on_message(encode_message(1, data))
        answer = decode_message(sensor.firmware._read_acknowledgement())
        assert answer.data[2:] == data
        assert answer.data[1] in (RecordResult.INVALID_COMMAND, RecordResult.SUCCESS)
    before = sensor.firmware._read_acknowledgement()
    sensor.firmware._on_message(b"\x01\x01\x02\xfd")
    assert sensor.firmware._read_acknowledgement() == before, "a damaged message is not processed"


# --------------------------------------------------------------------------------------------- putting samples in order

LAYOUT = record_type(("timestamp_us", "status"))


def sample(number, valid=True):
    return FileData(number, struct.pack("<IH", (2**32 - 50_000 + number * 8333) % 2**32, 0), valid)


def test_time_goes_on_where_its_32_bits_end():
    export = Export(LAYOUT)
    times_us = []
    for first in range(0, 30, 10):
        assert not any(export.add(sample(number)) for number in range(first, first + 10))
        (run,) = export.take()
        times_us += run.time_us.tolist()
    assert times_us == [2**32 - 50_000 + number * 8333 for number in range(30)]
    assert export.take() == []


def test_a_missing_sample_is_asked_for_once_until_the_sensor_has_gone_back():
    export = Export(LAYOUT)
    assert [export.add(sample(number)) for number in (0, 1, 3, 4, 5)] == [False, False, True, False, False]
    assert [export.add(sample(number)) for number in (3, 4, 2, 3)] == [True, False, False, False]
    assert export.next == 4
    assert export.add(sample(6))
    export.begun_again()
    assert [export.add(sample(number)) for number in (0, 1, 2, 3, 5)] == [False, False, False, False, True]
    assert not export.complete


def test_a_damaged_sample_is_told_with_the_next_good_one():
    export = Export(LAYOUT)
    for number in range(3):
        export.add(sample(number, valid=number == 0))
    assert [run.lost_before for run in export.take()] == [0]
    assert export.take() == []
    export.add(sample(3))
    assert [run.lost_before for run in export.take()] == [2]


@given(st.integers(1, 60), st.floats(0, 0.5), st.integers(0, 8), st.integers(0, 2**32))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=200)
def test_whatever_is_lost_each_sample_comes_once_and_in_order(total, loss, in_flight, seed):
    """A sensor that sends some more before it hears that it is to go back."""
    export, luck, position, hears_in = Export(LAYOUT), random.Random(seed), 0, None
    while export.next < total:
        if hears_in == 0 or position == total:
            position, hears_in = export.next, None
        number, position = position, position + 1
        asks = luck.random() >= loss and export.add(sample(number))
        hears_in = in_flight if asks else hears_in and hears_in - 1
    (run,) = export.take()
    assert run.time_us.tolist() == [2**32 - 50_000 + number * 8333 for number in range(total)]
    assert export.complete


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=10), st.booleans()), max_size=50))
@settings(deadline=None)
def test_no_exported_bytes_raise_anything_but_a_decode_error(pieces):
    export = Export(LAYOUT)
    for number, (stray, record, valid) in enumerate(pieces):
        with contextlib.suppress(DecodeError):
            export.add(FileData(stray, record, valid))
        assert not export.add(sample(export.next))
        assert export.next >= number
    assert sum(len(run.records) for run in export.take()) >= len(pieces)
