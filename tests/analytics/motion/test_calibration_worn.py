"""Still pose, mounting, which sensor is where, and where 0° comes from."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.session import Zero
from analytics.motion.calibration import (
    Fault,
    check_mounting,
    check_rest,
    check_slipped,
    check_strap,
    joint_zero,
    plain_name,
    still_pose,
    turned_deg,
    which_is_where,
)

RATE_HZ = 100.0
TILTED = np.array([3.0, 0.0, 9.34])


def at_rest(seconds=2.0, bias_deg_s=(0.5, -1.0, 0.2), noise_deg_s=0.1):
    rng = np.random.default_rng(0)
    n = round(seconds * RATE_HZ)
    gyr = np.radians(np.array(bias_deg_s) + noise_deg_s * rng.normal(size=(n, 3)))
    return TILTED + 0.02 * rng.normal(size=(n, 3)), gyr


def test_a_still_pose_gives_bias_and_vertical():
    found = still_pose(*at_rest(), RATE_HZ)
    assert found.refusal is None
    assert np.degrees(found.bias_rad_s) == pytest.approx((0.5, -1.0, 0.2), abs=0.03)
    assert found.up == pytest.approx(TILTED / np.linalg.norm(TILTED), abs=0.001)
    assert found.rms_deg_s == pytest.approx(0.1 * 3**0.5, rel=0.1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda acc, gyr: (acc[:150], gyr[:150]), "too short"),
        (lambda acc, gyr: (acc, gyr + 0.1 * np.sin(np.arange(len(gyr)) / 8)[:, None]), "not still"),
        (lambda acc, gyr: (acc, gyr + 0.2), "not still"),
        (lambda acc, gyr: (acc + np.linspace(0, 1.5, len(acc))[:, None] * [1, 0, 0], gyr), "not still"),
        (lambda acc, gyr: (acc / 9.81, gyr), "1.0 instead of 9.8 m/s²"),
    ],
    ids=["short", "trembling", "turning", "swaying", "in g"],
)
def test_what_is_no_still_pose(change, told):
    refusal = still_pose(*change(*at_rest()), RATE_HZ).refusal
    assert refusal is not None
    assert told in refusal


def test_real_people_hold_still_before_they_begin_and_not_while_they_exercise(data_folder):
    for subject in ("s1", "s2", "s3"):
        with np.load(data_folder / "uci_physical_therapy" / f"{subject}_e1_test.npz") as data:
            acc, gyr = (data[name][:, 1].astype(float) for name in ("acc", "gyr"))
        refused = [still_pose(acc[k : k + 50], gyr[k : k + 50], 25.0).refusal for k in range(0, len(acc) - 50, 25)]
        assert any(one is None for one in refused[:20])
        moving = np.argmax([np.linalg.norm(gyr[k : k + 50]) for k in range(0, len(gyr) - 50, 25)])
        assert "not still" in refused[moving]


def test_a_sensor_upside_down_or_turned_is_told():
    up, axis = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    assert check_mounting("thigh", up, up, axis, axis).refusal is None
    assert check_mounting("thigh", up, up, (0.0, 0.0, -1.0), axis).refusal is None, "an axis has no sense"
    down = check_mounting("thigh", (0.0, -1.0, 0.0), up)
    assert down.fault is Fault.UPSIDE_DOWN
    assert "the other way up than last time" in down.refusal
    aside = check_mounting("thigh", up, up, (0.7, 0.0, 0.7), axis)
    assert aside.fault is Fault.TURNED
    assert "45° off from last time" in aside.refusal


def test_a_slipped_sensor_is_told():
    assert check_slipped("shank", (0.0, 1.0, 0.0), (0.1, 0.995, 0.0)).refusal is None
    assert check_slipped("shank", (0.0, 1.0, 0.0), (0.5, 0.866, 0.0)).fault is Fault.SLIPPED
    assert check_slipped("shank", (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)).off_deg == 180.0, (
        "an axis has the movement's sense"
    )
    assert check_rest("shank", (0.0, 1.0, 0.0), (0.5, 0.866, 0.0)).fault is Fault.MOVED
    assert "lower leg" in check_rest(plain_name("right_shank"), (0.0, 1.0, 0.0), (0.5, 0.866, 0.0)).refusal


def test_a_loose_strap_is_told_from_soft_tissue(data_folder):
    """Foam trembles by 1.2 to 1.5°; the same with three times the trembling is a loose strap."""
    with np.load(data_folder / "ring_chain" / "trial1.npz") as data:
        foam, rigid = (data[f"gyr_{mounting}"][:800].astype(float) for mounting in ("nonrigid", "rigid"))
    for k in range(1, 5):
        assert check_strap("thigh", foam[:, k], 40.0).refusal is None
        assert check_strap("thigh", rigid[:, k], 40.0).off_deg < check_strap("thigh", foam[:, k], 40.0).off_deg
        assert check_strap("thigh", rigid[:, k] + 3 * (foam[:, k] - rigid[:, k]), 40.0).fault is Fault.LOOSE


UCI_MOVES = {"shank": (True, True), "thigh": (False, True), "other leg": (False, False)}
UCI_UNITS = {"shank": 1, "thigh": 2, "other leg": 0}


@pytest.mark.parametrize("subject", ["s1", "s2", "s3"])
def test_real_people_show_which_sensor_is_where(data_folder, subject):
    """By straightening the knee and by raising the straight leg."""
    turned = {name: [] for name in UCI_UNITS}
    for exercise in ("e1", "e3"):
        with np.load(data_folder / "uci_physical_therapy" / f"{subject}_{exercise}_template.npz") as data:
            gyr, first, last = data["gyr"].astype(float), *np.round(data["reps"][0, :2]).astype(int)
        for name, unit in UCI_UNITS.items():
            turned[name].append(turned_deg(gyr[first:last, unit], 25.0))
    found = which_is_where({f"sensor on {name}": one for name, one in turned.items()}, UCI_MOVES)
    assert found.refusal is None
    assert found.segment_of == {f"sensor on {name}": name for name in UCI_UNITS}


def test_sensors_that_turn_alike_are_not_told_apart():
    moves = {"right_shank": [True, True], "right_thigh": [False, True], "chest": [False, False]}
    sure = which_is_where({"A": [5, 3], "B": [70, 60], "C": [8, 55]}, moves)
    assert sure.segment_of == {"A": "chest", "B": "right_shank", "C": "right_thigh"}
    unsure = which_is_where({"A": [5, 3], "B": [70, 60], "C": [50, 55]}, moves)
    assert unsure.refusal == (
        "Which sensors are on your right shank and right thigh is not clear. Move one of these at a time, slowly."
    )


@pytest.mark.parametrize(
    ("turned", "expected", "sure"),
    [((80, 20), (1.0, 0.18), True), ((80, 60), (1.0, 0.18), False), ((80, 2), (1.0, 0.47), True),
     ((80, 20), (1.0, 0.47), False)],
)  # fmt: skip
def test_both_what_should_be_and_what_was_must_be_clear(turned, expected, sure):
    """A step up and a squat, as drawn; 2 (1 - s)(1 - t)."""
    moves = {"thigh": [expected[0]], "shank": [expected[1]]}
    found = which_is_where({"thigh": [turned[0]], "shank": [turned[1]]}, moves)
    assert (found.refusal is None) is sure
    assert found.margin == pytest.approx(2 * (1 - expected[1]) * (1 - turned[1] / turned[0]))
    exchanged = which_is_where({"thigh": [turned[1]], "shank": [turned[0]]}, moves)
    assert exchanged.segment_of == {"thigh": "shank", "shank": "thigh"}


def test_sensors_on_segments_that_do_much_the_same_stay_where_they_are_said_to_be():
    """Raising the arm: upper arm and forearm turn alike, and the chest a little more than the pelvis."""
    moves = {"upper_arm": [1.0], "forearm": [0.9], "chest": [0.0], "pelvis": [0.1]}
    as_said = {"upper_arm": [70.0], "forearm": [90.0], "chest": [9.0], "pelvis": [2.0]}
    assert which_is_where(as_said, moves).segment_of == {one: one for one in moves}
    exchanged = which_is_where({**as_said, "upper_arm": [9.0], "chest": [70.0]}, moves)
    assert exchanged.refusal is None
    assert exchanged.segment_of == {
        "upper_arm": "chest",
        "chest": "upper_arm",
        "forearm": "forearm",
        "pelvis": "pelvis",
    }


def test_movements_that_cannot_tell_are_a_mistake_of_who_asks():
    with pytest.raises(ValueError, match="the same in all"):
        which_is_where({"A": [1.0], "B": [2.0]}, {"thigh": [True], "shank": [True]})
    with pytest.raises(ValueError, match="the same in all"):
        which_is_where({"A": [1.0], "B": [2.0]}, {"thigh": [1.0], "shank": [0.6]})
    with pytest.raises(ValueError, match="1 sensors for 2 segments"):
        which_is_where({"A": [1.0]}, {"thigh": [True], "shank": [False]})


def test_a_zero_is_verified_only_by_a_goniometer():
    measured = joint_zero(0.0, goniometer_deg=12.0)
    assert (measured.flexion_deg, measured.source, measured.verified) == (12.0, Zero.GONIOMETER, True)
    assumed = joint_zero(0.0)
    assert (assumed.flexion_deg, assumed.source, assumed.verified) == (0.0, Zero.REST_POSE_UNVERIFIED, False)
    with pytest.raises(ValueError, match="cannot be"):
        joint_zero(0.0, goniometer_deg=400.0)
