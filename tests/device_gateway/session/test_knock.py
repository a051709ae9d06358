"""Sensors that are struck together: how far apart their clocks place it is told and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from worn_gateway import body, home_of

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, CueEvent, CueLevel
from analytics.simulation.body import SimulatedBody
from device_gateway.errors import GatewayError
from device_gateway.session.knock import NO_KNOCK, WAIT_S, KnockCheck

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK


def struck(at_s: float) -> SimulatedBody:
    """A body whose sensors are struck together before it moves."""
    whole = body(2)
    shock = 40.0 * np.exp(-(((whole.time_s - at_s) / 0.012) ** 2))
    sensors = {segment: (acc + shock[:, np.newaxis], gyr) for segment, (acc, gyr) in whole.sensors.items()}
    return replace(whole, sensors=sensors)


async def test_a_knock_is_told_and_kept(tmp_path: Path, shared_clinic, until) -> None:
    wearing, code = struck(at_s=1.5), await shared_clinic.claim_code()
    async with home_of(tmp_path, shared_clinic.url, code, wearing, speed=2) as home:
        await home.gateway.start_session()
        await until(lambda: sum(sensor.connected for sensor in home.gateway.hub.snapshot.sensors) == 2)
        await home.gateway.obey(Command(command="knock"))
        await home.played()
        report = await home.gateway.finish_session()
        await home.phone.finished.wait()
    cues = {event.cue.code: event.cue for event in home.phone.of(CueEvent)}
    assert cues["knock.told"].level is CueLevel.GOOD
    offsets = {sensor.segment: sensor.knock_offset_ms for sensor in report.sensors}
    ((first, none), (other, offset_ms)) = sorted(offsets.items(), key=lambda item: item[1] is not None)
    assert {first, other} == {THIGH, SHANK}
    assert none is None, "the first is what the others are compared with"
    assert offset_ms is not None
    assert abs(offset_ms) < 15


def test_without_a_knock_that_is_said_after_a_while() -> None:
    check, still = KnockCheck((THIGH, SHANK), 0.0), np.tile([0.0, 0.0, 9.81], (10, 1))
    for tick in range(int((WAIT_S + 1) * 10)):
        time_s = tick / 10 + np.arange(10) / 100
        told = [check.take(segment, still, time_s) for segment in (THIGH, SHANK)]
        if any(told):
            break
    assert NO_KNOCK in told
    assert tick / 10 >= WAIT_S - 1
    assert check.offsets_ms == {}


@pytest.mark.parametrize(("late_ms", "level"), [(4.0, CueLevel.GOOD), (-40.0, CueLevel.WARN)])
def test_what_differs_is_told_with_its_size(late_ms: float, level: CueLevel) -> None:
    check, told = KnockCheck((THIGH, SHANK), 0.0), None
    for tick in range(30):
        time_s = tick / 10 + np.arange(10) / 100
        for segment, late_s in ((THIGH, 0.0), (SHANK, late_ms / 1000)):
            shock = 40.0 * np.exp(-(((time_s - late_s - 1.23) / 0.012) ** 2))
            told = told or check.take(segment, np.array([0.0, 0.0, 9.81]) + shock[:, np.newaxis], time_s)
    assert told is not None
    assert told.level is level
    assert check.offsets_ms[SHANK] == pytest.approx(late_ms, abs=2.0)


async def test_with_one_sensor_there_is_nothing_to_compare(tmp_path: Path, shared_clinic) -> None:
    async with home_of(tmp_path, shared_clinic.url, await shared_clinic.claim_code(), body(1), speed=5) as home:
        await home.gateway.start_session()
        with pytest.raises(GatewayError, match="Fewer than two"):
            home.gateway._sessions._run.obey(Command(command="knock"))
