"""Walking range of the knee: curves of known range, and two real walkers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.motion import rotations
from analytics.motion.measures import UnmeasurableError
from analytics.motion.timed import knee_walking_range
from analytics.motion.timed.walking import cycle_ranges_deg


def knee(cycle_s=1.1, swing_deg=62.0, loading_deg=16.0, cycles=8, rate_hz=100.0, start=0.0):
    """Two humps a cycle, as a knee has: loading, and the swing."""
    time_s = np.arange(round(cycles * cycle_s * rate_hz)) / rate_hz
    phase = (time_s / cycle_s + start) % 1.0
    loading, swing = (np.exp(-(((phase - at) / width) ** 2)) for at, width in ((0.15, 0.07), (0.72, 0.1)))
    return time_s, loading_deg * loading + swing_deg * swing


@settings(max_examples=30)
@given(
    st.floats(0.8, 2.2),
    st.floats(20.0, 75.0),
    st.floats(0.0, 0.5),
    st.sampled_from([25.0, 60.0, 100.0]),
    st.floats(0, 1),
)
def test_each_cycle_has_the_range_it_has(cycle_s, swing_deg, loading_share, rate_hz, start):
    time_s, flexion = knee(cycle_s, swing_deg, loading_share * swing_deg, 8, rate_hz, start)
    found = knee_walking_range(time_s, flexion - 20.0, 2.0)
    assert found.value == pytest.approx(np.ptp(flexion), rel=0.02)
    assert found.error >= 2.0
    assert 5 <= len(cycle_ranges_deg(flexion, rate_hz)) <= 7


def test_steps_that_differ_make_it_less_sure():
    time_s, flexion = knee(cycles=10)
    limping = flexion * np.where((time_s // 1.1) % 2, 1.0, 0.8)
    assert knee_walking_range(time_s, limping, 2.0).value == pytest.approx(0.9 * np.ptp(flexion), rel=0.03)
    assert knee_walking_range(time_s, limping, 2.0).error > knee_walking_range(time_s, flexion, 2.0).error + 0.5


@pytest.mark.parametrize("flexion", [np.zeros(1000), 3.0 * np.sin(np.arange(1000) / 20.0)])
def test_standing_is_no_walk(flexion):
    with pytest.raises(UnmeasurableError, match="walk at least ten steps"):
        knee_walking_range(np.arange(1000) / 100.0, flexion, 2.0)


def test_two_swings_with_a_long_rest_between_are_no_cycle():
    time_s, flexion = knee(cycle_s=4.0, cycles=6)
    with pytest.raises(UnmeasurableError, match="Too few steps"):
        knee_walking_range(time_s, flexion, 2.0)


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_real_walk_has_its_steps_and_a_knee_s_range(data_folder, side):
    """24 s of walking with turns, orientations by the sensors' maker and no reference: what a knee does."""
    with np.load(data_folder / "opensense_example" / "xsens_walk.npz", allow_pickle=False) as stored:
        sensors, q = json.loads(str(stored["meta"]))["sensors"], stored["quat_imu"].astype(float)
    relative = rotations.relative(q[:, sensors.index(f"femur_{side}")], q[:, sensors.index(f"tibia_{side}")])
    turned = rotations.to_rotation_vector(rotations.multiply(relative, rotations.conjugate(relative[:1])))
    axis = np.linalg.svd(np.diff(turned, axis=0), full_matrices=False)[2][0]
    flexion = np.degrees(turned @ axis)
    flexion = flexion if flexion.max() > -flexion.min() else -flexion
    ranges = cycle_ranges_deg(flexion, 100.0)
    assert 8 <= len(ranges) <= 12
    assert all(50.0 < one < 80.0 for one in ranges)
