"""The conversation with a WitMotion sensor: registers amid the stream, its rate, what it can be asked and told."""

import asyncio
import math

import numpy as np
import pytest
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from firmware_interface.drivers.witmotion.driver import WitMotionDriver
from firmware_interface.drivers.witmotion.registers import (
    Register,
    encode_read,
    encode_save,
    encode_unlock,
    encode_write,
)
from firmware_interface.errors import NoReplyError, SensorRefusedError, WrongSensorError
from firmware_interface.virtual.families.witmotion import WitMotionFirmware
from firmware_interface.virtual.firmware import Packet
from firmware_interface.virtual.playback import Playback

NOTIFY, WRITE = WitMotionDriver.characteristics


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("firmware_interface.drivers.witmotion.driver.COMMAND_PAUSE_S", 0.01)


@pytest.fixture
async def talk_to(make_sensor, connect):
    """A sensor with this firmware, and a driver that is connected to it."""

    async def talking(playback=None, firmware=WitMotionFirmware, **options):
        sensor = await make_sensor(playback, firmware=firmware, **options)
        return sensor, WitMotionDriver(await connect(sensor))

    return talking


def still(seconds=1.5, rate_hz=100.0):
    """Tilted by 30 degrees about x, in a field to the north and down."""
    count = round(seconds * rate_hz)
    acc = np.tile(9.80665 * np.array([0.0, math.sin(math.radians(30)), math.cos(math.radians(30))]), (count, 1))
    return Playback(
        rate_hz, np.arange(count) / rate_hz, acc, np.zeros((count, 3)), np.tile([0.0, 20.0, -40.0], (count, 1))
    )


async def test_a_sensor_at_its_rate_already_is_not_written_to(talk_to, playback, new_listener):
    sensor, driver = await talk_to(playback(seconds=1.0))
    heard = new_listener()
    settings = await driver.start(100.0, 5, heard)
    assert (settings.rate_hz, settings.timestamped, settings.continues) == (100.0, False, False)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert sensor.firmware.flash_writes == 0
    assert (heard.received, heard.lost, driver.decode_errors) == (sensor.samples_sent, 0, 0)
    acc, gyr = (np.concatenate([getattr(run, name) for run in heard.runs]) for name in ("acc_m_s2", "gyr_rad_s"))
    truth = sensor.reel.playback
    assert np.abs(acc - truth.acc_m_s2[-len(acc) :]).max() <= 0.5001 * settings.resolution.acc_m_s2
    assert np.abs(gyr - truth.gyr_rad_s[-len(gyr) :]).max() <= 0.5001 * settings.resolution.gyr_rad_s
    assert heard.times_us.tolist() == [10_000 * number for number in range(heard.received)]


async def test_another_rate_is_kept_in_flash_once(talk_to, playback, new_listener):
    sensor, driver = await talk_to(playback(seconds=2.0), loop=True)
    for rate_hz, flash_writes in ((50.0, 1), (50.0, 1), (200.0, 2)):
        heard = new_listener()
        assert (await driver.start(rate_hz, 5, heard)).rate_hz == rate_hz
        await asyncio.sleep(0.3)
        await driver.stop()
        assert sensor.firmware.flash_writes == flash_writes
        assert sensor.reel.rate_hz == rate_hz
        acc = np.concatenate([run.acc_m_s2 for run in heard.runs])
        wound = np.tile(sensor.reel.playback.acc_m_s2, (2, 1))
        first = int(np.argmin(np.abs(wound[: len(wound) // 2] - acc[0]).sum(axis=1)))
        assert np.abs(wound[first : first + len(acc)] - acc).max() < 0.01, "nothing of the old rate came along"
    count = heard.received
    await asyncio.sleep(0.1)
    assert heard.received == count, "it was told to stop"


async def test_its_rate_survives_a_reboot(talk_to, software_link, connect, playback, new_listener):
    sensor, driver = await talk_to(playback(seconds=2.0), loop=True)
    await driver.start(20.0, 5, new_listener())
    await sensor.reboot()
    again = WitMotionDriver(await connect(sensor), driver.decoder)
    await again.start(20.0, 5, new_listener())
    assert sensor.firmware.flash_writes == 1


async def test_frames_may_straddle_notifications(talk_to, playback, new_listener):
    class Chopping(WitMotionFirmware):
        """Its radio sends what it has every 33 bytes, wherever a frame stands."""

        def packets(self, first, count):
            (packet,) = super().packets(first, count)
            data = b"".join(part for _, part in packet.notifications)
            return [Packet(count, [(self._data, data[at : at + 33]) for at in range(0, len(data), 33)])]

    sensor, driver = await talk_to(playback(seconds=1.0, rate_hz=200.0), Chopping)
    heard = new_listener()
    await driver.start(200.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert (heard.received, driver.decode_errors) == (sensor.samples_sent, 0)
    assert sensor.samples_sent > 100


async def test_its_orientation_is_sensor_to_earth(talk_to, new_listener):
    sensor, driver = await talk_to(still())
    heard = new_listener()
    await driver.start(0.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    half = math.radians(30) / 2
    heading = 1.2 / 2
    expected = [math.cos(heading) * math.cos(half), math.cos(heading) * math.sin(half)]
    expected += [math.sin(heading) * math.sin(half), math.sin(heading) * math.cos(half)]
    np.testing.assert_allclose(heard.runs[-1].orientation[-1], expected, atol=1e-4)
    np.testing.assert_allclose(await driver.orientation(), expected, atol=1e-4)


async def test_readings_at_the_end_of_a_range_are_flagged(talk_to, new_listener):
    acc, gyr = np.zeros((150, 3)), np.zeros((150, 3))
    acc[100, 1], gyr[120, 2] = 200.0, -40.0
    sensor, driver = await talk_to(Playback(100.0, np.arange(150) / 100, acc, gyr))
    heard = new_listener()
    await driver.start(0.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    clipped = np.concatenate([run.clipped for run in heard.runs])
    assert (np.flatnonzero(clipped) - len(clipped)).tolist() == [-50, -30]


async def test_what_it_can_be_asked_amid_its_stream(talk_to, new_listener):
    sensor, driver = await talk_to(still(), battery_percent=60)
    heard = new_listener()
    settings = await driver.start(0.0, 5, heard)
    assert settings.source.firmware == "13113"
    assert await driver.battery_percent() == 60
    assert await driver.temperature_celsius() == 22.0
    np.testing.assert_allclose(await driver.magnetic_field_ut(), [0.0, 20.0, -40.0], atol=1 / 150)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert (heard.received, driver.decode_errors) == (sensor.samples_sent, 0)


async def test_what_it_can_be_asked_without_a_stream(talk_to):
    sensor, driver = await talk_to(still())
    assert await driver.battery_percent() == 90
    assert not sensor.listening(sensor.firmware._data)


async def test_settings_are_kept(talk_to):
    sensor, driver = await talk_to(still())
    await driver.set_bandwidth(98)
    await driver.set_algorithm(6)
    await driver.set_algorithm(6)
    assert sensor.firmware.flash_writes == 2
    sensor.firmware.power_on()
    assert sensor.firmware._registers[Register.BANDWIDTH] == 2
    assert sensor.firmware._registers[Register.ALGORITHM] == 1


async def test_a_heading_is_zeroed_with_six_axes_only(talk_to, new_listener):
    _, driver = await talk_to(still())
    with pytest.raises(SensorRefusedError, match="set its algorithm to 6 axes first"):
        await driver.zero_yaw()
    await driver.set_algorithm(6)
    await driver.zero_yaw()
    half = math.radians(30) / 2
    np.testing.assert_allclose(await driver.orientation(), [math.cos(half), math.sin(half), 0, 0], atol=1e-4)


async def test_calibration_is_begun_and_ended(talk_to):
    sensor, driver = await talk_to(still())
    await driver.begin_calibration()
    assert sensor.firmware._registers[Register.CALIBRATION] == 1
    await driver.end_calibration()
    assert (sensor.firmware._registers[Register.CALIBRATION], sensor.firmware.flash_writes) == (0, 1)


async def test_a_sensor_that_sends_displacement_is_set_to_send_acceleration(talk_to, new_listener):
    class Displaced(WitMotionFirmware):
        def __init__(self, sensor):
            super().__init__(sensor)
            self._flash[Register.OUTPUT] = 1

    sensor, driver = await talk_to(still(), Displaced)
    heard = new_listener()
    await driver.start(0.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert sensor.firmware.flash_writes == 1
    acc = np.concatenate([run.acc_m_s2 for run in heard.runs])
    np.testing.assert_allclose(np.linalg.norm(acc, axis=1), 9.80665, atol=0.01)


async def test_older_firmware_that_lacks_a_register_streams_nevertheless(talk_to, monkeypatch, new_listener):
    monkeypatch.setattr("firmware_interface.drivers.witmotion.driver.OLD_FIRMWARE_S", 0.1)

    class Older(WitMotionFirmware):
        registers = 0x90

    sensor, driver = await talk_to(still(), Older)
    heard = new_listener()
    await driver.start(0.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    assert heard.received > 100


async def test_a_sensor_that_keeps_its_registers_locked_is_named(talk_to, new_listener):
    class Locked(WitMotionFirmware):
        def _write(self, register, value):
            """As if the unlocking had not been heard."""

    _, driver = await talk_to(still(), Locked)
    with pytest.raises(SensorRefusedError, match="did not accept a rate of 50 Hz; restart it"):
        await driver.start(50.0, 5, new_listener())


async def test_a_sensor_that_does_not_answer_is_named(talk_to, monkeypatch):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)

    class Mute(WitMotionFirmware):
        registers = 0

    _, driver = await talk_to(still(), Mute)
    with pytest.raises(NoReplyError, match="did not answer a question for register 0x2e"):
        await driver.prepare()


async def test_what_its_maker_has_not_published_is_not_guessed(talk_to):
    sensor, driver = await talk_to(still())
    sensor.firmware._registers[Register.MAGNETOMETER] = 9
    with pytest.raises(WrongSensorError, match="a magnetometer of kind 9, whose unit its maker has not published"):
        await driver.magnetic_field_ut()
    sensor.firmware._measured = lambda: {Register.BATTERY: 120}
    with pytest.raises(WrongSensorError, match=r"tells a battery of 1\.2 V"):
        await driver.battery_percent()


async def test_the_virtual_sensor_heeds_only_what_the_protocol_says(make_sensor, connect):
    sensor = await make_sensor(still(), firmware=WitMotionFirmware)
    client, answers = await connect(sensor), asyncio.Queue()

    def note_answer(_, data):
        if data[1] == 0x71:
            answers.put_nowait(bytes(data).hex())

    await client.start_notify(NOTIFY, note_answer)
    bandwidth = encode_write(Register.BANDWIDTH, 1)
    for command in (
        bandwidth,
        b"",
        b"\xff\xaa\x1f\x01",
        b"\xff\xab\x1f\x01\x00",
        encode_write(Register.KEY, 1),
        bandwidth,
    ):
        await client.write_gatt_char(WRITE, command, response=True)
    await client.write_gatt_char(WRITE, encode_read(Register.BANDWIDTH), response=False)
    assert (await asyncio.wait_for(answers.get(), 2))[:12] == "55711f000400"
    for command in (encode_unlock(), bandwidth, encode_read(Register.BANDWIDTH)):
        await client.write_gatt_char(WRITE, command, response=True)
    assert (await asyncio.wait_for(answers.get(), 2))[:12] == "55711f000100"
    assert sensor.firmware.flash_writes == 0
    for command in (encode_save(), encode_write(Register.SAVE, 1), encode_read(Register.BANDWIDTH)):
        await client.write_gatt_char(WRITE, command, response=True)
    assert (await asyncio.wait_for(answers.get(), 2))[:12] == "55711f000400", "back to what it was made with"
    assert sensor.firmware.flash_writes == 2


@pytest.mark.parametrize(
    ("name", "services", "its"),
    [
        ("WT901BLE68", [], True),
        ("WT9011DCL-BT50", [], True),
        ("BWT901BLE5.0", [], True),
        ("renamed", [WitMotionDriver.service], True),
        ("WTVB01-BT50", [], False),
        ("My WT901", [], False),
        (None, ["0000ffe5-0000-1000-8000-00805f9b34fb"], False),
    ],
)
def test_it_is_known_by_name_or_service(name, services, its):
    advertised = AdvertisementData(name, {}, {}, services, None, -50, ())
    assert WitMotionDriver.matches(BLEDevice("C1:00:00:00:00:01", name, None), advertised) is its
