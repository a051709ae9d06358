"""The conversation with a real gateway: virtual sensors on a software radio, a real clinic's server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from worn_gateway import ADDRESSES, Home, body, home_of

from analytics.domain.check_in import CheckIn, RedFlag, Swelling
from analytics.domain.live import Command, SessionState, Snapshot
from analytics.domain.session import EasingAction, Placement, Rating
from server.database import Database
from server.programs.service import add_version
from server.settings import Settings

FLAGGED = CheckIn(pain_now=2, red_flags=(RedFlag.CALF_PAIN,), given_at=datetime.now(UTC))
WELL = CheckIn(pain_now=2, pain_this_morning=1, swelling=Swelling.NONE, red_flags=(), given_at=datetime.now(UTC))


async def say(home: Home, command: str, **what: object) -> None:
    await home.phone.commands.put(Command.model_validate({"command": command, **what}))


async def test_with_no_phone_at_all_everything_goes_on_by_movement_and_time(
    tmp_path: Path, own_clinic, invented, until
) -> None:
    async with Database(Settings(home=own_clinic.home).database_path) as database, database.writing() as db:
        await add_version(db, invented.program(2, repetitions=1))
    own_clinic.start()
    code = await own_clinic.claim_code()
    wearing = body(3, rate_hz=25.0)
    async with home_of(tmp_path, own_clinic.url, code, wearing, speed=25, listens=False) as home:
        await home.gateway.start_session()
        await until(lambda: home.gateway.hub.snapshot.state is SessionState.FINISHED, 60)
        report = await home.gateway.finish_session()
        assert await home.gateway.drain(20)
    assert [s.repetitions for s in report.sets] == [1, 1, 1]
    assert [s.rest_s is None for s in report.sets] == [False, False, True]
    assert (report.check_in, report.felt, report.easings) == (None, None, ())
    assert report.placement is Placement.CHECKED
    assert report.gateway_software
    assert own_clinic.report(report.id) == report


async def test_led_by_a_phone_and_then_stopped_by_a_red_flag(tmp_path: Path, shared_clinic, until) -> None:
    url, code = shared_clinic.url, await shared_clinic.claim_code()
    async with home_of(tmp_path, url, code, body(2, rate_hz=25.0), speed=20) as home:
        hub = home.gateway.hub
        await say(home, "choose")
        await until(lambda: hub.snapshot.state is SessionState.CHOOSING)
        (choice,) = hub.snapshot.choices
        assert (choice.exercise_name, choice.done_today) == ("Seated knee extension", False)
        await say(home, "start", exercise=choice.exercise, side=choice.side)
        await until(lambda: hub.snapshot.state is SessionState.CHECKING_IN)
        assert hub.snapshot.sensors == (), "nothing is looked for before the questions are answered"
        await say(home, "check_in", check_in=WELL)
        await until(lambda: hub.snapshot.total_repetitions == 2)
        await say(home, "hurts", pain=8)
        await until(lambda: hub.snapshot.state is SessionState.RATING)
        await say(home, "rate", pain=7, effort=4)
        await until(home.phone.finished.is_set)
        assert await home.gateway.drain(20)
        first = await home.gateway.finish_session()
        stored = shared_clinic.report(first.id)
        assert (stored.check_in, stored.felt) == (WELL, Rating(pain=7, effort=4))
        assert [easing.action for easing in stored.easings] == [EasingAction.STOPPED]

        await say(home, "choose")
        await until(lambda: hub.snapshot.state is SessionState.CHOOSING)
        assert hub.snapshot.choices[0].done_today
        await say(home, "stop")
        await until(lambda: hub.snapshot.state is SessionState.IDLE)

        await say(home, "start", check_in=FLAGGED)
        await until(lambda: hub.snapshot.state is SessionState.FINISHED)
        assert "it could be a clot" in hub.snapshot.cue.text
        second = await home.gateway.finish_session()
        assert (second.check_in, second.repetitions, second.chunk_count) == (FLAGGED, (), 0)
        assert await home.gateway.drain(20)
        assert shared_clinic.report(second.id) == second

    async with home_of(tmp_path, url, None, body(1, rate_hz=25.0), speed=20) as home:  # the flag outlasts a restart
        hub = home.gateway.hub
        await say(home, "start")
        await until(lambda: hub.snapshot.cue is not None)
        assert "answer the questions" in hub.snapshot.cue.text
        assert hub.snapshot.state is SessionState.IDLE
        await say(home, "start", check_in=WELL)  # which clears the flag, and not that it hurt at 8 earlier today
        await until(lambda: hub.snapshot.state is SessionState.FINISHED)
        third = await home.gateway.finish_session()
        assert [easing.rule for easing in third.easings] == ["stopped_today"]


async def test_exchanged_sensors_are_found_over_the_air(tmp_path: Path, shared_clinic) -> None:
    wearing = body(3, rate_hz=50.0)
    exchanged = dict(zip(ADDRESSES, reversed(ADDRESSES.values()), strict=True))
    async with home_of(
        tmp_path, shared_clinic.url, await shared_clinic.claim_code(), wearing, speed=15, worn=exchanged
    ) as home:
        await home.gateway.start_session()
        await home.played()
        report = await home.gateway.finish_session()
    assert report.placement is Placement.SWAPPED
    assert len(report.repetitions) == 3
    truth_deg = [repetition.excursion_deg for repetition in wearing.repetitions]
    assert [r.excursion_deg for r in report.repetitions] == pytest.approx(truth_deg, abs=8)
    assert {sensor.address: sensor.segment for sensor in report.sensors} == exchanged
    told = [event.cue.code for event in home.phone.heard if event.kind == "cue"]
    assert told.count("sensors_swapped") == 1


async def test_a_session_is_not_chosen_while_one_runs(tmp_path: Path, shared_clinic, until) -> None:
    code = await shared_clinic.claim_code()
    async with home_of(tmp_path, shared_clinic.url, code, body(1, rate_hz=25.0), speed=20) as home:
        await home.gateway.start_session()
        await say(home, "choose")
        await until(lambda: home.gateway.hub.snapshot.cue is not None)
        assert "running already" in home.gateway.hub.snapshot.cue.text
        assert home.gateway.hub.snapshot.state is not SessionState.CHOOSING
        assert isinstance(home.phone.heard[0], Snapshot)
