"""Two streams without timestamps are paired in the order that they come, and never drift apart."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.driver_kit.counted_pairing import CountedPairing


def readings(*numbers):
    """Vectors that tell their number."""
    return np.outer(numbers, [1.0, 10.0, 100.0]) if numbers else np.empty((0, 3))


def numbers_of(values):
    np.testing.assert_array_equal(values, readings(*values[:, 0]))
    return values[:, 0].tolist()


def test_one_of_each_makes_a_pair():
    pairing = CountedPairing(slack=2)
    assert pairing.take() is None
    pairing.add_first(readings(1))
    assert pairing.take() is None
    pairing.add_second(readings(11))
    first, second = pairing.take()
    assert (numbers_of(first), numbers_of(second)) == ([1], [11])
    assert pairing.take() is None


def test_several_are_paired_at_once_and_the_rest_wait():
    pairing = CountedPairing(slack=2)
    pairing.add_second(readings(11, 12, 13))
    pairing.add_first(readings(1, 2))
    first, second = pairing.take()
    assert (numbers_of(first), numbers_of(second)) == ([1, 2], [11, 12])
    pairing.add_first(readings(3))
    first, second = pairing.take()
    assert (numbers_of(first), numbers_of(second)) == ([3], [13])
    assert pairing.left_out == 0


def test_the_oldest_of_a_stream_that_is_too_far_ahead_are_left_out():
    """The second has lost 2 and 3: with a slack of one, 3 is given up and 4 is paired with 14."""
    pairing = CountedPairing(slack=1)
    for first, second in ((1, 11), (2, None), (3, None), (4, 14), (5, 15), (6, 16)):
        pairing.add_first(readings(first))
        if second is not None:
            pairing.add_second(readings(second))
        pairs = pairing.take()
        if first == 4:
            assert (numbers_of(pairs[0]), numbers_of(pairs[1])) == ([3], [14])
    assert (numbers_of(pairs[0]), numbers_of(pairs[1])) == ([5], [16])
    assert pairing.left_out == 1


def test_without_slack_what_came_in_one_notification_still_waits():
    pairing = CountedPairing(slack=0)
    pairing.add_first(readings(1, 2, 3))
    pairing.add_second(readings(11, 12, 13))
    first, second = pairing.take()
    assert (numbers_of(first), numbers_of(second)) == ([1, 2, 3], [11, 12, 13])
    assert pairing.left_out == 0


notifications = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=60)


@given(notifications, st.integers(0, 4))
def test_every_reading_is_given_out_left_out_or_waiting_and_few_wait(came, slack):
    pairing, taken, sent = CountedPairing(slack), [[], []], [0, 0]
    for is_second, count in came:
        start = sent[is_second]
        values = readings(*range(start, start + count))
        (pairing.add_second if is_second else pairing.add_first)(values)
        sent[is_second] += count
        if (pairs := pairing.take()) is not None:
            assert len(pairs[0]) == len(pairs[1]) > 0
            taken[0] += numbers_of(pairs[0])
            taken[1] += numbers_of(pairs[1])
        assert min(len(pairing._first), len(pairing._second)) == 0
        assert max(len(pairing._first), len(pairing._second)) <= slack + 5
    waiting = len(pairing._first) + len(pairing._second)
    assert sum(sent) == len(taken[0]) + len(taken[1]) + pairing.left_out + waiting
    for stream in taken:
        assert stream == sorted(set(stream)), "in order, none twice"


@given(st.lists(st.booleans(), max_size=80), st.booleans(), st.integers(0, 4))
def test_however_many_a_stream_loses_its_readings_stay_with_their_like(arrived, second_is_whole, slack):
    """A reading tells its period. Of one stream all arrive, of the other some."""
    pairing = CountedPairing(slack)
    whole, lossy = (pairing.add_first, pairing.add_second)[:: -1 if second_is_whole else 1]
    for period, arrives in enumerate(arrived):
        whole(readings(period))
        if arrives:
            lossy(readings(period))
        if (pairs := pairing.take()) is not None:
            for first, second in zip(*map(numbers_of, pairs), strict=True):
                assert abs(first - second) <= slack
