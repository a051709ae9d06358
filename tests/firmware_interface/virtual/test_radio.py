"""bleak and bleak-retry-connector on the injected backend, just as they come."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError, BleakGATTProtocolError
from bleak_retry_connector import establish_connection
from bumble import hci
from bumble.att import Attribute
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from bumble.pairing import PairingConfig, PairingDelegate

from firmware_interface import open_profile as profile
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio

BATTERY_LEVEL = "2a19"


@pytest.fixture
def find(software_radio):
    async def by_address(address):
        device = await BleakScanner.find_device_by_address(address, timeout=2, backend=software_radio.scanner_backend)
        assert device is not None
        return device

    return by_address


@pytest.fixture
def client_of(software_radio):
    return lambda device, **options: BleakClient(device, backend=software_radio.client_backend, **options)


async def test_a_scan_finds_sensors_by_service_with_their_whole_names(make_sensor, software_radio):
    sensors = [await make_sensor() for _ in range(3)]
    found = await BleakScanner.discover(
        timeout=0.4, return_adv=True, service_uuids=[profile.SERVICE_UUID], backend=software_radio.scanner_backend
    )
    assert {device.address: device.name for device, _ in found.values()} == {s.address: s.name for s in sensors}
    assert all(advertised.service_uuids == [profile.SERVICE_UUID] for _, advertised in found.values())


async def test_a_scan_for_another_service_finds_none(make_sensor, software_radio):
    await make_sensor()
    found = await BleakScanner.discover(timeout=0.2, service_uuids=["180d"], backend=software_radio.scanner_backend)
    assert found == []


async def test_two_scanners_share_the_radio(make_sensor, software_radio):
    await make_sensor()
    async with BleakScanner(backend=software_radio.scanner_backend) as outlasting:
        async with BleakScanner(backend=software_radio.scanner_backend):
            pass
        assert (await anext(outlasting.advertisement_data()))[0].address == "C1:00:00:00:00:01"


async def test_services_reads_and_mtu(make_sensor, find, client_of):
    sensor = await make_sensor(battery_percent=73)
    async with client_of(await find(sensor.address)) as client:
        assert client.is_connected
        assert client.name == sensor.name
        assert client.mtu_size == 517
        assert (await client.read_gatt_char(BATTERY_LEVEL))[0] == 73
        assert await client.read_gatt_char("2a29") == b"Sinew"
        data = client.services.get_characteristic(profile.DATA_UUID)
        control = client.services.get_characteristic(profile.CONTROL_UUID)
        assert (data.properties, control.properties) == (["notify"], ["write", "indicate"])
        assert data.max_write_without_response_size == 514
    assert not client.is_connected


async def test_an_error_of_the_sensor_is_bleaks_error(make_sensor, find, client_of):
    sensor = await make_sensor()
    async with client_of(await find(sensor.address)) as client:
        for uuid in (profile.CONTROL_UUID, profile.DATA_UUID):
            with pytest.raises(BleakGATTProtocolError) as caught:
                await client.read_gatt_char(uuid)
            assert caught.value.code == 0x02, "read not permitted"


async def test_a_subscription_that_was_refused_may_be_tried_again_and_ended(make_sensor, find, client_of):
    sensor = await make_sensor()
    told, refused = asyncio.Queue(), []
    async with client_of(await find(sensor.address)) as client:
        with pytest.MonkeyPatch.context() as patch:
            for attribute in sensor._peripheral._device.gatt_server.attributes:
                if attribute.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR:
                    patch.setattr(attribute, "permissions", Attribute.Permissions.WRITE_REQUIRES_ENCRYPTION)
            with pytest.raises(BleakGATTProtocolError):
                await client.start_notify(profile.DATA_UUID, lambda _, data: refused.append(bytes(data)))
        await client.start_notify(profile.DATA_UUID, lambda _, data: told.put_nowait(bytes(data)))
        sensor.notify(sensor.firmware._data, b"one")
        assert await asyncio.wait_for(told.get(), 5) == b"one"
        assert refused == []
        await client.stop_notify(profile.DATA_UUID)
        assert not sensor.listening(sensor.firmware._data)


async def test_five_connect_at_once_and_by_retry_connector(make_sensor, find, software_radio):
    sensors = [await make_sensor() for _ in range(5)]
    devices = [await find(sensor.address) for sensor in sensors]
    clients = await asyncio.gather(
        *(establish_connection(BleakClient, d, d.name, backend=software_radio.client_backend) for d in devices)
    )
    assert all(client.is_connected for client in clients)
    await asyncio.gather(*(client.disconnect() for client in clients))
    assert not any(client.is_connected for client in clients)


async def test_retry_connector_waits_for_a_sensor_that_comes_back(make_sensor, find, software_radio):
    sensor = await make_sensor()
    device = await find(sensor.address)
    sensor.walk_away()
    asyncio.get_running_loop().call_later(0.2, sensor.walk_back)
    client = await establish_connection(BleakClient, device, "knee", backend=software_radio.client_backend)
    assert client.is_connected
    await client.disconnect()


async def test_a_connect_that_times_out_leaves_nothing_pending(make_sensor, find, client_of, software_link):
    sensor, other = await make_sensor(), await make_sensor()
    device, other_device = await find(sensor.address), await find(other.address)
    sensor.walk_away()
    with pytest.raises(TimeoutError):
        await client_of(device, timeout=0.1).connect()
    assert no_connect_is_pending(software_link)
    sensor.walk_back()
    async with client_of(other_device) as client:
        await asyncio.sleep(0.2)
        assert client.is_connected
        assert sensor_is_free(sensor)


@pytest.mark.parametrize("delay_s", [0, 0.0005, 0.002, 0.01, 0.05, 0.1, 0.15])
async def test_a_cancelled_connect_leaves_nothing_behind(make_sensor, find, client_of, software_link, delay_s):
    """Cancelled at whatever moment: before the request, while it waits, while services are being discovered."""
    sensor = await make_sensor()
    device = await find(sensor.address)
    client = client_of(device)
    connecting = asyncio.ensure_future(client.connect())
    await asyncio.sleep(delay_s)
    connecting.cancel()
    await asyncio.wait([connecting])
    assert no_connect_is_pending(software_link)
    if connecting.cancelled():
        assert not client.is_connected
        await asyncio.sleep(0.15)
        assert sensor_is_free(sensor)
    await client.disconnect()
    async with client_of(device) as again:
        assert again.is_connected


async def test_a_handshake_cancelled_at_any_step_leaves_no_error_behind(make_sensor, client_of, software_link):
    """bumble sets an answer that comes in the very instant of the cancellation on a future that is cancelled."""
    sensor, errors = await make_sensor(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    client = client_of(sensor.address)
    for steps in range(24):
        connecting = asyncio.ensure_future(client.connect())
        while not any(c.le_connections for c in software_link.controllers):  # noqa: ASYNC110 - bumble sets no event
            await asyncio.sleep(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.wait([connecting])
    assert errors == []


async def test_a_connect_cancelled_again_and_again_leaves_the_radio_ready(make_sensor, find, client_of):
    sensor, other = await make_sensor(), await make_sensor()
    device, other_device = await find(sensor.address), await find(other.address)
    sensor.walk_away()
    connecting = asyncio.ensure_future(client_of(device).connect())
    await asyncio.sleep(0.05)
    while not connecting.done():
        connecting.cancel()
        await asyncio.sleep(0)
    assert connecting.cancelled()
    async with client_of(other_device) as client:
        assert client.is_connected


async def test_a_waiting_connect_may_be_cancelled_without_harm_to_the_first(make_sensor, find, client_of):
    first, second = await make_sensor(), await make_sensor()
    devices = [await find(first.address), await find(second.address)]
    clients = [client_of(device) for device in devices]
    connecting = [asyncio.ensure_future(client.connect()) for client in clients]
    await asyncio.sleep(0)
    connecting[1].cancel()
    await connecting[0]
    assert clients[0].is_connected
    assert sensor_is_free(second)
    await clients[0].disconnect()


async def test_losing_the_link_while_an_answer_is_due_is_an_error_and_no_cancellation(make_sensor, find, client_of):
    sensor = await make_sensor()
    left = asyncio.Event()
    client = client_of(await find(sensor.address), disconnected_callback=lambda _: left.set())
    await client.connect()
    sensor.walk_away()
    with pytest.raises(BleakError, match="Disconnected"):
        await client.read_gatt_char(BATTERY_LEVEL)
    assert left.is_set()
    assert not client.is_connected
    with pytest.raises(BleakError):
        await client.read_gatt_char(BATTERY_LEVEL)


async def test_both_ends_notice_when_the_sensor_is_out_of_range(make_sensor, find, client_of, software_link):
    sensor = await make_sensor()
    left = asyncio.Event()
    device = await find(sensor.address)
    client = client_of(device, disconnected_callback=lambda _: left.set())
    await client.connect()
    loop = asyncio.get_running_loop()
    start = loop.time()
    sensor.walk_away()
    await asyncio.wait_for(left.wait(), 5)
    assert loop.time() - start >= software_link.supervision_timeout_s - 0.01
    assert sensor_is_free(sensor)
    sensor.walk_back()
    await client.connect()
    assert (await client.read_gatt_char(BATTERY_LEVEL))[0] == 90
    await client.disconnect()


async def test_a_short_absence_only_delays(make_sensor, find, client_of):
    """The link layer sends again until the supervision timeout: nothing is lost."""
    sensor = await make_sensor()
    async with client_of(await find(sensor.address)) as client:
        sensor.walk_away()
        asyncio.get_running_loop().call_later(0.1, sensor.walk_back)
        assert (await client.read_gatt_char(BATTERY_LEVEL))[0] == 90
        await asyncio.sleep(0.4)
        assert client.is_connected


async def test_the_sensor_may_hang_up(make_sensor, find, client_of):
    sensor = await make_sensor()
    left = asyncio.Event()
    client = client_of(await find(sensor.address), disconnected_callback=lambda _: left.set())
    await client.connect()
    await sensor.disconnect()
    await asyncio.wait_for(left.wait(), 2)
    assert not client.is_connected
    await client.connect()
    assert client.is_connected
    await client.disconnect()


@pytest.mark.parametrize("connected", [True, False])
async def test_a_sensor_that_is_switched_off_is_gone(make_sensor, find, client_of, software_radio, connected):
    sensor = await make_sensor()
    left = asyncio.Event()
    client = client_of(await find(sensor.address), disconnected_callback=lambda _: left.set())
    if connected:
        await client.connect()
    await sensor.stop()
    if connected:
        await asyncio.wait_for(left.wait(), 2)
    assert await BleakScanner.discover(timeout=0.3, backend=software_radio.scanner_backend) == []


async def test_a_paced_link_still_carries_the_goodbye_of_a_sensor(make_sensor, find, client_of, software_link):
    sensor, left = await make_sensor(), asyncio.Event()
    client = client_of(await find(sensor.address), disconnected_callback=lambda _: left.set())
    await client.connect()
    software_link.connection_interval_s = 0.03
    await sensor.stop()
    await asyncio.wait_for(left.wait(), 2)


async def test_a_sensor_switched_off_out_of_range_is_missed_in_time(make_sensor, find, client_of):
    sensor, left = await make_sensor(), asyncio.Event()
    client = client_of(await find(sensor.address), disconnected_callback=lambda _: left.set())
    await client.connect()
    sensor.walk_away()
    await sensor.stop()
    await asyncio.wait_for(left.wait(), 2)


async def test_a_connection_keeps_its_address_when_the_adapter_takes_another(
    make_sensor, find, client_of, software_radio, software_link
):
    """As Linux does for each scan, for privacy."""
    sensor, left = await make_sensor(), asyncio.Event()
    client = client_of(await find(sensor.address), disconnected_callback=lambda _: left.set())
    await client.connect()
    other = hci.HCI_LE_Set_Random_Address_Command(random_address=hci.Address("0A:00:00:00:00:01"))
    await software_radio._device.host.send_sync_command(other)
    assert (await client.read_gatt_char(BATTERY_LEVEL))[0] == 90
    software_link.out_of_range(next(c for c in software_link.controllers if c.name == "radio"))
    await asyncio.wait_for(left.wait(), 2)
    assert sensor_is_free(sensor)


async def test_a_pairing_that_was_refused_may_be_tried_again(make_sensor, find, client_of):
    sensor = await make_sensor()
    async with client_of(await find(sensor.address)) as client:
        device = sensor._peripheral._device
        device.pairing_config_factory = lambda _: PairingConfig(delegate=Refusing())
        with pytest.raises(BleakError, match="NOT_SUPPORTED"):
            await client.pair()
        device.pairing_config_factory = lambda _: PairingConfig()
        await client.pair()
        assert sensor._peripheral._connection.is_encrypted


class Refusing(PairingDelegate):
    async def accept(self):
        return False


async def test_a_radio_that_is_off_says_so(make_sensor):
    sensor = await make_sensor()
    radio = SoftwareRadio(SoftwareLink())
    with pytest.raises(BleakError, match="is off"):
        await BleakScanner.discover(timeout=0.1, backend=radio.scanner_backend)
    with pytest.raises(BleakError, match="is off"):
        await BleakClient(sensor.address, backend=radio.client_backend).connect()


async def test_two_radios_stay_apart(make_sensor, software_radio):
    await make_sensor()
    async with SoftwareRadio(SoftwareLink()) as elsewhere:
        assert await BleakScanner.discover(timeout=0.15, backend=elsewhere.scanner_backend) == []
        assert len(await BleakScanner.discover(timeout=0.4, backend=software_radio.scanner_backend)) == 1


async def test_connection_events_pace_the_link(make_sensor, find, client_of, software_link):
    sensor = await make_sensor()
    device = await find(sensor.address)
    async with client_of(device) as client:
        software_link.connection_interval_s = 0.03
        start = asyncio.get_running_loop().time()
        for _ in range(5):
            await client.read_gatt_char(BATTERY_LEVEL)
        assert asyncio.get_running_loop().time() - start > 5 * 0.03, "a question and its answer take an event each way"
        software_link.connection_interval_s = 0.0


def sensor_is_free(sensor):
    return sensor._peripheral._connection is None


def no_connect_is_pending(link):
    return not any(controller.pending_le_connection for controller in link.controllers)
