"""The catalogue that ships: whole, sound, and the same words for the same thing everywhere."""

from __future__ import annotations

from importlib import resources

import pytest

from analytics.domain.body import Joint, JointAngle, movements
from analytics.domain.exercise import Exercise, NoSingleAngleError, RepetitionKind, Segment, Side
from analytics.domain.program import Dose
from analytics.exercises import UnknownExercise, catalogue, exercise
from analytics.exercises.drawing import key_poses
from analytics.exercises.drawn_angle import drawn_deg
from analytics.exercises.reading import read_file

FILES = sorted((resources.files("analytics") / "exercises").glob("*/*.toml"))  # type: ignore[attr-defined]
ALL = list(catalogue().values())
WITH_ANGLE = [one for one in ALL if one.angle]
UCI = {
    "knee.extension.seated", "trunk.flexion.seated", "hip.straight_leg_raise.supine", "hip.abduction.side_lying",
    "hip.extension.prone", "elbow.flexion.curl", "shoulder.abduction.standing", "shoulder.swing.prone",
}  # fmt: skip
SPAR = {
    "shoulder.pendulum", "shoulder.abduction.standing", "shoulder.flexion.standing", "shoulder.internal_rotation.band",
    "shoulder.external_rotation.band", "shoulder.row.band", "shoulder.row.bent_over",
}  # fmt: skip
TESTS = {"sit_to_stand.five", "sit_to_stand.thirty_seconds", "knee.walking_range"}

# What a healthy joint does, rounded outwards, with room for a hyperextending knee: nothing may be asked beyond.
ANATOMY_DEG = {
    (Joint.KNEE, JointAngle.FLEXION): (-5, 150),
    (Joint.HIP, JointAngle.FLEXION): (-30, 130),
    (Joint.HIP, JointAngle.ABDUCTION): (-30, 50),
    (Joint.HIP, JointAngle.ROTATION): (-50, 50),
    (Joint.ANKLE, JointAngle.FLEXION): (-55, 25),
    (Joint.ANKLE, JointAngle.INVERSION): (-25, 40),
    (Joint.SHOULDER, JointAngle.ELEVATION): (0, 180),
    (Joint.SHOULDER, JointAngle.ROTATION): (-90, 90),
    (Joint.ELBOW, JointAngle.FLEXION): (0, 150),
    (Joint.ELBOW, JointAngle.PRONATION): (-90, 85),
    (Joint.WRIST, JointAngle.FLEXION): (-75, 85),
    (Joint.WRIST, JointAngle.DEVIATION): (-40, 25),
    (Joint.TRUNK, JointAngle.FLEXION): (-30, 80),
    (Joint.TRUNK, JointAngle.LATERAL_FLEXION): (0, 40),
    (Joint.TRUNK, JointAngle.ROTATION): (0, 50),
    (Joint.PELVIS, JointAngle.LEAN_FORWARD): (-115, 30),
    (Joint.NECK, JointAngle.FLEXION): (-70, 60),
    (Joint.NECK, JointAngle.LATERAL_FLEXION): (0, 45),
    (Joint.NECK, JointAngle.ROTATION): (0, 85),
}


def ids(one: Exercise) -> str:
    return one.code


def test_there_are_enough_for_every_joint():
    assert len(ALL) == len(FILES) >= 60
    for group in ("knee", "hip", "ankle", "shoulder", "elbow", "wrist", "trunk", "neck"):
        assert sum(one.code.startswith(f"{group}.") for one in ALL) >= 4, group


def test_those_that_recordings_exist_of_are_among_them():
    assert catalogue().keys() >= UCI | SPAR | TESTS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_stands_where_it_belongs_and_has_no_field_too_many(path):
    assert read_file(path).code.split(".")[0] == path.parent.name


@pytest.mark.parametrize("one", WITH_ANGLE, ids=ids)
def test_what_is_asked_for_is_anatomically_possible(one: Exercise):
    assert one.angle
    assert one.dose.target_excursion_deg
    end_deg = one.angle.rest_deg + one.toward * one.dose.target_excursion_deg
    low, high = ANATOMY_DEG[one.joint, movements(one.joint)[one.direction].angle]
    assert low <= min(end_deg, one.angle.rest_deg) <= max(end_deg, one.angle.rest_deg) <= high
    assert one.angle.least_excursion_deg <= 0.6 * one.dose.target_excursion_deg


@pytest.mark.parametrize("one", WITH_ANGLE, ids=ids)
def test_the_drawing_moves_the_way_the_angle_says_and_about_as_far(one: Exercise):
    poses = key_poses(one)
    travels = [one.toward * (drawn_deg(one, pose) - drawn_deg(one, poses[0])) for pose in poses]
    assert one.dose.target_excursion_deg
    assert 0.6 * one.dose.target_excursion_deg <= max(travels) <= 2.4 * one.dose.target_excursion_deg


@pytest.mark.parametrize("one", ALL, ids=ids)
def test_every_sensor_that_is_named_is_of_use(one: Exercise):
    """Whoever reads that one may be worn on the pelvis expects to see more by it."""
    seen = {part for compensation in one.compensations for part in compensation.needs}
    alone = {part for way in one.sensors.alone for part in (way.segment, *way.still)}
    assert set(one.sensors.optional) <= seen | alone
    assert len(set(one.layouts)) == len({layout.segments for layout in one.layouts}), "one is never reached"


@pytest.mark.parametrize("one", ALL, ids=ids)
def test_every_exercise_says_what_it_must(one: Exercise):
    if one.test is None and one.angle:
        assert {"too_fast", "low_amplitude", "target_reached"} <= one.cues.keys()
    assert len(one.instructions) >= 3
    assert one.contraindications
    if one.repetition.kind is not RepetitionKind.HOLD and one.test is None and one.angle:
        assert one.repetition.out_s
        assert one.repetition.back_s


def test_a_default_dose_can_be_prescribed():
    for one in WITH_ANGLE:
        assert Dose.model_validate(one.dose.model_dump()).sets == one.dose.sets


def test_one_code_has_one_wording():
    for field in ("contraindications", "precautions"):
        words: dict[str, str] = {}
        for one in ALL:
            for code, sentence in getattr(one, field).items():
                assert words.setdefault(code, sentence) == sentence, (one.code, code)


def test_standing_on_the_leg_is_never_offered_to_who_must_not():
    squat, lying = exercise("knee.squat"), exercise("knee.heel_slide")
    assert (squat.weight_bearing, lying.weight_bearing) == ("as_tolerated", "none")
    both_feet_work = {
        "knee.wall_sit",
        "knee.lunge",
        "knee.step_up",
        "knee.step_down",
        "knee.sit_to_stand",
        "ankle.heel_raise",
    }
    assert all(
        exercise(code).weight_bearing == "as_tolerated" for code in both_feet_work | TESTS - {"knee.walking_range"}
    )


def test_timed_tests_stand_with_reference_error_and_source():
    for code in TESTS:
        test = exercise(code).test
        assert test
        assert all(published.source for published in (*test.references, *test.errors))
    assert exercise("sit_to_stand.five").test.unit == "s"
    assert exercise("sit_to_stand.thirty_seconds").codes == {"loinc": "66247-8"}


def test_only_verified_codes_are_given():
    assert {one.code for one in ALL if one.codes} == {"sit_to_stand.thirty_seconds"}


def test_seated_knee_extension_is_what_the_gateway_knows():
    found = exercise("knee.extension.seated")
    assert (found.rest_flexion_deg, found.toward, found.least_excursion_deg) == (90, -1, 15)
    assert found.proximal_segment(Side.LEFT) is Segment.LEFT_THIGH
    assert found.distal_segment(Side.RIGHT) is Segment.RIGHT_SHANK


def test_segments_in_the_middle_have_no_side():
    hip = exercise("hip.abduction.standing")
    assert (hip.proximal_segment(Side.LEFT), hip.distal_segment(Side.LEFT)) == (Segment.PELVIS, Segment.LEFT_THIGH)


def test_an_exercise_without_two_sensors_and_an_angle_says_so():
    with pytest.raises(NoSingleAngleError, match="Pendulum has no single angle"):
        exercise("shoulder.pendulum").proximal_segment(Side.LEFT)
    with pytest.raises(NoSingleAngleError, match="Pelvic tilt is followed by one sensor"):
        exercise("trunk.pelvic_tilt").distal_segment(Side.LEFT)
    with pytest.raises(NoSingleAngleError, match="a demonstration"):
        _ = exercise("ankle.circles").rest_flexion_deg


def test_catalogue_is_a_copy():
    catalogue().clear()
    assert catalogue()


def test_unknown_exercise_names_what_is_near():
    with pytest.raises(UnknownExercise, match=r"there is .*knee\.extension\.seated") as caught:
        exercise("knee.extension.flying")
    assert isinstance(caught.value, KeyError)
    assert "there is" not in str(UnknownExercise("zzzz"))
