"""Several Movella DOT are brought to one clock, by the procedure of their specification, §5.3.5."""

import asyncio
import contextlib
from dataclasses import dataclass, field

import numpy as np
import pytest
from bleak import BleakClient
from bleak.exc import BleakError

from firmware_interface.drivers.movella_dot.device import FilterProfile
from firmware_interface.drivers.movella_dot.driver import MovellaDotDriver
from firmware_interface.drivers.movella_dot.synchronisation import SyncResult, SyncStatus, synchronise
from firmware_interface.errors import SensorRefusedError
from firmware_interface.virtual.families.movella_dot.firmware import MovellaDotFirmware
from firmware_interface.virtual.gate import StartGate

HASTE = 100


class HastyDot(MovellaDotFirmware):
    """Its radio needs a hundredth of the time."""

    sync_period_s = MovellaDotFirmware.sync_period_s / HASTE


@dataclass
class Body:
    """Sensors on one body, their clients by address, and what was done with them."""

    sensors: list
    clients: dict
    drivers: list
    diary: list = field(default_factory=list)

    async def disconnect(self, driver):
        self.diary.append("disconnect")
        await self.clients[driver._client.address].disconnect()

    async def reconnect(self, driver):
        self.diary.append("reconnect")
        await driver._client.connect()
        return MovellaDotDriver(driver._client)

    async def sleep(self, seconds):
        self.diary.append(seconds)
        await asyncio.sleep(seconds / HASTE)

    async def synchronise(self, rate_hz=60, **options):
        calls = {"disconnect": self.disconnect, "reconnect": self.reconnect, "sleep": self.sleep}
        return await synchronise(self.drivers, rate_hz, **{**calls, **options})


@pytest.fixture
async def body(make_sensor, software_radio, playback):
    """Three sensors whose clocks began at other times and go at other paces; they measure from the same instant on."""
    gate, sensors, clients = StartGate(), [], {}
    async with contextlib.AsyncExitStack() as stack:
        for number in range(3):
            sensor = await make_sensor(
                playback(rate_hz=60.0, seconds=60.0),
                firmware=HastyDot,
                gate=gate,
                clock_start_us=number * 100_000_000,
                clock_drift_ppm=50.0 * number,
            )
            client = BleakClient(sensor.address, backend=software_radio.client_backend)
            clients[sensor.address] = await stack.enter_async_context(client)
            sensors.append(sensor)
        yield Body(sensors, clients, [MovellaDotDriver(client) for client in clients.values()])


async def stream_together(drivers, new_listener):
    """The times of the first ten samples of each sensor."""
    listeners = [new_listener() for _ in drivers]
    for driver, heard in zip(drivers, listeners, strict=True):
        await driver.start(60, 1, heard)
    await asyncio.sleep(0.5)
    for driver in drivers:
        await driver.stop()
    assert all(driver.decode_errors == 0 for driver in drivers)
    return [heard.times_us[:10] for heard in listeners]


async def test_synchronised_sensors_tell_one_time(body, new_listener):
    synchronised = await body.synchronise()
    assert [one.result for one in synchronised] == [SyncResult.SUCCESS] * 3
    assert body.diary == ["disconnect"] * 3 + [14.0] + ["reconnect"] * 3
    drivers = [one.sensor for one in synchronised]
    assert [await driver.sync_status() for driver in drivers] == [SyncStatus.SYNCED] * 3
    first, *others = await stream_together(drivers, new_listener)
    for times_us in others:
        np.testing.assert_allclose(times_us, first, atol=200)  # what is left is that they sample at other paces


async def test_others_tell_their_own(body, new_listener):
    first, second, third = await stream_together(body.drivers, new_listener)
    np.testing.assert_allclose(second - first, 100_000_000, atol=200)
    np.testing.assert_allclose(third - first, 200_000_000, atol=200)


async def test_rate_and_filter_are_set_before_and_stay(body, new_listener):
    synchronised = await body.synchronise(20, filter_profile=FilterProfile.DYNAMIC)
    driver = synchronised[1].sensor
    control = await driver.device_control()
    assert (control.rate_hz, control.filter_profile) == (20, FilterProfile.DYNAMIC)
    assert (await driver.set_up(60, FilterProfile.GENERAL)) == control
    started = await driver.start(60, 1, new_listener())
    assert (started.rate_hz, started.shared_clock) == (20, "movella_dot")
    await driver.stop()
    await driver.stop_sync()
    assert (await driver.start(60, 1, new_listener())).shared_clock is None
    await driver.stop()
    assert await driver.sync_status() is SyncStatus.UNSYNCED
    assert (await driver.set_up(60)).rate_hz == 60


async def test_it_can_be_done_again(body):
    first = await body.synchronise(20)
    body.drivers = [one.sensor for one in first]
    assert [one.result for one in await body.synchronise(30)] == [SyncResult.SUCCESS] * 3
    assert (await body.drivers[0].device_control()).rate_hz == 30


async def test_who_is_disturbed_says_so(body, monkeypatch):
    monkeypatch.setattr(HastyDot, "sync_period_s", 600.0)
    synchronised = await body.synchronise()
    assert [one.result for one in synchronised] == [SyncResult.NOT_ENOUGH_SAMPLES] * 3
    assert await synchronised[0].sensor.sync_status() is SyncStatus.UNSYNCED


async def test_who_does_not_come_back_holds_nobody_up(body):
    async def reconnect(driver):
        if driver is body.drivers[1]:
            body.diary.append("tried")
            raise BleakError("out of range")
        return await body.reconnect(driver)

    synchronised = await body.synchronise(reconnect=reconnect)
    assert [one.result for one in synchronised] == [SyncResult.SUCCESS, None, SyncResult.SUCCESS]
    assert synchronised[1].sensor is body.drivers[1]
    assert body.diary == [*["disconnect"] * 3, 14.0, "reconnect", "tried", 1.0, "tried", 1.0, "tried", "reconnect"]


async def test_the_first_is_the_root(body, monkeypatch):
    asked = []
    for sensor in body.sensors:
        on_sync = sensor.firmware._on_sync
        monkeypatch.setattr(sensor.firmware, "_on_sync", lambda data, to=on_sync: asked.append(data.hex()) or to(data))
    await body.synchronise()
    started = [data for data in asked if data.startswith("01")]
    assert started == ["01" + bytes.fromhex(body.sensors[0].address.replace(":", ""))[::-1].hex()] * 3


async def test_nobody_is_synchronised_at_once(body):
    assert await synchronise([], 60, disconnect=body.disconnect, reconnect=body.reconnect, sleep=body.sleep) == []
    assert body.diary == []


async def test_a_single_driver_can_do_each_step(body):
    driver = body.drivers[0]
    assert await driver.sync_status() is SyncStatus.UNSYNCED
    with pytest.raises(SensorRefusedError, match="did not end its synchronisation; restart it"):
        await driver.stop_sync()
    await driver.start_sync(body.sensors[0].address)
    assert await driver.sync_result() is SyncResult.UNSTARTED
    await body.disconnect(driver)
    await body.sleep(14)
    driver = await body.reconnect(driver)
    assert await driver.sync_result() is SyncResult.SUCCESS
    await driver.revert_to_factory_settings()
    assert await driver.sync_status() is SyncStatus.UNSYNCED


async def test_a_wrong_acknowledgement_is_named(body):
    body.sensors[0].firmware._acknowledgement = bytes.fromhex("0103010602f3")
    with pytest.raises(SensorRefusedError, match=r"synchronisation wrongly: The sensor told 01 06 02, .* Restart it"):
        await body.drivers[0].sync_result()


async def test_after_power_on_a_sensor_has_its_own_clock(body):
    driver = (await body.synchronise())[0].sensor
    body.sensors[0].firmware.power_on()
    assert await driver.sync_status() is SyncStatus.UNSYNCED
