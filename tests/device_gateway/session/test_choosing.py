"""What there is to do today, what is due first, and what is said before it begins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.domain.check_in import CheckIn, RedFlag
from analytics.domain.exercise import Segment, Side
from analytics.domain.live import Command
from analytics.domain.program import Assignment, Brace, Prescription, Program, Restriction, WeightBearing
from analytics.domain.session import SessionReport
from analytics.safety.rules import load_rules
from device_gateway.errors import GatewayError
from device_gateway.live.hub import LiveHub
from device_gateway.session.choosing import choices, chosen, prepare
from device_gateway.session.earlier import EarlierSessions
from device_gateway.session.library import SHIPPED

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = NOON.astimezone().date()
KNEE = "knee.extension.seated"
SENSORS = {"C1:00:00:00:00:01": Segment.RIGHT_THIGH, "C1:00:00:00:00:02": Segment.RIGHT_SHANK}


@pytest.fixture
def program(invented) -> Program:
    """Both knees, and something that this release does not know."""
    (right,) = invented.program().prescriptions
    left = right.model_copy(update={"side": Side.LEFT})
    unknown = right.model_copy(update={"exercise": "knee.extension.flying"})
    return invented.program().model_copy(update={"prescriptions": (right, left, unknown)})


def exercised(invented, side: Side, *, repetitions: int = 1, at: datetime = NOON, **more: object) -> SessionReport:
    report = invented.report(invented.opening(), ()).model_copy(update={"side": side, "started_at": at, **more})
    done = invented.repetition(1)
    return report.model_copy(update={"repetitions": (done,) * repetitions})


def test_what_is_not_done_yet_comes_first(program, invented) -> None:
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT))
    assert [(c.side, c.done_today) for c in choices(program, earlier, DAY, SHIPPED)] == [
        (Side.LEFT, False),
        (Side.RIGHT, True),
    ]
    assert earlier.due(program, DAY).side is Side.LEFT
    assert earlier.due(program, DAY + timedelta(days=1)).side is Side.RIGHT
    assert EarlierSessions.model_validate_json(earlier.model_dump_json()) == earlier


def test_a_session_without_a_repetition_does_not_count_as_done(program, invented) -> None:
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT, repetitions=0))
    assert earlier.due(program, DAY).side is Side.RIGHT


def test_where_all_is_done_it_begins_again_at_the_first(invented) -> None:
    program = invented.program()
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT))
    assert earlier.due(program, DAY) == program.prescriptions[0]


def test_only_what_is_prescribed_can_be_chosen(program) -> None:
    start = Command(command="start", exercise=KNEE, side=Side.LEFT)
    assert chosen(program, start, EarlierSessions(), DAY).side is Side.LEFT
    with pytest.raises(GatewayError, match="not in your program"):
        chosen(program, Command(command="start", exercise="hip.abduction"), EarlierSessions(), DAY)


def test_a_red_flag_stands_for_a_day_or_until_the_next_answers(invented) -> None:
    flagged = CheckIn(red_flags=(RedFlag.NUMBNESS,), given_at=NOON)
    rules = load_rules()
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT, repetitions=0, check_in=flagged))
    assert "Call your clinic" in (earlier.warning(NOON + timedelta(hours=23), rules) or "")
    assert earlier.warning(NOON + timedelta(hours=25), rules) is None
    silent = earlier.and_then(exercised(invented, Side.RIGHT, at=NOON + timedelta(hours=1)))
    assert silent.warning(NOON + timedelta(hours=2), rules) is not None
    well = CheckIn(pain_now=1, given_at=NOON)
    assert silent.and_then(exercised(invented, Side.RIGHT, check_in=well)).warning(NOON, rules) is None


async def test_precautions_are_said_before_it_begins(invented) -> None:
    restrictions = (
        Restriction(exercise=KNEE, largest_excursion_deg=50, set_by="Dr Surgeon", until=date(2030, 12, 24)),
        Restriction(
            exercise=KNEE, weight_bearing=WeightBearing.TOUCH, brace=Brace(name="hinged brace", locked_deg=30),
            set_by="Dr Surgeon",
        ),
        Restriction(exercise="hip.abduction", weight_bearing=WeightBearing.NONE, set_by="Dr Surgeon"),
    )  # fmt: skip
    program = invented.program().model_copy(update={"restrictions": restrictions})
    hub = LiveHub()
    session = prepared(program, program.prescriptions[0], hub)
    session.begin([])
    assert hub.snapshot.precautions == (
        "Do not move further than 50° until 24 December. Set by Dr Surgeon.",
        "Only touch the floor with the foot, for balance. Wear your hinged brace, locked at 30°. Set by Dr Surgeon.",
    )
    assert (session.dose.target_excursion_deg, session.limit_deg) == (50, 50)
    assert hub.snapshot.cue is not None
    assert hub.snapshot.cue.text == " ".join(hub.snapshot.precautions)


def prepared(program: Program, prescription: Prescription, hub: LiveHub):
    assignment = Assignment(patient_id="p1", patient_name="Test", program=program)
    return prepare(assignment, prescription, SENSORS, started_at=NOON, hub=hub, simulated=False)


def test_a_side_without_sensors_is_refused_with_what_to_do(program) -> None:
    with pytest.raises(GatewayError, match=r"--sensor ADDRESS=left_thigh"):
        prepared(program, program.prescriptions[1], LiveHub())
