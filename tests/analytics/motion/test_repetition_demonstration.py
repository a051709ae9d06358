"""Subsequence warping against brute force, and on a real demonstration."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion.events import RepetitionDone
from analytics.motion.repetition import Reason
from analytics.motion.repetition.demonstrated_counter import DemonstratedCounter
from analytics.motion.repetition.demonstration import SubsequenceWarping
from analytics.motion.repetition.pose import RATE_HZ, PoseStream
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples

VALUES = st.floats(-3, 3, width=32)


def cheapest(demonstration, stream, end):
    """The cheapest path to (end, last row) over all starts, written down as the definition says, by recursion."""
    scale = 1.0 / max(float(((demonstration - demonstration.mean(axis=0)) ** 2).sum(axis=1).mean()), 1e-12)

    def local(t, i):
        return scale * float(((demonstration[i] - stream[t]) ** 2).sum())

    @cache
    def cost(t, i):
        if t < 0 or i < 0:
            return np.inf
        if i == 0:
            return local(t, 0)
        ways = [cost(t - 1, i - 1) + local(t, i), cost(t - 2, i - 1) + local(t, i)]
        if i > 1:
            ways.append(cost(t - 1, i - 2) + local(t, i - 1) + local(t, i))
        return min(ways)

    return cost(end, len(demonstration) - 1)


@given(arrays(np.float64, st.tuples(st.integers(2, 6), st.just(2)), elements=VALUES), st.data())
def test_costs_are_the_cheapest_over_all_starts(demonstration, data):
    stream = data.draw(arrays(np.float64, st.tuples(st.integers(1, 14), st.just(2)), elements=VALUES))
    warping = SubsequenceWarping(demonstration, limit=-1.0)  # nothing matches, so nothing is cleared
    for t, row in enumerate(stream):
        warping.update(row)
        found = float(warping._cost[1, -1])
        expected = cheapest(demonstration, stream, t)
        assert found == pytest.approx(expected, rel=1e-9) or (np.isinf(found) and np.isinf(expected))


def wave(samples, height=1.0):
    return height * np.sin(np.linspace(0, 2 * np.pi, samples, endpoint=False))[:, None]


def matches(demonstration, stream, limit=0.2):
    warping = SubsequenceWarping(demonstration, limit)
    found = [match for row in stream if (match := warping.update(row))]
    last = warping.finish()
    return [*found, last] if last else found


@given(st.lists(st.integers(32, 60), min_size=1, max_size=6), st.integers(0, 40))
def test_slower_and_quicker_ones_are_found_where_they_are(lengths, rest):
    """Within the band, 20 to 80 samples; the demonstration has 40."""
    parts, spans, at = [], [], 0
    for length in lengths:
        parts += [np.zeros((rest, 1)), wave(length)]
        spans.append((at + rest, at + rest + length - 1))
        at += rest + length
    found = matches(wave(40), np.concatenate([*parts, np.zeros((30, 1))]))
    assert len(found) == len(lengths)
    for match, (start, end) in zip(found, spans, strict=True):
        assert abs(match.start - start) <= 6
        assert abs(match.end - end) <= 6


def test_what_takes_three_times_as_long_is_not_it():
    assert matches(wave(30), wave(90), limit=0.1) == []
    assert len(matches(wave(30), wave(45), limit=0.1)) == 1


def test_something_else_is_not_it():
    rng = np.random.default_rng(0)
    assert matches(wave(40), np.concatenate([np.zeros((200, 1)), rng.normal(0, 0.3, (400, 1))])) == []


@pytest.mark.parametrize("shown", [np.zeros((1, 3)), np.full((5, 3), np.nan)])
def test_no_demonstration_is_refused(shown):
    with pytest.raises(ValueError, match="show the movement again"):
        SubsequenceWarping(shown, 1.0)


def test_one_demonstration_of_a_watch_counts_the_set(data_folder):
    """The first of 20 elevations of an arm, shown once, finds 20."""
    with np.load(data_folder / "spar_watch" / "s06_FEL_R.npz") as set_:
        poses = PoseStream().update(set_["t"], set_["acc"], set_["gyr"])
    rotation = np.array([pose.vector[:3] for pose in poses])
    rate = np.gradient(rotation, 1 / RATE_HZ, axis=0)
    assert abs(len(matches(rate[: round(1.92 * RATE_HZ)], rate, limit=1.0)) - 20) <= 1


def watch(data_folder):
    with np.load(data_folder / "spar_watch" / "s06_FEL_R.npz") as set_:
        return set_["t"].astype(np.float64), set_["acc"].astype(np.float64), set_["gyr"].astype(np.float64)


def shown(time_s, acc, gyr, until_s=1.95):
    part = time_s <= time_s[0] + until_s
    return DemonstratedCounter(time_s[part], acc[part], gyr[part])


def test_the_counter_finds_the_set_in_packets_of_any_size(data_folder):
    time_s, acc, gyr = watch(data_folder)
    found = []
    for size in (len(time_s), 7):
        counter = shown(time_s, acc, gyr)
        parts = [slice(k, k + size) for k in range(0, len(time_s), size)]
        found.append([one for p in parts for one in counter.update(time_s[p], acc[p], gyr[p])] + counter.finish())
    assert found[0] == found[1]
    assert abs(len(found[0]) - 20) <= 1
    for one, following in pairwise(found[0]):
        assert one.start_s < one.turned_s < one.end_s <= following.start_s + 0.3
        assert one.told_s - one.end_s < 1.0


def test_a_gap_is_told_and_what_comes_after_it_counts(data_folder):
    time_s, acc, gyr = watch(data_folder)
    whole = shown(time_s, acc, gyr)
    count = len([*whole.update(time_s, acc, gyr), *whole.finish()])
    kept = (time_s < time_s[0] + 15.0) | (time_s > time_s[0] + 20.0)
    counter = shown(time_s, acc, gyr)
    found = [*counter.update(time_s[kept], acc[kept], gyr[kept]), *counter.finish()]
    assert count - 5 <= len(found) < count
    assert [one.reason for one in counter.refused()] == [Reason.INTERRUPTED]


def test_what_shows_nothing_is_refused_in_words(data_folder):
    time_s, acc, gyr = watch(data_folder)
    with pytest.raises(ValueError, match="show the movement once"):
        shown(time_s, acc, gyr, until_s=0.3)
    with pytest.raises(ValueError, match="Nothing turned"):
        shown(time_s, acc, 0 * gyr)


def test_the_tracker_counts_what_was_shown_where_an_exercise_has_no_angle(data_folder):
    time_s, acc, gyr = watch(data_folder)
    rate_hz = 1.0 / float(np.median(np.diff(time_s)))
    even_s = np.arange(time_s[0], time_s[-1], 1.0 / rate_hz)
    acc, gyr = (np.stack([np.interp(even_s, time_s, one) for one in values.T], axis=1) for values in (acc, gyr))
    counts = []
    for counter in (shown(even_s, acc, gyr), None):
        tracker = Tracker(exercise("shoulder.pendulum"), Side.RIGHT, {Segment.RIGHT_FOREARM: rate_hz}, shown=counter)
        samples = ImuSamples(np.round(even_s * 1e6).astype(np.int64), acc, gyr)
        events = [*tracker.update(Segment.RIGHT_FOREARM, samples, even_s), *tracker.finish()]
        counts.append(sum(isinstance(event, RepetitionDone) for event in events))
    assert all(abs(count - 20) <= 1 for count in counts)
