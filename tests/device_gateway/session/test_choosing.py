"""What there is to do today, what is due first, and what is said before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.domain.check_in import CheckIn, RedFlag
from analytics.domain.exercise import Follows, Segment, Side
from analytics.domain.live import Command
from analytics.domain.measure import Measure, Unit
from analytics.domain.program import Assignment, Brace, Dose, Prescription, Program, Restriction, WeightBearing
from analytics.domain.session import Easing, EasingAction, SessionReport
from analytics.domain.session import TestResult as Result
from analytics.exercises import catalogue
from analytics.safety.rules import load_rules
from analytics.safety.session import NOTHING_STANDS
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError
from device_gateway.live.hub import LiveHub
from device_gateway.session.choosing import NO_WARNING, choices, chosen, day_of_restrictions, prepare
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
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT), DAY)
    assert [(c.side, c.done_today) for c in choices(program, earlier, DAY, SHIPPED)] == [
        (Side.LEFT, False),
        (Side.RIGHT, True),
    ]
    assert earlier.due(program, DAY, SHIPPED).side is Side.LEFT
    assert earlier.due(program, DAY + timedelta(days=1), SHIPPED).side is Side.RIGHT
    assert EarlierSessions.model_validate_json(earlier.model_dump_json()) == earlier


def test_a_session_without_a_repetition_does_not_count_as_done(program, invented) -> None:
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT, repetitions=0), DAY)
    assert earlier.due(program, DAY, SHIPPED).side is Side.RIGHT


def test_a_test_with_a_result_is_done_and_one_without_is_not(invented) -> None:
    stands = Measure(code="sit_to_stand.five", name="Five times", value=12.0, unit=Unit.SECOND, error=0.2)
    for measure in (stands, None):
        tested = exercised(invented, Side.RIGHT, repetitions=0, test=Result(measure=measure))
        assert bool(EarlierSessions().and_then(tested, DAY).done_on(DAY)) is (measure is not None)


def test_where_all_is_done_it_begins_again_at_the_first(invented) -> None:
    program = invented.program()
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT), DAY)
    assert earlier.due(program, DAY, SHIPPED) == program.prescriptions[0]


def test_what_this_gateway_cannot_do_is_not_due_though_it_comes_first(program) -> None:
    right, left, unknown = program.prescriptions
    program = program.model_copy(update={"prescriptions": (unknown, left, right)})
    assert EarlierSessions().due(program, DAY, SHIPPED) == left
    assert choices(program, EarlierSessions(), DAY, SHIPPED)[0].side is left.side


def test_a_session_of_another_day_that_is_closed_late_leaves_today_as_it_is(invented) -> None:
    earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT), DAY)
    late = earlier.and_then(exercised(invented, Side.LEFT, at=NOON - timedelta(days=2)), DAY)
    assert late.done_on(DAY) == earlier.done_on(DAY)


def test_only_what_is_prescribed_can_be_chosen(program) -> None:
    start = Command(command="start", exercise=KNEE, side=Side.LEFT)
    assert chosen(program, start, EarlierSessions(), DAY, SHIPPED).side is Side.LEFT
    with pytest.raises(GatewayError, match="not in your program"):
        chosen(program, Command(command="start", exercise="hip.abduction"), EarlierSessions(), DAY, SHIPPED)


def answers(**what: object) -> CheckIn:
    return CheckIn.model_validate({"given_at": NOON, **what})


FLAGGED = answers(red_flags=(RedFlag.NUMBNESS,))
RULES = load_rules()


def test_a_red_flag_stands_until_it_is_answered_whatever_the_calendar_says(invented) -> None:
    flagged = EarlierSessions().answered(FLAGGED, NOON, RULES, DAY)
    silent = flagged.and_then(exercised(invented, Side.RIGHT, at=NOON + timedelta(days=2000)), DAY)
    unasked = silent.answered(answers(pain_now=1), NOON, RULES, DAY)
    for earlier in (flagged, silent, unasked, EarlierSessions.model_validate_json(unasked.model_dump_json())):
        for day in (DAY, DAY + timedelta(days=2000), DAY - timedelta(days=2000)):
            assert "Call your clinic" in earlier.standing(day, RULES).advice.reason
    assert unasked.answered(answers(red_flags=()), NOON, RULES, DAY).standing(DAY, RULES) == NOTHING_STANDS


def test_one_red_flag_does_not_clear_another() -> None:
    """The phone asks no further once one is told."""
    both = (
        EarlierSessions()
        .answered(FLAGGED, NOON, RULES, DAY)
        .answered(answers(red_flags=("calf_pain",)), NOON, RULES, DAY)
    )
    assert both.check_in.red_flags == (RedFlag.CALF_PAIN, RedFlag.NUMBNESS)


@pytest.mark.parametrize("told", ["before", "during"])
def test_a_stop_for_pain_stands_all_that_day_whatever_is_answered(told: str, invented) -> None:
    if told == "before":
        earlier = EarlierSessions().answered(answers(pain_now=9), NOON, RULES, DAY)
    else:
        stop = Easing(time_s=60, action=EasingAction.STOPPED, rule="hurts_now", reason="That is all for today.")
        earlier = EarlierSessions().and_then(exercised(invented, Side.RIGHT, easings=(stop,)), DAY)
    standing = earlier.standing(DAY, RULES)
    assert standing.after(answers(red_flags=(), pain_now=0)) == standing.stop
    assert standing.stop.action is EasingAction.STOPPED
    assert "today" in standing.stop.reason
    assert earlier.standing(DAY + timedelta(days=1), RULES) == NOTHING_STANDS


def test_what_the_release_before_remembered_is_understood() -> None:
    kept = '{"check_in": {"red_flags": ["numbness"], "given_at": "2026-11-23T12:00:00Z"}, "told_at": null}'
    assert EarlierSessions.model_validate_json(kept).standing(DAY, RULES).flag is not None


def test_no_restriction_has_run_out_while_the_calendar_is_known_to_be_wrong(invented) -> None:
    conditions = Conditions()
    assert day_of_restrictions(DAY, conditions) == DAY
    conditions.set(Trouble.CLOCK_WRONG, "It is.")
    restriction = Restriction(exercise=KNEE, largest_excursion_deg=50, set_by="Dr Surgeon", until=date(2020, 1, 1))
    assert not restriction.in_force(DAY)
    assert restriction.in_force(day_of_restrictions(DAY, conditions))


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
    assert (session.dose.target_excursion_deg, session.limit_deg, hub.snapshot.limit_deg) == (50, 50, 50)
    assert hub.snapshot.cue is not None
    assert hub.snapshot.cue.text == " ".join(hub.snapshot.precautions)


def prepared(program: Program, prescription: Prescription, hub: LiveHub, sensors: Mapping[str, Segment] = SENSORS):
    assignment = Assignment(patient_id="p1", patient_name="Test", program=program)
    return prepare(assignment, prescription, sensors, started_at=NOON, hub=hub, simulated=False)


def test_a_side_without_sensors_is_refused_with_what_to_do(program) -> None:
    with pytest.raises(
        GatewayError, match=r"left thigh and the left shank: strap one on and assign it by tapping it\."
    ):
        prepared(program, program.prescriptions[1], LiveHub())


def prescribed(code: str, target_deg: float | None) -> Prescription:
    return Prescription(
        exercise=code, side=Side.RIGHT, dose=Dose(sets=1, repetitions=5, target_excursion_deg=target_deg)
    )


ARM = {"A": Segment.CHEST, "B": Segment.RIGHT_UPPER_ARM, "C": Segment.RIGHT_FOREARM, "D": Segment.LEFT_THIGH}


@pytest.mark.parametrize(
    ("code", "worn", "needed", "others"),
    [
        ("shoulder.flexion.standing", "ABC", "AB", "C"),
        ("shoulder.flexion.standing", "BCD", "B", "C"),
        ("shoulder.flexion.standing", "AC", "C", "A"),
        ("shoulder.pendulum", "ABCD", "C", ""),
        ("shoulder.pendulum", "C", "C", ""),
    ],
)
def test_the_sensors_that_are_worn_decide_how_it_is_followed(invented, code, worn, needed, others) -> None:
    target_deg = None if code == "shoulder.pendulum" else 100
    session = prepared(invented.program(), prescribed(code, target_deg), LiveHub(), {one: ARM[one] for one in worn})
    assert session.wearing.needed == tuple(ARM[one] for one in needed)
    assert session.wearing.others == tuple(ARM[one] for one in others)


@pytest.mark.parametrize("code", catalogue())
def test_every_exercise_of_the_catalogue_is_offered_and_begins(invented, code) -> None:
    """Once with the best sensors, and once with each sensor that is enough alone."""
    exercise = catalogue()[code]
    one = prescribed(code, exercise.dose.target_excursion_deg)
    program = invented.program().model_copy(update={"prescriptions": (one,)})
    assert [choice.exercise for choice in choices(program, EarlierSessions(), DAY, SHIPPED)] == [code]
    for layout in exercise.layouts:
        hub = LiveHub()
        session = prepared(program, one, hub, {str(n): segment for n, segment in enumerate(layout.on(Side.RIGHT))})
        session.begin([])
        assert session.wearing.needed == layout.on(Side.RIGHT)
        assert (hub.snapshot.rest_flexion_deg is None) == (layout.follows is Follows.PATTERN)


def test_what_is_missing_is_named_and_the_one_sensor_that_would_do(invented) -> None:
    shoulder = prescribed("shoulder.flexion.standing", 100)
    with pytest.raises(GatewayError) as refused:
        prepared(invented.program(), shoulder, LiveHub(), {"A": Segment.LEFT_THIGH})
    assert str(refused.value) == (
        "Forward elevation of the arm needs a sensor on the chest and the right upper arm: strap one on and assign it "
        "by tapping it. One sensor alone, on the right upper arm or the right forearm, would do as well."
    )
    with pytest.raises(GatewayError, match=r"Squat needs a sensor on the right shank: .* by tapping it\.$"):
        prepared(invented.program(), prescribed("knee.squat", 60), LiveHub(), {"A": Segment.RIGHT_THIGH})


@pytest.mark.parametrize(("code", "target_deg"), [("shoulder.pendulum", 30.0), ("knee.squat", None)])
def test_a_target_that_does_not_fit_is_refused(invented, code, target_deg) -> None:
    with pytest.raises(GatewayError, match=r"Tell your physiotherapist\.$"):
        prepared(invented.program(), prescribed(code, target_deg), LiveHub())


def test_a_limit_that_nothing_can_watch_is_said(invented) -> None:
    limit = Restriction(exercise="shoulder.flexion.standing", largest_excursion_deg=60, set_by="Dr Surgeon")
    program = invented.program().model_copy(update={"restrictions": (limit,)})
    for sensors, said in (({"C": ARM["C"]}, True), (ARM, False)):
        hub = LiveHub()
        prepared(program, prescribed("shoulder.flexion.standing", 100), hub, sensors).begin([])
        assert (NO_WARNING in hub.snapshot.precautions) is said


def test_a_goniometers_rest_pose_is_what_listeners_see(invented) -> None:
    measured = prescribed(KNEE, 60).model_copy(update={"rest_pose_deg": 82.0})
    hub = LiveHub()
    prepared(invented.program(), measured, hub).begin([])
    assert hub.snapshot.rest_flexion_deg == 82.0
