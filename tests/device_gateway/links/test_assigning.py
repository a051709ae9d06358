"""Sensors are assigned by tapping them: virtual sensors that are tapped, over real GATT."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from air import SHANK, THIGH, Air, playback
from bleak.exc import BleakError

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, Cue
from device_gateway.errors import GatewayError, RadioError
from device_gateway.links import assigning as assigning_module
from device_gateway.links import worn
from device_gateway.links.assigning import Assigning
from firmware_interface.drivers.open_imu import OpenImuDriver
from firmware_interface.errors import FirmwareTooOldError
from firmware_interface.virtual.families import FIRMWARES
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.sensor import VirtualSensor

KNEE, CHEST = "C1:00:00:00:00:03", "C1:00:00:00:00:04"


def tapped(*times_s: float, height_m_s2: float = 30.0, seconds: float = 12.0) -> Playback:
    """At rest but for a strike at each of these times."""
    acc = np.tile([0.0, 0.0, 9.81], (round(seconds * 100), 1))
    for time_s in times_s:
        first = round(time_s * 100)
        acc[first : first + 4, 1] += height_m_s2 * np.array([1.0, -0.6, 0.3, -0.1])
    return Playback(100.0, np.arange(len(acc)) / 100, acc, np.zeros_like(acc))


class Home:
    """What the gateway around it is: what is worn, what is kept, what is told."""

    def __init__(self, air: Air) -> None:
        self.air = air
        self.worn: dict[str, Segment] = {}
        self.kept: list[str] = []
        self.cues: list[Cue] = []
        self.busy = False
        self.assigning = Assigning(
            self.worn, central=air.central, busy=lambda: self.busy, keep=self.keep, tell=self.cues.append
        )

    async def keep(self, sensors: str) -> None:
        self.kept.append(sensors)

    async def assign(self, segment: Segment) -> None:
        await self.assigning.begin(Command(command="assign", segment=segment))

    async def told(self, code: str) -> str:
        await self.air.until(lambda: any(cue.code == code for cue in self.cues))
        return next(cue.text for cue in self.cues if cue.code == code)


@pytest.fixture
async def home(air: Air, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    monkeypatch.setattr(assigning_module, "COMPARE_S", 0.3)
    home = Home(air)
    yield home
    await home.assigning.stop()


async def test_the_sensor_that_is_tapped_twice_is_worn_there(home: Home) -> None:
    await home.air.wear(THIGH, tapped())
    await home.air.wear(SHANK, tapped(1.0, 1.3))
    await home.assign(Segment.RIGHT_SHANK)
    assert await home.told("assign.tap") == "Tap the sensor on the right shank twice."
    assert await home.told("assign.done") == "That is the right shank."
    assert home.worn == {SHANK: Segment.RIGHT_SHANK}
    again: dict[str, Segment] = {}
    worn.recall(again, home.kept[-1])
    assert again == home.worn
    await home.assigning.stop()
    assert not home.air.scanning
    assert sum(adapter.connections for adapter in home.air.central.adapters) == 0, "every sensor is let go"


async def test_a_single_tap_and_a_moving_sensor_are_not_meant(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assigning_module, "TAP_S", 3.0)
    await home.air.wear(THIGH, tapped(1.5))
    await home.air.wear(SHANK, playback(20.0))
    await home.assign(Segment.LEFT_THIGH)
    assert await home.told("assign.failed") == (
        "No sensor was tapped: put the sensor on the left thigh, keep still, and try again."
    )
    assert (home.worn, home.kept) == ({}, [])


async def test_two_that_feel_it_alike_are_told_apart_by_tapping_again(home: Home) -> None:
    await home.air.wear(THIGH, tapped(1.0, 1.3, height_m_s2=30))
    await home.air.wear(SHANK, tapped(1.0, 1.3, 4.5, 4.8, height_m_s2=20))
    await home.assign(Segment.RIGHT_THIGH)
    assert (await home.told("assign.unclear")).startswith("2 sensors felt that: hold the others still")
    assert home.worn == {}
    await home.told("assign.done")
    assert home.worn == {SHANK: Segment.RIGHT_THIGH}


async def test_of_two_that_feel_it_the_one_that_feels_it_clearly_harder_is_meant(home: Home) -> None:
    await home.air.wear(THIGH, tapped(1.0, 1.3, height_m_s2=60))
    await home.air.wear(SHANK, tapped(1.0, 1.3, height_m_s2=15))
    await home.assign(Segment.RIGHT_THIGH)
    await home.told("assign.done")
    assert home.worn == {THIGH: Segment.RIGHT_THIGH}


async def test_without_any_sensor_a_sentence_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assigning_module, "FIND_S", 0.3)
    await home.assign(Segment.PELVIS)
    assert "switch the sensor on, bring it near the gateway" in await home.told("assign.failed")
    assert not home.air.scanning


async def test_a_device_that_cannot_follow_a_joint_is_left_alone(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """A chest belt without a gyroscope."""
    belt = VirtualSensor("Polar H10 01234567", CHEST, tapped(1.0, 1.3), home.air.link, firmware=FIRMWARES["polar_h10"])
    await belt.start()
    home.air.sensors.append(belt)
    await home.air.wear(THIGH, tapped(2.5, 2.8))
    await home.assign(Segment.RIGHT_THIGH)
    await home.told("assign.done")
    assert home.worn == {THIGH: Segment.RIGHT_THIGH}
    assert "cannot follow a joint" not in caplog.text, "it was not even tried"


async def test_during_a_session_it_is_refused(home: Home) -> None:
    home.busy = True
    with pytest.raises(GatewayError, match="A session is running: stop it before you assign a sensor"):
        await home.assign(Segment.RIGHT_THIGH)
    home.busy = False
    with pytest.raises(GatewayError, match="Say where"):
        await home.assigning.begin(Command(command="assign"))


async def test_asking_for_another_place_ends_waiting_for_the_first(home: Home) -> None:
    await home.air.wear(THIGH, tapped(2.5, 2.8))
    await home.assign(Segment.LEFT_THIGH)
    await home.told("assign.tap")
    await home.assign(Segment.RIGHT_THIGH)
    await home.told("assign.done")
    assert home.worn == {THIGH: Segment.RIGHT_THIGH}


async def test_who_asks_twice_at_once_is_waited_for_once(home: Home) -> None:
    await home.assign(Segment.LEFT_THIGH)
    await asyncio.gather(home.assign(Segment.RIGHT_THIGH), home.assign(Segment.RIGHT_SHANK))
    await home.assigning.stop()
    assert [task for task in asyncio.all_tasks() if task.get_name() == "assigning"] == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (FirmwareTooOldError("Its firmware is too old: update it."), "Its firmware is too old: update it."),
        (BleakError("gone"), "A sensor was heard but does not stream: bring it near the gateway"),
    ],
)
async def test_sensors_that_are_heard_but_do_not_stream_are_told_apart_from_none(
    home: Home, monkeypatch: pytest.MonkeyPatch, fault: Exception, told: str
) -> None:
    async def fails(*_: object) -> None:
        raise fault

    monkeypatch.setattr(assigning_module, "FIND_S", 1.0)
    monkeypatch.setattr(OpenImuDriver, "_begin", fails)
    await home.air.wear(THIGH, tapped())
    await home.assign(Segment.RIGHT_THIGH)
    assert (await home.told("assign.failed")).startswith(told)


async def test_bluetooth_that_is_off_is_told_in_its_own_words(home: Home) -> None:
    await home.air.radio.stop()
    await home.assign(Segment.RIGHT_THIGH)
    assert "Bluetooth fails" in await home.told("assign.failed")


async def test_a_disk_that_keeps_nothing_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: str) -> None:
        raise GatewayError("The disk is full.")

    home.assigning._keep = full
    await home.air.wear(THIGH, tapped(1.0, 1.3))
    await home.assign(Segment.RIGHT_THIGH)
    assert await home.told("assign.failed") == "The disk is full."


async def test_who_is_replaced_and_who_was_met_by_chance_stays_bonded_with_nobody(
    home: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    forgotten = []

    async def forget(address: str) -> None:
        forgotten.append(address)
        raise RadioError("busy")

    monkeypatch.setattr(home.air.central, "forget", forget)
    home.worn |= {KNEE: Segment.RIGHT_THIGH, CHEST: Segment.PELVIS}
    await home.air.wear(THIGH, tapped(1.0, 1.3))
    await home.air.wear(SHANK, tapped())
    await home.assign(Segment.RIGHT_THIGH)
    await home.told("assign.done")
    await home.air.until(lambda: len(forgotten) == 2)
    assert set(forgotten) == {KNEE, SHANK}
    assert home.worn == {THIGH: Segment.RIGHT_THIGH, CHEST: Segment.PELVIS}
    await home.assigning.stop()
    assert "could not be forgotten" in caplog.text


async def test_a_sensor_that_wants_to_be_paired_is_paired_and_assigned(home: Home) -> None:
    sensor = VirtualSensor("Sinew 1", THIGH, tapped(1.0, 1.3), home.air.link)
    sensor.firmware._control.permissions |= sensor.firmware._control.Permissions.WRITE_REQUIRES_ENCRYPTION
    await sensor.start()
    home.air.sensors.append(sensor)
    await home.assign(Segment.RIGHT_THIGH)
    await home.told("assign.done")
    assert home.worn == {THIGH: Segment.RIGHT_THIGH}


def test_what_the_gateway_is_started_with_wins_over_what_is_kept() -> None:
    kept = worn.to_keep({THIGH: Segment.RIGHT_THIGH, SHANK: Segment.RIGHT_SHANK, KNEE: Segment.PELVIS})
    given = {CHEST: Segment.RIGHT_THIGH, SHANK: Segment.LEFT_SHANK}
    worn.recall(given, kept)
    assert given == {CHEST: Segment.RIGHT_THIGH, SHANK: Segment.LEFT_SHANK, KNEE: Segment.PELVIS}


@pytest.mark.parametrize("kept", [None, "", "[]", '{"C1:00:00:00:00:01": "tail"}'])
def test_what_cannot_be_read_is_as_nothing(kept: str | None) -> None:
    given = {THIGH: Segment.RIGHT_THIGH}
    worn.recall(given, kept)
    assert given == {THIGH: Segment.RIGHT_THIGH}


def test_a_sensor_is_worn_at_one_place_and_a_place_has_one_sensor() -> None:
    sensors = {THIGH: Segment.RIGHT_THIGH, SHANK: Segment.RIGHT_SHANK}
    assert worn.place(sensors, SHANK, Segment.RIGHT_THIGH) == [THIGH]
    assert sensors == {SHANK: Segment.RIGHT_THIGH}
    assert worn.place(sensors, SHANK, Segment.RIGHT_THIGH) == []
