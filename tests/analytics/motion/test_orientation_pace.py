"""A sensor that takes more or fewer samples than it was set to."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.motion.orientation.pace import SamplingPace
from analytics.motion.orientation.readings import Complaint

RATE_HZ = 50.0


def paced(time_s, sensor_time_s, size=10, restarted=None):
    pace = SamplingPace(RATE_HZ)
    us = np.round(1e6 * sensor_time_s).astype(np.int64)
    restarted = np.arange(len(us)) == 0 if restarted is None else restarted
    cuts = [slice(i, i + size) for i in range(0, len(time_s), size)]
    shares = [pace.update(time_s[cut], us[cut], restarted[cut]) for cut in cuts]
    return pace, np.concatenate(shares)


@pytest.mark.parametrize("share", [0.9, 1.1])
@pytest.mark.parametrize("seen_by", ["count", "clock of samples counted", "both"])
def test_a_tenth_off_is_known_in_three_seconds_and_measured(share, seen_by):
    n = np.arange(600)
    time_s = 7.0 + n / RATE_HZ / (1.0 if seen_by == "clock of samples counted" else share)
    sensor_s = time_s.copy() if seen_by == "count" else 3.0 + (time_s - 7.0) * share
    pace, shares = paced(time_s, sensor_s)
    first_s = time_s[int((shares != 1.0).argmax())] - 7.0
    assert 1.0 < first_s < 3.0
    assert shares[-1] == pytest.approx(share, abs=0.005)
    assert pace.fault is not None
    assert pace.fault.complaint is Complaint.SAMPLING_RATE
    assert f"takes {share * RATE_HZ:.0f} samples a second, not 50" in pace.fault.sentence


@pytest.mark.parametrize("share", [0.97, 0.99, 1.01, 1.03])
def test_what_sensors_are_usually_off_by_is_let_be(share):
    time_s = np.arange(6000) / RATE_HZ / share
    pace, shares = paced(time_s, np.arange(6000) / RATE_HZ)
    assert pace.fault is None
    assert (shares == 1.0).all()


def test_a_clock_that_settles_and_packets_that_wait_are_let_be():
    rng = np.random.default_rng(0)
    n = np.arange(3000)
    moved_s = 0.09 * np.exp(-n / 300) + 0.002 * rng.normal(size=len(n))
    pace, shares = paced(np.sort(n / RATE_HZ + moved_s), n / RATE_HZ)
    assert pace.fault is None
    assert (shares == 1.0).all()


@pytest.mark.parametrize("size", [1, 7, 600])
def test_packets_change_nothing(size):
    time_s = np.arange(600) / 55.0
    _, by_ten = paced(time_s, np.arange(600) / RATE_HZ)
    _, shares = paced(time_s, np.arange(600) / RATE_HZ, size)
    np.testing.assert_array_equal(shares, by_ten)


@pytest.mark.parametrize("size", [1, 7, 600])
def test_after_a_gap_what_is_known_stays_and_is_counted_anew(size):
    n = np.arange(600)
    time_s = n / 55.0 + np.where(n >= 300, 60.0, 0.0)
    _, shares = paced(time_s, n / 55.0, size, restarted=n == 300)
    assert shares[300] == shares[299]
    assert shares[-1] == pytest.approx(1.1, abs=0.005)


@pytest.mark.parametrize("size", [1, 7, 600])
def test_a_gap_is_no_slow_sensor(size):
    n = np.arange(600)
    time_s = n / RATE_HZ + np.where(n >= 300, 3.0, 0.0)
    pace, shares = paced(time_s, time_s, size, restarted=n == 300)
    assert pace.fault is None
    assert (shares == 1.0).all()
