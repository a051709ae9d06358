"""What is passed over in silence, held back or forgotten: a flag that stands, a limit, a session nobody ends."""

from __future__ import annotations

import pytest
from talking import NOW, WELL, Told, alone, body, closed, dose, move, still

from analytics.domain.check_in import CheckIn, RedFlag
from analytics.domain.exercise import Segment
from analytics.domain.live import Command, CueEvent, SessionState
from analytics.domain.session import EasingAction
from analytics.safety.session import Advice, Standing
from device_gateway.session.exercise_session import ABANDONED_S, ANSWER_S, ExerciseSession
from device_gateway.session.scoring import exercise_session

FLAG = Advice(EasingAction.STOPPED, "red_flag.calf_pain", "Do not exercise: call.")
STOP = Advice(EasingAction.STOPPED, "stopped_today", "You were told earlier today: that is all.")
NO_FLAGS = WELL.model_copy(update={"red_flags": ()})


@pytest.fixture
def told() -> Told:
    return Told()


def asked(invented, told: Told, standing: Standing) -> ExerciseSession:
    session = exercise_session(invented.opening(), dose(), None, told, guided=True, standing=standing)
    session.begin([])
    return session


@pytest.mark.parametrize("advice", [FLAG, STOP])
@pytest.mark.parametrize("passed", ["skip", "silence"])
async def test_what_stands_is_not_walked_around(told, invented, advice: Advice, passed: str) -> None:
    session = asked(invented, told, Standing(advice if advice is FLAG else None, advice if advice is STOP else None))
    if passed == "skip":
        session.obey(Command(command="skip"), 1.0)
    else:
        session.tick(ANSWER_S)
    assert session.state is SessionState.FINISHED
    assert told.snapshot.cue.text == advice.reason
    assert [(easing.action, easing.rule) for easing in closed(session).easings] == [(advice.action, advice.rule)]


@pytest.mark.parametrize(
    ("standing", "answers", "state"),
    [
        (Standing(flag=FLAG), WELL, SessionState.FINISHED),
        (Standing(flag=FLAG), NO_FLAGS, SessionState.CONNECTING),
        (Standing(stop=STOP), NO_FLAGS, SessionState.FINISHED),
        (Standing(), WELL, SessionState.CONNECTING),
    ],
)
async def test_only_answers_clear_a_flag_and_nothing_a_stop(told, invented, standing, answers, state) -> None:
    session = asked(invented, told, standing)
    session.obey(Command(command="check_in", check_in=answers), 1.0)
    assert session.state is state


async def test_a_new_flag_is_told_before_what_stands(told, invented) -> None:
    session = asked(invented, told, Standing(stop=STOP))
    flagged = CheckIn(red_flags=(RedFlag.FEVER_OR_WOUND,), given_at=NOW)
    session.obey(Command(command="check_in", check_in=flagged), 1.0)
    assert closed(session).easings[0].rule == "red_flag.fever_or_wound"


async def test_the_limit_warns_within_the_first_movements_and_stands_in_the_invitations(told, invented) -> None:
    """Who does not hold still is asked to again, while angles are held back."""
    session = exercise_session(invented.opening(), dose(sets=1, repetitions=10), 20.9, told, guided=True)
    session.begin([])
    session.obey(Command(command="check_in", check_in=WELL), 1.0)
    wearing = body(8, rest_s=0.6)
    move(session, wearing, wearing.repetitions[0].end_s, from_s=1.5)
    assert session.state is SessionState.STILL
    assert told.codes().count("movement_limit") == 1
    move(session, wearing, from_s=wearing.repetitions[0].end_s)
    assert told.codes().count("movement_limit") == 8, "none is told again when what was held back is"
    cues = {event.cue.code: event.cue.text for event in told.heard if isinstance(event, CueEvent)}
    assert "slowly, not beyond 20°." in cues["placing"]
    assert "comfortable, not beyond 20°." in cues["calibrating"]


async def test_a_session_that_nobody_ends_ends_by_itself(told, invented) -> None:
    wearing = body(2)
    session = alone(invented, told, dose(sets=3, repetitions=10))
    time_s = move(session, wearing)
    session.take(Segment.RIGHT_SHANK, 50.0, *still(time_s + 0.1, time_s + 100))
    session.obey(Command(command="pause"), time_s + 100)
    session.tick(time_s + 99 + ABANDONED_S)
    assert session.state is SessionState.PAUSED
    session.tick(time_s + 101 + ABANDONED_S)
    assert session.state is SessionState.FINISHED
    assert told.codes()[-1] == "abandoned"
    report = closed(session)
    assert (report.abandoned, len(report.repetitions)) == (True, 2)


async def test_sensors_that_never_come_end_it_too_and_movement_keeps_it(told, invented) -> None:
    session = alone(invented, told)
    session.tick(ABANDONED_S)
    assert (session.state, closed(session).abandoned) == (SessionState.FINISHED, True)
    session = alone(invented, told)
    move(session, body(1), late_s=ABANDONED_S - 20)
    session.tick(ABANDONED_S + 10)
    assert (session.state, closed(session).abandoned) == (SessionState.EXERCISING, False)
