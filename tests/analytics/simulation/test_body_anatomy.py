"""The tree of segments: what each angle moves, where things stand, and that left is right in a mirror."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analytics.motion.rotations import angle_between, conjugate, multiply, rotate
from analytics.simulation.body import (
    MOVEMENTS,
    ON_THE_LEFT_SIDE,
    PRONE,
    SITTING,
    STANDING,
    SUPINE,
    repeat,
    rest,
    sit_down,
    stand_up,
    walk,
)
from analytics.simulation.body.course import wander
from analytics.simulation.body.moving_frame import MovingFrame
from analytics.simulation.body.performance import Person
from analytics.simulation.body.session import performed
from analytics.simulation.body.skeleton import JOINTS, path, sensor_place
from analytics.simulation.body.tree import carried

HEIGHT_M = 1.8
SEGMENTS = ["pelvis"] + [joint.outer for joint in JOINTS.values()]
WORN = [segment for segment in SEGMENTS if "toes" not in segment]
DOWN = np.array([0.0, -1.0, 0.0])


def posed(position=STANDING, **angles):
    """Frames of all segments in a pose that rests."""
    courses = {name: np.zeros((3, 3, 1)) for name in JOINTS}
    for name, of in {**position.pose, **angles}.items():
        courses[name][:, 0, 0] = of
    root = MovingFrame.at_rest(1, position.orientation, np.zeros(3))
    return carried(position.held, root, courses, SEGMENTS, HEIGHT_M)


def place(frames, segment, point=(0.0, 0.0, 0.0)):
    return frames[segment].place_m[0] + rotate(frames[segment].orientation[0], np.array(point))


def body_axes(vector_enu):
    """A person who stands faces east: forwards is east, up is up, right is south."""
    east, north, up = vector_enu
    return np.array([east, up, -north])


def test_heights_of_joints_are_those_of_drillis_and_contini():
    frames = posed()
    floor = place(frames, "right_foot")[2] - 0.039 * HEIGHT_M
    for segment, share in {"right_shank": 0.285, "right_thigh": 0.530, "right_upper_arm": 0.818}.items():
        assert (place(frames, segment)[2] - floor) / HEIGHT_M == pytest.approx(share, abs=1e-9)
    shoulders = place(frames, "right_upper_arm") - place(frames, "left_upper_arm")
    assert np.linalg.norm(shoulders) == pytest.approx(0.258 * HEIGHT_M)


FORWARDS, BACKWARDS, INWARDS, UPWARDS = (1, 0, 0), (-1, 0, 0), (0, 0, -1), (0, 1, 0)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(
    ("joint", "angles", "segment", "point", "goes"),
    [
        ("hip", (30, 0, 0), "shank", (0, 0, 0), FORWARDS),
        ("hip", (0, 30, 0), "shank", (0, 0, 0), INWARDS),
        ("hip", (0, 0, 30), "thigh", (1, 0, 0), INWARDS),
        ("knee", (30, 0, 0), "foot", (0, 0, 0), BACKWARDS),
        ("knee", (0, 0, 30), "foot", (1, 0, 0), INWARDS),
        ("ankle", (30, 0, 0), "foot", (1, 0, 0), UPWARDS),
        ("ankle", (0, 30, 0), "foot", (0, -1, 0), INWARDS),
        ("toe_joint", (30, 0, 0), "toes", (1, 0, 0), UPWARDS),
        ("shoulder", (90, 30, -90), "forearm", (0, 0, 0), FORWARDS),
        ("shoulder", (0, -30, 0), "forearm", (0, 0, 0), INWARDS),
        ("shoulder", (0, 0, 30), "upper_arm", (1, 0, 0), INWARDS),
        ("elbow", (30, 0, 0), "hand", (0, 0, 0), FORWARDS),
        ("elbow", (0, 0, 30), "hand", (1, 0, 0), INWARDS),
        ("wrist", (30, 0, 0), "hand", (0, -1, 0), FORWARDS),
        ("wrist", (0, 30, 0), "hand", (0, -1, 0), INWARDS),
    ],
)
def test_a_positive_angle_moves_the_limb_the_same_way_on_both_sides(side, joint, angles, segment, point, goes):
    # Seen from the pelvis, so that the foot moves and not the body above it.
    upright = SITTING.orientation
    courses = {name: np.zeros((3, 3, 1)) for name in JOINTS}
    before = carried("pelvis", MovingFrame.at_rest(1, upright, np.zeros(3)), courses, SEGMENTS, HEIGHT_M)
    courses[f"{side}_{joint}"][:, 0, 0] = angles
    after = carried("pelvis", MovingFrame.at_rest(1, upright, np.zeros(3)), courses, SEGMENTS, HEIGHT_M)
    moved = body_axes(place(after, f"{side}_{segment}", point) - place(before, f"{side}_{segment}", point))
    expected = np.array(goes) * np.array([1, 1, 1 if side == "right" else -1])
    assert moved @ expected > 0.9 * np.linalg.norm(moved) > 0.01


def test_trunk_and_neck_bend_forwards_to_the_right_and_turn_left():
    for joint, segment in (("trunk", "chest"), ("neck", "head")):
        top = {}
        for name, angles in (
            ("still", (0, 0, 0)),
            ("flexed", (30, 0, 0)),
            ("bent", (0, 30, 0)),
            ("turned", (0, 0, 30)),
        ):
            frames = posed(**{joint: angles})
            top[name] = body_axes(place(frames, segment, (0.1, 0.3, 0.0)))
        assert top["flexed"][0] > top["still"][0] + 0.1
        assert top["bent"][2] > top["still"][2] + 0.1
        assert top["turned"][2] < top["still"][2] - 0.04


@pytest.mark.parametrize(
    ("position", "segment", "axis", "up"),
    [
        (STANDING, "chest", 1, 1),
        (SITTING, "chest", 1, 1),
        (SITTING, "right_thigh", 0, 1),
        (SITTING, "left_shank", 1, 1),
        (SUPINE, "chest", 0, 1),
        (PRONE, "chest", 0, -1),
        (ON_THE_LEFT_SIDE, "chest", 2, 1),
    ],
)
def test_a_position_has_the_right_side_up(position, segment, axis, up):
    axes = np.eye(3)[axis]
    assert rotate(posed(position)[segment].orientation[0], axes)[2] == pytest.approx(up)


@pytest.mark.parametrize("name", MOVEMENTS)
def test_the_other_side_is_a_mirror_image(name):
    movement, mirrored = MOVEMENTS[name], MOVEMENTS[name].mirrored()

    def at_the_end(move):
        pose = {**move.position.pose, **move.start}
        end = {j: tuple(np.add(pose.get(j, (0, 0, 0)), move.change.get(j, (0, 0, 0)))) for j in {*pose, *move.change}}
        return posed(move.position, **end)

    one, other = at_the_end(movement), at_the_end(mirrored)
    here, there = (
        {s: multiply(conjugate(f["pelvis"].orientation[0]), f[s].orientation[0]) for s in SEGMENTS}
        for f in (one, other)
    )
    for segment in SEGMENTS:
        side, _, rest_of = segment.partition("_")
        twin = {"right": f"left_{rest_of}", "left": f"right_{rest_of}"}.get(side, segment)
        # Mirrored across the sagittal plane, turns about x and y reverse.
        assert abs(here[segment] * [1, -1, -1, 1] @ there[twin]) == pytest.approx(1.0)
    assert {sensor_place(s)[2] + sensor_place(s.replace("right", "left"))[2] for s in WORN if "right" in s} == {0.0}


def test_it_does_not_matter_which_segment_is_known():
    """From the pelvis out to a foot, and from that foot back to everything, both as a whole moves."""
    rng = np.random.default_rng(1)
    time_s = np.linspace(0, 1, 20)
    courses = {name: np.stack([20 * wander(time_s, (0.5, 2.0), rng) for _ in range(3)]) for name in JOINTS}
    pelvis = MovingFrame.at_rest(len(time_s), SUPINE.orientation, np.ones(3))
    there = carried("pelvis", pelvis, courses, SEGMENTS, HEIGHT_M)
    for known in ("left_toes", "right_hand"):
        back = carried(known, there[known], courses, SEGMENTS, HEIGHT_M)
        for segment in SEGMENTS:
            for field in ("place_m", "acc_m_s2", "rate_rad_s", "turning_rad_s2"):
                assert getattr(back[segment], field) == pytest.approx(getattr(there[segment], field), abs=1e-9)
            assert angle_between(back[segment].orientation, there[segment].orientation).max() < 1e-7


def test_the_way_between_two_segments_is_the_shortest():
    assert [j.name for j, _ in path("right_foot", "left_foot")] == [
        *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle")
    ]
    assert [(j.name, out) for j, out in path("right_hand", "right_upper_arm")] == [
        ("right_wrist", False),
        ("right_elbow", False),
    ]


def test_feet_and_seat_stand_still_where_they_should_and_nothing_jumps_between_parts():
    rng = np.random.default_rng(1)
    held_still = [
        (rest(2, SITTING), "pelvis", "pelvis"),
        (stand_up(), "right_foot", "left_foot"),
        (repeat(MOVEMENTS["squat"], 1, rng), "right_foot", "left_foot"),
        (repeat(MOVEMENTS["heel_raise"], 1, rng), "right_toes", "left_toes"),
        (repeat(MOVEMENTS["standing_hip_abduction"], 1, rng), "left_foot", "left_toes"),
        (walk(15), None, None),
        (rest(2, STANDING), "right_foot", "left_foot"),
        (sit_down(), "right_foot", "left_foot"),
        (rest(2, SITTING), "pelvis", "pelvis"),
    ]
    played = performed([p for p, *_ in held_still], SEGMENTS, rng, rate_hz=100.0, person=Person())
    ends = []
    for (_, frames), (_, *still) in zip(((a, f) for _, a, f in played), held_still, strict=True):
        for segment in filter(None, still):
            # Muscles tremble by hundredths of a degree, which at a leg's length is half a millimetre.
            assert np.abs(frames[segment].place_m - frames[segment].place_m[0]).max() < 1e-3
            turned = rotate(frames[segment].orientation, np.array([1.0, 0.0, 0.0]))
            assert np.abs(turned - turned[0]).max() < 2e-3
        assert all(np.abs(f.rate_rad_s[[0, -1]]).max() < 1e-9 for f in frames.values()), "at rest at both ends"
        ends.append(frames)
    for before, after in pairwise(ends):
        for segment in SEGMENTS:
            assert after[segment].place_m[0] == pytest.approx(before[segment].place_m[-1], abs=1e-9)
            assert angle_between(after[segment].orientation[0], before[segment].orientation[-1]) < 1e-9


def test_people_rise_when_they_stand_up_and_come_back_to_the_chair():
    rng = np.random.default_rng(2)
    parts = [stand_up(), rest(1, STANDING), sit_down()]
    heights = [f["pelvis"].place_m[:, 2] for _, _, f in performed(parts, SEGMENTS, rng, rate_hz=50.0, person=Person())]
    assert np.ptp(heights[0]) == pytest.approx(0.245 * 1.72, abs=0.02), "by a thigh's length"
    assert heights[2][-1] == pytest.approx(heights[0][0], abs=1e-9)
