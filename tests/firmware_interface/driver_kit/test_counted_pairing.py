"""Two streams without timestamps are paired in the order that they come, and never stay apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.driver_kit.counted_pairing import PATIENCE, CountedPairing

NUMBERS = st.integers(1, 3)
"""Readings in a packet."""


def readings(*numbers):
    """Vectors that tell their number."""
    return np.outer(numbers, [1.0, 10.0, 100.0])


def numbers_of(values):
    np.testing.assert_array_equal(values, readings(*values[:, 0]))
    return values[:, 0].tolist()


class Streams:
    """Two streams whose readings tell when they were taken; `pairs` are those instants, of each stream."""

    def __init__(self, in_a_packet=1):
        self.pairs = []
        self.sent = {"A": 0, "G": 0}
        self._pairing = CountedPairing()
        self._in_a_packet = in_a_packet

    def come(self, packets):
        """The next packets of these streams, as "AG"; in small letters those that are lost."""
        for packet in packets:
            stream = packet.upper()
            first = self.sent[stream] * self._in_a_packet
            self.sent[stream] += 1
            if packet != stream:
                continue
            add = self._pairing.add_first if stream == "A" else self._pairing.add_second
            add(readings(*range(first, first + self._in_a_packet)))
            if (pairs := self._pairing.take()) is not None:
                self.pairs += zip(*map(numbers_of, pairs), strict=True)
        return self

    @property
    def in_step(self):
        return all(first == second for first, second in self.pairs)

    @property
    def waiting(self):
        return [len(values) for values in self._pairing._waiting]


def test_one_of_each_makes_a_pair():
    pairing = CountedPairing()
    assert pairing.take() is None
    pairing.add_first(readings(1))
    assert pairing.take() is None
    pairing.add_second(readings(11))
    first, second = pairing.take()
    assert (numbers_of(first), numbers_of(second)) == ([1], [11])
    assert pairing.take() is None


def test_several_are_paired_at_once_and_the_rest_wait():
    pairing = CountedPairing()
    pairing.add_second(readings(11, 12, 13))
    pairing.add_first(readings(1, 2))
    first, second = pairing.take()
    assert (numbers_of(first), numbers_of(second)) == ([1, 2], [11, 12])
    pairing.add_first(readings(3))
    first, second = pairing.take()
    assert (numbers_of(first), numbers_of(second)) == ([3], [13])


def test_what_comes_before_the_other_has_begun_is_left_out_but_for_the_newest():
    streams = Streams()
    streams.sent["G"] = 4  # its first four were never taken
    assert streams.come("AAAAAGAGAG").pairs == [(4, 4), (5, 5), (6, 6)]


@pytest.mark.parametrize("turn", ["AG", "GA"])
@pytest.mark.parametrize("out_of_turn", ["AAGG", "GGAA", "AG", "GA", "AAAGGG", "AGGA", "GAAG"])
@pytest.mark.parametrize("in_a_packet", [1, 3])
def test_packets_out_of_turn_shift_nothing(turn, out_of_turn, in_a_packet):
    streams = Streams(in_a_packet).come(turn + out_of_turn + 20 * turn)
    assert streams.in_step
    assert len(streams.pairs) == in_a_packet * streams.sent["A"]


blocks = st.lists(st.sampled_from(["", "", "AAGG", "GGAA", "AG", "GA"]), max_size=40)


@given(st.sampled_from(["AG", "GA"]), blocks, NUMBERS)
def test_however_often_packets_come_out_of_turn_nothing_shifts(turn, came, in_a_packet):
    """As long as they come in turn now and then."""
    streams = Streams(in_a_packet).come(turn + turn.join(came) + turn)
    assert streams.in_step
    assert len(streams.pairs) == in_a_packet * streams.sent["A"]


@pytest.mark.parametrize("turn", ["AG", "GA"])
@pytest.mark.parametrize("lost", ["a", "g", "aa", "ggg", "ag"])
@pytest.mark.parametrize("in_a_packet", [1, 3])
def test_after_a_loss_the_two_come_into_step_again(turn, lost, in_a_packet):
    streams = Streams(in_a_packet).come(3 * turn)
    for packet in lost:
        streams.come(turn.replace(packet.upper(), packet))
    streams.come(2 * PATIENCE * turn)
    streams.pairs.clear()
    streams.come(20 * turn)
    assert streams.in_step
    assert len(streams.pairs) == in_a_packet * 20


@given(st.sampled_from(["AG", "GA"]), st.text("AGag", max_size=60), NUMBERS)
def test_whatever_came_the_two_come_into_step_again(turn, came, in_a_packet):
    """After any losses in any order, and what they make up for of it."""
    streams = Streams(in_a_packet).come(turn + came)
    behind = streams.sent["A"] - streams.sent["G"]
    streams.come("g" * behind + "a" * -behind)
    streams.come(3 * PATIENCE * turn)
    streams.pairs.clear()
    streams.come(20 * turn)
    assert streams.in_step
    assert len(streams.pairs) == in_a_packet * 20


@given(st.text("AG", max_size=200), NUMBERS)
def test_few_readings_wait_and_each_is_given_out_once(came, in_a_packet):
    streams = Streams(in_a_packet)
    for packet in came:
        streams.come(packet)
        assert min(streams.waiting) == 0
        assert max(streams.waiting) <= (PATIENCE + 1) * in_a_packet
    for stream in zip(*streams.pairs, strict=True):
        assert list(stream) == sorted(set(stream)), "in order, none twice"
