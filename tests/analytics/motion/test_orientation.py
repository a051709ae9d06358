from __future__ import annotations

import numpy as np
import pytest
from one_sensor import OneSensor

from analytics.motion.orientation import BRIDGED_GAP_S
from analytics.motion.quaternion import conjugate, rotate
from analytics.motion.worn import LONGEST_SETTLING_S
from analytics.signals.samples import ImuSamples

RATE_HZ = 100.0


def turning(seconds, rate_deg_s=0.0, bias_deg_s=0.0, start_s=0.0):
    """A sensor turning about its horizontal x axis, gravity as it would be measured."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    angle = np.radians(rate_deg_s) * t
    acc = 9.81 * np.stack([np.zeros_like(t), np.sin(angle), np.cos(angle)], 1)
    gyr = np.radians([[rate_deg_s + bias_deg_s, bias_deg_s, bias_deg_s]] * len(t))
    return ImuSamples(np.round((start_s + t) * 1e6).astype(np.int64), acc, gyr), start_s + t


def tilt_deg(one):
    up = rotate(conjugate(one.orientation), (0.0, 0.0, 1.0))
    return np.degrees(np.arctan2(up[1], up[2]))


def test_inclination_follows_the_turn():
    found = OneSensor(RATE_HZ).update(*turning(2.0, rate_deg_s=30))
    assert tilt_deg(found[-1]) == pytest.approx(30 * 1.99, abs=0.5)
    assert [one.restarted for one in found[:2]] == [True, False]


def test_a_bias_beyond_what_the_filter_believes_by_default_is_learned_at_rest():
    found = OneSensor(RATE_HZ).update(*turning(20.0, bias_deg_s=2.5))
    assert np.abs(found[-1].rate_rad_s).max() < np.radians(0.1)


def test_short_gaps_are_bridged_without_new_samples():
    filter_ = OneSensor(RATE_HZ)
    samples, time_s = turning(2.0, rate_deg_s=60)
    cut = slice(0, 100), slice(100 + round(BRIDGED_GAP_S * RATE_HZ), 200)
    _, after = (
        filter_.update(ImuSamples(samples.sensor_time_us[c], samples.acc_m_s2[c], samples.gyr_rad_s[c]), time_s[c])
        for c in cut
    )
    assert len(after) == 90
    assert not any(one.restarted for one in after)
    assert tilt_deg(after[-1]) == pytest.approx(60 * 1.99, abs=0.5)


def test_after_a_long_gap_the_filter_starts_anew_and_says_so_once_settled():
    filter_ = OneSensor(RATE_HZ)
    filter_.update(*turning(2.0))
    quiet = filter_.update(*turning(2.0, start_s=5.0))
    assert quiet[0].time_s == pytest.approx(5.5, abs=0.02)
    assert [one.restarted for one in quiet[:2]] == [True, False]
    moving = filter_.update(*turning(5.0, rate_deg_s=30, start_s=10.0))
    assert moving[0].time_s == pytest.approx(10 + LONGEST_SETTLING_S, abs=0.02)
    assert moving[0].restarted


def test_a_sensor_whose_clock_starts_again_is_a_restart():
    filter_ = OneSensor(RATE_HZ)
    filter_.update(*turning(2.0, start_s=100.0))
    again, time_s = turning(2.0)
    assert filter_.update(again, time_s + 102.0)[0].restarted


def test_samples_without_a_value_do_not_spoil_the_filter():
    samples, time_s = turning(2.0, rate_deg_s=30)
    samples.gyr_rad_s[50:53] = np.nan
    found = OneSensor(RATE_HZ).update(samples, time_s)
    assert len(found) == 197
    assert tilt_deg(found[-1]) == pytest.approx(30 * 1.99, abs=0.5)
