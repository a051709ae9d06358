"""Sensors in another process, reached through an adapter over TCP; and what the adapter does with its clients."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys

import numpy as np
import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakError
from bumble import hci

from analytics.signals.samples import ImuSamples
from firmware_interface.drivers import OpenImuDriver
from firmware_interface.virtual import hci_server as hci_server_module
from firmware_interface.virtual import radio as radio_module
from firmware_interface.virtual.hci_server import HciServer
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio

ADDRESSES = [f"C1:00:00:00:00:{number:02X}" for number in range(1, 6)]
BATTERY_LEVEL = "2a19"
ASK_MUCH = bytes(hci.HCI_Read_Local_Supported_Commands_Command())


@pytest.fixture
async def sensors_process():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "firmware_interface.virtual", stdout=asyncio.subprocess.PIPE
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


@pytest.fixture
async def remote_radio(sensors_process):
    ready, host, port = (await sensors_process.stdout.readline()).split()
    assert ready == b"READY"
    async with SoftwareRadio.over_tcp(host.decode(), int(port)) as radio:
        yield radio


@pytest.fixture
async def server(software_link):
    async with HciServer(software_link) as server:
        yield server


@pytest.fixture
def client_of():
    def make(radio, address, gone=None):
        callback = (lambda client: gone.append(client.address)) if gone is not None else None
        return BleakClient(address, backend=radio.client_backend, disconnected_callback=callback)

    return make


async def until(holds):
    while not holds():  # noqa: ASYNC110 - what is waited for happens in bumble, which sets no event of ours
        await asyncio.sleep(0.01)


def radio_on(server):
    return SoftwareRadio.over_tcp(server.host, server.port)


async def test_five_sensors_of_another_process_stream_without_loss(remote_radio, client_of, new_listener):
    found = await BleakScanner.discover(timeout=0.5, backend=remote_radio.scanner_backend)
    assert {device.address: device.name for device in found} == {
        address: f"Sinew {number}" for number, address in enumerate(ADDRESSES, 1)
    }
    clients = [client_of(remote_radio, address) for address in ADDRESSES]
    await asyncio.gather(*(client.connect() for client in clients))
    drivers, listeners = [OpenImuDriver(client) for client in clients], [new_listener() for _ in clients]
    for driver, heard in zip(drivers, listeners, strict=True):
        await driver.start(0, 1, heard)
    await until(lambda: min(heard.received for heard in listeners) >= 300)
    for client, driver, heard in zip(clients, drivers, listeners, strict=True):
        await driver.stop()
        await client.disconnect()
        assert heard.lost == 0
        assert driver.decode_errors == 0
        assert set(np.diff(heard.times_us).tolist()) == {10_000}
        assert_a_limb_swings(heard.runs)


def assert_a_limb_swings(runs: list[ImuSamples]):
    acc, gyr = (np.concatenate([getattr(run, name) for run in runs]) for name in ("acc_m_s2", "gyr_rad_s"))
    assert np.abs(np.linalg.norm(acc, axis=1) - 9.80665).max() < 0.01, "gravity, turned"
    angle = np.unwrap(np.arctan2(acc[:, 1], -acc[:, 0]))
    assert np.ptp(angle) > 0.5
    np.testing.assert_allclose(np.gradient(angle, 0.01)[1:-1], gyr[1:-1, 2], atol=0.1)


async def test_a_killed_process_is_a_disconnection_of_every_sensor(sensors_process, remote_radio, client_of):
    gone = []
    clients = [client_of(remote_radio, address, gone) for address in ADDRESSES]
    await asyncio.gather(*(client.connect() for client in clients))
    scanner = BleakScanner(backend=remote_radio.scanner_backend)
    await scanner.start()
    sensors_process.send_signal(signal.SIGKILL)
    await until(lambda: len(gone) == 5)
    assert sorted(gone) == ADDRESSES
    assert not any(client.is_connected for client in clients)
    await scanner.stop()
    with pytest.raises(BleakError, match="adapter is gone; start"):
        await clients[0].connect()
    with pytest.raises(BleakError, match="adapter is gone; start"):
        await BleakScanner.discover(timeout=0.1, backend=remote_radio.scanner_backend)
    with pytest.raises(BleakError, match="No Bluetooth adapter answers at"):
        await remote_radio.start()


@pytest.mark.parametrize("under_way_s", [0.0, 0.001, 0.005, 0.02])
async def test_whatever_is_under_way_ends_when_the_process_is_killed(
    sensors_process, remote_radio, client_of, under_way_s
):
    """What is asked while the process stands still, too, and what waits for its turn behind it."""
    scanner = BleakScanner(backend=remote_radio.scanner_backend)
    clients = [client_of(remote_radio, address) for address in ADDRESSES]
    under_way = [asyncio.ensure_future(client.connect()) for client in clients]
    await asyncio.sleep(under_way_s)
    sensors_process.send_signal(signal.SIGSTOP)
    under_way.append(asyncio.ensure_future(scanner.start()))
    await asyncio.sleep(0.1)
    sensors_process.kill()
    _, endless = await asyncio.wait(under_way, timeout=5)
    assert not endless
    assert all(each.exception() is None or isinstance(each.exception(), BleakError) for each in under_way)
    assert any(each.exception() for each in under_way)
    assert not any(client.is_connected for client in clients)


async def test_the_process_ends_cleanly_when_asked(sensors_process):
    await sensors_process.stdout.readline()
    sensors_process.terminate()
    assert await sensors_process.wait() == 0


async def test_a_client_that_goes_frees_the_adapter_for_the_next(make_sensor, server, client_of, software_link):
    sensor = await make_sensor()
    for _ in range(2):
        async with radio_on(server) as radio:
            client = client_of(radio, sensor.address)
            await client.connect()
            assert (await client.read_gatt_char(BATTERY_LEVEL))[0] == 90
        assert not client.is_connected
        await until(lambda: len(software_link.controllers) == 1)


@pytest.mark.parametrize("interval_s", [0.0, 0.03])
async def test_a_client_that_dies_ends_its_connections(make_sensor, server, software_link, client_of, interval_s):
    sensor = await make_sensor()
    dying, next_one = radio_on(server), radio_on(server)
    await dying.start()
    await client_of(dying, sensor.address).connect()
    software_link.connection_interval_s = interval_s
    waiting = asyncio.ensure_future(next_one.start())
    await asyncio.sleep(0.05)
    assert not waiting.done(), "one at a time"
    dying._device.host.hci_sink._transport.abort()
    await waiting
    client = client_of(next_one, sensor.address)
    await client.connect()
    assert client.is_connected
    software_link.connection_interval_s = 0.0
    await next_one.stop()


async def test_who_waits_too_long_for_another_is_told(server, monkeypatch):
    monkeypatch.setattr(radio_module, "_START_TIMEOUT_S", 0.2)
    async with radio_on(server):
        with pytest.raises(BleakError, match="another radio holds it"):
            await radio_on(server).start()


async def test_a_server_that_stops_hangs_up(make_sensor, server, client_of):
    sensor, gone = await make_sensor(), []
    async with radio_on(server) as radio:
        await client_of(radio, sensor.address, gone).connect()
        await server.stop()
        await until(lambda: gone)
        with pytest.raises(BleakError, match="No Bluetooth adapter answers"):
            await radio_on(server).start()


async def test_who_speaks_no_hci_is_hung_up_on(server):
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    async with radio_on(server):
        pass


@pytest.mark.parametrize(
    "packet",
    [bytes.fromhex("010c2000"), bytes.fromhex("010d2003000000"), bytes.fromhex("043e0101")],
    ids=["scan enable without parameters", "connect with three bytes", "half an event"],
)
async def test_who_speaks_hci_that_makes_no_sense_is_hung_up_on(server, caplog, packet):
    with caplog.at_level(logging.WARNING):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(3 * packet)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()
    assert sum("makes no sense" in record.message for record in caplog.records) == 1
    assert not any(record.exc_info for record in caplog.records)
    async with radio_on(server):
        pass


async def test_a_host_that_cannot_be_served_is_told_of_and_the_next_is_served(server, caplog, monkeypatch):
    monkeypatch.setattr(hci_server_module, "_PAUSE_S", 0.01)
    with monkeypatch.context() as broken:
        broken.setattr(hci_server_module, "SoftwareController", None)
        reader, writer = await asyncio.open_connection(server.host, server.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()
    assert "A host could not be served" in caplog.text
    async with radio_on(server):
        pass


async def test_a_goodbye_that_fails_ends_the_connection_all_the_same(software_link, monkeypatch):
    """Else the adapter would wait for its end for good."""

    def fail():
        raise ZeroDivisionError

    host = hci_server_module._Host(software_link)
    monkeypatch.setattr(host._controller, "fall_silent", fail)
    with pytest.raises(ZeroDivisionError):
        host.connection_lost(None)
    assert host.ended.done()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_the_adapter_is_offered_to_this_computer_only(host):
    with pytest.raises(ValueError, match=f"cannot be offered at {host}: it has no protection"):
        HciServer(SoftwareLink(), host=host)


async def test_who_does_not_read_is_not_read_either(software_link):
    """Else its answers would pile up without end. When it reads again, it goes on."""
    loop, asked, little = asyncio.get_running_loop(), 0, 1 << 14
    async with HciServer(software_link, socket_buffer_bytes=little) as server:
        with socket.socket() as host:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                host.setsockopt(socket.SOL_SOCKET, option, little)
            host.setblocking(False)
            await loop.sock_connect(host, (server.host, server.port))
            with contextlib.suppress(TimeoutError):
                while asked < 1_000_000:
                    await asyncio.wait_for(loop.sock_sendall(host, ASK_MUCH * 1000), 0.5)
                    asked += len(ASK_MUCH) * 1000
            assert asked < 1_000_000
            answered = 0
            while answered < asked:
                answered += len(await loop.sock_recv(host, 1 << 16))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(loop.sock_sendall(host, ASK_MUCH * 250_000), 0.5)
            await asyncio.wait_for(server.stop(), 5)


async def test_a_reset_ends_scans_and_connections(make_sensor, server, client_of):
    """As Linux resets an adapter when it is switched off and on. A scan that went on could not be set up anew."""
    sensor = await make_sensor()
    async with radio_on(server) as radio:
        client = client_of(radio, sensor.address)
        await client.connect()
        async with BleakScanner(backend=radio.scanner_backend):
            await radio._device.host.send_sync_command(hci.HCI_Reset_Command())
            await until(lambda: sensor._peripheral._connection is None)
            await radio._device.host.send_sync_command(
                hci.HCI_LE_Set_Scan_Parameters_Command(
                    le_scan_type=1, le_scan_interval=16, le_scan_window=16, own_address_type=1, scanning_filter_policy=0
                )
            )
