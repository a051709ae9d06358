"""A simulated session: its truth agrees with itself and with its signals."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.session import FormLabel
from analytics.motion.angles import joint_angles, shoulder_angles
from analytics.motion.rotations import (
    angle_between,
    conjugate,
    from_rotation_vector,
    multiply,
    relative,
    rotate,
    to_rotation_vector,
)
from analytics.simulation.body import (
    GRAVITY_M_S2,
    IDEAL,
    INEXPENSIVE,
    MOVEMENTS,
    NO_SKIN_MOTION,
    SITTING,
    STANDING,
    Person,
    calibration_while_walking,
    exercise_session,
    repeat,
    rest,
    simulate,
    sit_down,
    stand_up,
    walk,
    worn,
)
from analytics.simulation.body.skeleton import JOINTS


def played(movement, *, how=3, segments=None, seed=1, rate_hz=100.0, restless=1.0, partial=None, **options):
    rng = np.random.default_rng(seed)
    joint = JOINTS[movement.joint]
    mounts = [worn(s, rng, skin=NO_SKIN_MOTION) for s in segments or (joint.inner, joint.outer)]
    options.setdefault("model", IDEAL)
    parts = [rest(3, movement.position), repeat(movement, how, rng, partial=partial or {})]
    person = Person(restless=restless)
    return simulate(parts, mounts, rng, rate_hz=rate_hz, person=person, **options)


def off_deg(joint, session):
    """By how much the joint's true angles differ from the tracker's formulas on the true orientations."""
    side, _, name = joint.name.partition("_")
    if side not in {"left", "right"}:
        side, name = "middle", joint.name
    truth = session.angles_deg[joint.name].T
    segments = session.orientations[joint.inner], session.orientations[joint.outer]
    if name != "shoulder":
        return np.array(list(joint_angles(name, side, *segments).angles_deg.values())) - truth
    found = shoulder_angles(side, *segments).angles_deg
    plane, elevation, rotation = truth
    parts = (
        found["plane_of_elevation"] - plane,
        np.abs(elevation) - found["elevation"],
        found["twist"] - plane - rotation,
    )
    # Where the arm hangs, only plane and rotation together are defined.
    return (np.nan_to_num(parts) + 180) % 360 - 180


@pytest.mark.parametrize("name", MOVEMENTS)
def test_joint_angles_are_those_between_the_segments_and_repetitions_are_on_them(name):
    for movement in (MOVEMENTS[name], MOVEMENTS[name].mirrored()):
        session = played(movement, restless=0.0)
        joint, angles = JOINTS[movement.joint], session.angles_deg[movement.joint]
        assert np.abs(off_deg(joint, session)).max() < 1e-6
        assert len(session.repetitions) == 3
        for one in session.repetitions:
            start, peak, end = (
                np.interp(t, session.time_s, angles[:, movement.axis]) for t in (one.start_s, one.peak_s, one.end_s)
            )
            assert abs(peak - start) == pytest.approx(one.excursion_deg, abs=1e-3)
            assert end == pytest.approx(start, abs=1e-3)


def test_joint_angles_of_a_walk_are_those_between_the_segments():
    rng = np.random.default_rng(4)
    worn_by = ["pelvis", "chest", "left_thigh", "left_shank", "left_foot"]
    session = simulate([rest(2, STANDING), walk(8)], worn_by, rng)
    for name in ("trunk", "left_hip", "left_knee", "left_ankle"):
        assert np.ptp(session.angles_deg[name][:, 2 if name == "trunk" else 0]) > 5
        assert np.abs(off_deg(JOINTS[name], session)).max() < 1e-6


@pytest.mark.parametrize("name", MOVEMENTS)
def test_ideal_signals_lead_back_to_the_orientation_of_the_sensor(name):
    movement = MOVEMENTS[name]
    session = played(movement, rate_hz=200.0, how=1)
    for segment, (acc, gyr) in session.sensors.items():
        truth = session.sensor_orientations[segment]
        q, step_s = truth[0], 1 / session.rate_hz
        for turn in from_rotation_vector((gyr[:-1] + gyr[1:]) / 2 * step_s):
            q = multiply(q, turn)
        assert np.degrees(angle_between(q, truth[-1])) < 0.02
        up = rotate(truth, acc)[0]
        assert up == pytest.approx([0, 0, GRAVITY_M_S2], abs=1e-9), "at rest, gravity alone"


def test_the_sensor_is_mounted_as_was_asked_and_stays_so_on_stiff_skin():
    rng = np.random.default_rng(8)
    mount = worn("right_thigh", rng, skin=NO_SKIN_MOTION)
    session = simulate([walk(10)], [mount], rng, model=IDEAL)
    mounted = relative(session.orientations["right_thigh"], session.sensor_orientations["right_thigh"])
    assert angle_between(mounted, mount.orientation).max() < 1e-7


def test_a_sensor_worn_nearly_straight_is_off_by_the_mounting_error():
    off_deg = [
        np.degrees(np.linalg.norm(to_rotation_vector(worn("pelvis", rng, turned_deg=6.0).orientation)))
        for rng in np.random.default_rng(3).spawn(400)
    ]
    assert np.sqrt(np.mean(np.square(off_deg))) == pytest.approx(6.0, rel=0.1)


def test_partial_repetitions_are_told_and_stop_short():
    whole = MOVEMENTS["elbow_flexion"].to_range(100.0)
    how = [FormLabel.CORRECT, FormLabel.TOO_FAST, FormLabel.CORRECT, FormLabel.LOW_AMPLITUDE]
    session = played(whole, how=how, partial={2: 0.4})
    one, fast, cut, small = session.repetitions
    assert [r.partial for r in session.repetitions] == [False, False, True, False]
    assert [r.label for r in session.repetitions] == how
    assert cut.excursion_deg == pytest.approx(40.0)
    assert one.excursion_deg > small.excursion_deg > cut.excursion_deg
    assert fast.end_s - fast.start_s < 0.6 * (one.end_s - one.start_s)


def test_who_rests_is_still_and_who_moves_is_not():
    session = played(MOVEMENTS["seated_knee_extension"], segments=["right_thigh", "right_shank", "pelvis"])
    assert session.still["pelvis"].all(), "the seat holds it"
    assert session.still["right_shank"][: round(2.5 * session.rate_hz)].mean() > 0.9, "but for sway"
    one = session.repetitions[0]
    moving = (session.time_s > one.start_s + 0.2) & (session.time_s < one.start_s + 0.8)
    assert not session.still["right_shank"][moving].any()


def test_sway_and_tremor_are_the_persons_own():
    quiet, restless = (played(MOVEMENTS["squat"], restless=much).sensors["right_thigh"][1][50:250] for much in (0, 3))
    assert np.abs(quiet).max() == 0
    assert np.linalg.norm(restless, axis=1).mean() > 0.01


def test_the_same_seed_is_the_same_session():
    one, same, other = (played(MOVEMENTS["squat"], seed=s, model=INEXPENSIVE).sensors["right_shank"] for s in (3, 3, 4))
    assert np.array_equal(one, same)
    assert len(other[0]) != len(one[0])


def test_signals_do_not_jump_from_one_part_to_the_next():
    rng = np.random.default_rng(5)
    parts = [rest(2, SITTING), stand_up(), walk(8), sit_down(), rest(2, SITTING)]
    mounts = [worn(s, rng, skin=NO_SKIN_MOTION) for s in ("chest", "left_thigh", "right_shank")]
    session = simulate(parts, mounts, rng, model=IDEAL, rate_hz=200.0)
    seams = np.cumsum([round(p.duration_s * session.rate_hz) for p in parts])[:-1]
    for acc, gyr in session.sensors.values():
        assert np.abs(gyr[seams] - gyr[seams - 1]).max() < 0.02
        assert np.abs(acc[seams] - acc[seams - 1]).max() < 0.3


def test_who_sits_cannot_walk_before_standing_up():
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match=r"stand_up\(\) or sit_down\(\)"):
        simulate([rest(1, SITTING), walk(6)], ["pelvis"], rng)
    assert simulate([rest(1, SITTING), stand_up(), walk(6)], ["pelvis"], rng).time_s[-1] == pytest.approx(9.99)


def check_session(minutes, rng):
    """Sets, rests and walks; the truth is continuous and each repetition lies on it."""
    parts = exercise_session(MOVEMENTS["seated_knee_extension"], rng, duration_s=60.0 * minutes, walk_after_sets=1)
    session = simulate(parts, ["right_thigh", "right_shank"], rng)
    assert session.time_s[-1] > 60 * minutes
    knee = session.angles_deg["right_knee"][:, 0]
    assert np.abs(np.diff(knee)).max() < 6.0, "degrees in a hundredth of a second"
    for one in session.repetitions:
        shown = np.interp([one.start_s, one.peak_s], session.time_s, knee)
        assert shown[0] - shown[1] == pytest.approx(one.excursion_deg, abs=1.5)
    assert all(np.isfinite(acc).all() and np.isfinite(gyr).all() for acc, gyr in session.sensors.values())
    walking = np.abs(session.sensors["right_shank"][1]).max(axis=1) > 4.0
    assert walking.any()
    return session


def test_a_session_has_sets_rests_and_walks():
    session = check_session(2, np.random.default_rng(6))
    assert len(session.repetitions) == 10


@pytest.mark.long
def test_an_hour():
    session = check_session(60, np.random.default_rng(7))
    assert len(session.repetitions) == 200


def test_somebody_who_walks_when_a_still_pose_is_asked_for_then_exercises():
    rng = np.random.default_rng(9)
    for name in ("seated_knee_extension", "squat"):
        session = simulate(calibration_while_walking(MOVEMENTS[name], rng), ["right_thigh", "right_shank"], rng)
        assert not session.still["right_shank"][200:1800].all()
        assert session.still["right_shank"][200:1800].mean() < 0.1
        assert len(session.repetitions) == 6
    with pytest.raises(ValueError, match="sitting and standing"):
        calibration_while_walking(MOVEMENTS["heel_slide"], rng)
    with pytest.raises(ValueError, match="at least 5 s"):
        walk(3.0)


def test_lengths_scale_with_the_person():
    """The same turning on a longer arm accelerates more."""
    peaks = []
    for height_m in (1.5, 2.0):
        rng = np.random.default_rng(2)
        mounts = [worn("right_shank", rng, height_m=height_m, skin=NO_SKIN_MOTION)]
        parts = [repeat(MOVEMENTS["seated_knee_extension"], 1, rng)]
        session = simulate(parts, mounts, rng, model=IDEAL, person=Person(height_m, restless=0.0))
        acc, q = session.sensors["right_shank"][0], session.sensor_orientations["right_shank"]
        peaks.append(np.linalg.norm(acc - rotate(conjugate(q), np.array([0, 0, GRAVITY_M_S2])), axis=1).max())
    assert peaks[1] / peaks[0] == pytest.approx(2.0 / 1.5, rel=1e-6)
