"""What sensors should be seen to do in an exercise, by its drawing."""

from __future__ import annotations

import pytest

from analytics.domain.exercise import Part, Segment, Side
from analytics.exercises import exercise
from analytics.motion.calibration import ExpectedTurns, drawn_turns_deg

THIGH, SHANK = Segment.LEFT_THIGH, Segment.LEFT_SHANK


@pytest.mark.parametrize(
    ("code", "turns_deg"),
    [
        ("knee.extension.seated", {Part.THIGH: 0, Part.SHANK: 82}),
        ("knee.squat", {Part.THIGH: 60, Part.SHANK: 28, Part.CHEST: 38}),
        ("hip.bridge", {Part.PELVIS: 25, Part.THIGH: 25}),
        ("elbow.pronation", {Part.UPPER_ARM: 0, Part.FOREARM: 80}),
        ("neck.rotation", {Part.CHEST: 0, Part.HEAD: 62}),
    ],
)
def test_the_drawing_says_how_far_each_segment_turns_in_space(code: str, turns_deg: dict[Part, float]) -> None:
    drawn = drawn_turns_deg(exercise(code))
    assert {part: drawn[part] for part in turns_deg} == pytest.approx(turns_deg, abs=1.0)


def test_sides_do_the_same() -> None:
    left, right = (ExpectedTurns(exercise("knee.step_up"), side, list(Segment)) for side in Side)
    assert list(left.shares.values()) == list(right.shares.values())
    assert left.pair == (THIGH, SHANK)
    assert left.outer_alone == {THIGH: 0.0, SHANK: 1.0}


@pytest.mark.parametrize(
    ("code", "inner_deg", "outer_deg", "contradicts"),
    [
        ("knee.extension.seated", 8.0, 75.0, False),
        ("knee.extension.seated", 60.0, 75.0, False),
        ("knee.extension.seated", 78.0, 18.0, True),  # sitting down
        ("knee.step_up", 55.0, 10.0, False),
        ("knee.step_up", 5.0, 70.0, True),  # swinging the lower leg
        ("knee.squat", 2.0, 70.0, True),
        ("knee.lunge", 5.0, 70.0, False),  # both turn, so nobody can say
    ],
)
def test_a_movement_may_be_none_of_this_exercise(
    code: str, inner_deg: float, outer_deg: float, contradicts: bool
) -> None:
    expected = ExpectedTurns(exercise(code), Side.LEFT, (THIGH, SHANK))
    assert expected.contradicts(inner_deg, outer_deg) is contradicts


def test_one_sensor_contradicts_nothing() -> None:
    expected = ExpectedTurns(exercise("knee.extension.seated"), Side.LEFT, (SHANK,))
    assert expected.pair is None
    assert not expected.decides
    assert not expected.contradicts(90.0, 0.0)
