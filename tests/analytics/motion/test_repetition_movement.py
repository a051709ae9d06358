"""Counting from one sensor: on drawn movements whose truth is known, and on people's sets and walks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.motion.repetition import Reason
from analytics.motion.repetition.movement_counter import MovementCounter

RATE_HZ = 50.0


def arm(excursions_deg, *, seconds=2.5, pause_s=0.8, lead_s=6.0, tail_s=6.0, tilt=None):
    """A forearm raised and lowered about its z axis so many times, from rest: times, acc, gyr in the sensor's frame."""
    still = [np.zeros(round(s * RATE_HZ)) for s in (lead_s, pause_s, tail_s)]
    phase = np.linspace(0, 2 * np.pi, round(seconds * RATE_HZ), endpoint=False)
    reps = [piece for e in excursions_deg for piece in (np.radians(e) * (1 - np.cos(phase)) / 2, still[1])]
    angle = np.concatenate([still[0], *reps, still[2]])
    rng = np.random.default_rng(3)
    gyr = np.stack([0 * angle, 0 * angle, np.gradient(angle) * RATE_HZ], axis=1) + rng.normal(0, 0.01, (len(angle), 3))
    acc = 9.81 * np.stack([np.sin(angle), np.cos(angle), 0 * angle], axis=1) + rng.normal(0, 0.05, (len(angle), 3))
    if tilt is not None:
        acc, gyr = acc @ tilt.T, gyr @ tilt.T
    return np.arange(len(angle)) / RATE_HZ, acc, gyr


def count(time_s, acc, gyr, cuts=()):
    counter = MovementCounter()
    found = []
    for part in np.split(np.arange(len(time_s)), sorted(cuts)):
        found += counter.update(time_s[part], acc[part], gyr[part])
    return found + counter.finish(), counter.refused()


@pytest.fixture(scope="module")
def watch(data_folder):
    """A set of 20 by name: times, acc, gyr."""

    def load(name):
        with np.load(data_folder / "spar_watch" / f"{name}.npz") as set_:
            return set_["t"], set_["acc"].astype(float), set_["gyr"].astype(float)

    return load


@given(st.integers(3, 8), st.floats(30, 140), st.floats(1.2, 5.0), st.floats(0.0, 1.5))
@settings(max_examples=25)
def test_each_movement_counts_once(number, excursion_deg, seconds, pause_s):
    found, _ = count(*arm([excursion_deg] * number, seconds=seconds, pause_s=pause_s))
    assert len(found) == number
    assert all(one.end_s <= following.start_s + 0.1 for one, following in pairwise(found))


def test_the_third_tells_three():
    found, _ = count(*arm([70] * 5))
    ends_s = [6.0 + 2.5 + k * 3.3 for k in range(5)]
    assert [round(one.end_s - end, 1) for one, end in zip(found, ends_s, strict=True)] == pytest.approx(
        [0] * 5, abs=0.4
    )
    assert [one.told_s for one in found[:3]] == [found[2].told_s] * 3
    assert all(one.told_s - end < 1.5 for one, end in zip(found[2:], ends_s[2:], strict=True))


def test_two_are_no_set():
    assert count(*arm([70, 70])) == ([], [])


def joined(*parts):
    """One after the other, on one clock."""
    acc, gyr = (np.concatenate(columns) for columns in list(zip(*parts, strict=True))[1:])
    return np.arange(len(acc)) / RATE_HZ, acc, gyr


def test_three_of_one_size_and_time_that_differ_are_no_set():
    parts = []
    for sideways in (0.0, 1.3, -1.3):
        time_s, acc, gyr = arm([70], lead_s=1.0, tail_s=0.0)
        gyr[:, 0] += sideways * gyr[:, 2]
        parts.append((time_s, acc, gyr))
    assert count(*joined(*parts, arm([], lead_s=3.0)))[0] == []


def test_quick_ones_after_slow_ones_are_not_counted_in_pairs():
    slow, quick = (
        arm([70] * 4, seconds=4.0, pause_s=0.3, tail_s=0.0),
        arm([70] * 6, seconds=1.6, pause_s=0.3, lead_s=0.0),
    )
    assert len(count(*joined(slow, quick))[0]) == 10


def test_stillness_and_noise_count_nothing():
    rng = np.random.default_rng(0)
    n = round(300 * RATE_HZ)
    acc = np.array([0, 0, 9.81]) + rng.normal(0, 0.2, (n, 3))
    assert count(np.arange(n) / RATE_HZ, acc, rng.normal(0, 0.1, (n, 3)) + 0.03) == ([], [])


def test_unstructured_movement_counts_nothing():
    """Turning about at random, as large and as quick as exercises, for ten minutes."""
    rng = np.random.default_rng(1)
    n = round(600 * RATE_HZ)
    knots = rng.normal(0, 1.0, (300, 3))
    gyr = np.stack([np.interp(np.arange(n), np.linspace(0, n, 300), column) for column in knots.T], axis=1)
    found, _ = count(np.arange(n) / RATE_HZ, np.tile([0.0, 0.0, 9.81], (n, 1)), gyr)
    assert len(found) <= 2, "0.2 per minute"


def after_a_pause(sideways):
    """Six repetitions, ten seconds of rest, and one more that turns sideways as well."""
    _, acc, gyr = arm([90] * 6, tail_s=10.0)
    _, one_acc, one_gyr = arm([90], lead_s=0.0)
    one_gyr[:, 0] += sideways * one_gyr[:, 2]
    acc, gyr = np.concatenate([acc, one_acc]), np.concatenate([gyr, one_gyr])
    return np.arange(len(acc)) / RATE_HZ, acc, gyr


def test_one_alone_after_a_pause_counts_if_it_is_much_alike():
    found, refused = count(*after_a_pause(0.0))
    assert (len(found), refused) == (7, [])


def test_one_alone_after_a_pause_is_told_if_it_is_only_a_little_alike():
    """It may be the first of more, so it is told when the next is none."""
    time_s, acc, gyr = after_a_pause(0.8)
    found, refused = count(time_s, acc, gyr)
    assert len(found) == 6
    assert [one.reason for one in refused] == [Reason.ALONE]
    assert refused[0].start_s > 35.0


def test_a_gap_inside_is_not_counted_and_the_rest_is():
    time_s, acc, gyr = arm([70] * 8)
    gap = (time_s > 6.0 + 4 * 3.3 + 1.0) & (time_s < 6.0 + 4 * 3.3 + 2.4)
    found, refused = count(time_s[~gap], acc[~gap], gyr[~gap])
    assert len(found) == 7
    assert Reason.INTERRUPTED in {one.reason for one in refused}
    assert not any(one.start_s < 19.5 and one.end_s > 21.0 for one in found)


def test_missing_values_and_a_clock_set_back_change_nothing():
    time_s, acc, gyr = arm([70] * 5)
    expected, _ = count(time_s, acc, gyr)
    acc[400:403], gyr[700] = np.nan, np.nan
    found, _ = count(np.where(time_s > 15, time_s - 0.3, time_s), acc, gyr)
    assert len(found) == len(expected) == 5


@given(st.lists(st.integers(1, 2240), max_size=12))
@settings(max_examples=15)
def test_packets_change_nothing(watch, cuts):
    """And so online equals batch, which is one packet."""
    samples = [column[:1200] for column in watch("s01_ABD_R")]
    assert count(*samples, cuts=cuts) == count(*samples)


@pytest.mark.parametrize("seed", range(3))
def test_how_the_watch_is_turned_changes_nothing(watch, seed):
    time_s, acc, gyr = watch("s06_FEL_R")
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    found, expected = count(time_s, acc @ turn.T, gyr @ turn.T)[0], count(time_s, acc, gyr)[0]
    assert [(one.start_s, one.end_s) for one in found] == [(one.start_s, one.end_s) for one in expected]


@pytest.mark.parametrize("name", ["s01_PEN_R", "s05_IR_L", "s06_FEL_R", "s08_ROW_R", "s09_ER_L", "s09_TRAP_R"])
def test_twenty_of_a_set(watch, name):
    assert abs(len(count(*watch(name))[0]) - 20) <= 1


@pytest.mark.parametrize("sensor", [0, 1])
def test_feet_that_walk_and_climb_are_not_exercising(data_folder, sensor):
    for name in ("healthy_2x20m", "healthy_stair_up"):
        with np.load(data_folder / "gaitmap_feet" / f"{name}.npz") as walk:
            acc, gyr = walk["acc"][:, sensor], walk["gyr"][:, sensor]
        assert count(np.arange(len(acc)) / 204.8, acc, gyr)[0] == []


def test_a_back_that_walks_turns_and_sits_is_not_exercising(data_folder):
    with np.load(data_folder / "mobgap_lowback" / "HA_001_TimeMeasure1_Test11_Trial1.npz") as day:
        acc, gyr = day["acc"], day["gyr"]
    assert count(np.arange(len(acc)) / 100.0, acc, gyr)[0] == []
