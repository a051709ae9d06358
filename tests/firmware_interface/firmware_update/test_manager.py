"""What a sensor may answer, and what is made of it. One link each, over real ATT and GATT."""

import asyncio
import struct

import cbor2
import pytest
from bleak import BleakClient
from bumble.att import Attribute
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR
from hypothesis import given, settings
from hypothesis import strategies as st
from smpclient.transport import SMPTransportDisconnected

from firmware_interface.errors import NarrowLinkError, SensorError, SensorRefusedError, WrongSensorError
from firmware_interface.firmware_update import Step, update_firmware
from firmware_interface.firmware_update.errors import (
    InterruptedUpdateError,
    NotRestartedError,
    NoUpdateServiceError,
    UpdateRefusedError,
)
from firmware_interface.firmware_update.manager import Patience, managed_sensor
from firmware_interface.firmware_update.transport import ClientTransport
from firmware_interface.firmware_update.update import INTERRUPTIONS
from firmware_interface.virtual.controller import make_device

SHORT = Patience(answer_s=0.05, erase_s=0.05, gone_s=0.05)


def answering(body, command=None):
    """A server's `answer` that says this, to a command or to all."""

    def make(server):
        truly = server.answer

        def answer(frame):
            version_op, _, _, group, sequence, asked = struct.unpack(">BBHHBB", frame[:8])
            if command not in (None, (group, asked)):
                return truly(frame)
            packed = body if isinstance(body, bytes) else cbor2.dumps(body)
            return struct.pack(">BBHHBB", version_op | 1, 0, len(packed), group, sequence, asked) + packed

        server.answer = answer

    return make


async def test_a_refusal_is_told_in_words(new_world):
    async with new_world(slot_bytes=10_000) as world:
        with pytest.raises(UpdateRefusedError, match="too large for it") as refused:
            await update_firmware(world.image("1.4.0"), world.connect)
        assert refused.value.code == "INVALID_IMAGE_TOO_LARGE"


async def test_a_refusal_in_the_first_version_of_smp(new_world):
    async with new_world(first_version=True, slot_bytes=10_000) as world:
        with pytest.raises(UpdateRefusedError, match="EUNKNOWN; restart it"):
            await update_firmware(world.image("1.4.0"), world.connect)


async def test_a_server_of_the_first_version_of_smp_is_updated(new_world):
    async with new_world(first_version=True) as world:
        await update_firmware(world.image("1.4.0"), world.connect)
        assert world.running == "1.4.0"


async def test_a_worn_out_flash(new_world):
    async with new_world(fails_at=10_000) as world:
        with pytest.raises(UpdateRefusedError, match="refused to take the new firmware: FLASH_WRITE_FAILED"):
            await update_firmware(world.image("1.4.0"), world.connect)


async def test_a_sensor_that_may_not_restart(world):
    answering({"rc": 10}, (0, 5))(world.sensor.server)
    with pytest.raises(UpdateRefusedError, match="refused to restart: it is busy") as refused:
        await update_firmware(world.image("1.4.0"), world.connect)
    assert refused.value.code == "EBUSY"


async def test_a_sensor_that_does_not_restart(world):
    answering({}, (0, 5))(world.sensor.server)
    with pytest.raises(NotRestartedError, match="switch it off and on"):
        await update_firmware(world.image("1.4.0"), world.connect, patience=SHORT)


async def test_a_sensor_that_loses_the_link_but_does_not_restart(world):
    world.sensor.restart = world.sensor.go_missing
    with pytest.raises(NotRestartedError, match="does not start what it was told to"):
        await update_firmware(world.image("1.4.0"), world.connect)


async def test_a_sensor_that_agrees_and_does_nothing(world):
    world.bootloader.mark = lambda *_, **__: None
    with pytest.raises(SensorRefusedError, match=f"agreed to {Step.TEST} but did not"):
        await update_firmware(world.image("1.4.0"), world.connect)


async def test_a_sensor_that_falls_silent(world):
    world.sensor.server.answer = lambda _: None
    with pytest.raises(InterruptedUpdateError, match="does not answer"):
        await update_firmware(world.image("1.4.0"), world.connect, patience=SHORT)
    assert world.connects == 1 + INTERRUPTIONS


async def test_a_sensor_that_takes_no_more(world):
    answering({"off": 500}, (1, 1))(world.sensor.server)
    with pytest.raises(InterruptedUpdateError, match="takes no more of the firmware"):
        await update_firmware(world.image("1.4.0"), world.connect)


async def test_a_sensor_that_received_damaged_bytes(world):
    answering({"off": 2000, "match": False}, (1, 1))(world.sensor.server)
    with pytest.raises(InterruptedUpdateError, match="received the firmware damaged"):
        await update_firmware(world.image("1.4.0"), world.connect)


@pytest.mark.parametrize(
    ("body", "command", "complaint"),
    [
        ({}, (1, 1), "does not tell how much it received"),
        ({"off": 1 << 30}, (1, 1), "does not tell how much it received"),
        ({"images": []}, (1, 0), "does not tell which firmware it runs"),
        ({"images": [{"slot": 0, "version": "<???>", "active": True}]}, (1, 0), "its firmware has no version"),
        ({"images": 7}, (1, 0), "answers otherwise than MCUmgr does"),
        ([], (1, 0), "answers otherwise than MCUmgr does"),
        (b"\xff", None, "answers otherwise than MCUmgr does"),
        ({"err": {"group": 1, "rc": 9999}}, (1, 0), "answers otherwise than MCUmgr does"),
    ],
)
async def test_nonsense_is_told(world, body, command, complaint):
    answering(body, command)(world.sensor.server)
    with pytest.raises(WrongSensorError, match=complaint):
        await update_firmware(world.image("1.4.0"), world.connect)
    assert world.bootloader.written_bytes == 0


@given(garbled=st.lists(st.binary(max_size=40), min_size=1, max_size=30))
@settings(max_examples=20)
def test_whatever_a_sensor_answers_is_an_error_by_name(new_world, garbled):
    """Answers of any bytes, and of any body behind a good header."""

    async def ask():
        async with new_world() as world, managed_sensor(world.connect, SHORT) as sensor:
            for body in garbled:
                answering(body)(world.sensor.server)
                with pytest.raises(SensorError):
                    await sensor.slots()
            world.sensor.server.answer = lambda _: garbled[0]
            with pytest.raises(SensorError):
                await sensor.slots()

    asyncio.run(ask())


@pytest.mark.parametrize("trouble", [TypeError, ValueError, AssertionError])
async def test_a_mistake_of_ours_is_not_blamed_on_the_sensor(world, monkeypatch, trouble):
    async def mistaken(*_):
        raise trouble("ours")

    async with managed_sensor(world.connect, SHORT) as sensor:
        await sensor.slots()
        monkeypatch.setattr(ClientTransport, "send", mistaken)
        with pytest.raises(trouble, match="ours"):
            await sensor.slots()


@pytest.mark.parametrize("body", [{"header": 1}, {1: 2}, {b"rc": 0}, "rc", None, b"\x81" * 3000])
async def test_an_odd_answer_is_told(world, body):
    answering(body)(world.sensor.server)
    with pytest.raises(WrongSensorError, match="answers otherwise than MCUmgr does"):
        await update_firmware(world.image("1.4.0"), world.connect)


async def test_what_a_sensor_sends_unasked_does_not_pile_up():
    transport = ClientTransport()
    for _ in range(100_000):
        transport._on_notification(None, bytearray(20))
    assert transport._pieces.qsize() * 20 < 1 << 20
    transport.on_gone()
    with pytest.raises(SMPTransportDisconnected):
        await transport.receive()


@pytest.mark.parametrize("buffer_bytes", [0, 600, 70_000])
async def test_a_sensor_that_offers_an_odd_buffer(new_world, buffer_bytes):
    async with new_world(buffer_bytes=buffer_bytes) as world:
        await update_firmware(world.image("1.4.0", program_bytes=80_000), world.connect)
        assert world.running == "1.4.0"


@pytest.mark.parametrize("buffer_bytes", [1, 100])
async def test_a_sensor_whose_buffer_holds_no_piece_of_an_image(new_world, buffer_bytes):
    async with new_world(buffer_bytes=buffer_bytes) as world:
        with pytest.raises(NarrowLinkError, match=f"requests of only {buffer_bytes} bytes"):
            await update_firmware(world.image("1.4.0"), world.connect)


async def test_a_sensor_with_a_second_processor(world):
    second = {"image": 1, "slot": 0, "version": "9.9.9", "hash": bytes(32), "active": True, "confirmed": True}
    truly = world.bootloader.states
    world.bootloader.states = lambda: [second, *truly()]
    await update_firmware(world.image("1.4.0"), world.connect)
    assert {"active": True, "version": "1.4.0"}.items() <= truly()[0].items()


@pytest.mark.parametrize(("mtu", "reassembles"), [(23, True), (110, False), (185, False), (517, True)])
async def test_a_narrow_link(new_world, mtu, reassembles):
    async with new_world(reassembles=reassembles) as world:
        world.sensor.device.gatt_server.max_mtu = mtu
        await update_firmware(world.image("1.4.0", program_bytes=5000), world.connect)
        assert world.running == "1.4.0"


async def test_a_link_too_narrow_for_a_request_in_one_write(new_world):
    async with new_world(reassembles=False) as world:
        world.sensor.device.gatt_server.max_mtu = 107
        with pytest.raises(NarrowLinkError, match="takes requests of only 104 bytes on this link"):
            await update_firmware(world.image("1.4.0"), world.connect)


async def test_a_sensor_without_the_service(world):
    device, controller = make_device("Plain", "C4:64:E3:00:00:02", world.link)
    await device.power_on()
    await device.start_advertising(advertising_interval_min=50.0, advertising_interval_max=50.0)

    async def connect(on_gone):
        client = BleakClient("C4:64:E3:00:00:02", backend=world.radio.client_backend)
        await client.connect()
        return client

    with pytest.raises(NoUpdateServiceError, match="C4:64:E3:00:00:02 does not offer firmware updates"):
        await update_firmware(world.image("1.4.0"), connect)
    world.link.remove_controller(controller)
    controller.le_legacy_advertiser.stop()


async def test_a_sensor_that_must_be_paired_first(world):
    """Zephyr's default, MCUMGR_TRANSPORT_BT_AUTHEN."""
    for attribute in world.sensor.device.gatt_server.attributes:
        if attribute.type == GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR:
            attribute.permissions |= Attribute.Permissions.WRITE_REQUIRES_ENCRYPTION
    with pytest.raises(SensorRefusedError, match="pair it first"):
        await update_firmware(world.image("1.4.0"), world.connect)
