"""Runs leave in order and once, whatever comes again, late, twice or never."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.signals.samples import ImuSamples
from firmware_interface.driver_kit.gap_filler import MOST_HELD_SAMPLES, GapFiller


def run(number, count, lost_before=0):
    numbers = np.arange(number, number + count)
    return ImuSamples(numbers, np.zeros((count, 3)), np.zeros((count, 3)), lost_before)


def numbers_of(runs):
    return [int(n) for given_out in runs for n in given_out.sensor_time_us]


def test_without_gaps_nothing_waits():
    filler = GapFiller()
    assert [numbers_of(filler.add(n, run(n, 5))) for n in (0, 5, 10)] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
        [10, 11, 12, 13, 14],
    ]
    assert filler.gap is None


def test_what_comes_after_a_gap_waits_until_it_is_filled():
    filler = GapFiller()
    list(filler.add(0, run(0, 5)))
    assert not list(filler.add(10, run(10, 5, lost_before=5)))
    assert filler.gap == (5, 5)
    assert not list(filler.add(15, run(15, 5)))
    assert not list(filler.add(7, run(7, 3)))
    assert filler.gap == (5, 2)
    filled = list(filler.add(5, run(5, 2)))
    assert numbers_of(filled) == list(range(5, 20))
    assert [part.lost_before for part in filled] == [0, 0, 0, 0]
    assert filler.gap is None


def test_what_is_given_up_is_counted_and_comes_too_late_afterwards():
    filler = GapFiller()
    list(filler.add(0, run(0, 5)))
    list(filler.add(10, run(10, 5, lost_before=5)))
    given_up = list(filler.give_up())
    assert (numbers_of(given_up), given_up[0].lost_before) == ([10, 11, 12, 13, 14], 5)
    assert not list(filler.add(5, run(5, 5)))
    assert numbers_of(filler.add(15, run(15, 1))) == [15]


def test_what_overlaps_is_cut_to_what_is_missing():
    """A sensor may send whole packets again, though a part of them had come."""
    filler = GapFiller()
    list(filler.add(0, run(0, 5)))
    list(filler.add(10, run(10, 5, lost_before=5)))
    assert numbers_of(filler.add(4, run(4, 8))) == list(range(5, 15))
    assert numbers_of(filler.add(15, run(15, 2))) == [15, 16]


def test_memory_is_bounded():
    filler, out = GapFiller(), []
    list(filler.add(0, run(0, 1)))
    for number in range(2, 2 + 3 * MOST_HELD_SAMPLES, 2):  # every second one is missing
        out += filler.add(number, run(number, 1, lost_before=1))
        assert len(filler._held) <= MOST_HELD_SAMPLES
    assert sum(part.lost_before for part in out) == len(out)


@given(
    st.lists(st.sampled_from(["comes", "comes", "again", "lost"]), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_every_sample_leaves_once_in_order_or_is_counted(fates, rng):
    """Packets of three; those that come again do so in any order, behind others and some of them twice."""
    filler, out, again = GapFiller(), [], []
    fates = ["comes", *fates, "comes"]
    behind = 0
    for k, fate in enumerate(fates):
        if fate == "comes":
            out += filler.add(3 * k, run(3 * k, 3, lost_before=behind))
            behind = 0
        else:
            behind += 3
            if fate == "again":
                again.append(k)
        if again and behind == 0 and rng.random() < 0.4:
            k_again = rng.choice(again)
            out += filler.add(3 * k_again, run(3 * k_again, 3))
    for k in rng.sample(again, len(again)):
        out += filler.add(3 * k, run(3 * k, 3))
    while filler.gap is not None:
        out += filler.give_up()
    left = numbers_of(out)
    assert left == sorted(set(left))
    assert len(left) == 3 * (len(fates) - fates.count("lost"))
    lost = [part.lost_before for part in out]
    firsts = [int(part.sensor_time_us[0]) for part in out]
    ends = [0, *[first + len(part) for first, part in zip(firsts, out, strict=True)]]
    assert lost == [first - end for first, end in zip(firsts, ends[:-1], strict=True)]


def test_where_it_stands_is_known_once_nothing_before_is_in_doubt():
    filler = GapFiller()
    assert filler.next is None
    filler.doubt(0, 10)
    assert not list(filler.add(10, run(10, 5)))
    assert filler.next is None
    assert numbers_of(filler.exist_from(10)) == list(range(10, 15))
    assert filler.next == 15
    assert not list(filler.add(20, run(20, 5, lost_before=5)))
    assert filler.next == 15, "behind what was given out, whatever is held back"
