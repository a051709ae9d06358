"""Sessions one after the other: what was told stands, wherever a session or a gateway fails in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from talking import Told

from analytics.domain.check_in import CheckIn, RedFlag
from analytics.domain.exercise import Segment
from analytics.domain.live import Command, CueEvent, SessionState
from analytics.domain.program import Assignment
from analytics.domain.session import EasingAction, SessionReport
from analytics.safety.rules import load_rules
from device_gateway.clocks.clock import Clock
from device_gateway.conditions import Trouble
from device_gateway.errors import GatewayError, StoreError
from device_gateway.links.radio import Central, Radio
from device_gateway.session import run as run_module
from device_gateway.session.exercise_session import ABANDONED_S
from device_gateway.session.replay import close_unfinished
from device_gateway.session.run import SCORING_FAULT
from device_gateway.session.sessions import Sessions
from device_gateway.session.wording import HURTS
from device_gateway.storage.plan import GivenCommand, SessionPlan
from device_gateway.storage.store import Store
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio

WORN = {"C1:00:00:00:00:01": Segment.RIGHT_THIGH, "C1:00:00:00:00:02": Segment.RIGHT_SHANK}
NOW, DAY = datetime.now(UTC), timedelta(days=1)
FLAGGED = CheckIn(red_flags=(RedFlag.CALF_PAIN,), given_at=NOW)
START, STOP = Command(command="start"), Command(command="stop")


class Homely:
    """A patient's sessions on an air where no sensor answers."""

    def __init__(self, store: Store, central: Central, invented) -> None:
        self.store = store
        self.hub = Told()
        self.clock = Clock()
        self._central = central
        self._invented = invented
        self.sessions = self.anew()

    def anew(self, worn: Mapping[str, Segment] = WORN) -> Sessions:
        """As after a restart, on the same store."""
        self.sessions = Sessions(
            worn, central=self._central, clock=self.clock, store=self.store, hub=self.hub, assignment=self._assignment,
            on_stored=lambda: None, simulated=False,
        )  # fmt: skip
        return self.sessions

    async def _assignment(self) -> Assignment:
        return Assignment(patient_id="p1", patient_name="Test", program=self._invented.program())

    @property
    def state(self) -> SessionState:
        return self.hub.snapshot.state


@pytest.fixture
async def home(gateway_store, invented) -> AsyncIterator[Homely]:
    async with SoftwareRadio(SoftwareLink()) as radio:
        here = Homely(gateway_store, Central(Radio(radio.scanner_backend, radio.client_backend)), invented)
        yield here
        await here.sessions.close()


def check_in(**answers: object) -> Command:
    return Command(command="start", check_in=CheckIn.model_validate({"given_at": NOW, **answers}))


async def test_a_red_flag_is_not_walked_around_by_choosing_and_skipping(home: Homely) -> None:
    await home.sessions.obey(check_in(red_flags=("calf_pain",)))
    await home.sessions.finish_if_running()
    await home.sessions.obey(Command(command="choose"))
    await home.sessions.obey(START)
    await home.sessions.obey(Command(command="skip"))
    assert home.state is SessionState.FINISHED
    assert "it could be a clot" in home.hub.snapshot.cue.text
    await home.sessions.finish_if_running()
    with pytest.raises(GatewayError, match="answer the questions"):
        await home.sessions.obey(START)
    await home.sessions.obey(check_in())
    assert home.state is SessionState.FINISHED, "who was not asked has not answered"
    await home.sessions.finish_if_running()
    await home.sessions.obey(check_in(red_flags=()))
    assert home.state is SessionState.CONNECTING


@pytest.mark.parametrize("answers", [{"pain_now": 9}, {}])
async def test_strong_pain_is_the_end_for_that_day(home: Homely, answers: dict[str, object]) -> None:
    await home.sessions.obey(check_in(**answers))
    if not answers:
        await home.sessions.obey(Command(command="hurts", pain=9))
    await home.sessions.obey(STOP)
    home.anew()
    with pytest.raises(GatewayError, match=r"earlier today: .* 9 of 10"):
        await home.sessions.obey(START)


async def test_a_flag_is_reported_though_a_sensor_is_missing(home: Homely, until) -> None:
    sessions = home.anew({"C1:00:00:00:00:01": Segment.RIGHT_THIGH})
    await sessions.obey(Command(command="start", check_in=FLAGGED))
    assert "it could be a clot" in home.hub.snapshot.cue.text
    report = await sessions.finish()
    assert report.check_in == FLAGGED
    (upload,) = await home.store.uploads()
    assert upload.report == report
    home.anew()
    with pytest.raises(GatewayError, match="it could be a clot"):
        await home.sessions.obey(START)


async def test_a_flag_is_remembered_though_the_session_cannot_begin(home: Homely, monkeypatch) -> None:
    monkeypatch.setattr(home, "_assignment", _unreachable)
    with pytest.raises(GatewayError, match="it could be a clot"):
        await home.anew().obey(Command(command="start", check_in=FLAGGED))
    monkeypatch.undo()
    home.anew()
    with pytest.raises(GatewayError, match="it could be a clot"):
        await home.sessions.obey(START)


async def test_a_flag_told_while_nothing_runs_is_remembered(home: Homely) -> None:
    with pytest.raises(GatewayError, match="No session"):
        await home.sessions.obey(Command(command="check_in", check_in=FLAGGED))
    with pytest.raises(GatewayError, match="it could be a clot"):
        await home.sessions.obey(START)


async def test_a_flag_whose_gateway_died_stands_after_the_restart(home: Homely, invented) -> None:
    opening = invented.opening()
    dose = invented.program().prescriptions[0].dose
    await home.store.keep_opening(opening, SessionPlan(dose=dose, limit_deg=None, simulated=False, guided=True))
    given = GivenCommand(time_s=3.0, command=Command(command="check_in", check_in=FLAGGED))
    await home.store.keep_command(opening.id, given)
    await close_unfinished(
        home.store, await home.store.unfinished(), lambda: None,
        on_said=home.sessions.remember_said, on_report=home.sessions.remember_report,
    )  # fmt: skip
    with pytest.raises(GatewayError, match="it could be a clot"):
        await home.sessions.obey(START)


async def test_what_the_disk_refused_at_the_start_is_closed_once_it_answers(gateway_store, invented) -> None:
    await gateway_store.keep_opening(invented.opening())
    refusals = [StoreError("The disk is full."), StoreError("The disk is full.")]

    async def on_report(_: object) -> None:
        if refusals:
            raise refusals.pop()

    unfinished = await gateway_store.unfinished()
    await close_unfinished(gateway_store, unfinished, lambda: None, on_report=on_report, retry_s=0.01)
    assert (refusals, await gateway_store.unfinished()) == ([], [])


async def test_a_session_that_cannot_be_finished_blocks_no_other(home: Homely, monkeypatch, caplog) -> None:
    await home.sessions.obey(START)
    monkeypatch.setattr(home.sessions._run.session, "report", _fault)
    with pytest.raises(GatewayError, match="closed when the gateway starts again"):
        await home.sessions.obey(STOP)
    assert home.state is SessionState.FINISHED
    assert "could not be closed" in caplog.text
    await home.sessions.obey(START)
    await home.sessions.obey(STOP)
    assert len(await home.store.unfinished()) == 1


async def test_a_session_that_ends_by_itself_and_cannot_be_finished_is_not_silent(
    home: Homely, monkeypatch, caplog, until
) -> None:
    await home.sessions.obey(START)
    monkeypatch.setattr(home.sessions._run.session, "report", _fault)
    home.sessions._end()
    await until(lambda: "could not be closed" in caplog.text)
    await home.sessions.close()
    with pytest.raises(GatewayError, match="No session"):
        await home.sessions.obey(Command(command="pause"))


async def test_it_hurts_is_heard_though_scoring_has_a_fault(home: Homely, monkeypatch, caplog) -> None:
    caplog.set_level(logging.CRITICAL, "device_gateway.session.run")
    await home.sessions.obey(START)
    monkeypatch.setattr(home.sessions._run.session, "obey", _fault)
    for _ in range(2):
        await home.sessions.obey(Command(command="hurts"))
    cues = [event.cue.text for event in home.hub.heard if isinstance(event, CueEvent)]
    assert cues == [HURTS.text, SCORING_FAULT] * 2
    assert "goes too far" in SCORING_FAULT
    assert [c.code for c in home.store.conditions.now()] == [Trouble.SCORING_FAULT]


async def test_a_pain_that_ended_the_day_is_known_before_its_session_is_closed(home: Homely) -> None:
    await home.sessions.remember_said(Command(command="hurts", pain=3), NOW)
    await home.sessions.obey(START)
    await home.sessions.obey(STOP)
    await home.sessions.remember_said(Command(command="hurts", pain=9), NOW)
    with pytest.raises(GatewayError, match=r"earlier today: .* 9 of 10"):
        await home.sessions.obey(START)


async def test_what_an_old_session_said_clears_nothing_that_was_told_since(home: Homely) -> None:
    await home.sessions.remember_answers(FLAGGED, NOW)
    none = CheckIn(red_flags=(), given_at=NOW - DAY)
    await home.sessions.remember_said(Command(command="check_in", check_in=none), NOW - DAY)
    with pytest.raises(GatewayError, match="it could be a clot"):
        await home.sessions.obey(START)


async def test_a_stop_of_yesterday_does_not_take_today_s_away(home: Homely) -> None:
    await home.sessions.remember_said(Command(command="hurts", pain=9), NOW)
    await home.sessions.remember_said(Command(command="hurts", pain=10), NOW - DAY)
    with pytest.raises(GatewayError, match=r"earlier today: .* 9 of 10"):
        await home.sessions.obey(START)


async def test_a_stop_stands_though_the_calendar_is_set_by_years(home: Homely) -> None:
    """As a Raspberry Pi does that hears of the time in the middle of a day."""
    await home.sessions.remember_said(Command(command="hurts", pain=9), datetime(1970, 1, 1, 0, 10, tzinfo=UTC))
    for _ in range(2):
        with pytest.raises(GatewayError, match=r"earlier today: .* 9 of 10"):
            await home.sessions.obey(START)
        home.anew()


async def test_what_is_told_while_it_is_first_read_is_not_forgotten(home: Homely) -> None:
    flagged = Command(command="check_in", check_in=FLAGGED)
    await asyncio.gather(
        home.sessions._earlier_sessions(),
        home.sessions.remember_said(flagged, NOW),
        home.sessions.remember_said(Command(command="hurts", pain=9), NOW),
    )
    standing = (await home.sessions._earlier_sessions()).standing(NOW.astimezone().date(), load_rules())
    assert standing.flag is not None
    assert standing.stop is not None


async def test_a_session_that_nobody_follows_any_more_ends_by_time(home: Homely, monkeypatch, until, caplog) -> None:
    monkeypatch.setattr(run_module, "TICK_S", 0.01)
    home.clock = Clock(speed=ABANDONED_S)  # in a second
    home.anew()
    await home.sessions.obey(START)
    monkeypatch.setattr(home.sessions._run.session, "tick", _fault)
    await until(lambda: "Live scoring has stopped" in caplog.text)
    assert home.sessions._run is not None
    await until(lambda: home.sessions._run is None)
    assert await home.store.unfinished() == []


async def test_what_stood_before_a_session_whose_gateway_died_is_in_its_report(home: Homely) -> None:
    """Passed over, a red flag stops the session; scored again after a restart it must, too."""
    await home.sessions.remember_answers(FLAGGED, NOW)
    await home.sessions.obey(Command(command="choose"))
    await home.sessions.obey(START)
    home.sessions._run._on_over = lambda: None  # it dies before it can make a report
    await home.sessions.obey(Command(command="skip"))
    told = home.sessions._run.session.care.easings
    assert [easing.action for easing in told] == [EasingAction.STOPPED]
    recorder = home.sessions._run.recorder
    assert await recorder.written()
    reports = []

    async def note(report: SessionReport) -> None:
        reports.append(report)

    (died,) = await home.store.unfinished()
    await close_unfinished(home.store, [died], lambda: None, on_report=note)
    assert [(easing.action, easing.rule, easing.reason) for easing in reports[0].easings] == [
        (easing.action, easing.rule, easing.reason) for easing in told
    ]


async def _unreachable() -> Assignment:
    raise GatewayError("There is no program yet.")


def _fault(*_: object, **__: object) -> None:
    raise ValueError("a fault in this program")
