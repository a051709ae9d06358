"""A Movella DOT and its driver in conversation."""

import asyncio
import struct

import numpy as np
import pytest
from bleak.exc import BleakGATTProtocolError
from bumble import att

from firmware_interface.drivers.movella_dot import gatt
from firmware_interface.drivers.movella_dot.device import Battery, FilterProfile, ReportKind, encode_measurement
from firmware_interface.drivers.movella_dot.driver import MovellaDotDriver
from firmware_interface.drivers.movella_dot.payload import PAYLOADS, PayloadMode, decode_payload, payload_characteristic
from firmware_interface.drivers.movella_dot.recording import RecordResult
from firmware_interface.drivers.movella_dot.synchronisation import SyncStatus
from firmware_interface.errors import NarrowLinkError, NoReplyError, SensorRefusedError, WrongSensorError
from firmware_interface.virtual.families.movella_dot.firmware import MovellaDotFirmware
from firmware_interface.virtual.playback import Playback


@pytest.fixture
def make_dot(make_sensor):
    async def make(playback=None, **options):
        return await make_sensor(playback, firmware=MovellaDotFirmware, **options)

    return make


async def heard_all(sensor, driver, rate_hz, heard):
    settings = await driver.start(rate_hz, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await driver.stop()
    return settings


@pytest.mark.parametrize("rate_hz", [60.0, 30.0, 20.0, 15.0, 12.0, 10.0, 4.0, 1.0])
async def test_samples_are_what_was_measured(make_dot, connect, playback, new_listener, rate_hz):
    sensor = await make_dot(playback(rate_hz=120.0, seconds=8.0), speed=16.0)
    driver, heard = MovellaDotDriver(await connect(sensor)), new_listener()
    settings = await heard_all(sensor, driver, rate_hz, heard)
    assert settings.rate_hz == rate_hz
    truth = sensor.reel.playback
    assert heard.received == len(truth.time_s) >= rate_hz * 7.5
    assert (heard.lost, driver.decode_errors) == (0, 0)
    for name, expected in (("acc_m_s2", truth.acc_m_s2), ("gyr_rad_s", truth.gyr_rad_s)):
        decoded = np.concatenate([getattr(run, name) for run in heard.runs])
        np.testing.assert_allclose(decoded, expected, rtol=2e-7)
    np.testing.assert_allclose(heard.times_us, np.arange(heard.received) * 1e6 / rate_hz, atol=1)


async def test_orientation_turns_gravity_upright(make_dot, connect, playback, new_listener):
    sensor = await make_dot(playback(seconds=0.5))
    driver, heard = MovellaDotDriver(await connect(sensor)), new_listener()
    await heard_all(sensor, driver, 0, heard)
    for run in heard.runs:
        w, v = run.orientation[:, :1], run.orientation[:, 1:]
        across = 2 * np.cross(v, run.acc_m_s2)
        upright = run.acc_m_s2 + w * across + np.cross(v, across)
        np.testing.assert_allclose(upright[:, :2], 0, atol=1e-4)
        assert upright[0, 2] > 0


async def test_clipping_is_flagged(make_dot, connect, new_listener):
    acc, gyr = np.zeros((6, 3)), np.zeros((6, 3))
    acc[:, 2], acc[1, 0], acc[2, 0], gyr[4, 1] = 9.8, 150.0, -200.0, 40.0
    sensor = await make_dot(Playback(60.0, np.arange(6) / 60, acc, gyr))
    driver, heard = MovellaDotDriver(await connect(sensor)), new_listener()
    await heard_all(sensor, driver, 60, heard)
    clipped = np.concatenate([run.clipped for run in heard.runs])
    assert clipped.tolist() == [False, False, True, False, True, False]


async def test_it_says_who_it_is(make_dot, connect):
    sensor = await make_dot(battery_percent=42)
    driver = MovellaDotDriver(await connect(sensor))
    source = await driver.prepare()
    assert (source.maker, source.model, source.firmware) == ("Movella", "XS-T02", "3.0.0")
    assert (source.serial, source.calibration) == (sensor.address.replace(":", ""), "factory")
    assert await driver.radio_address() == (await driver.device_info()).address == sensor.address
    assert await driver.battery_percent() == 42
    sensor.firmware.charging = True
    assert await driver.battery() == Battery(42, True)
    sensor.battery_percent = 101
    with pytest.raises(WrongSensorError, match="tells nonsense about its battery level"):
        await driver.battery_percent()


async def test_settings_are_changed_one_by_one(make_dot, connect):
    driver = MovellaDotDriver(await connect(await make_dot()))
    factory = await driver.device_control()
    assert (factory.tag, factory.rate_hz, factory.filter_profile) == ("Movella DOT", 60, FilterProfile.GENERAL)
    await driver.set_tag("left knee")
    assert await driver.set_up(filter_profile=FilterProfile.DYNAMIC) == factory._replace(
        tag="left knee", filter_profile=FilterProfile.DYNAMIC
    )
    assert (await driver.set_up(rate_hz=12)).filter_profile == FilterProfile.DYNAMIC
    assert await driver.device_control() == factory._replace(tag="left knee", filter_profile=1, rate_hz=12)
    assert await driver.filter_profiles() == {0: "General", 1: "Dynamic"}
    await driver.revert_to_factory_settings()
    assert await driver.device_control() == factory


async def test_settings_that_are_right_are_not_written(make_dot, connect, monkeypatch):
    driver = MovellaDotDriver(await connect(await make_dot()))
    monkeypatch.setattr(driver, "_write", None)
    assert (await driver.set_up(60, FilterProfile.GENERAL)).rate_hz == 60


async def test_a_recording_rate_is_not_streamed(make_dot, connect, new_listener, monkeypatch):
    sensor = await make_dot()
    driver = MovellaDotDriver(await connect(sensor))
    assert (await driver.set_up(rate_hz=120)).rate_hz == 120
    sensor.firmware._synced = True
    with pytest.raises(SensorRefusedError, match="stays at 120 Hz, at which it does not stream; stop its recording"):
        await driver.start(60, 1, new_listener())


async def test_it_is_found_by_its_light_and_by_its_button(make_dot, connect):
    sensor = await make_dot(loop=True)
    driver, heard = MovellaDotDriver(await connect(sensor)), asyncio.Queue()
    await driver.identify()
    assert sensor.firmware.identified == 1
    await driver.listen_for_reports(heard.put_nowait)
    for times in (1, 2, 3):
        sensor.firmware.click(times)
    sensor.notify(sensor.firmware._report, bytes([99]) + bytes(35))  # of a firmware to come
    await driver.power_off()
    reports = [await asyncio.wait_for(heard.get(), 2) for _ in range(4)]
    assert [report.kind for report in reports] == [*range(ReportKind.SINGLE_CLICK, 8), ReportKind.POWER_OFF]
    assert [report.time_ms is None for report in reports] == [False, False, False, True]


async def test_heading_is_reset_while_it_measures(make_dot, connect, new_listener):
    driver = MovellaDotDriver(await connect(await make_dot(loop=True)))
    with pytest.raises(SensorRefusedError, match="did not reset its heading; do it while it measures"):
        await driver.reset_heading()
    await driver.start(60, 1, new_listener())
    await driver.reset_heading()
    with pytest.raises(SensorRefusedError, match="revert an earlier one first"):
        await driver.reset_heading()
    await driver.revert_heading()
    await driver.reset_heading()


async def test_a_stop_is_no_loss_and_a_rate_is_changed_between(make_dot, connect, new_listener):
    sensor = await make_dot(loop=True)
    driver, heard = MovellaDotDriver(await connect(sensor)), new_listener()
    await driver.start(60, 1, heard)
    await asyncio.sleep(0.2)
    await driver.stop()
    await asyncio.sleep(0.3)
    settings = await driver.start(60, 1, heard)
    assert not settings.continues
    await asyncio.sleep(0.1)
    assert (await driver.start(60, 5, heard)).continues, "asked again for another batch"
    await asyncio.sleep(0.2)
    await driver.stop()
    assert heard.lost == 0
    assert (await driver.start(10, 1, heard)).rate_hz == 10
    await driver.stop()


MINUTE_US = 60_000_000


@pytest.mark.parametrize("clock_us", [MINUTE_US, 42 * MINUTE_US], ids=["restarted", "away-for-40-min"])
async def test_after_a_lost_link_the_stream_is_another(make_dot, connect, new_listener, clock_us):
    """How long it was away, and whether it was restarted meanwhile, a clock of 72 min does not tell."""
    decoder = MovellaDotDriver.new_decoder()
    decoder.begin(60)
    decoder.decode(struct.pack("<I10f", 2 * MINUTE_US, 1, *[0.0] * 9))
    sensor = await make_dot(loop=True, clock_start_us=clock_us)
    driver, heard = MovellaDotDriver(await connect(sensor), decoder), new_listener()
    assert not (await driver.start(60, 1, heard)).continues
    await heard.has(5)
    await driver.stop()
    assert (heard.lost, driver.decode_errors) == (0, 0)
    assert clock_us <= heard.times_us[0] < clock_us + MINUTE_US


def _odd(control):
    """A tag of 16 bytes that is no text, timeouts of FF FF."""
    return control[:3] + b"\xff" * 4 + b"\x10" + b"\xff\xfe" * 8 + control[24:]


async def test_settings_that_are_odd_stand_in_nobodys_way(make_dot, connect, new_listener, monkeypatch):
    encoded, written = MovellaDotFirmware._encoded, []
    monkeypatch.setattr(MovellaDotFirmware, "_encoded", lambda self, control: _odd(encoded(self, control)))
    sensor = await make_dot(loop=True)
    client, heard = await connect(sensor), new_listener()
    driver = MovellaDotDriver(client)
    before, write = bytes(await client.read_gatt_char(gatt.DEVICE_CONTROL)), driver._write

    async def listen(uuid, command, what):
        written.append((uuid, command))
        await write(uuid, command, what)

    monkeypatch.setattr(driver, "_write", listen)
    assert (await driver.start(30, 1, heard)).rate_hz == 30
    await heard.has(5)
    await driver.stop()
    settings = next(command for uuid, command in written if uuid == gatt.DEVICE_CONTROL)
    assert settings == b"\x30\x00" + before[2:24] + b"\x1e" + before[25:]


async def test_settings_that_are_cut_short_are_named(make_dot, connect, new_listener, monkeypatch):
    monkeypatch.setattr(MovellaDotFirmware, "_encoded", lambda *_: bytes(31))
    driver = MovellaDotDriver(await connect(await make_dot()))
    with pytest.raises(WrongSensorError, match=r"tells nonsense about its settings: .* 31 bytes is too short"):
        await driver.start(60, 1, new_listener())


async def test_the_emulator_plays_every_documented_mode(make_dot, connect, playback):
    """What its parts say agrees with each other: a check of the emulator, byte for byte through the codec."""
    sensor = await make_dot(playback(rate_hz=60.0), loop=True)
    client = await connect(sensor)
    for mode in PAYLOADS:
        heard = asyncio.Queue()
        uuid = payload_characteristic(mode)
        await client.start_notify(uuid, lambda _, data, heard=heard: heard.put_nowait(bytes(data)))
        await client.write_gatt_char(gatt.MEASUREMENT_CONTROL, encode_measurement(True, mode), response=True)
        data = await asyncio.wait_for(heard.get(), 2)
        assert bytes(await client.read_gatt_char(gatt.MEASUREMENT_CONTROL)) == bytes([1, 1, mode])
        await client.write_gatt_char(gatt.MEASUREMENT_CONTROL, encode_measurement(False, mode), response=True)
        await client.stop_notify(uuid)
        assert len(data) == gatt.PAYLOAD_BYTES[uuid]
        payload = decode_payload(data, mode)
        (number,) = np.flatnonzero(sensor.reel.times_us(0, 600) == payload.timestamp_us)
        truth = sensor.reel.signals(int(number), 1)
        if payload.acc_m_s2:
            assert payload.acc_m_s2 == pytest.approx(truth.acc_m_s2[0], rel=1e-6)
        if payload.gyr_dps:
            assert payload.gyr_dps == pytest.approx(np.degrees(truth.gyr_rad_s[0]), rel=1e-6)
        if payload.dv_m_s:
            assert payload.dv_m_s == pytest.approx(truth.acc_m_s2[0] / 60, rel=1e-6)
            half_rad = np.linalg.norm(truth.gyr_rad_s[0]) / 120
            assert payload.dq[0] == pytest.approx(np.cos(half_rad), abs=1e-6)
        if payload.free_acc_m_s2:
            felt = np.linalg.norm(truth.acc_m_s2[0])
            assert payload.free_acc_m_s2 == pytest.approx((0, 0, felt - 9.80665), abs=1e-4)
        if payload.euler_deg:
            x, y, z = truth.acc_m_s2[0]
            assert payload.euler_deg[1] == pytest.approx(np.degrees(np.arctan2(-x, np.hypot(y, z))), abs=1e-3)
        if payload.status is not None:
            assert (payload.status, payload.acc_clips, payload.gyr_clips) == (0x200, 0, 0)


@pytest.mark.parametrize("mode", [PayloadMode.HIGH_FIDELITY, 38])
async def test_the_emulator_refuses_what_it_cannot_send(make_dot, connect, mode):
    client = await connect(await make_dot())
    with pytest.raises(BleakGATTProtocolError):
        await client.write_gatt_char(gatt.MEASUREMENT_CONTROL, encode_measurement(True, mode), response=True)


async def test_a_refused_read_is_named(make_dot, connect, monkeypatch):
    def refuse(_):
        raise att.ATT_Error(att.ErrorCode.UNLIKELY_ERROR)

    monkeypatch.setattr(MovellaDotFirmware, "_info", refuse)
    driver = MovellaDotDriver(await connect(await make_dot()))
    with pytest.raises(SensorRefusedError, match="refused to tell who it is"):
        await driver.prepare()


async def test_old_firmware_without_messages_is_named(make_dot, connect, monkeypatch):
    services = MovellaDotFirmware.services
    monkeypatch.setattr(MovellaDotFirmware, "services", lambda self: services(self)[:2])
    driver = MovellaDotDriver(await connect(await make_dot()))
    with pytest.raises(WrongSensorError, match="has no message service; update its firmware"):
        await driver.sync_status()
    with pytest.raises(WrongSensorError, match="does not tell its battery level; update its firmware"):
        await driver.battery_percent()


async def test_a_link_too_narrow_for_messages_is_named(make_dot, connect):
    driver = MovellaDotDriver(await connect(await make_dot(greatest_mtu=100)))
    with pytest.raises(NarrowLinkError, match="sends messages of 132 bytes and this connection holds 97"):
        await driver.recorder.state()


async def test_a_silent_sensor_is_named(make_dot, connect, monkeypatch):
    monkeypatch.setattr("firmware_interface.drivers.movella_dot.message_link.REPLY_TIMEOUT_S", 0.1)
    sensor = await make_dot()
    driver = MovellaDotDriver(await connect(sensor))
    monkeypatch.setattr(sensor.firmware, "tell", lambda _: None)
    with pytest.raises(NoReplyError, match="did not answer the question for its synchronisation; bring it closer"):
        await driver.sync_status()


async def test_what_it_said_unasked_is_no_answer(make_dot, connect):
    sensor = await make_dot()
    driver = MovellaDotDriver(await connect(sensor))
    assert await driver.sync_status() is SyncStatus.UNSYNCED
    sensor.firmware.tell(bytes.fromhex("02025104a7"))
    await driver.battery()
    assert await driver.sync_status() is SyncStatus.UNSYNCED


async def test_a_damaged_message_is_passed_over(make_dot, connect, monkeypatch):
    sensor = await make_dot()
    driver, tell = MovellaDotDriver(await connect(sensor)), sensor.firmware.tell
    monkeypatch.setattr(
        sensor.firmware, "tell", lambda message: (tell(b""), tell(bytes.fromhex("02025104a8")), tell(message))
    )
    assert await driver.sync_status() is SyncStatus.UNSYNCED


async def test_who_asks_at_once_is_answered_in_turn(make_dot, connect):
    sensor = await make_dot()
    driver = MovellaDotDriver(await connect(sensor))
    answers = await asyncio.gather(
        driver.radio_address(), driver.recorder.state(), driver.filter_profiles(), driver.sync_status()
    )
    assert answers == [sensor.address, RecordResult.IDLE, {0: "General", 1: "Dynamic"}, SyncStatus.UNSYNCED]
