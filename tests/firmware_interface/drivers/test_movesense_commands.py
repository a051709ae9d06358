"""What else a Movesense sensor can be asked: battery, clock, heart rate, recordings; and what it refuses."""

import asyncio
from contextlib import aclosing

import pytest

from firmware_interface.drivers.movesense.driver import (
    MovesenseDriver,
    decode_heart_rate,
    decode_temperature,
    decode_time,
)
from firmware_interface.drivers.movesense.protocol import COMMAND_UUID, encode_subscribe
from firmware_interface.errors import FirmwareTooOldError, NoReplyError, SensorError, SensorRefusedError
from firmware_interface.virtual.families.movesense.firmware import MovesenseFirmware, MovesenseSampleFirmware


@pytest.fixture
def make_movesense(make_sensor):
    async def make(playback=None, firmware=MovesenseFirmware, **options):
        return await make_sensor(playback, firmware=firmware, **options)

    return make


@pytest.fixture
async def driver(make_movesense, connect, playback):
    return MovesenseDriver(await connect(await make_movesense(playback(104.0), loop=True)))


async def test_battery_and_clock(make_movesense, connect):
    sensor = await make_movesense(battery_percent=37)
    driver = MovesenseDriver(await connect(sensor))
    assert await driver.battery_percent() == 37
    await driver.set_clock(1_712_000_000_000_000)
    assert await driver._get("/Time/Detailed", decode_time) == (1_712_000_000_000_000, 0)
    sensor.battery_percent = 200
    with pytest.raises(SensorError, match="tells a battery level of 200 %"):
        await driver.battery_percent()


async def test_heart_rate_and_temperature_beside_the_motion(make_movesense, connect, playback, new_listener):
    sensor = await make_movesense(playback(104.0), loop=True)
    driver, heard, rates, kelvins = MovesenseDriver(await connect(sensor)), new_listener(), [], []
    await driver.start(104.0, 5, heard)
    heart = await driver.watch("/Meas/HR", decode_heart_rate, rates.append)
    await driver.watch("/Meas/Temp", decode_temperature, kelvins.append)
    for payload in ("4dbe84428803", "4dbe8442880388", "00000000"):
        sensor.firmware.tell("/Meas/HR", bytes.fromhex(payload))
    sensor.firmware.tell("/Meas/Temp", bytes.fromhex("337399432f8c0300"))
    await asyncio.sleep(0.1)
    assert [(round(rate.average_bpm, 1), rate.rr_intervals_ms) for rate in rates] == [(66.4, (904,)), (0.0, ())]
    assert [(round(value.kelvin, 1), value.time_ms) for value in kelvins] == [(306.9, 232495)]
    assert driver.decode_errors == 1, "a payload of seven bytes"
    await driver.unwatch(heart)
    sensor.firmware.tell("/Meas/HR", bytes.fromhex("4dbe84428803"))
    await asyncio.sleep(0.1)
    assert len(rates) == 2
    assert heard.received > 0
    assert heard.lost == 0


async def test_a_recording_is_made_listed_fetched_and_erased(make_movesense, connect, playback, new_listener):
    sensor = await make_movesense(playback(104.0), loop=True)
    driver = MovesenseDriver(await connect(sensor))
    await driver.configure_recording(["/Meas/IMU6/104", "/Time/Detailed"])
    await driver.start(104.0, 5, new_listener())
    await driver.start_recording()
    assert await driver.recording()
    await asyncio.sleep(0.4)
    await driver.stop_recording()
    assert not await driver.recording()
    ((log_id, _, size_bytes),) = await driver.recordings()
    chunks = [chunk async for chunk in driver.fetch_recording(log_id)]
    file = b"".join(chunks)
    assert (len(file), file[:8], max(map(len, chunks))) == (size_bytes, b"SBEM0102", 150)
    assert size_bytes > 1000
    assert file == sensor.firmware.logbook._logs[0]
    with pytest.raises(SensorRefusedError, match=r"refused FETCH_LOG 9 \(404\): it has no such thing\."):
        await anext(driver.fetch_recording(9))
    await driver.erase_recordings()
    assert await driver.recordings() == ()


async def test_while_it_records_its_memory_is_left_alone(driver):
    await driver.configure_recording(["/Meas/IMU6/104"])
    await driver.start_recording()
    for refused in (
        driver.configure_recording(["/Meas/HR"]),
        driver.erase_recordings(),
        anext(driver.fetch_recording(1)),
    ):
        with pytest.raises(SensorRefusedError, match=r"\(409\): it is recording; stop its recording first"):
            await refused


async def test_a_part_that_does_not_come_is_named(make_movesense, connect, monkeypatch):
    monkeypatch.setattr("firmware_interface.drivers.movesense.commands.LOG_SILENCE_S", 0.2)
    sensor = await make_movesense()
    logbook = sensor.firmware.logbook
    logbook._logs.append(bytes(400))
    driver = MovesenseDriver(await connect(sensor))
    send = sensor.firmware.send
    for left_out, trouble in [(150, "left out a part after byte 150"), (400, "stopped sending; bring it closer")]:

        def sparing(kind, reference, content, left_out=left_out):
            if content[:4] != left_out.to_bytes(4, "little"):
                send(kind, reference, content)

        monkeypatch.setattr(sensor.firmware, "send", sparing)
        with pytest.raises(NoReplyError, match=trouble):
            _ = [chunk async for chunk in driver.fetch_recording(1)]
    monkeypatch.setattr(sensor.firmware, "send", send)
    assert b"".join([chunk async for chunk in driver.fetch_recording(1)]) == bytes(400), "it can be asked again"


async def test_a_recording_need_not_be_fetched_to_its_end(make_movesense, connect):
    sensor = await make_movesense()
    sensor.firmware.logbook._logs.append(bytes(400))
    driver = MovesenseDriver(await connect(sensor))
    async with aclosing(driver.fetch_recording(1)) as chunks:
        assert len(await anext(chunks)) == 150
    assert not driver._fetches
    assert [len(chunk) async for chunk in driver.fetch_recording(1)] == [150, 150, 100]


async def test_refusals_say_what_to_do(driver, new_listener):
    await driver.start(104.0, 5, new_listener())
    with pytest.raises(SensorRefusedError, match=r"refused SUBSCRIBE /Meas/ECG/200 \(404\): it has no such thing\."):
        await driver.watch("/Meas/ECG/200", bytes, print)
    for _ in range(3):
        await driver.watch("/Meas/Temp", decode_temperature, print)
    with pytest.raises(SensorRefusedError, match=r"\(507\): it has no room for another subscription; end one first"):
        await driver.watch("/Meas/HR", decode_heart_rate, print)


@pytest.mark.parametrize("answer", ["{ref}", "{ref}00", "{ref}0000", "{ref}ffff"])
async def test_an_answer_that_means_nothing_is_named(make_movesense, connect, monkeypatch, answer):
    sensor = await make_movesense()
    driver = MovesenseDriver(await connect(sensor))
    await driver.prepare()
    junk = lambda reference, *_: sensor.notify(  # noqa: E731
        sensor.firmware._data, bytes.fromhex("01" + answer.format(ref=f"{reference:02x}"))
    )
    monkeypatch.setattr(sensor.firmware, "answer", junk)
    with pytest.raises(SensorRefusedError, match="does not follow its protocol"):
        await driver.set_clock(0)


async def test_silence_is_named(make_movesense, connect, monkeypatch):
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.1)
    sensor = await make_movesense()
    driver = MovesenseDriver(await connect(sensor))
    monkeypatch.setattr(sensor.firmware, "send", lambda *_: None)
    with pytest.raises(NoReplyError, match="did not answer HELLO; bring it closer or restart it"):
        await driver.prepare()


async def test_answers_to_others_are_passed_over(make_movesense, connect, monkeypatch):
    """A late answer, and data of nobody, come between a question and its answer."""
    sensor = await make_movesense()
    driver = MovesenseDriver(await connect(sensor))
    await driver.prepare()
    firmware = sensor.firmware
    answer = firmware.answer

    def after_others(reference, status, content=b""):
        for other in ("01ffc80009", "0201", "02ff", "", "01"):
            sensor.notify(firmware._data, bytes.fromhex(other))
        answer(reference, status, content)

    monkeypatch.setattr(firmware, "answer", after_others)
    assert await driver.battery_percent() == 90


async def test_the_sample_firmware_has_no_more(make_movesense, connect):
    sensor = await make_movesense(firmware=MovesenseSampleFirmware)
    client = await connect(sensor)
    driver = MovesenseDriver(client)
    with pytest.raises(FirmwareTooOldError, match=r"does not know GET .*: it runs .* sample firmware; install its"):
        await driver.battery_percent()
    for reference in range(200, 204):
        await client.write_gatt_char(COMMAND_UUID, encode_subscribe(reference, "/Meas/HR"), response=True)
    with pytest.raises(SensorRefusedError, match=r"refused SUBSCRIBE /Meas/Temp \(507\): it has no room"):
        await driver.watch("/Meas/Temp", decode_temperature, print)
