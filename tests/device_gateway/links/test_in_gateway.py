"""The gateway around its links: it goes on without Bluetooth, and remembers which sensor is worn where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, Condition, SessionState
from device_gateway.app import Gateway
from device_gateway.conditions import Trouble
from device_gateway.links.radio import Radio
from device_gateway.settings import GatewaySettings
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

THIGH, SHANK, OTHER = (f"C1:00:00:00:00:0{number}" for number in (1, 2, 3))
GIVEN = {THIGH: Segment.RIGHT_THIGH, SHANK: Segment.RIGHT_SHANK}


@asynccontextmanager
async def gateway_on(
    home: Path, url: str, claim_code: str | None, sensors: dict[str, Segment], radio: Radio | None
) -> AsyncIterator[Gateway]:
    settings = GatewaySettings(home=home, server_url=url, claim_code=claim_code)
    gateway = Gateway(settings, sensors=sensors, radio=radio)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.close()


async def test_without_bluetooth_it_says_so_to_every_phone_and_goes_on(
    tmp_path: Path, shared_clinic, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session can be held, its report goes up; only samples there are none."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    code = await shared_clinic.claim_code()
    async with gateway_on(tmp_path / "gateway", shared_clinic.url, code, GIVEN, None) as gateway:

        def told() -> list[Condition]:
            return [each for each in gateway.hub.snapshot.conditions if each.code.startswith("bluetooth.")]

        await until(lambda: bool(told()))
        (condition,) = told()
        assert condition.code == Trouble.BLUETOOTH_NO_SERVICE
        await gateway.start_session()
        await asyncio.sleep(0.3)
        report = await gateway.finish_session()
        assert [sensor.samples_received for sensor in report.sensors] == [0, 0]
        assert await gateway.drain(20)
        assert told() == [condition]
    assert shared_clinic.report(report.id) == report


async def test_a_sensor_that_is_tapped_is_remembered_and_worn_in_the_next_session(
    tmp_path: Path, shared_clinic, until
) -> None:
    link = SoftwareLink()
    acc = np.tile([0.0, 0.0, 9.81], (3000, 1))
    for first in (150, 180):
        acc[first : first + 4, 1] += 30.0 * np.array([1.0, -0.6, 0.3, -0.1])
    playback = Playback(100.0, np.arange(len(acc)) / 100, acc, np.zeros_like(acc))
    async with SoftwareRadio(link) as software_radio, VirtualSensor("Sinew 3", OTHER, playback, link):
        radio = Radio(software_radio.scanner_backend, software_radio.client_backend)
        home, url, code = tmp_path / "gateway", shared_clinic.url, await shared_clinic.claim_code()
        async with gateway_on(home, url, code, GIVEN, radio) as gateway:
            await gateway.obey(Command(command="assign", segment=Segment.RIGHT_SHANK))
            await until(lambda: gateway.hub.snapshot.cue is not None and gateway.hub.snapshot.cue.code == "assign.done")
            await gateway.start_session()
            await gateway.obey(Command(command="assign", segment=Segment.RIGHT_THIGH))
            assert "stop it before you assign a sensor" in gateway.hub.snapshot.cue.text
            await gateway.obey(Command(command="synchronise"))
            assert "stop it before you synchronise the sensors" in gateway.hub.snapshot.cue.text
            report = await gateway.finish_session()
            assert {sensor.address: sensor.segment for sensor in report.sensors} == {
                THIGH: Segment.RIGHT_THIGH, OTHER: Segment.RIGHT_SHANK,
            }  # fmt: skip
        async with gateway_on(home, url, None, {SHANK: Segment.LEFT_SHANK}, radio) as gateway:
            await gateway.start_session()
            report = await gateway.finish_session()
            assert {sensor.address: sensor.segment for sensor in report.sensors} == {
                THIGH: Segment.RIGHT_THIGH, OTHER: Segment.RIGHT_SHANK, SHANK: Segment.LEFT_SHANK,
            }  # fmt: skip
            assert gateway.hub.snapshot.state is SessionState.FINISHED


async def test_while_a_session_starts_no_sensor_is_assigned(
    tmp_path: Path, shared_clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = SoftwareLink()
    async with SoftwareRadio(link) as software_radio:
        radio = Radio(software_radio.scanner_backend, software_radio.client_backend)
        code = await shared_clinic.claim_code()
        async with gateway_on(tmp_path / "gateway", shared_clinic.url, code, GIVEN, radio) as gateway:
            sessions, asked, may_answer = gateway._sessions, asyncio.Event(), asyncio.Event()
            assert sessions is not None
            assignment = sessions._assignment

            async def slow():
                asked.set()
                await may_answer.wait()
                return await assignment()

            monkeypatch.setattr(sessions, "_assignment", slow)
            starting = asyncio.create_task(gateway.obey(Command(command="start")))
            await asyncio.wait_for(asked.wait(), 5)
            assign = Command(command="assign", segment=Segment.RIGHT_SHANK)
            assigning = asyncio.create_task(gateway.obey(assign))
            await asyncio.sleep(0.1)
            may_answer.set()
            await asyncio.gather(starting, assigning)
            assert gateway._assigning._task is None
            cue = gateway.hub.snapshot.cue
            assert cue is not None
            assert "stop it before you assign a sensor" in cue.text
            await gateway.finish_session()


async def test_a_session_takes_the_sensors_from_who_waits_for_a_tap(tmp_path: Path, shared_clinic) -> None:
    link = SoftwareLink()
    async with SoftwareRadio(link) as software_radio:
        radio = Radio(software_radio.scanner_backend, software_radio.client_backend)
        code = await shared_clinic.claim_code()
        async with gateway_on(tmp_path / "gateway", shared_clinic.url, code, GIVEN, radio) as gateway:
            for begin in (lambda: gateway.obey(Command(command="start")), gateway.start_session):
                await gateway.obey(Command(command="assign", segment=Segment.RIGHT_SHANK))
                waiting = gateway._assigning._task
                assert waiting is not None
                await begin()
                assert waiting.done()
                await gateway.finish_session()


@pytest.mark.parametrize("command", ["assign", "synchronise"])
async def test_stop_ends_what_holds_the_sensors_between_sessions(tmp_path: Path, shared_clinic, command: str) -> None:
    async with SoftwareRadio(SoftwareLink()) as software_radio:
        radio = Radio(software_radio.scanner_backend, software_radio.client_backend)
        code = await shared_clinic.claim_code()
        async with gateway_on(tmp_path / "gateway", shared_clinic.url, code, GIVEN, radio) as gateway:
            await gateway.obey(Command(command=command, segment=Segment.RIGHT_SHANK))
            (held,) = [task for task in asyncio.all_tasks() if task.get_name() in {"assigning", "synchronising"}]
            await gateway.obey(Command(command="stop"))
            assert held.done()
            cue = gateway.hub.snapshot.cue
            assert cue is not None
            assert cue.code == f"{command}.stopped"
            await gateway.obey(Command(command="stop"))
            assert gateway.hub.snapshot.cue.code == "gateway.refused", "there is nothing more to stop"
