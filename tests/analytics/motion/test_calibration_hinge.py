from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analytics.motion.calibration import functional_hinge, walks
from analytics.motion.orientation import OrientationFilter

RATE_HZ = 50.0
UP = np.array([0.0, 0.0, 9.81])
MOUNTS = Rotation.random(2, np.random.default_rng(7))


def quaternions(rotation):
    return rotation.as_quat()[:, [3, 0, 1, 2]]


def about(axis, angle_deg):
    return Rotation.from_euler(axis, angle_deg[:, None], degrees=True)


def leg(thigh_deg, knee_deg, hip_m, *, out_of_plane_deg=0.0, heading_deg=-70.0):
    """Two segments that bend about y: orientations as two filters of unlike heading tell them, forces, time.

    The thigh hangs from the hip at `thigh_deg` from the vertical, the knee bends the shank back.
    """
    n = len(thigh_deg)
    thigh = about("x", np.broadcast_to(out_of_plane_deg, n)) * about("y", -thigh_deg)
    shank = thigh * about("y", knee_deg)
    down = np.array([0.0, 0.0, -1.0])
    knee_m = hip_m + thigh.apply(0.42 * down)
    places = hip_m + thigh.apply(0.25 * down), knee_m + shank.apply(0.2 * down)
    forces = [np.gradient(np.gradient(p, 1 / RATE_HZ, axis=0), 1 / RATE_HZ, axis=0) + UP for p in places]
    worn = [segment * mount for segment, mount in zip((thigh, shank), MOUNTS, strict=True)]
    acc = np.stack([q.inv().apply(f) for q, f in zip(worn, forces, strict=True)], axis=1)
    off = Rotation.from_euler("z", heading_deg, degrees=True)
    return quaternions(worn[0]), quaternions(off * worn[1]), np.arange(n) / RATE_HZ, acc


def squats(seconds=15.0):
    """Thigh and shank turn against each other, in one plane; the hip goes down and back."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    bent = 0.5 - 0.5 * np.cos(2 * np.pi * t / 3.0)
    hip_m = np.stack([-0.25 * bent, 0 * bent, 0.8 - 0.4 * bent], axis=1)
    return leg(80 * bent, 110 * bent, hip_m)


def swinging(seconds=15.0, seed=0):
    """Both segments move, the leg out of its plane as well."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    a, b, c = (np.sin(2 * np.pi * t / period + rng.uniform(0, 6)) for period in (2.7, 3.1, 4.3))
    return leg(20 + 25 * a, 45 - 40 * b, 0.1 * np.stack([a, b, c], axis=1), out_of_plane_deg=20 * c)


def off_deg(found, k):
    axis = MOUNTS[k].inv().apply([0.0, 1.0, 0.0])
    return np.degrees(np.arccos(np.clip(abs(np.dot((found.proximal_axis, found.distal_axis)[k], axis)), 0, 1)))


def test_the_axis_in_both_sensors_while_both_segments_move():
    proximal, distal, time_s, acc = swinging()
    found = functional_hinge(proximal, distal, time_s, acc_m_s2=acc)
    assert found.refusal is None
    assert max(off_deg(found, 0), off_deg(found, 1)) < 1
    assert np.degrees(found.heading_rad) % 360 == pytest.approx(70, abs=1)
    assert found.excursion_deg == pytest.approx(80, abs=2)


def test_both_axes_point_the_way_the_movement_goes_first():
    for sign, begin_deg in product((1.0, -1.0), (-60, 0, 50, 120)):
        t = np.arange(600) / RATE_HZ
        knee = begin_deg + sign * 30 * (1 - np.cos(2 * np.pi * t / 3))
        thigh, lean = 15 * np.sin(2 * np.pi * t / 5), 15 * np.sin(2 * np.pi * t / 4)
        proximal, distal, time_s, acc = leg(thigh, knee, np.zeros((600, 3)), out_of_plane_deg=lean)
        found = functional_hinge(proximal, distal, time_s, acc_m_s2=acc)
        for k, axis in enumerate((found.proximal_axis, found.distal_axis)):
            assert np.dot(MOUNTS[k].apply(axis), [0.0, sign, 0.0]) == pytest.approx(1, abs=0.01)


def test_of_two_headings_half_a_turn_apart_the_joints_own_acceleration_tells():
    """A squat fits two headings: with the wrong one the knee would bend by 30° instead of 110°."""
    proximal, distal, time_s, acc = squats()
    found = functional_hinge(proximal, distal, time_s, acc_m_s2=acc, joint="knee")
    assert found.refusal is None
    assert found.likelier > 3
    assert found.excursion_deg == pytest.approx(110, abs=2)
    in_doubt = functional_hinge(proximal, distal, time_s, joint="knee")
    assert in_doubt.refusal is not None
    assert "not clear which way your knee bends" in in_doubt.refusal


def test_a_thigh_that_lies_still_is_no_hindrance():
    t = np.arange(round(15 * RATE_HZ)) / RATE_HZ
    knee = 90 - 35 * (1 - np.cos(2 * np.pi * t / 3))
    proximal, distal, time_s, acc = leg(np.full(len(t), 90.0), knee, np.zeros((len(t), 3)))
    found = functional_hinge(proximal, distal, time_s, acc_m_s2=acc)
    assert found.refusal is None
    assert off_deg(found, 1) < 1
    assert found.heading_error_rad > np.radians(20), "its heading shows in nothing it does"
    assert found.excursion_deg == pytest.approx(70, abs=1)


def test_what_is_refused_and_what_to_do():
    proximal, distal, time_s, acc = swinging()

    def refusal(proximal=proximal, distal=distal, time_s=time_s, **more):
        return functional_hinge(proximal, distal, time_s, acc_m_s2=acc[: len(time_s)], joint="knee", **more).refusal

    assert refusal(least_excursion_deg=100) == (
        "Your knee moved by 80° only. Do five slow repetitions, as far as is comfortable."
    )
    assert "too short" in refusal(proximal[:60], distal[:60], time_s[:60])
    ball = Rotation.from_quat(proximal[:, [1, 2, 3, 0]]) * Rotation.from_euler(
        "xyz", 40 * np.sin(np.outer(time_s, [2.0, 1.3, 1.7])), degrees=True
    )
    assert "more than one direction" in refusal(distal=quaternions(ball))
    slipped = distal.copy()
    half = len(distal) // 2
    late = Rotation.from_quat(distal[half:, [1, 2, 3, 0]]) * Rotation.from_euler("xyz", [0, 15, 15], degrees=True)
    slipped[half:] = quaternions(late)
    assert "slipped" in refusal(distal=slipped)
    with pytest.raises(ValueError, match="samples"):
        refusal(proximal[:5], distal[:5], time_s[:5])


def test_a_calibration_while_walking_is_refused(data_folder):
    """The forces of real feet that walk, on a leg that bends as it should."""
    with np.load(data_folder / "gaitmap_feet" / "healthy_2x20m.npz") as data:
        feet = data["acc"][::4].astype(float)
    proximal, distal, time_s, _ = swinging()
    acc = feet[300 : 300 + len(time_s)]
    refusal = functional_hinge(proximal, distal, time_s, acc_m_s2=acc).refusal
    assert refusal == "You were walking. Stand or sit in one place and do five slow repetitions there."


@pytest.mark.parametrize("name", ["HA_001_TimeMeasure1_Test5_Trial1", "MS_001_TimeMeasure1_Test5_Trial1"])
def test_walking_shows_on_the_lower_back(data_folder, name):
    with np.load(data_folder / "mobgap_lowback" / f"{name}.npz") as data:
        assert walks(data["acc"].astype(float), 100.0)


def test_exercise_is_no_walking(data_folder):
    """Of 20 s windows of three people at seated knee extension and raising a straight leg, on five segments."""
    told = []
    for path in sorted((data_folder / "uci_physical_therapy").glob("s*_e[13]_test.npz")):
        with np.load(path) as data:
            acc = data["acc"].astype(float)
        told += [walks(acc[k : k + 500, s], 25.0) for k in range(0, len(acc) - 500, 500) for s in range(5)]
    assert len(told) > 300
    assert sum(told) <= 1


@pytest.mark.parametrize("mounting", ["rigid", "nonrigid"])
def test_a_real_chains_hinges_are_found_the_same_in_other_20_seconds(data_folder, mounting):
    """On foam Olsson's axis is wrong by up to 87°; ours differ by less than 3° between unlike movements."""
    with np.load(data_folder / "ring_chain" / "trial1.npz") as data:
        acc, gyr = (data[f"{name}_{mounting}"][:1600].astype(float) for name in ("acc", "gyr"))
    followed = OrientationFilter(40.0, 5)
    q = np.stack([followed.update(g, a).copy() for g, a in zip(gyr, acc, strict=True)])
    time_s = np.arange(1600) / 40.0
    for one in (1, 2, 3):
        found = [
            functional_hinge(q[part, one], q[part, one + 1], time_s[part], acc_m_s2=acc[part, one : one + 2])
            for part in (slice(800), slice(800, 1600))
        ]
        assert [f.refusal for f in found] == [None, None]
        assert abs(np.dot(found[0].distal_axis, found[1].distal_axis)) > np.cos(np.radians(3))
        assert abs(np.dot(found[0].proximal_axis, found[1].proximal_axis)) > np.cos(np.radians(3))
    ball = functional_hinge(q[:800, 0], q[:800, 1], time_s[:800], acc_m_s2=acc[:800, :2])
    assert ball.refusal is not None
    assert "more than one direction" in ball.refusal
