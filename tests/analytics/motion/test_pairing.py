from __future__ import annotations

import numpy as np
import pytest

from analytics.motion.orientation import OrientedSample
from analytics.motion.pairing import LONGEST_WAIT_S, SensorPair
from analytics.motion.quaternion import about_vertical


def sample(time_s, heading=0.0, restarted=False):
    return OrientedSample(time_s, round(time_s * 1e6), about_vertical(heading), (time_s, 0.0, 0.0), restarted)


def test_a_distal_sample_waits_for_the_proximal_sensor_and_is_interpolated():
    pair = SensorPair()
    assert pair.add_proximal([sample(0.0, 0.0), sample(0.1, 0.1)]) == []
    (at_once,) = pair.add_distal([sample(0.05), sample(0.15)])
    assert at_once.proximal == pytest.approx(about_vertical(0.05), abs=1e-6)
    assert at_once.proximal_rate_rad_s[0] == pytest.approx(0.05)
    assert at_once.restarted
    (later,) = pair.add_proximal([sample(0.2, 0.2)])
    assert later.proximal == pytest.approx(about_vertical(0.15), abs=1e-6)
    assert not later.restarted


def test_samples_at_the_same_instant_do_not_wait():
    pair = SensorPair()
    pair.add_proximal([sample(0.0), sample(0.1)])
    assert [one.time_s for one in pair.add_distal([sample(0.0), sample(0.1)])] == [0.0, 0.1]


def test_no_instant_in_a_gap_and_the_restart_is_told_once():
    pair = SensorPair()
    pair.add_distal([sample(k / 10) for k in range(10)])
    found = pair.add_proximal([sample(0.0), sample(0.25), sample(0.61, restarted=True), sample(0.95)])
    assert [one.time_s for one in found] == pytest.approx([0.0, 0.1, 0.2, 0.7, 0.8, 0.9])
    assert [one.restarted for one in found] == [True, False, False, True, False, False]


def test_waiting_is_bounded():
    pair = SensorPair()
    for k in range(3000):
        pair.add_distal([sample(k / 100)])
    found = pair.add_proximal([sample(k / 100) for k in range(3000)])
    assert found[0].time_s == pytest.approx(30.0 - LONGEST_WAIT_S, abs=0.1)
    assert found[0].restarted
    assert found[-1].time_s == pytest.approx(29.99)


def test_any_order_of_arrival_gives_the_same():
    rng = np.random.default_rng(0)
    proximal = [sample(t, t, k in (40, 41)) for k, t in enumerate(np.cumsum(rng.uniform(0.005, 0.03, 200)))]
    distal = [sample(t, restarted=k == 70) for k, t in enumerate(np.cumsum(rng.uniform(0.005, 0.03, 200)))]

    def run(steps):
        pair, found, p, d = SensorPair(), [], 0, 0
        for to_proximal, size in steps:
            if to_proximal:
                found += pair.add_proximal(proximal[p : p + size])
                p += size
            else:
                found += pair.add_distal(distal[d : d + size])
                d += size
        return found + pair.add_proximal(proximal[p:]) + pair.add_distal(distal[d:])

    whole = run([(True, 200), (False, 200)])
    assert len(whole) > 150
    assert sum(one.restarted for one in whole) == 3
    for _ in range(20):
        steps = [(bool(rng.integers(2)), int(rng.integers(1, 9))) for _ in range(30)]
        assert run(steps) == whole
