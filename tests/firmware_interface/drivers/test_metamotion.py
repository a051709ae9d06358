"""What a MetaMotion is told, in which order, and what becomes of its two streams."""

import asyncio
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.drivers.metamotion.commands import COMMAND_UUID, NOTIFY_UUID
from firmware_interface.drivers.metamotion.driver import (
    FusionMode,
    MetaMotionDecoder,
    MetaMotionDriver,
    decode_corrected_acc,
    decode_euler,
    decode_gravity,
    decode_linear_acc,
    decode_module_info,
)
from firmware_interface.errors import DecodeError, NoReplyError, SensorRefusedError, WrongSensorError
from firmware_interface.virtual.families.metamotion import MetaMotionFirmware, MetaMotionRFirmware

G = 9.80665
every_board = pytest.mark.parametrize("board", [MetaMotionFirmware, MetaMotionRFirmware], ids=["S", "R"])


def heard_commands(sensor):
    """Those that change something, as hex, from now on."""
    written, on_command = [], sensor.firmware._on_command

    def listen(data):
        if not data[1] & 0x80:
            written.append(data.hex())
        on_command(data)

    sensor.firmware._command.value.write = lambda _, data: listen(bytes(data))
    return written


def joined(heard, name):
    return np.concatenate([getattr(run, name) for run in heard.runs])


def begin_of(measured, told):
    """Where in what was measured the first sample told was taken."""
    return int(np.argmin(np.abs(measured - told[0]).sum(axis=1)))


def assert_what_was_measured(heard, sensor, settings):
    signals, step = sensor.reel.playback, settings.resolution
    acc, gyr = joined(heard, "acc_m_s2"), joined(heard, "gyr_rad_s")
    first = begin_of(signals.acc_m_s2, acc)
    assert begin_of(signals.gyr_rad_s, gyr) == first, "both streams of one instant"
    assert np.abs(acc - signals.acc_m_s2[first : first + len(acc)]).max() <= step.acc_m_s2 / 2 * 1.001
    assert np.abs(gyr - signals.gyr_rad_s[first : first + len(gyr)]).max() <= step.gyr_rad_s / 2 * 1.001


@every_board
@pytest.mark.parametrize(("rate_hz", "batch"), [(25.0, 1), (100.0, 1), (100.0, 3), (200.0, 1)])
async def test_samples_are_what_was_measured(board, rate_hz, batch, make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(rate_hz, 1.5), firmware=board)
    driver, heard = MetaMotionDriver(await connect(sensor)), new_listener()
    settings = await driver.start(rate_hz, batch, heard)
    assert (settings.rate_hz, settings.timestamped, settings.continues) == (rate_hz, False, False)
    assert settings.resolution.acc_m_s2 == 16 * G / 32768
    assert settings.resolution.gyr_rad_s == pytest.approx(math.radians(1 / 16.4))
    assert (settings.source.maker, settings.source.model) == ("MbientLab Inc", board.model)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert_what_was_measured(heard, sensor, settings)
    assert heard.received > 1.2 * rate_hz
    assert {len(run) for run in heard.runs} == {3 if batch == 3 or rate_hz > 100 else 1}
    assert (heard.lost, driver.decode_errors, await driver.battery_percent()) == (0, 0, 90)
    np.testing.assert_array_equal(heard.times_us, np.arange(heard.received) * round(1e6 / rate_hz))


@pytest.mark.parametrize(
    ("board", "batch", "said"),
    [
        (
            MetaMotionFirmware,
            3,
            "0303a803 13032800 030501 130501 03020100 13020100 030101 130101",
        ),
        (
            MetaMotionRFirmware,
            3,
            "0303280c 13032800 031c01 130701 03020100 13020100 030101 130101",
        ),
        (
            MetaMotionRFirmware,
            1,
            "0303280c 13032800 030401 130501 03020100 13020100 030101 130101",
        ),
    ],
)
async def test_a_stream_is_asked_for_as_the_maker_says(board, batch, said, make_sensor, connect, new_listener):
    """API specification, modules 03 and 13; before it everything is stopped, in case it still runs."""
    sensor = await make_sensor(firmware=board, loop=True)
    commands = heard_commands(sensor)
    driver = MetaMotionDriver(await connect(sensor))
    await driver.start(100.0, batch, new_listener())
    assert commands[-8:] == said.split()
    stopped = commands[:-8]
    commands.clear()
    await driver.stop()
    assert commands == stopped
    plain = ["030100", "130100", "03020001", "13020001", "030400"]
    of_the_chip = ["030500", "130400", "130500"] if board is MetaMotionFirmware else ["031c00", "130500", "130700"]
    fusion = ["190100", "1903007f", "150100", "15020001", "190400", "190500", "190700"]
    assert stopped == fusion + plain + of_the_chip


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (
            FusionMode.NDOF,
            "19020113 0303a803 13032800 1504040e 150306 190401 190501 190701 "
            "03020100 13020100 15020100 030101 130101 150101 19030b00 190101",
        ),
        (
            FusionMode.IMU_PLUS,
            "19020213 0303a803 13032800 190401 190501 190701 03020100 13020100 030101 130101 19030b00 190101",
        ),
    ],
)
async def test_fusion_sends_corrected_readings_and_orientation(
    mode, said, make_sensor, connect, playback, new_listener
):
    sensor = await make_sensor(playback(25.0, 1.5), firmware=MetaMotionFirmware)
    commands = heard_commands(sensor)
    driver, heard = MetaMotionDriver(await connect(sensor)), new_listener()
    driver.use_fusion(mode)
    settings = await driver.start(25.0, 5, heard)
    assert commands[-len(said.split()) :] == said.split()
    assert settings.rate_hz == 100.0
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert_what_was_measured(heard, sensor, settings)
    assert heard.received > 100
    assert all(run.clipped is None for run in heard.runs)
    w, x, y, z = joined(heard, "orientation").T
    up = np.column_stack([2 * (x * z - w * y), 2 * (y * z + w * x), w**2 - x**2 - y**2 + z**2])
    acc = joined(heard, "acc_m_s2")
    np.testing.assert_allclose(up, acc / np.linalg.norm(acc, axis=1, keepdims=True), atol=1e-5)
    driver.use_fusion(None)
    assert (await driver.start(50.0, 1, heard)).rate_hz == 50.0


async def test_readings_at_the_end_of_their_range_are_flagged(make_sensor, connect, playback, new_listener):
    signals = playback(seconds=1.0)
    acc, gyr = signals.acc_m_s2.copy(), signals.gyr_rad_s.copy()
    acc[::10, 2], gyr[5::10, 0] = 17 * G, -36.0
    sensor = await make_sensor(replace(signals, acc_m_s2=acc, gyr_rad_s=gyr), firmware=MetaMotionFirmware)
    driver, heard = MetaMotionDriver(await connect(sensor)), new_listener()
    await driver.start(100.0, 3, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    beyond = (joined(heard, "acc_m_s2")[:, 2] > 15.9 * G) | (joined(heard, "gyr_rad_s")[:, 0] < -34)
    assert beyond.sum() >= 15
    np.testing.assert_array_equal(joined(heard, "clipped"), beyond)


async def test_what_an_earlier_gateway_left_running_is_not_taken_for_the_new_stream(
    make_sensor, software_radio, connect, playback, new_listener
):
    sensor = await make_sensor(playback(100.0, 2.5), firmware=MetaMotionFirmware)
    first = await connect(sensor)
    await MetaMotionDriver(first).start(25.0, 1, new_listener())
    await first.disconnect()
    driver, heard = MetaMotionDriver(await connect(sensor)), new_listener()
    settings = await driver.start(100.0, 3, heard)
    await asyncio.wait_for(sensor.finished.wait(), 6)
    await driver.stop()
    assert heard.received > 100
    assert driver.decode_errors == 0
    assert_what_was_measured(heard, sensor, settings)


async def test_older_boards_send_no_packed_streams(make_sensor, connect, monkeypatch, new_listener):
    sensor = await make_sensor(firmware=MetaMotionRFirmware, loop=True)
    monkeypatch.setattr(sensor.firmware, "modules", {3: b"\x01\x00", 0x13: b"\x00\x00"})
    driver, heard = MetaMotionDriver(await connect(sensor)), new_listener()
    await driver.start(200.0, 5, heard)
    await asyncio.sleep(0.3)
    await driver.stop()
    assert {len(run) for run in heard.runs} == {1}


@pytest.mark.parametrize("modules", [{3: b"\x00\x01"}, {3: b"\x03\x01"}, {3: b"\x01\x01", 0x13: b"\x01\x00"}])
async def test_a_board_without_a_known_gyroscope_is_named(modules, make_sensor, connect, monkeypatch, new_listener):
    sensor = await make_sensor(firmware=MetaMotionFirmware)
    monkeypatch.setattr(sensor.firmware, "modules", modules)
    with pytest.raises(WrongSensorError, match="no accelerometer and gyroscope that Sinew knows"):
        await MetaMotionDriver(await connect(sensor)).start(100.0, 1, new_listener())


async def test_a_board_without_fusion_is_named(make_sensor, connect, monkeypatch, new_listener):
    sensor = await make_sensor(firmware=MetaMotionFirmware)
    monkeypatch.setattr(sensor.firmware, "modules", {3: b"\x04\x00", 0x13: b"\x01\x00"})
    driver = MetaMotionDriver(await connect(sensor))
    driver.use_fusion(FusionMode.NDOF)
    with pytest.raises(SensorRefusedError, match="no sensor fusion; start it without"):
        await driver.start(100.0, 1, new_listener())


async def test_a_setting_that_is_not_taken_is_named(make_sensor, connect, monkeypatch, new_listener):
    sensor = await make_sensor(firmware=MetaMotionFirmware)
    monkeypatch.setattr(sensor.firmware, "acc_ranges_g", {0: 2, 1: 4, 2: 8})
    with pytest.raises(SensorRefusedError, match="did not take its accelerometer's setting; restart it"):
        await MetaMotionDriver(await connect(sensor)).start(100.0, 1, new_listener())


async def test_a_board_that_does_not_answer_is_named(make_sensor, connect, monkeypatch, new_listener):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)
    sensor = await make_sensor(firmware=MetaMotionFirmware)
    monkeypatch.setattr(sensor.firmware, "_answer", lambda *_: None)
    driver = MetaMotionDriver(await connect(sensor))
    with pytest.raises(NoReplyError, match="did not answer what its module 03 is; bring it closer"):
        await driver.start(100.0, 1, new_listener())
    await driver.stop()


async def test_a_board_answers_what_it_has_and_nothing_else(make_sensor, connect):
    client = await connect(await make_sensor(firmware=MetaMotionFirmware))
    answers = asyncio.Queue()
    await client.start_notify(NOTIFY_UUID, lambda _, data: answers.put_nowait(data.hex()))
    for command in ("", "03", "ff", "0303", "03030000", "fe01", "7f80", "0380", "0383", "1983", "1380"):
        await client.write_gatt_char(COMMAND_UUID, bytes.fromhex(command), response=True)
    for answer in ("7f80", "03800400", "0383a802", "13800100"):
        assert await asyncio.wait_for(answers.get(), 2) == answer
    await asyncio.sleep(0.1)
    assert answers.empty()


@pytest.mark.parametrize(
    ("decode", "data", "published"),
    [
        (
            lambda data: decode_corrected_acc(data).vector,
            "1904203e53c50cfe79460cfe79c600",
            (-3.3799, 15.9995, -15.9995),
        ),
        (decode_gravity, "1909ee20d33eb29301410459b0c0", (0.042, 0.826, -0.562)),
        (decode_linear_acc, "190a2fca394086d46141804c6ec0", (0.296, 1.439, -0.380)),
    ],
)
def test_accelerations_of_the_fusion_are_the_published_ones(decode, data, published):
    assert np.array(decode(bytes.fromhex(data))) / G == pytest.approx(published, abs=1e-3)


def test_euler_angles_are_the_published_ones():
    assert decode_euler(bytes.fromhex("1908b1f9c54144b9f1c21a2f04c2b1f9c541")) == pytest.approx(
        (24.747, -120.862, -33.046, 24.747), abs=1e-3
    )


@pytest.mark.parametrize("data", ["", "03", "0383a802", "030416c494a22ad0"])
def test_what_answers_something_else_tells_nothing_of_a_module(data):
    assert decode_module_info(bytes.fromhex(data)) is None


def packets_paired(came):
    """Of packed streams: which packets of acceleration and of angular rate make samples together."""
    decoder = MetaMotionDecoder()
    decoder.begin(chip="BMI270")
    modules = {"A": 0x03, "G": 0x13}
    notifications = [bytes([modules[packet[0]], 5]) + np.full(9, int(packet[1:]), "<i2").tobytes() for packet in came]
    runs = [run for notification in notifications for run in decoder.decode(notification)]
    acc = np.concatenate([run.acc_m_s2[::3, 0] for run in runs]) / (16 * G / 32768)
    gyr = np.concatenate([run.gyr_rad_s[::3, 0] for run in runs]) / math.radians(1 / 16.4)
    times_us = np.concatenate([run.sensor_time_us for run in runs])
    np.testing.assert_array_equal(times_us, np.arange(len(times_us)) * 10_000)
    return list(zip(np.rint(acc).astype(int).tolist(), np.rint(gyr).astype(int).tolist(), strict=True))


def test_packets_out_of_turn_shift_nothing():
    came = ["A1", "G1", "A2", "A3", "G2", "G3", "A4", "G4", "G5", "A5", "A6", "A7", "G6", "G7"]
    assert packets_paired(came) == [(number, number) for number in range(1, 8)]


@pytest.mark.parametrize("lost", ["A3", "G3"])
def test_a_stream_that_loses_a_packet_is_in_step_again_with_the_fifth_after_it(lost):
    came = [f"{stream}{number}" for number in range(1, 12) for stream in "AG"]
    came.remove(lost)
    assert packets_paired(came)[-4:] == [(8, 8), (9, 9), (10, 10), (11, 11)]


good = {
    False: [bytes([0x03, 5]) + bytes(range(18)), bytes([0x13, 5]) + bytes(range(18))],
    True: [bytes([0x19, 4]) + bytes(13), bytes([0x19, 5]) + bytes(13), bytes([0x19, 7]) + bytes(16)],
}
packets = st.one_of(
    st.binary(max_size=40),
    st.tuples(st.sampled_from([0x03, 0x13, 0x19]), st.integers(0, 12), st.binary(max_size=20)).map(
        lambda parts: bytes(parts[:2]) + parts[2]
    ),
)


@pytest.mark.parametrize("fusion", [False, True])
@given(junk=st.lists(packets, max_size=30))
def test_whatever_comes_the_stream_goes_on(fusion, junk):
    decoder = MetaMotionDecoder()
    decoder.begin(fusion=fusion)
    for packet in junk:
        try:
            runs = decoder.decode(packet)
        except DecodeError:
            continue
        assert all(np.isfinite(run.acc_m_s2).all() and np.isfinite(run.gyr_rad_s).all() for run in runs)
    assert sum(len(run) for packet in good[fusion] * 2 for run in decoder.decode(packet)) >= 2
