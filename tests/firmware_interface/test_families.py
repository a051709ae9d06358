"""What every family must do alike, each driver against its own emulator over real ATT/GATT."""

import asyncio
import contextlib
from dataclasses import replace

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bumble import att
from bumble.core import UUID
from bumble.gatt import CharacteristicValue, Service

from firmware_interface.drivers import DRIVERS, Quantity, driver_for
from firmware_interface.errors import (
    FirmwareTooOldError,
    NarrowLinkError,
    SensorRefusedError,
    WrongSensorError,
)
from firmware_interface.virtual.families import FIRMWARES
from firmware_interface.virtual.gatt import readable

DRIVER_OF = {driver.family.code: driver for driver in DRIVERS}
every_family = pytest.mark.parametrize("code", DRIVER_OF)


def test_every_driver_has_an_emulator():
    assert list(FIRMWARES) == list(DRIVER_OF)


@every_family
async def test_it_alone_recognises_its_advertisement(code, make_sensor, software_radio):
    await make_sensor(firmware=FIRMWARES[code])
    found = await BleakScanner.discover(timeout=0.3, return_adv=True, backend=software_radio.scanner_backend)
    ((device, advertised),) = found.values()
    assert driver_for(device, advertised) is DRIVER_OF[code]
    assert [driver.family.code for driver in DRIVERS if driver.matches(device, advertised)] == [code]


@pytest.mark.parametrize(
    ("code", "rate_hz"),
    [(code, rate_hz) for code, driver in DRIVER_OF.items() for rate_hz in driver.family.rates_hz or (0.0,)],
)
async def test_it_streams_at_every_rate_of_its_row(code, rate_hz, make_sensor, connect, playback, new_listener):
    """Slow rates are played faster, so that none takes longer than another."""
    speed = max(1.0, 100 / rate_hz) if rate_hz else 1.0
    sensor = await make_sensor(playback(seconds=10.0), firmware=FIRMWARES[code], loop=True, speed=speed)
    driver, heard = DRIVER_OF[code](await connect(sensor)), new_listener()
    settings = await driver.start(rate_hz, 1, heard)
    assert settings.rate_hz == (rate_hz or 100.0)
    await heard.has(12)
    await driver.stop()
    np.testing.assert_allclose(np.diff(heard.times_us), 1e6 / settings.rate_hz, atol=1500)


@every_family
async def test_what_it_tells_is_what_its_row_says(code, make_sensor, connect, playback, new_listener):
    family = DRIVER_OF[code].family
    signals = playback(seconds=2.0)
    field = np.random.default_rng(5).uniform(-40, 40, signals.acc_m_s2.shape)
    signals = replace(signals, acc_m_s2=signals.acc_m_s2 / 4, mag_ut=field)  # within 2 g, the least full scale there is
    sensor = await make_sensor(signals, firmware=FIRMWARES[code])
    driver, heard = DRIVER_OF[code](await connect(sensor)), new_listener()
    settings = await driver.start(0.0, 5, heard)
    await asyncio.wait_for(sensor.finished.wait(), 10)
    await driver.stop()
    assert heard.received >= 1.5 * settings.rate_hz
    assert (driver.decode_errors, heard.lost) == (0, 0)
    assert settings.timestamped == (family.timestamps is not None)
    assert settings.source == driver.source == heard.runs[0].source
    assert settings.source.family == code
    assert settings.source.address == sensor.address
    acc, gyr = (np.concatenate([getattr(run, name) for run in heard.runs]) for name in ("acc_m_s2", "gyr_rad_s"))
    assert np.isfinite(acc).all() == (Quantity.ACCELERATION in family.quantities)
    assert np.isfinite(gyr).all() == (Quantity.ANGULAR_RATE in family.quantities)
    # The first samples may be missing; from where they begin, all are what was measured, to a step.
    measured = sensor.reel.playback
    first = max(0, int(np.argmin(np.abs(measured.acc_m_s2 - acc[5]).sum(axis=1))) - 5)
    span = slice(first, first + len(acc))
    assert np.abs(acc - measured.acc_m_s2[span]).max() <= 1.01 * settings.resolution.acc_m_s2
    if family.has_imu:
        # Two steps, because some firmware rounds twice: the Thingy's from the chip's step to its own.
        assert np.abs(gyr - measured.gyr_rad_s[span]).max() <= 2.01 * settings.resolution.gyr_rad_s
    steps = np.diff(heard.times_us)
    np.testing.assert_allclose(steps, 1e6 / settings.rate_hz, atol=1500)


@every_family
async def test_losses_are_counted_where_the_row_says_so(code, make_sensor, connect, playback, new_listener):
    family = DRIVER_OF[code].family
    sensor = await make_sensor(playback(seconds=12.0), firmware=FIRMWARES[code], speed=4.0, queue_loss=0.1)
    sensor.firmware.fifo_s = 0.0  # what it has lost it cannot send again
    driver, heard = DRIVER_OF[code](await connect(sensor)), new_listener()
    stream = await driver.start(0.0, 1, heard)
    await asyncio.wait_for(sensor.finished.wait(), 30)
    await driver.stop()
    assert sensor.dropped > 0
    if family.timestamps or family.sequence:
        spanned = round(float(heard.times_us[-1] - heard.times_us[0]) * stream.rate_hz / 1e6) + 1
        assert heard.received + heard.lost == spanned
        assert heard.lost >= 0.5 * sensor.dropped
    else:
        assert heard.lost == 0


@every_family
async def test_a_second_stream_is_as_good_as_the_first(code, make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=10.0), firmware=FIRMWARES[code], loop=True)
    driver = DRIVER_OF[code](await connect(sensor))
    for _ in range(2):
        heard, told_us = new_listener(), []
        stream = await driver.start(0.0, 5, heard, told_us.append)
        await heard.has(40)
        await driver.stop()
        received = heard.received
        assert (heard.lost, driver.decode_errors) == (0, 0)
        np.testing.assert_allclose(np.diff(heard.times_us), 1e6 / stream.rate_hz, atol=1500)
        assert told_us, "the clock is told of each packet"
        await asyncio.sleep(0.05)
        assert heard.received == received, "nothing comes after a stop"


@every_family
async def test_a_look_alike_without_its_service_is_named(code, make_sensor, connect, monkeypatch):
    monkeypatch.setattr(FIRMWARES[code], "services", lambda _: [])
    driver = DRIVER_OF[code](await connect(await make_sensor(firmware=FIRMWARES[code])))
    with pytest.raises(WrongSensorError, match="another device; remove it"):
        await driver.prepare()


@every_family
async def test_half_a_service_is_named(code, make_sensor, connect, monkeypatch):
    other = readable("00002a19-0000-1000-8000-00805f9b34fb", lambda: b"\x01")
    monkeypatch.setattr(FIRMWARES[code], "services", lambda _: [Service(UUID(DRIVER_OF[code].service), [other])])
    driver = DRIVER_OF[code](await connect(await make_sensor(firmware=FIRMWARES[code])))
    with pytest.raises(WrongSensorError, match="lacks a part of its family's service"):
        await driver.prepare()


@every_family
async def test_the_least_mtu_carries_it_or_is_named(code, make_sensor, connect, playback, new_listener):
    sensor = await make_sensor(playback(seconds=5.0), firmware=FIRMWARES[code], greatest_mtu=23, loop=True)
    driver, heard = DRIVER_OF[code](await connect(sensor)), new_listener()
    if driver.least_payload_bytes > 20:
        with pytest.raises(NarrowLinkError, match="this connection holds 20; use a Bluetooth adapter"):
            await driver.start(0.0, 5, heard)
    else:
        await driver.start(0.0, 5, heard)
        await asyncio.sleep(0.5)
        await driver.stop()
        assert heard.received > 0
        assert driver.decode_errors == 0


@every_family
async def test_an_att_error_on_a_write_is_named(code, make_sensor, connect, new_listener):
    sensor = await make_sensor(firmware=FIRMWARES[code], loop=True)
    client = await connect(sensor)
    refused = []

    def refuse(_connection, _value):
        refused.append(True)
        raise att.ATT_Error(att.ErrorCode.UNLIKELY_ERROR)

    for attribute in sensor._peripheral._device.gatt_server.attributes:
        if isinstance(attribute.value, CharacteristicValue) and attribute.permissions & attribute.WRITEABLE:
            attribute.value.write = refuse
    driver = DRIVER_OF[code](client)
    named = None
    with contextlib.suppress(TimeoutError):
        try:
            await driver.start(0.0, 5, new_listener())
        except SensorRefusedError as error:
            named = str(error)
    assert bool(named) == bool(refused), "only a family that is never written to may start"
    assert named is None or ("refused" in named and "restart it" in named)


@every_family
async def test_firmware_that_is_too_old_is_named(code, make_sensor, connect, monkeypatch):
    driver = DRIVER_OF[code](await connect(await make_sensor(firmware=FIRMWARES[code])))
    read_source = driver._read_source

    async def old():
        return replace(await read_source(), firmware="0.0.1")

    monkeypatch.setattr(driver, "_least_firmware", lambda _: (0, 1))
    monkeypatch.setattr(driver, "_read_source", old)
    with pytest.raises(FirmwareTooOldError, match=r"runs firmware 0\.0\.1 and Sinew needs .* update it with"):
        await driver.prepare()


async def test_a_decode_error_never_stops_the_other_sensors(make_sensor, software_radio, playback, new_listener):
    """One sensor of every family at once; each is sent junk of its own and goes on, as do the others."""
    sensors = [await make_sensor(playback(seconds=2.0), firmware=FIRMWARES[code], loop=True) for code in DRIVER_OF]
    async with contextlib.AsyncExitStack() as stack:
        running = []
        for sensor, driver_type in zip(sensors, DRIVERS, strict=True):
            client = BleakClient(sensor.address, backend=software_radio.client_backend)
            driver, heard = driver_type(await stack.enter_async_context(client)), new_listener()
            await driver.start(0.0, 5, heard)
            running.append((sensor, driver, heard))
        for _, driver, _ in running:
            uuid = driver.characteristics[0]
            for junk in (b"", b"\x00", bytes(3), bytes(range(256))):
                driver._on_data(driver._client.services.get_characteristic(uuid), bytearray(junk))
        counts = [heard.received for *_, heard in running]
        await asyncio.sleep(1.5)
        for (sensor, driver, heard), before in zip(running, counts, strict=True):
            assert heard.received > before, sensor.firmware.family
            await driver.stop()
