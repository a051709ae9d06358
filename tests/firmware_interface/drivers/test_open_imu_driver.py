"""What the driver does when a sensor is not as it should be."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError

from firmware_interface import open_profile as profile
from firmware_interface.drivers import OpenImuDriver, driver_for
from firmware_interface.errors import NoReplyError, SensorRefusedError, UnknownSensorError, WrongSensorError


async def test_the_sensor_answers_what_it_does_not_know(make_sensor, connect):
    client = await connect(await make_sensor())
    answers = asyncio.Queue()
    await client.start_notify(profile.CONTROL_UUID, lambda _, data: answers.put_nowait(bytes(data)))
    for command, answer in [
        ("7f", "ff01"),
        ("", "8001"),
        ("01", "8102"),
        ("010000000000", "8102"),
        ("010000000001", "8103"),
    ]:
        await client.write_gatt_char(profile.CONTROL_UUID, bytes.fromhex(command), response=True)
        assert (await asyncio.wait_for(answers.get(), 2)).hex() == answer


async def test_a_sensors_refusal_is_named(make_sensor, connect, monkeypatch, new_listener):
    sensor = await make_sensor()
    driver = OpenImuDriver(await connect(sensor))
    monkeypatch.setattr(profile, "encode_start", lambda *_: bytes([profile.Opcode.START]))
    with pytest.raises(SensorRefusedError, match=r"refused START \(bad parameter\); restart it"):
        await driver.start(0, 5, new_listener())


async def test_a_sensor_that_does_not_answer_is_named(make_sensor, connect, monkeypatch, new_listener):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)
    sensor = await make_sensor()
    driver = OpenImuDriver(await connect(sensor))
    sensor.firmware._reply = lambda _: None
    with pytest.raises(NoReplyError, match="did not answer START"):
        await driver.start(0, 5, new_listener())


async def test_a_device_without_the_service_is_named(make_sensor, connect, software_radio, new_listener):
    sensor = await make_sensor()
    battery = "0000180f-0000-1000-8000-00805f9b34fb"
    async with BleakClient(sensor.address, services=[battery], backend=software_radio.client_backend) as client:
        driver = OpenImuDriver(client)
        with pytest.raises(WrongSensorError, match="does not offer the service of its family"):
            await driver.start(0, 5, new_listener())
        assert await driver.battery_percent() == 90
    async with BleakClient(
        sensor.address, services=[profile.SERVICE_UUID], backend=software_radio.client_backend
    ) as client:
        with pytest.raises(WrongSensorError, match="does not tell its battery level"):
            await OpenImuDriver(client).battery_percent()


async def test_stopping_after_the_link_is_lost_is_harmless(make_sensor, software_radio, new_listener):
    sensor = await make_sensor()
    client = BleakClient(sensor.address, backend=software_radio.client_backend)
    await client.connect()
    driver = OpenImuDriver(client)
    await driver.start(0, 5, new_listener())
    await client.disconnect()
    await driver.stop()
    with pytest.raises(BleakError):
        await driver.start(0, 5, new_listener())


async def test_samples_that_overtake_the_answer_are_kept(make_sensor, connect, playback, new_listener):
    """Through BlueZ the two travel on different paths, so either may come first."""
    sensor = await make_sensor(playback(seconds=0.3))
    reply, loop = sensor.firmware._reply, asyncio.get_running_loop()
    sensor.firmware._reply = lambda data: loop.call_later(0.1, reply, data)
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert (heard.received, heard.lost, driver.decode_errors) == (30, 0, 0)


async def test_bad_packets_are_counted_and_the_stream_goes_on(make_sensor, connect, caplog, playback, new_listener):
    sensor = await make_sensor(playback(seconds=0.5))
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 5, heard)
    for junk in (b"", b"\x01\x05", bytes(68), b"\xff" * 20):
        await asyncio.sleep(0.05)
        await sensor._peripheral.notify(sensor.firmware._data, junk)
    await asyncio.wait_for(sensor.finished.wait(), 5)
    await driver.stop()
    assert (heard.received, heard.lost, driver.decode_errors) == (50, 0, 4)
    assert caplog.text.count("left out") == 1


async def test_a_driver_is_found_by_advertisement(make_sensor, software_radio):
    await make_sensor()
    found = await BleakScanner.discover(timeout=0.4, return_adv=True, backend=software_radio.scanner_backend)
    ((device, advertised),) = found.values()
    assert driver_for(device, advertised) is OpenImuDriver
    with pytest.raises(UnknownSensorError, match=r"is no sensor that Sinew knows; .* Sinew open profile"):
        driver_for(device, advertised._replace(service_uuids=[]))
