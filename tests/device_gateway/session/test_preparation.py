"""Which sensor is where, in every exercise of the catalogue, from simulated bodies' movements."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.live import SessionState
from analytics.domain.session import Placement
from analytics.exercises import exercise
from analytics.exercises.catalogue import catalogue
from analytics.motion.calibration import ExpectedTurns
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import MOVEMENTS, Movement, repeat, rest, simulate
from analytics.simulation.body.movement import STANDING, both
from analytics.simulation.body.session import SimulatedSession
from device_gateway.session.conversation import Cause
from device_gateway.session.preparation import Outcome, Preparation

RATE_HZ = 50.0
THIGH, SHANK, PELVIS, CHEST = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK, Segment.PELVIS, Segment.CHEST
LIFTS_THE_KNEE = Movement(
    STANDING, "right_knee", {"right_knee": (50.0, 0, 0), "right_hip": (55.0, 0, 0)}, held="left_foot"
)
"""As onto a step: the thigh turns, and the lower leg hardly does."""
CURLS = Movement(STANDING, "right_knee", {"right_knee": (70.0, 0.0, 0.0)}, held="left_foot")
UNDECIDED = {
    "hip.bridge", "knee.extension.terminal_standing", "knee.heel_slide", "knee.lunge", "knee.mini_squat",
    "knee.quad_set", "knee.step_down", "knee.walking_range", "knee.wall_sit", "trunk.cat_camel",
}  # fmt: skip


def moving(movement: Movement, *segments: Segment, repetitions: int = 3) -> SimulatedSession:
    rng = np.random.default_rng(5)
    parts = [rest(3.0, movement.position), repeat(movement, repetitions, rng, rest_s=2.5)]
    return simulate(parts, map(str, segments), rng, rate_hz=RATE_HZ)


def prepared(
    preparation: Preparation, session: SimulatedSession, said: Mapping[Segment, Segment] | None = None
) -> list[Outcome]:
    """What comes of it while sensors are to be placed; `said` names the sensor that truly sits on each segment."""
    said = said or {}
    outcomes: list[Outcome] = []
    for first in range(0, len(session.time_s), 5):
        part = slice(first, first + 5)
        for name, (acc, gyr) in session.sensors.items():
            time_s = session.time_s[part]
            samples = ImuSamples(np.round(1e6 * time_s).astype(np.int64), acc[part], gyr[part])
            segment = Segment(name)
            outcomes += preparation.update(said.get(segment, segment), samples, time_s, lambda: SessionState.PLACING)
            if any(outcome.cause is Cause.PLACED for outcome in outcomes):
                return outcomes
    return outcomes


def of(code: str, *segments: Segment, guided: bool = False, limit_deg: float | None = None) -> Preparation:
    rates_hz = dict.fromkeys(segments, RATE_HZ)
    return Preparation(exercise(code), Side.RIGHT, rates_hz, guided=guided, limit_deg=limit_deg)


def causes(outcomes: list[Outcome]) -> list[Cause]:
    return [outcome.cause for outcome in outcomes if outcome.cause is not None]


@pytest.mark.parametrize("one", catalogue().values(), ids=lambda one: one.code)
@pytest.mark.parametrize("side", Side)
def test_every_exercise_can_be_prepared_in_every_layout(one: Exercise, side: Side) -> None:
    """And by its drawing it tells the sensors of its joint apart, unless both segments turn much alike."""
    for layout in one.layouts:
        worn = (*layout.on(side), *(part.on(side) for part in one.sensors.optional))
        for guided in (False, True):
            preparation = Preparation(one, side, dict.fromkeys(worn, RATE_HZ), guided=guided)
            said = [preparation.invitation(step) for step in SessionState]
            assert any(said) is guided
            assert preparation.placement is Placement.UNCHECKED
    needed = one.layouts[0].on(side)
    expected = ExpectedTurns(one, side, needed)
    assert expected.decides is (len(needed) == 2 and one.code not in UNDECIDED)


@pytest.mark.parametrize("code", ["knee.squat", "knee.step_up", "knee.sit_to_stand", "sit_to_stand.five"])
def test_in_some_exercises_the_proximal_segment_turns_more(code: str) -> None:
    expected = ExpectedTurns(exercise(code), Side.RIGHT, (THIGH, SHANK))
    assert expected.shares == {THIGH: 1.0, SHANK: pytest.approx(expected.shares[SHANK])}
    assert expected.shares[SHANK] < 0.5
    assert not expected.outer_turns_more


@pytest.mark.parametrize("exchanged", [False, True])
@pytest.mark.parametrize(
    ("code", "movement", "inner", "outer"),
    [
        ("knee.extension.seated", MOVEMENTS["seated_knee_extension"], THIGH, SHANK),
        ("knee.step_up", LIFTS_THE_KNEE, THIGH, SHANK),
        ("knee.curl.standing", CURLS, THIGH, SHANK),
        ("hip.abduction.standing", MOVEMENTS["standing_hip_abduction"], PELVIS, THIGH),
        ("ankle.heel_raise", MOVEMENTS["heel_raise"], SHANK, Segment.RIGHT_FOOT),
        ("shoulder.flexion.standing", MOVEMENTS["shoulder_flexion"], CHEST, Segment.RIGHT_UPPER_ARM),
        ("elbow.flexion.curl", MOVEMENTS["elbow_flexion"], Segment.RIGHT_UPPER_ARM, Segment.RIGHT_FOREARM),
        ("wrist.flexion", MOVEMENTS["wrist_flexion"], Segment.RIGHT_FOREARM, Segment.RIGHT_HAND),
        ("neck.rotation", MOVEMENTS["neck_rotation"], CHEST, Segment.HEAD),
    ],
)
def test_doing_the_exercise_shows_which_is_which(
    code: str, movement: Movement, inner: Segment, outer: Segment, exchanged: bool
) -> None:
    preparation = of(code, inner, outer)
    session = moving(movement, inner, outer)
    outcomes = prepared(preparation, session, {inner: outer, outer: inner} if exchanged else None)
    assert causes(outcomes) == [Cause.PLACED]
    assert preparation.placement is (Placement.SWAPPED if exchanged else Placement.CHECKED)
    assert preparation.segment_of == ({inner: outer, outer: inner} if exchanged else {inner: inner, outer: outer})
    told = {outcome.cue.code for outcome in outcomes if outcome.cue}
    told -= {"placement_unclear"}  # taking the position turns an arm as well
    assert told == ({"sensors_swapped"} if exchanged else set())


def test_a_sensor_that_is_not_needed_is_found_on_the_wrong_segment_too() -> None:
    preparation = of("knee.curl.standing", THIGH, SHANK, CHEST)
    outcomes = prepared(preparation, moving(CURLS, THIGH, SHANK, CHEST), {SHANK: CHEST, CHEST: SHANK})
    assert preparation.placement is Placement.SWAPPED
    assert preparation.segment_of == {THIGH: THIGH, SHANK: CHEST, CHEST: SHANK}
    (cue,) = (outcome.cue for outcome in outcomes if outcome.cue)
    assert cue.text.startswith("Two of your sensors are worn the other way round.")


@pytest.mark.parametrize("worn", [(THIGH, SHANK), (SHANK, THIGH)])
def test_where_both_turn_alike_nobody_who_is_alone_is_bothered(worn: tuple[Segment, Segment]) -> None:
    preparation = of("knee.mini_squat", *worn)
    outcomes = prepared(preparation, moving(MOVEMENTS["squat"], THIGH, SHANK))
    assert outcomes == [Outcome(Cause.PLACED)]
    assert preparation.placement is Placement.UNCHECKED
    assert preparation.after_placing() is Cause.NOT_STILL


def test_one_sensor_has_nothing_to_be_told_apart_from() -> None:
    for code, segment in (("knee.extension.seated", SHANK), ("ankle.circles", Segment.RIGHT_FOOT)):
        for guided in (False, True):
            preparation = of(code, segment, guided=guided)
            assert preparation.invitation(SessionState.PLACING) is None
            assert prepared(preparation, moving(CURLS, SHANK), {SHANK: segment}) == [Outcome(Cause.PLACED)]


@pytest.mark.parametrize("exchanged", [False, True])
def test_who_is_led_through_is_asked_to_move_the_outer_segment_by_itself(exchanged: bool) -> None:
    preparation = of("knee.squat", THIGH, SHANK, guided=True)
    asked = of("knee.mini_squat", THIGH, SHANK, guided=True, limit_deg=60.4)
    cue = asked.invitation(SessionState.PLACING)
    assert cue is not None
    assert cue.text.startswith("Move only your right lower leg once, slowly, not beyond 60°.")
    prepared(asked, moving(CURLS, THIGH, SHANK), {THIGH: SHANK, SHANK: THIGH} if exchanged else None)
    assert asked.placement is (Placement.SWAPPED if exchanged else Placement.CHECKED)
    assert preparation.placement is Placement.UNCHECKED


@pytest.mark.parametrize("ankle_deg", [30.0, 20.0])
def test_who_squats_although_asked_otherwise_is_not_misunderstood(ankle_deg: float) -> None:
    """Sitting back as well, when the lower leg turns by a third of what the thigh does."""
    preparation = of("knee.mini_squat", THIGH, SHANK, guided=True)
    squat = Movement(STANDING, "right_knee", both(hip=85.0, knee=80.0, ankle=ankle_deg))
    outcomes = prepared(preparation, moving(squat, THIGH, SHANK, repetitions=4))
    assert preparation.placement is Placement.UNCHECKED
    assert causes(outcomes) == [Cause.PLACED]
    assert [outcome.cue.code for outcome in outcomes if outcome.cue] == ["placement_unclear"] * 2


def test_who_is_unclear_in_an_exercise_of_the_inner_segment_is_not_asked_for_the_outer_one() -> None:
    preparation = of("knee.step_up", THIGH, SHANK)
    outcomes = prepared(preparation, moving(MOVEMENTS["squat"], THIGH, SHANK))
    texts = [outcome.cue.text for outcome in outcomes if outcome.cue]
    assert texts
    assert all("Do the exercise once more" in text for text in texts)


def test_the_still_pose_is_told_and_refused_by_its_own_sentences() -> None:
    session = moving(CURLS, THIGH, SHANK)
    preparation = of("knee.curl.standing", THIGH, SHANK)
    prepared(preparation, session)
    assert preparation.still.keys() == {THIGH, SHANK}
    assert preparation.still_deg_s == max(pose.rms_deg_s for pose in preparation.still.values())
    assert 0.0 < preparation.still_deg_s < 3.0
    assert preparation.after_placing() is Cause.HELD_STILL

    in_g = of("knee.curl.standing", THIGH, SHANK, guided=True)
    acc, gyr = (one[:125] for one in session.sensors[SHANK])
    time_s = session.time_s[:125]
    us = np.round(1e6 * time_s).astype(np.int64)
    outcomes = [
        outcome
        for segment in (THIGH, SHANK)
        for outcome in in_g.update(segment, ImuSamples(us, acc / 9.81, gyr), time_s, lambda: SessionState.STILL)
    ]
    (cue,) = (outcome.cue for outcome in outcomes)
    assert cue is not None
    assert (cue.code, "1.0 instead of 9.8 m/s²" in cue.text) == ("not_still", True)
    assert in_g.still == {}
