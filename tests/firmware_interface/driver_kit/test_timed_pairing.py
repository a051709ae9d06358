"""Two streams of one sensor become one, however their frames come, and what cannot be paired is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.driver_kit.timed_pairing import LONGEST_WAIT, SlowerStream, TimedPairing

PERIOD_US = 10_000


def times(first, count, offset_us=0):
    return np.arange(first, first + count, dtype=np.int64) * PERIOD_US + offset_us


def readings(times_us, scale=1.0):
    """Three channels that are straight lines in time, so that interpolation is exact."""
    return np.outer(times_us, [1e-6, -2e-6, 3e-6]) * scale


class Pairing:
    """A pairing that is fed by sample number and gathers its runs."""

    def __init__(self, longest_gap_us=1.5 * PERIOD_US):
        self.pairing, self.runs = TimedPairing(longest_gap_us), []

    def first(self, first, count, lost=0):
        self.pairing.add_first(times(first, count), readings(times(first, count)), lost)
        self.runs += self.pairing.take()

    def second(self, first, count, offset_us=0):
        self.pairing.add_second(times(first, count, offset_us), readings(times(first, count, offset_us), 10.0))
        self.runs += self.pairing.take()

    @property
    def numbers(self):
        return [(run.times_us // PERIOD_US).tolist() for run in self.runs]

    @property
    def all_numbers(self):
        return [number for numbers in self.numbers for number in numbers]

    @property
    def lost(self):
        return [run.lost_before for run in self.runs]


def test_streams_of_one_chip_are_put_side_by_side_unchanged():
    pairing, noise = Pairing(), np.random.default_rng(1).normal(size=(5, 3))
    pairing.pairing.add_second(times(0, 5), noise)
    pairing.first(0, 5)
    (run,) = pairing.runs
    np.testing.assert_array_equal(run.times_us, times(0, 5))
    np.testing.assert_array_equal(run.first, readings(times(0, 5)))
    np.testing.assert_array_equal(run.second, noise)
    assert run.lost_before == 0


def test_samples_wait_until_the_second_stream_has_passed_them():
    pairing = Pairing()
    pairing.first(0, 4)
    assert pairing.runs == []
    pairing.second(0, 3)
    pairing.second(3, 3)
    pairing.first(4, 2)
    assert pairing.numbers == [[0, 1, 2], [3], [4, 5]]


@given(st.integers(1, PERIOD_US - 1))
def test_between_two_readings_the_second_stream_is_a_straight_line(offset_us):
    pairing = Pairing()
    pairing.second(-1, 12, offset_us)
    pairing.first(0, 10)
    (run,) = pairing.runs
    np.testing.assert_allclose(run.second, readings(times(0, 10), 10.0), rtol=0, atol=1e-12)


def test_a_reading_is_kept_as_long_as_something_may_lie_behind_it():
    pairing = Pairing(longest_gap_us=5 * PERIOD_US)
    pairing.pairing.add_second(times(0, 1), readings(times(0, 1), 10.0))
    pairing.pairing.add_second(times(4, 1), readings(times(4, 1), 10.0))
    for number in range(5):
        pairing.first(number, 1)
    assert pairing.all_numbers == [0, 1, 2, 3, 4]
    for run in pairing.runs:
        np.testing.assert_allclose(run.second, readings(run.times_us, 10.0), rtol=0, atol=1e-12)


def test_a_gap_of_the_second_stream_is_not_bridged_and_is_counted():
    pairing = Pairing()
    pairing.second(0, 5, offset_us=1)
    pairing.second(12, 5, offset_us=1)
    pairing.first(1, 15)
    assert pairing.numbers == [[1, 2, 3, 4], [13, 14, 15]]
    assert pairing.lost == [0, 8]


def test_a_reading_at_the_very_time_is_used_on_either_side_of_a_gap():
    pairing = Pairing()
    pairing.second(0, 5)
    pairing.second(12, 5)
    pairing.first(0, 17)
    assert pairing.numbers == [[0, 1, 2, 3, 4], [12, 13, 14, 15, 16]]
    assert pairing.lost == [0, 7]


def test_a_gap_of_the_first_stream_begins_another_run():
    pairing = Pairing()
    pairing.second(0, 30)
    pairing.first(0, 5)
    pairing.first(15, 5, lost=10)
    assert pairing.numbers == [[0, 1, 2, 3, 4], [15, 16, 17, 18, 19]]
    assert pairing.lost == [0, 10]


def test_gaps_of_both_streams_add_up():
    pairing = Pairing()
    pairing.second(0, 5)
    pairing.first(0, 8)
    pairing.first(10, 10, lost=2)
    pairing.second(12, 8)
    assert pairing.numbers == [[0, 1, 2, 3, 4], [12, 13, 14, 15, 16, 17, 18, 19]]
    assert pairing.lost == [0, 3 + 2 + 2]


def test_what_one_stream_sent_before_the_other_had_begun_is_no_loss():
    pairing = Pairing()
    pairing.first(0, 10)
    pairing.second(7, 10)
    pairing.first(10, 5)
    assert pairing.numbers == [[7, 8, 9], [10, 11, 12, 13, 14]]
    assert pairing.lost == [0, 0]


@pytest.mark.parametrize("first_is_set_back_first", [True, False])
def test_a_clock_that_is_set_back_begins_anew(first_is_set_back_first):
    pairing = Pairing()
    pairing.second(1_000, 10)
    pairing.first(1_000, 10)
    for which in (pairing.first, pairing.second) if first_is_set_back_first else (pairing.second, pairing.first):
        which(0, 10)
    pairing.first(10, 10)
    pairing.second(10, 10)
    assert pairing.numbers[-1] == list(range(10, 20))
    assert len(pairing.all_numbers) + sum(pairing.lost) == 30


def test_a_second_stream_that_jumped_ahead_and_came_back_takes_nothing_along():
    """As a damaged time makes it do, until two good ones outvote it."""
    pairing = Pairing()
    pairing.second(0, 10)
    pairing.first(0, 10)
    pairing.second(900, 10)
    pairing.first(10, 10)
    pairing.first(20, 10)
    pairing.second(10, 20)
    assert pairing.all_numbers == list(range(30))
    assert sum(pairing.lost) == 0


def test_one_stream_alone_keeps_a_bounded_memory_and_its_loss_is_counted():
    pairing = Pairing()
    pairing.second(0, 1)
    pairing.first(0, 1)
    for first in range(1, 10 * LONGEST_WAIT + 1, 64):
        pairing.first(first, 64)
    assert len(pairing.pairing._first) == LONGEST_WAIT
    pairing.second(1, 10 * LONGEST_WAIT)
    assert len(pairing.pairing._second) <= LONGEST_WAIT
    assert len(pairing.all_numbers) + sum(pairing.lost) == 10 * LONGEST_WAIT + 1


frames = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0, 0, 0, 1, 3])), min_size=1, max_size=25)


def stream_of(frames):
    """(first number, count, lost before) of frames of so many samples with so many lost before each."""
    number = 0
    for place, (count, lost) in enumerate(frames):
        lost_before = lost if place else 0
        number += lost_before
        yield number, count, lost_before
        number += count


@given(frames, frames, st.randoms(use_true_random=False), st.sampled_from([0, 3_000]))
def test_however_frames_come_the_same_samples_are_paired_once(first, second, order, offset_us):
    """Against the definition, sample by sample: each is paired where it stands between two near readings."""
    firsts, seconds = list(stream_of(first)), list(stream_of(second))
    pairing = Pairing()
    queues = [list(firsts), list(seconds)]
    while any(queues):
        which = order.choice([n for n in range(2) if queues[n]])
        frame = queues[which].pop(0)
        pairing.first(*frame) if which == 0 else pairing.second(*frame[:2], offset_us)
    came = {number * PERIOD_US + offset_us for first, count, _ in seconds for number in range(first, first + count)}
    sent = [number for first, count, _ in firsts for number in range(first, first + count)]

    def has_partner(number):
        here = number * PERIOD_US
        return here in came or {here + offset_us, here + offset_us - PERIOD_US} <= came

    expected = [number for number in sent if has_partner(number)]
    assert pairing.all_numbers == expected
    for run in pairing.runs:
        np.testing.assert_allclose(run.second, readings(run.times_us, 10.0), rtol=0, atol=1e-12)
        assert (np.diff(run.times_us) == PERIOD_US).all()
    if expected:
        assert len(expected) + sum(pairing.lost) == expected[-1] - expected[0] + 1


def test_readings_of_a_slower_stream_are_given_to_the_nearest_sample_once():
    slower = SlowerStream()
    slower.add(np.array([1_000, 24_000, 51_000]), np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]))
    found = slower.at(times(0, 5), PERIOD_US)
    np.testing.assert_array_equal(found[[0, 2]], [[1, 2, 3], [4, 5, 6]])
    assert np.isnan(found[[1, 3, 4]]).all()
    found = slower.at(times(5, 3), PERIOD_US)
    np.testing.assert_array_equal(found[0], [7, 8, 9])
    assert np.isnan(found[1:]).all()


def test_a_slower_reading_from_a_gap_or_from_the_past_belongs_to_nobody():
    slower = SlowerStream()
    slower.add(np.array([0, 60_000, 100_000]), np.ones((3, 3)))
    assert np.isnan(slower.at(times(2, 2), PERIOD_US)).all()
    found = slower.at(times(8, 3), PERIOD_US)
    assert np.isfinite(found).all(axis=1).tolist() == [False, False, True]


def test_a_slower_stream_says_how_far_it_has_come_and_stays_bounded():
    slower = SlowerStream()
    assert not slower.has_passed(0)
    assert np.isnan(slower.at(times(0, 4), PERIOD_US)).all()
    for first in range(0, 3 * LONGEST_WAIT, 50):
        slower.add(times(first, 50), np.zeros((50, 3)))
    assert slower.has_passed(int(times(3 * LONGEST_WAIT - 1, 1)[0]))
    assert not slower.has_passed(int(times(4 * LONGEST_WAIT, 1)[0]))
    assert len(slower._readings) == LONGEST_WAIT
