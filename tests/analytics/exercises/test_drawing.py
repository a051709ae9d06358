"""The figure: anatomically right, of the same lengths in every pose, still where it should be still."""

from __future__ import annotations

from math import acos, degrees, dist, hypot
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.body import JointAngle, movements
from analytics.domain.drawing import FixedPoint, PoseAngle
from analytics.domain.exercise import Posture, Side
from analytics.exercises import catalogue, exercise
from analytics.exercises.drawing import Figure, Role
from analytics.exercises.drawn_angle import drawn_deg
from analytics.exercises.skeleton import FOREARM, SHANK, THIGH, TRUNK, UPPER_ARM, joints
from analytics.exercises.svg import svg

ALL = list(catalogue().values())
X, Y, Z = 0, 1, 2
BONES = {
    ("hip", "knee"): THIGH, ("knee", "ankle"): SHANK, ("shoulder", "elbow"): UPPER_ARM, ("elbow", "wrist"): FOREARM,
    ("other_hip", "other_knee"): THIGH, ("other_elbow", "other_wrist"): FOREARM, ("pelvis", "spine_1"): TRUNK / 4,
}  # fmt: skip


def moved(point: str, **angles: float) -> list[float]:
    """How far a point goes from upright standing: forward, up, to the right."""
    rest, there = joints(Posture.STANDING, {}), joints(Posture.STANDING, angles)
    return [b - a for a, b in zip(rest[point], there[point], strict=True)]


@pytest.mark.parametrize(
    ("point", "angles", "axis", "sign"),
    [
        ("knee", {"hip_flexion": 40}, X, 1),
        ("ankle", {"knee_flexion": 40}, X, -1),
        ("toes", {"ankle_flexion": 15}, Y, 1),
        ("knee", {"hip_abduction": 30}, Z, 1),
        ("other_knee", {"other_hip_abduction": 30}, Z, -1),
        ("toes", {"hip_rotation": 30}, Z, -1),
        ("ball_inside", {"ankle_inversion": 20}, Y, 1),
        ("ball_outside", {"ankle_inversion": 20}, Y, -1),
        ("wrist", {"elbow_flexion": 90}, X, 1),
        ("hand", {"shoulder_abduction": 90}, Z, 1),
        ("hand", {"shoulder_flexion": 170}, Y, 1),
        ("wrist", {"elbow_flexion": 90, "shoulder_rotation": 40}, Z, -1),
        ("thumb", {"forearm_pronation": 80}, Z, -1),
        ("hand", {"wrist_flexion": 50}, Z, -1),
        ("hand", {"wrist_deviation": 20}, X, 1),
        ("head", {"trunk_flexion": 40}, X, 1),
        ("head", {"trunk_lateral_flexion": 30}, Z, 1),
        ("nose", {"neck_rotation": 50}, Z, 1),
        ("nose", {"head_flexion": 30}, Y, -1),
        ("head", {"pelvis_lean": -40}, X, -1),
        ("head", {"pelvis_sideways": 20}, Z, 1),
    ],
)
def test_each_angle_moves_the_body_the_way_its_name_says(point, angles, axis, sign):
    assert moved(point, **angles)[axis] * sign > 0.01


def test_upright_standing_is_as_tall_as_a_body():
    at = joints(Posture.STANDING, {})
    assert at["head"][Y] + 0.065 - at["heel"][Y] == pytest.approx(1, abs=0.03)


@given(st.sampled_from(Posture), st.dictionaries(st.sampled_from(PoseAngle), st.floats(-120, 120)))
def test_bones_keep_their_length_in_any_pose(posture, angles):
    at = joints(posture, angles)
    for (a, b), length in BONES.items():
        assert dist(at[a], at[b]) == pytest.approx(length, abs=1e-9)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.code)
def test_what_is_fixed_does_not_move_and_something_else_does(one):
    figure = Figure(one)
    first, second = figure.strokes(0), figure.strokes(1)
    assert [s.name for s in first if s.role is Role.FURNITURE] == [s.name for s in second if s.role is Role.FURNITURE]
    still = {
        FixedPoint.PELVIS: ("pelvis", None), FixedPoint.CHEST: ("chest", -1), FixedPoint.HEEL: ("foot", 0),
        FixedPoint.TOES: ("foot", -1), FixedPoint.OTHER_HEEL: ("other_foot", 0),
    }  # fmt: skip
    name, end = still[one.drawing.fixed]
    there = [next(s for s in strokes if s.name == name).points for strokes in (first, second)]
    ends = [points[end] if end is not None else tuple(map(sum, zip(*points, strict=True))) for points in there]
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)
    travel = [
        max(map(dist, a.points, next(s for s in second if s.name == a.name).points))
        for a in first if a.role is Role.LIMB
    ]  # fmt: skip
    assert max(travel) > 0.008


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.code)
def test_the_limb_and_its_sensors_stand_out(one):
    strokes = Figure(one).strokes(0)
    assert any(stroke.role is Role.LIMB for stroke in strokes)
    assert sum(stroke.role is Role.SENSOR for stroke in strokes) == len(one.sensors.required)
    assert strokes[-1].role is Role.SENSOR


def test_between_two_poses_the_angle_goes_in_proportion_and_after_the_last_back_to_the_first():
    figure = Figure(exercise("knee.extension.seated"))
    knee = [figure.angles(phase)["knee_flexion"] for phase in (0, 0.5, 1, 1.5, 2)]
    assert knee == [90, 49, 8, 49, 90]


@pytest.mark.parametrize(
    ("code", "range_deg", "excursions", "phases"),
    [
        ("knee.extension.seated", 82, (-4, 0, 41, 82, 120), (0, 0, 0.5, 1, 1)),
        ("knee.sit_to_stand", 90, (0, 45, 90), (0, 1, 2)),
        ("shoulder.abduction.standing", 89, (0, 89), (0, 1)),
        ("trunk.pelvic_tilt", 16, (0, 8), (0, 0.5)),
        ("shoulder.pendulum", 0, (0, 30), (0, 0)),
        ("knee.walking_range", 0, (0, 30), (0, 0)),
    ],
)
def test_the_figure_follows_a_measured_angle_as_far_as_it_is_drawn(code, range_deg, excursions, phases):
    figure = Figure(exercise(code))
    assert figure.range_deg == pytest.approx(range_deg)
    assert tuple(map(figure.phase, excursions)) == pytest.approx(phases)


RAISED = [
    one for one in ALL
    if one.angle and movements(one.joint)[one.direction].angle is JointAngle.ELEVATION
]  # fmt: skip


@pytest.mark.parametrize("one", RAISED, ids=lambda one: one.code)
def test_how_far_an_arm_is_drawn_raised_is_the_angle_between_its_points(one):
    figure = Figure(one)
    for phase in (0, figure.turning):
        angles = figure.angles(phase)
        at = joints(one.posture, angles)
        arm = [b - a for a, b in zip(at["shoulder"], at["elbow"], strict=True)]
        down = [b - a for a, b in zip(at["spine_4"], at["spine_3"], strict=True)]
        cosine = sum(a * b for a, b in zip(arm, down, strict=True)) / (hypot(*arm) * hypot(*down))
        assert drawn_deg(one, angles) == pytest.approx(degrees(acos(cosine)), abs=1e-6)


def test_the_left_side_is_the_mirror_image():
    right, left = (Figure(exercise("knee.lunge"), side).strokes(1) for side in (Side.RIGHT, Side.LEFT))
    for one, other in zip(right, left, strict=True):
        assert [(-x, y) for x, y in one.points] == [pytest.approx(point) for point in other.points]


def test_feet_stay_on_the_floor_in_a_squat():
    for phase in (0, 1):
        floor, foot = (
            next(s for s in Figure(exercise("knee.squat")).strokes(phase) if s.name == n) for n in ("floor", "foot")
        )
        assert all(abs(y - floor.points[0][1]) < 0.03 for _, y in foot.points)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("one", ALL, ids=lambda one: one.code)
def test_the_picture_is_well_formed_and_shows_the_body(one, side):
    root = ET.fromstring(svg(one, side))
    assert root.get("aria-label") == one.name
    assert "style" not in svg(one, side), "a strict content security policy forbids it"
    _, _, width, height = map(float, root.get("viewBox", "").split())
    assert 20 < width < 400
    assert 20 < height < 400
    assert len(root.findall(".//{*}path")) > 25
