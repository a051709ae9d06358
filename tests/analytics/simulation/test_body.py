from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.exercise import Side
from analytics.domain.session import FormLabel
from analytics.simulation.body import GRAVITY_M_S2, seated_knee_extensions


@pytest.fixture(scope="module")
def ideal_body():
    rng = np.random.default_rng(5)
    return seated_knee_extensions(3, rng, noise=0, thigh_motion=0, skin_motion_deg=0)


def test_at_rest_the_accelerometer_has_gravity_and_the_gyroscope_nothing(ideal_body):
    still = ideal_body.time_s < ideal_body.repetitions[0].start_s - 0.1
    for acc, gyr in ideal_body.sensors.values():
        assert np.linalg.norm(acc[still], axis=1) == pytest.approx(GRAVITY_M_S2, abs=1e-6)
        assert np.abs(gyr[still]).max() < 1e-9


def test_the_shank_turns_at_the_rate_of_the_joint(ideal_body):
    _, gyr = ideal_body.sensors["right_shank"]
    truth = np.gradient(np.radians(ideal_body.flexion_deg), ideal_body.time_s)
    assert np.linalg.norm(gyr, axis=1)[1:-1] == pytest.approx(np.abs(truth)[1:-1], abs=0.01)


def test_centripetal_and_tangential_acceleration(ideal_body):
    """On a circle of radius r about a resting knee, specific force less gravity is r·√(ω⁴ + α²) long; with the gravity
    vector unknown in the sensor's frame, its squared length is compared against the plane geometry."""
    acc, _ = ideal_body.sensors["right_shank"]
    # The sensor's place is (0.32, 0.03, 0.02) m: in the plane of movement the knee is √(0.32² + 0.02²) m away.
    radius, lead = np.hypot(0.32, 0.02), np.arctan2(0.02, 0.32)
    angle = np.radians(ideal_body.flexion_deg)  # below the horizontal
    step = ideal_body.time_s[1] - ideal_body.time_s[0]
    x, z = radius * np.cos(angle - lead), -radius * np.sin(angle - lead)
    force = np.hypot(np.gradient(np.gradient(x, step), step), np.gradient(np.gradient(z, step), step) + GRAVITY_M_S2)
    assert np.linalg.norm(acc, axis=1)[3:-3] == pytest.approx(force[3:-3], abs=0.05)
    assert np.ptp(force) > 0.3, "the movement is fast enough for the terms to show"


def test_truth_is_what_was_asked_for():
    labels = [FormLabel.CORRECT, FormLabel.TOO_FAST, FormLabel.LOW_AMPLITUDE]
    body = seated_knee_extensions(labels, np.random.default_rng(1), side=Side.LEFT, range_deg=60)
    assert set(body.sensors) == {"left_thigh", "left_shank"}
    assert [one.label for one in body.repetitions] == labels
    slow, fast, small = body.repetitions
    assert fast.end_s - fast.start_s < 0.6 * (slow.end_s - slow.start_s)
    assert small.excursion_deg < 0.85 * slow.excursion_deg
    for one in body.repetitions:
        peak = np.interp(one.peak_s, body.time_s, body.flexion_deg)
        assert 90 - peak == pytest.approx(one.excursion_deg, abs=0.01)


def test_same_seed_same_body_and_another_mounting_for_another_seed():
    one, same, other = (seated_knee_extensions(1, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one.sensors["right_shank"][0], same.sensors["right_shank"][0])
    assert not np.allclose(one.sensors["right_shank"][0][0], other.sensors["right_shank"][0][0], atol=0.5)


def test_nobody_moves():
    body = seated_knee_extensions(0, np.random.default_rng(0))
    assert body.repetitions == ()
    assert np.ptp(body.flexion_deg) == 0
