from __future__ import annotations

import numpy as np
import pytest

from analytics.form.features import FEATURES, SHARE_LIMITS, UnusableMotionError, motion_features
from analytics.motion.events import RepetitionMotion


def test_features_of_a_known_movement(motion):
    features = dict(zip(FEATURES, motion_features(motion(60, 2.0, 1.0, 3.0), 80.0), strict=True))
    assert np.exp(features["log share of the reference excursion"]) == pytest.approx(0.75)
    assert np.exp(features["log duration"]) == pytest.approx(6.0)
    # A minimum-jerk movement is at 10 % after 0.2464 of its time and at 90 % after 0.7536.
    assert np.exp(features["log time out"]) == pytest.approx(2.0 * 0.5072, abs=0.06)
    assert np.exp(features["log time back"]) == pytest.approx(3.0 * 0.5072, abs=0.06)
    assert features["share of time near the turning point"] == pytest.approx((0.2464 * 5 + 1) / 6, abs=0.02)
    assert features["log path over twice the excursion"] == pytest.approx(0, abs=1e-6)


def test_rate_direction_and_clock_do_not_matter(motion):
    one = motion(rate_hz=25.0)
    fine = motion(rate_hz=100.0)
    flexion = RepetitionMotion(fine.time_s + 3600.0, 90 - (fine.flexion_deg - 90))
    assert motion_features(one, 75) == pytest.approx(motion_features(flexion, 75), abs=0.08)


def test_far_too_little_and_more_than_enough_are_as_at_the_limits(motion):
    small, large = (motion_features(motion(e), 75.0)[0] for e in (20.0, 110.0))
    assert np.exp([small, large]) == pytest.approx(SHARE_LIMITS)


@pytest.mark.parametrize(
    ("time_s", "flexion_deg", "says"),
    [
        ([], [], "not measured completely"),
        ([0, 1, 2], [90, np.nan, 90], "not measured completely"),
        ([0, 0.1, 0.2], [90, 60, 90], "too short"),
        ([0, 2, 1], [90, 60, 90], "too short"),
        ([0, 1, 2], [90, 90, 90], "did not move"),
    ],
)
def test_what_cannot_be_measured_says_why(time_s, flexion_deg, says):
    with pytest.raises(UnusableMotionError, match=says):
        motion_features(RepetitionMotion(np.array(time_s, float), np.array(flexion_deg, float)), 75)
