"""What a gateway tells a phone while a session runs: small, ordered, self-contained after a snapshot.

The wire form is one JSON object per WebSocket message, told apart by `kind`; `parse_live_event` reads it. An event is
given its `sequence` when it is sent.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from .base import Word
from .check_in import CheckIn
from .exercise import Segment, Side
from .program import Dose
from .session import Repetition, SessionReport


class SessionState(StrEnum):
    """Where the conversation stands; what leads from one to the next: docs/exercise-session.md."""

    IDLE = "idle"
    CHOOSING = "choosing"
    CHECKING_IN = "checking_in"
    CONNECTING = "connecting"
    PLACING = "placing"
    STILL = "still"
    CALIBRATING = "calibrating"
    EXERCISING = "exercising"
    RESTING = "resting"
    PAUSED = "paused"
    RATING = "rating"
    FINISHED = "finished"


class CueLevel(StrEnum):
    INFO = "info"
    GOOD = "good"
    WARN = "warn"
    STOP = "stop"


class Cue(Word):
    code: str
    text: str
    level: CueLevel


class SensorState(Word):
    segment: Segment
    name: str
    connected: bool
    battery_percent: int | None = None
    signal_dbm: int | None = None
    problem: str | None = Field(default=None, description="why the sensor does not stream, and what to do")


class Condition(Word):
    """Something about the gateway that is not well. `sentence` says what, what it means and what to do."""

    code: str
    sentence: str


class Choice(Word):
    """One exercise of today's program."""

    exercise: str
    exercise_name: str
    side: Side
    dose: Dose
    done_today: bool = False


class Snapshot(Word):
    """Everything a listener needs that joins now."""

    kind: Literal["snapshot"] = "snapshot"
    sequence: int = 0
    state: SessionState
    session_id: UUID | None = None
    exercise: str | None = None
    exercise_name: str | None = None
    side: Side | None = None
    dose: Dose | None = None
    rest_flexion_deg: float | None = None
    limit_deg: float | None = Field(default=None, description="the excursion not to be passed today")
    set_number: int = 1
    repetitions: int = Field(default=0, description="counted in this set")
    total_repetitions: int = 0
    flexion_deg: float | None = None
    cue: Cue | None = None
    sensors: tuple[SensorState, ...] = ()
    conditions: tuple[Condition, ...] = ()
    choices: tuple[Choice, ...] = Field(
        default=(), description="while choosing; the first that is not done comes first"
    )
    precautions: tuple[str, ...] = Field(default=(), description="what must not happen today, a sentence each")
    rest_s: float | None = Field(default=None, description="of rest still to come, while resting")


class AngleEvent(Word):
    kind: Literal["angle"] = "angle"
    sequence: int = 0
    time_s: float = Field(description="session time of the sample")
    sensor_time_us: int = Field(description="the distal sensor's own time of the sample")
    flexion_deg: float
    excursion_deg: float = Field(description="how far from the rest pose")


class RepetitionEvent(Word):
    kind: Literal["repetition"] = "repetition"
    sequence: int = 0
    set_number: int
    count_in_set: int
    repetition: Repetition


class CueEvent(Word):
    kind: Literal["cue"] = "cue"
    sequence: int = 0
    cue: Cue


class SensorEvent(Word):
    kind: Literal["sensor"] = "sensor"
    sequence: int = 0
    sensor: SensorState


class StateEvent(Word):
    kind: Literal["state"] = "state"
    sequence: int = 0
    state: SessionState
    set_number: int = 1
    rest_s: float | None = Field(default=None, description="of rest still to come, while resting")
    dose: Dose | None = Field(default=None, description="what is asked for from now on, where that has changed")


class FinishedEvent(Word):
    kind: Literal["finished"] = "finished"
    sequence: int = 0
    report: SessionReport


class ConditionsEvent(Word):
    """All that is not well now; empty when everything is."""

    kind: Literal["conditions"] = "conditions"
    sequence: int = 0
    conditions: tuple[Condition, ...]


LiveEvent = (
    Snapshot | AngleEvent | RepetitionEvent | CueEvent | SensorEvent | StateEvent | ConditionsEvent | FinishedEvent
)
_ADAPTER: TypeAdapter[LiveEvent] = TypeAdapter(Annotated[LiveEvent, Field(discriminator="kind")])


class Command(Word):
    """What a listener may ask of the gateway.

    choose: tell what there is to do today. start: begin `exercise` and `side`, else what comes first; `check_in` may
    come with it. check_in: the answers. skip: the step that is being waited for, be it questions, a rest or a rating.
    rate: `pain` and `effort` at the end. knock: the sensors are about to be struck together, to see that they agree.
    synchronise: between sessions, bring the worn sensors to one clock by their own radio, where they have that.
    stop: end the session, or between sessions what `assign` or `synchronise` has begun.
    """

    command: Literal[
        "choose",
        "check_in",
        "start",
        "skip",
        "pause",
        "resume",
        "hurts",
        "rate",
        "stop",
        "assign",
        "synchronise",
        "knock",
    ]
    pain: int | None = Field(default=None, ge=0, le=10)
    effort: int | None = Field(default=None, ge=0, le=10)
    exercise: str | None = None
    side: Side | None = None
    check_in: CheckIn | None = None
    segment: Segment | None = Field(default=None, description="of `assign`: where the sensor that is tapped next sits")


def parse_live_event(message: str | bytes) -> LiveEvent:
    """Read one message. Raises `pydantic.ValidationError` when it is none of the kinds."""
    return _ADAPTER.validate_json(message)
