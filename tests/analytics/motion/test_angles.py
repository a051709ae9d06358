"""Joint angles against turns whose angles are known, against SciPy's sequences, and round trips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analytics.motion import rotations
from analytics.motion.angles import JOINTS, Side, joint_angles, lean_deg, segment_frame, shoulder_angles
from analytics.motion.angles.cardan import from_yxy, from_zxy, twist, yxy, zxy
from analytics.signals.samples import FloatArray

STANDING = np.array([[0.5**0.5, 0.5**0.5, 0.0, 0.0]])
"""A segment upright in an earth frame with z up: its y is up, its x is east, its z is south."""
FORWARD, UP, RIGHT = np.eye(3)
angles = st.floats(-179.0, 179.0)
middles = st.floats(-85.0, 85.0)


def turned(segment: FloatArray, axis: FloatArray, angle_deg: float) -> FloatArray:
    """The segment after a turn about one of its own axes."""
    return rotations.multiply(segment, rotations.from_rotation_vector(np.radians(angle_deg) * axis)[None])


def after(segment: FloatArray, direction: FloatArray) -> FloatArray:
    return rotations.rotate(segment, direction[None])[0]


@pytest.mark.parametrize(
    ("joint", "name", "moves", "towards"),
    [
        ("knee", "flexion", -UP, -FORWARD),
        ("hip", "flexion", -UP, FORWARD),
        ("ankle", "dorsiflexion", FORWARD, UP),
        ("elbow", "flexion", -UP, FORWARD),
        ("wrist", "flexion", -UP, FORWARD),
        ("trunk", "flexion", UP, FORWARD),
        ("neck", "flexion", UP, FORWARD),
        ("knee", "adduction", -UP, -RIGHT),
        ("hip", "adduction", -UP, -RIGHT),
        ("elbow", "valgus", -UP, RIGHT),
        ("wrist", "ulnar_deviation", -UP, -RIGHT),
        ("ankle", "inversion", RIGHT, -UP),
        ("trunk", "right_lateral_flexion", UP, RIGHT),
        ("knee", "internal_rotation", FORWARD, -RIGHT),
        ("hip", "internal_rotation", FORWARD, -RIGHT),
        ("ankle", "internal_rotation", FORWARD, -RIGHT),
        ("elbow", "pronation", FORWARD, -RIGHT),
        ("neck", "left_rotation", FORWARD, -RIGHT),
    ],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_turn_towards_what_the_angle_is_named_after_is_positive_on_both_sides(
    joint: str, name: str, moves: FloatArray, towards: FloatArray, side: Side
) -> None:
    """`moves`, a direction of the distal segment, swings towards another one: on the left, towards its mirror image.
    Trunk and neck have no side, and are measured as they are."""
    side = "middle" if joint in {"trunk", "neck"} else side
    mirrored = np.array([1.0, 1.0, -1.0 if side == "left" else 1.0])
    moves, towards = moves * mirrored, towards * mirrored
    distal = turned(STANDING, np.cross(moves, towards), 30.0)
    assert np.dot(after(distal, moves), after(STANDING, towards)) == pytest.approx(0.5)  # it did swing there
    found = joint_angles(joint, side, STANDING, distal).angles_deg
    assert found[name] == pytest.approx(30.0)
    assert [float(found[other][0]) for other in found if other != name] == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("plane_deg", "towards"), [(0.0, RIGHT), (90.0, FORWARD), (-45.0, RIGHT - FORWARD)])
def test_an_arm_is_raised_in_its_plane(side: Side, plane_deg: float, towards: FloatArray) -> None:
    mirrored = np.array([1.0, 1.0, -1.0 if side == "left" else 1.0])
    towards = towards * mirrored / np.linalg.norm(towards)
    arm = turned(STANDING, np.cross(-UP, towards), 120.0)
    found = shoulder_angles(side, STANDING, arm).angles_deg
    assert found["elevation"] == pytest.approx(120.0)
    assert found["plane_of_elevation"] == pytest.approx(plane_deg)
    assert found["twist"] == pytest.approx(0.0, abs=1e-9)


def test_rotation_with_the_arm_at_the_side_is_its_twist() -> None:
    arm = turned(turned(STANDING, FORWARD, -5.0), UP, 40.0)
    found = shoulder_angles("right", STANDING, arm).angles_deg
    assert found["twist"] == pytest.approx(40.0)
    assert np.isnan(found["plane_of_elevation"][0])
    assert np.isnan(found["internal_rotation"][0])
    assert found["elevation"] == pytest.approx(5.0)


@pytest.mark.parametrize("heading_deg", [0.0, 77.0, -160.0])
def test_a_lean_has_no_heading(heading_deg: float) -> None:
    trunk = turned(turned(STANDING, FORWARD, 20.0), RIGHT, -100.0)
    turned_about = rotations.multiply(rotations.about_vertical(np.radians([heading_deg])), trunk)
    forward, right = lean_deg(turned_about)
    assert (forward[0], right[0]) == pytest.approx((100.0, 20.0))


@given(angles, middles, angles)
def test_zxy_is_scipys_sequence_and_comes_back(a: float, b: float, c: float) -> None:
    q = from_zxy(*(np.radians([one]) for one in (a, b, c)))
    scipy_q = Rotation.from_euler("ZXY", [a, b, c], degrees=True)
    assert abs(q[0] @ scipy_q.as_quat()[[3, 0, 1, 2]]) == pytest.approx(1.0, abs=1e-12)
    assert np.degrees(np.concatenate(zxy(q))) == pytest.approx([a, b, c], abs=1e-6)


@given(angles, st.floats(2.0, 178.0), angles)
def test_yxy_is_scipys_sequence_with_elevation_counted_upwards_and_comes_back(p: float, e: float, a: float) -> None:
    q = from_yxy(*(np.radians([one]) for one in (p, e, a)))
    scipy_q = Rotation.from_euler("YXY", [p, -e, a], degrees=True)
    assert abs(q[0] @ scipy_q.as_quat()[[3, 0, 1, 2]]) == pytest.approx(1.0, abs=1e-12)
    assert np.degrees(np.concatenate(yxy(q))) == pytest.approx([p, e, a], abs=1e-6)
    assert np.cos(twist(q)[0] - np.radians(p + a)) == pytest.approx(1.0)


@given(st.sampled_from(sorted(JOINTS)), angles, middles, angles, angles)
def test_left_is_the_mirror_image_of_right(joint: str, a: float, b: float, c: float, heading: float) -> None:
    relative = from_zxy(*(np.radians([one]) for one in (a, b, c)))
    proximal = rotations.multiply(rotations.about_vertical(np.radians([heading])), STANDING)
    right = joint_angles(joint, "right", proximal, rotations.multiply(proximal, relative)).angles_deg
    mirrored = relative * np.array([1.0, -1.0, -1.0, 1.0])
    left = joint_angles(joint, "left", proximal, rotations.multiply(proximal, mirrored)).angles_deg
    for name in right:
        assert np.cos(np.radians(right[name] - left[name])) == pytest.approx(1.0)


@given(st.integers(0, 2**32 - 1))
def test_a_frame_has_the_axis_to_the_right_and_the_vertical_above_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mounted = rotations.from_rotation_vector(rng.normal(size=3) * 2)
    right, up = rotations.rotate(mounted, RIGHT), rotations.rotate(mounted, UP)
    askew = up + 0.2 * rng.uniform(-1, 1) * right
    frame = segment_frame(right, askew)
    assert frame.refusal is None
    assert abs(frame.quaternion @ mounted) == pytest.approx(1.0)  # the axis is kept, the vertical made square to it
    kept = segment_frame(right, askew, exact="vertical").quaternion
    assert rotations.rotate(kept, UP) == pytest.approx(askew / np.linalg.norm(askew))


def test_an_axis_that_is_not_square_to_the_segment_is_refused() -> None:
    frame = segment_frame(np.array([0.0, 0.8, 1.0]), UP)
    assert frame.off_square_deg == pytest.approx(38.66, abs=0.01)
    assert frame.refusal is not None
    assert "do the repetitions again" in frame.refusal
    with pytest.raises(ValueError, match="makes no frame"):
        segment_frame(UP, UP)
