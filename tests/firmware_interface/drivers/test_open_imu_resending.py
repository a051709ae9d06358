"""What the sensor still holds is asked for, also before a stream's first packet and across a lost link."""

from __future__ import annotations

import asyncio
import random

import numpy as np
import pytest
from bleak import BleakClient

from firmware_interface import open_profile as profile
from firmware_interface.drivers.open_imu import OpenImuDriver


def numbers(heard, sensor):
    """Which samples of what the sensor plays were handed out, in that order."""
    times_us = np.concatenate([run.sensor_time_us for run in heard.runs])
    rate_hz = sensor.reel.rate_hz
    return np.rint((times_us - sensor.reel.time_us(0)) * 1e-6 * rate_hz).astype(int).tolist()


class FirstAreLost(random.Random):
    """The transmit queue is full for so many packets, and then no more."""

    def __init__(self, packets: int) -> None:
        super().__init__(0)
        self.left = packets

    def random(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 1.0


@pytest.mark.parametrize("packets", [0, 1, 3])
async def test_packets_lost_before_the_first_are_asked_for(make_sensor, connect, playback, new_listener, packets):
    sensor = await make_sensor(playback(seconds=20.0), queue_loss=0.5, rng=FirstAreLost(packets))
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.8)
    await driver.stop()
    got = numbers(heard, sensor)
    assert got == list(range(got[0], got[0] + len(got)))
    assert sensor.dropped == 5 * packets
    assert len(got) == sensor.samples_sent + sensor.dropped, "those that were lost came again"
    assert heard.lost == 0


async def test_what_a_sensor_that_cannot_resend_took_before_the_first_packet_is_not_called_lost(
    make_sensor, connect, playback, new_listener
):
    sensor = await make_sensor(playback(seconds=20.0), queue_loss=0.5, rng=FirstAreLost(2))

    def unknown(_):
        raise profile.CommandError(profile.Opcode.RESEND, profile.Status.UNKNOWN_OPCODE)

    sensor.firmware._send_again = unknown
    driver, heard = OpenImuDriver(await connect(sensor)), new_listener()
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.6)
    await driver.stop()
    assert heard.lost == 0, "whether there was anything cannot be known"
    assert heard.received == sensor.samples_sent


@pytest.mark.parametrize("seed", range(4))
async def test_a_gap_that_is_open_when_the_link_breaks_is_filled_on_the_next(
    make_sensor, software_radio, playback, new_listener, seed
):
    sensor = await make_sensor(playback(seconds=30.0), queue_loss=0.3, rng=random.Random(seed))
    answering = sensor.firmware._send_again
    sensor.firmware._send_again = lambda _: None  # asked, and not answered before the link breaks
    heard = new_listener()
    client = BleakClient(sensor.address, backend=software_radio.client_backend)
    await client.connect()
    driver = OpenImuDriver(client)
    await driver.start(0, 5, heard)
    await asyncio.sleep(0.4)
    await client.disconnect()
    driver.close()
    sensor.firmware._send_again = answering
    sensor.queue_loss = 0.0
    client = BleakClient(sensor.address, backend=software_radio.client_backend)
    await client.connect()
    driver = OpenImuDriver(client, driver.decoder)
    settings = await driver.start(0, 5, heard)
    assert settings.continues
    await asyncio.sleep(0.8)
    await driver.stop()
    await client.disconnect()
    got = numbers(heard, sensor)
    assert got == list(range(got[0], got[0] + len(got)))
    assert heard.lost == 0
