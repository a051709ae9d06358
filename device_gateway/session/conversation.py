"""The exercise session as a conversation: where it stands, and what leads from there to where.

Two layers. A session is always at one step; a pause lies over the step and hides it, while underneath sensors are still
found and rests still pass. `docs/exercise-session.md` draws it, and a test holds the drawing to this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from analytics.domain.live import SessionState
from device_gateway.errors import GatewayError


class Cause(StrEnum):
    """What leads on."""

    CHOOSE = "a listener asks what there is to do"
    START = "an exercise is chosen, or the first that is due"
    ANSWERED = "the questions are answered, and nothing speaks against exercising"
    NOT_ASKED = "nobody is there to ask, or nobody answers in time"
    REFUSED = "a red flag or strong pain: not today"
    SENSORS_STREAM = "every needed sensor sends samples"
    PLACED = "a movement showed which sensor is which, or could not"
    HELD_STILL = "a still pose was held"
    NOT_STILL = "no still pose was held, and none is waited for any longer"
    AXIS_FOUND = "a movement showed how the joint turns"
    SET_DONE = "the last repetition of a set that is not the last set"
    REST_OVER = "the rest is over, or the next repetition was done"
    ALL_DONE = "the last repetition of the last set"
    TOO_MUCH = "it hurts too much to go on today"
    ANSWERED_LAST = "pain and effort are rated"
    UNANSWERED = "nobody rates in time"
    SKIP = "a listener skips what is waited for"
    PAUSE = "a listener pauses, or it hurts"
    RESUME = "a listener goes on"
    ABANDONED = "nobody moves or says anything for half an hour"
    STOP = "a listener or the gateway ends it"


_S, _C = SessionState, Cause
_ENDS = {_C.TOO_MUCH: _S.RATING, _C.ABANDONED: _S.FINISHED, _C.STOP: _S.FINISHED}

TRANSITIONS: Mapping[SessionState, Mapping[Cause, SessionState]] = {
    _S.IDLE: {_C.CHOOSE: _S.CHOOSING, _C.START: _S.CHECKING_IN},
    _S.CHOOSING: {_C.CHOOSE: _S.CHOOSING, _C.START: _S.CHECKING_IN, _C.STOP: _S.IDLE},
    _S.CHECKING_IN: {
        _C.ANSWERED: _S.CONNECTING,
        _C.NOT_ASKED: _S.CONNECTING,
        _C.SKIP: _S.CONNECTING,
        _C.REFUSED: _S.FINISHED,
        _C.STOP: _S.FINISHED,
    },
    _S.CONNECTING: {_C.SENSORS_STREAM: _S.PLACING, **_ENDS},
    _S.PLACING: {_C.PLACED: _S.STILL, _C.SKIP: _S.STILL, **_ENDS},
    _S.STILL: {_C.HELD_STILL: _S.CALIBRATING, _C.NOT_STILL: _S.CALIBRATING, _C.SKIP: _S.CALIBRATING, **_ENDS},
    _S.CALIBRATING: {_C.AXIS_FOUND: _S.EXERCISING, **_ENDS},
    _S.EXERCISING: {_C.SET_DONE: _S.RESTING, _C.ALL_DONE: _S.RATING, **_ENDS},
    _S.RESTING: {_C.REST_OVER: _S.EXERCISING, _C.SKIP: _S.EXERCISING, **_ENDS},
    _S.RATING: {
        _C.ANSWERED_LAST: _S.FINISHED,
        _C.UNANSWERED: _S.FINISHED,
        _C.SKIP: _S.FINISHED,
        _C.TOO_MUCH: _S.RATING,
        _C.STOP: _S.FINISHED,
    },
    _S.FINISHED: {},
}

PAUSABLE = frozenset(TRANSITIONS) - {_S.IDLE, _S.CHOOSING, _S.CHECKING_IN, _S.FINISHED}

_NOT_NOW = {
    Cause.SKIP: "There is nothing to skip now: this step goes on when you move.",
    Cause.ANSWERED: "The questions before exercising are over: go on, or stop and start again.",
    Cause.ANSWERED_LAST: "Pain and effort are asked at the end: finish the exercise first, or stop.",
}


class Conversation:
    """One session's place in the table, from IDLE."""

    def __init__(self) -> None:
        self.step = SessionState.IDLE
        self.paused = False

    @property
    def state(self) -> SessionState:
        """What a listener is shown."""
        return SessionState.PAUSED if self.paused else self.step

    def allows(self, cause: Cause) -> bool:
        return cause in TRANSITIONS[self.step]

    def advance(self, cause: Cause) -> None:
        """Go where `cause` leads. Raises GatewayError, with what to do, where it leads nowhere now."""
        if not self.allows(cause):
            raise GatewayError(_NOT_NOW.get(cause, "That cannot be done now: end the session and start again."))
        self.step = TRANSITIONS[self.step][cause]
        if cause is Cause.TOO_MUCH or self.step is SessionState.FINISHED:
            self.paused = False

    def pause(self) -> None:
        """Lie over what goes on, where that can be paused."""
        self.paused = self.step in PAUSABLE

    def resume(self) -> None:
        self.paused = False
