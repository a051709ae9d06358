"""Movella DOTs are brought to one clock between sessions, and placed by one line within: over real GATT."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import numpy as np
import pytest
from air import SHANK, THIGH, Air, playback

from analytics.domain.exercise import Segment
from analytics.domain.live import Cue
from analytics.signals.samples import FloatArray
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError
from device_gateway.links import synchronising as synchronising_module
from device_gateway.links.link import SensorLink
from device_gateway.links.radio import Central, Radio
from device_gateway.links.state import LinkState
from device_gateway.links.synchronising import Synchronising
from firmware_interface.drivers.movella_dot import MovellaDotDriver
from firmware_interface.virtual.families.movella_dot.firmware import MovellaDotFirmware
from firmware_interface.virtual.gate import StartGate
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

KNEE = "C1:00:00:00:00:03"
WORN = {THIGH: Segment.RIGHT_THIGH, SHANK: Segment.RIGHT_SHANK}
HASTE = 100
LAP_US = 2**32
INTERVAL_S = 0.05
"""Three samples of 60 Hz, so what the first waits for its connection event stays, and looks like another clock."""
PHASES_S = (0.004, 0.012)
"""When, in the interval, each sensor takes its samples: the least wait of the one is then 8 ms shorter."""


class HastyDot(MovellaDotFirmware):
    """Its radio needs a hundredth of the time."""

    sync_period_s = MovellaDotFirmware.sync_period_s / HASTE


class Home:
    """What the gateway around it is."""

    def __init__(self, air: Air, conditions: Conditions) -> None:
        self.air = air
        self.worn = dict(WORN)
        self.conditions = conditions
        self.cues: list[Cue] = []
        self.busy = False
        self.gates: list[StartGate] = []
        self.groups: defaultdict[str, SensorClock] = defaultdict(SensorClock)
        self.synchronising = Synchronising(
            self.worn,
            central=air.central,
            busy=lambda: self.busy,
            tell=self.cues.append,
            sleep=lambda seconds: asyncio.sleep(seconds / HASTE),
        )

    async def wear(self, address: str, **options: object) -> VirtualSensor:
        return await self.air.wear(address, playback(60.0, rate_hz=60.0), firmware=HastyDot, loop=True, **options)

    async def wear_both(self) -> None:
        """Clocks seconds and 100 ppm apart. They measure once `stream` has them.

        Both are a quarter of a lap from the loop's, which is what they share once synchronised and may stand anywhere.
        """
        start_us = round(asyncio.get_running_loop().time() * 1e6 + LAP_US / 4) % LAP_US
        for address, later_us, drift_ppm in ((THIGH, 0, -50.0), (SHANK, 7_000_000, 50.0)):
            gate = StartGate()
            gate.join(self)
            self.gates.append(gate)
            await self.wear(address, clock_start_us=start_us + later_us, clock_drift_ppm=drift_ppm, gate=gate)

    async def synchronise(self) -> list[str]:
        """The cues it comes to, without those on the way."""
        self.cues.clear()
        await self.synchronising.begin()
        await self.air.until(
            lambda: any(cue.code in {"synchronise.done", "synchronise.failed"} for cue in self.cues), timeout_s=30.0
        )
        return [cue.text for cue in self.cues if cue.code not in {"synchronise.searching", "synchronise.started"}]

    async def stream(self, seconds: float) -> list[SensorLink]:
        links = [self.air.connect(address, segment, groups=self.groups) for address, segment in self.worn.items()]
        for link in links:
            await self.air.reach(link, LinkState.STREAMING)
        self.air.link.connection_interval_s = INTERVAL_S
        for gate, phase_s in zip(self.gates, PHASES_S, strict=True):
            await asyncio.sleep((phase_s - asyncio.get_running_loop().time()) % INTERVAL_S)
            gate.release()
        await asyncio.sleep(seconds)
        return links

    def late(self, link: SensorLink) -> tuple[FloatArray, FloatArray]:
        """Each sample's placed time [s], and how late that is on a scale that is the same for all sensors [s]."""
        sensor = next(sensor for sensor in self.air.sensors if sensor.address == link.address)
        runs = self.air.runs[link.segment]
        time_us = np.concatenate([samples.sensor_time_us for samples, _ in runs])
        placed_s = np.concatenate([time_s for _, time_s in runs])
        if sensor.firmware._synced:  # its times are the loop's, 32 bit
            now_us = asyncio.get_running_loop().time() * 1e6
            taken_s = (time_us + np.round((now_us - time_us) / LAP_US) * LAP_US) * 1e-6
        else:
            taken_s = np.array([sensor.taken_at(int(each)) for each in time_us])
        return placed_s, placed_s - taken_s

    def apart_ms(self, links: list[SensorLink]) -> float:
        """How far apart the two sensors are placed that should not be, the median of the last second."""
        (one_s, one_late_s), (other_s, other_late_s) = (self.late(link) for link in links)
        last_s = min(one_s[-1], other_s[-1])
        instants_s = np.linspace(last_s - 1.0, last_s, 50)
        apart_s = np.interp(instants_s, one_s, one_late_s) - np.interp(instants_s, other_s, other_late_s)
        return float(np.median(np.abs(apart_s))) * 1e3


@pytest.fixture
async def home(until) -> AsyncIterator[Home]:
    software_link = SoftwareLink(supervision_timeout_s=0.3)
    async with SoftwareRadio(software_link) as radio:
        conditions = Conditions()
        central = Central(Radio(radio.scanner_backend, radio.client_backend), conditions=conditions)
        home = Home(Air(until, software_link, radio, central), conditions)
        yield home
        await home.synchronising.stop()
        for link in home.air.links:
            await link.close()
        for sensor in home.air.sensors:
            await sensor.stop()


async def test_synchronised_sensors_agree(home: Home) -> None:
    await home.wear_both()
    assert await home.synchronise() == ["2 sensors share one clock now, until they are switched off."]
    assert [cue.text for cue in home.cues][:2] == [
        "Switch your sensors on and put them close together.",
        "Leave the sensors close together; this takes 15 seconds.",
    ]
    await home.air.until(lambda: sum(adapter.connections for adapter in home.air.central.adapters) == 0)
    links = await home.stream(2.5)
    assert all(link.stream.shared_clock == "movella_dot" and link.clock.shared for link in links)
    assert links[0].clock.line() == links[1].clock.line()
    assert home.apart_ms(links) < 2.0


async def test_others_do_not(home: Home) -> None:
    await home.wear_both()
    links = await home.stream(2.5)
    assert not any(link.stream.shared_clock or link.clock.shared for link in links)
    assert home.apart_ms(links) > 4.0


async def test_one_that_is_restarted_leaves_and_people_are_told_until_it_is_synchronised_anew(home: Home) -> None:
    await home.wear_both()
    await home.synchronise()
    thigh, shank = await home.stream(0.5)
    assert home.conditions.now() == ()
    home.air.link.connection_interval_s = 0.0
    await home.air.sensors[1].reboot()
    await home.air.until(lambda: shank.connections == 2 and shank.state is LinkState.STREAMING)
    assert (thigh.clock.shared, shank.clock.shared) == (True, False)
    (condition,) = home.conditions.now()
    assert condition.code == Trouble.SENSORS_APART
    assert condition.sentence.startswith("The sensor on the right shank lost the clock that the sensors share")
    times_s = np.concatenate([time_s for _, time_s in home.air.runs[Segment.RIGHT_SHANK]])
    assert np.all(np.diff(times_s) > 0)
    for link in (thigh, shank):
        await link.close()
    assert home.conditions.now() == (condition,), "the session's end mends nothing"
    assert await home.synchronise() == ["2 sensors share one clock now, until they are switched off."]
    assert home.conditions.now() == ()


async def test_one_whose_clock_is_suddenly_another_leaves_while_it_streams(home: Home) -> None:
    await home.wear_both()
    await home.synchronise()
    _, shank = await home.stream(0.5)
    home.air.sensors[1].firmware._synced = False
    await home.air.until(lambda: bool(home.conditions.now()))
    assert [condition.code for condition in home.conditions.now()] == [Trouble.SENSORS_APART]
    assert (shank.connections, shank.clock.shared) == (1, False)


async def test_a_sensor_by_itself_shares_with_nobody_and_tells_nothing(home: Home) -> None:
    """As where one is assigned: all that are in reach are connected, as if they were worn at one place."""
    await home.wear_both()
    await home.synchronise()
    home.air.central.sharing.has_lost(THIGH, Segment.RIGHT_THIGH)
    before = home.conditions.now()
    assert before
    link = home.air.connect(SHANK, Segment.LEFT_SHANK)
    await home.air.reach(link, LinkState.STREAMING)
    assert link.stream.shared_clock == "movella_dot"
    assert not link.clock.shared
    assert home.conditions.now() == before


async def test_who_is_not_there_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synchronising_module, "FIND_S", 2.5)
    await home.wear_both()
    home.worn[KNEE] = Segment.LEFT_SHANK
    assert await home.synchronise() == [
        "The sensor on the left shank did not take part: it was not found. Switch it on, and try again.",
        "2 sensors share one clock now, until they are switched off.",
    ]


async def test_who_did_not_hear_the_others_is_named(home: Home) -> None:
    await home.wear_both()
    home.air.sensors[1].firmware.sync_period_s = 600.0
    why = "it did not hear the others. Put them closer together, and try again."
    assert await home.synchronise() == [
        f"The sensor on the right shank did not take part: {why}",
        "The sensors were not synchronised: put them close together, and try again.",
    ]


async def test_other_families_are_left_alone(home: Home) -> None:
    await home.wear(THIGH)
    await home.air.wear(SHANK, playback(10.0))
    (told,) = await home.synchronise()
    assert told.startswith("Fewer than two Movella DOT were found")
    assert home.air.sensors[1].samples_sent == 0


async def test_bluetooth_that_is_off_is_told_in_its_own_words(home: Home) -> None:
    await home.air.radio.stop()
    (told,) = await home.synchronise()
    assert "Bluetooth fails" in told


async def test_it_is_refused_during_a_session_and_for_one_sensor(home: Home) -> None:
    home.busy = True
    with pytest.raises(GatewayError, match="A session is running: stop it before you synchronise"):
        await home.synchronising.begin()
    home.busy = False
    del home.worn[SHANK]
    with pytest.raises(GatewayError, match="Fewer than two sensors are worn"):
        await home.synchronising.begin()


async def test_it_can_be_given_up(home: Home) -> None:
    def slow_down(cue: Cue) -> None:
        home.cues.append(cue)
        if cue.code == "synchronise.started":
            home.air.link.connection_interval_s = INTERVAL_S

    home.synchronising._tell = slow_down
    await home.wear_both()
    await home.synchronising.begin()
    await home.air.until(lambda: home.cues[-1:] and home.cues[-1].code == "synchronise.started")
    assert sum(adapter.connections for adapter in home.air.central.adapters) == 2
    assert await home.synchronising.stop()
    assert home.cues[-1].code == "synchronise.stopped"
    assert not await home.synchronising.stop()
    assert sum(adapter.connections for adapter in home.air.central.adapters) == 0
    assert not home.air.scanning


async def test_firmware_that_knows_no_synchronisation_streams(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MovellaDotDriver, "sync_status", MovellaDotDriver.sync_result)
    await home.wear_both()
    links = await home.stream(0.2)
    assert [link.stream.shared_clock for link in links] == [None, None]
