"""Sensors are asked for their clocks over real GATT, and their samples are then placed where they belong."""

from __future__ import annotations

import asyncio
import random

import numpy as np
from alignment import INTERVAL_S, by_clock, covered, hear_five, pairwise_ms, replayed
from bleak import BleakClient

from device_gateway.clocks.exchange import PATIENCE, keep_exchanging
from device_gateway.clocks.sensor_clock import SensorClock
from firmware_interface import open_profile as profile
from firmware_interface.drivers import AnyDriver
from firmware_interface.drivers.open_imu import OpenImuDriver
from firmware_interface.drivers.thingy52 import ThingyDriver
from firmware_interface.virtual.families.open_imu import OpenFirmware
from firmware_interface.virtual.families.thingy52 import ThingyFirmware
from firmware_interface.virtual.firmware import Firmware
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor
from firmware_interface.virtual.swing import swinging_limb


async def test_two_sensors_are_aligned_by_asking_them() -> None:
    """A slice of `make bench`: a few seconds, two sensors that drift apart as far as they may."""
    heard = await hear_five(6.0, seed=5, drifts_ppm=(-50.0, 50.0))
    for one in heard:
        assert one.exchanges >= 15
        for told in one.exchanged:
            taken_s = one.sensor.taken_at(told.sensor_heard_us)
            assert told.asked_s - 2e-6 <= taken_s <= told.heard_s + 2e-6
        placed_s, stated_ms = replayed(one, exchange=True)
        assert np.median(np.abs(placed_s - one.taken_s())[-40:]) * 1e3 <= stated_ms[-1]
    assert np.median(pairwise_ms(heard, by_clock(exchange=True), after_s=4.0)) <= 2 * max(stated_ms[-40:])
    assert covered(heard, exchange=False) >= 0.95


async def test_an_answer_waits_a_whole_interval_and_a_question_any_part_of_one() -> None:
    """Why the middle of an exchange is no estimate: it is late by half of what the answer waits longer."""
    (heard,) = await hear_five(5.0, seed=6, drifts_ppm=(0.0,))
    there_s = np.array([heard.sensor.taken_at(told.sensor_heard_us) - told.asked_s for told in heard.exchanged])
    back_s = np.array([told.heard_s - heard.sensor.taken_at(told.sensor_told_us) for told in heard.exchanged])
    assert there_s.min() < INTERVAL_S / 2
    assert np.median(back_s) > 0.8 * INTERVAL_S, "the least is shorter where this computer was late with the event"


class WithoutTime(OpenFirmware):
    """A sensor that has START and STOP, but does not tell its clock."""

    asked = 0

    def _on_command(self, data: bytes) -> None:
        if data[0] == profile.Opcode.TIME:
            self.asked += 1
            self._reply(profile.encode_reply(profile.Opcode.TIME, profile.Status.UNKNOWN_OPCODE))
        else:
            super()._on_command(data)


async def exchanged(firmware: type[Firmware], kind: type[AnyDriver]) -> tuple[VirtualSensor, SensorClock]:
    """Ask a sensor of this kind until it is left in peace."""
    link, clock = SoftwareLink(), SensorClock()
    async with (
        SoftwareRadio(link) as radio,
        VirtualSensor("Sinew", "C1:00:00:00:00:01", swinging_limb(), link, loop=True, firmware=firmware) as sensor,
        BleakClient(sensor.address, backend=radio.client_backend) as client,
    ):
        driver, now_s = kind(client), asyncio.get_running_loop().time
        await driver.start(0.0, 5, lambda _: None, lambda newest_us: clock.observe(newest_us, now_s()))
        async with asyncio.timeout(10):
            await keep_exchanging(driver, lambda: clock, now_s, random.Random(0))
        await driver.stop()
        await driver.unsubscribe()
    return sensor, clock


async def test_a_family_that_cannot_tell_its_clock_is_let_be() -> None:
    _, clock = await exchanged(ThingyFirmware, ThingyDriver)
    assert clock.exchanges == 0


async def test_a_sensor_that_refuses_is_left_in_peace() -> None:
    sensor, clock = await exchanged(WithoutTime, OpenImuDriver)
    assert isinstance(sensor.firmware, WithoutTime)
    assert (sensor.firmware.asked, clock.exchanges) == (PATIENCE, 0)
