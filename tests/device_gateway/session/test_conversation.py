"""The table of the conversation: every transition, every refusal, and the page that draws it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analytics.domain.live import SessionState
from device_gateway.errors import GatewayError
from device_gateway.session.conversation import PAUSABLE, TRANSITIONS, Cause, Conversation

PAGE = Path(__file__).parents[3] / "docs" / "exercise-session.md"
STEPS = sorted(TRANSITIONS)


def at(step: SessionState) -> Conversation:
    talk = Conversation()
    talk.step = step
    return talk


def test_it_begins_idle_and_every_step_is_in_the_table() -> None:
    assert Conversation().state is SessionState.IDLE
    assert set(TRANSITIONS) == set(SessionState) - {SessionState.PAUSED}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_leads_where_the_table_says_and_nowhere_else(step: SessionState, cause: Cause) -> None:
    talk = at(step)
    to = TRANSITIONS[step].get(cause)
    assert talk.allows(cause) == (to is not None)
    if to is None:
        with pytest.raises(GatewayError, match=r"\.$"):
            talk.advance(cause)
        assert talk.step is step
    else:
        talk.advance(cause)
        assert talk.step is to


def test_every_step_can_be_reached_and_every_one_can_be_left_for_the_end() -> None:
    reached, unseen = set(), [SessionState.IDLE]
    while unseen:
        reached.add(step := unseen.pop())
        unseen += [to for to in TRANSITIONS[step].values() if to not in reached]
    assert reached == set(TRANSITIONS)
    for step in set(STEPS) - {SessionState.IDLE, SessionState.FINISHED}:
        assert TRANSITIONS[step][Cause.STOP] in {SessionState.FINISHED, SessionState.IDLE}


@pytest.mark.parametrize("step", STEPS)
def test_a_pause_lies_over_a_step_and_what_goes_on_underneath_is_kept(step: SessionState) -> None:
    talk = at(step)
    talk.pause()
    assert talk.state is (SessionState.PAUSED if step in PAUSABLE else step)
    for cause, to in TRANSITIONS[step].items():
        talk = at(step)
        talk.pause()
        talk.advance(cause)
        ends = cause is Cause.TOO_MUCH or to is SessionState.FINISHED
        assert talk.state is (SessionState.PAUSED if step in PAUSABLE and not ends else to)
        talk.resume()
        assert talk.state is to


def test_the_page_says_what_the_table_says() -> None:
    text = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| `(\w+)` \|$", text, flags=re.MULTILINE)
    written = [(step, cause, to) for step, cause, to in rows]
    assert written == [(step, cause, to) for step, row in TRANSITIONS.items() for cause, to in row.items()]
    drawn = set(re.findall(r"^ +(\w+) --> (\w+)$", text, flags=re.MULTILINE))
    assert drawn == {(step, to) for step, row in TRANSITIONS.items() for to in row.values() if step != to}
