"""What the counter on an angle refuses, why, and what holds for any curve."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.motion.repetition import NotCounted, Reason, RepetitionCounter

LEAST_DEG, RATE_HZ = 15.0, 50.0
PAUSE = np.zeros(round(1.5 * RATE_HZ))


def bump(excursion_deg, seconds=3.0, hold_s=0.0):
    """Out and back, slow at the turning point, which may be held."""
    half = excursion_deg * (1 - np.cos(np.linspace(0, np.pi, round(seconds * RATE_HZ / 2)))) / 2
    return np.concatenate([half, np.full(round(hold_s * RATE_HZ), excursion_deg), half[::-1]])


def run(angle_deg, target_deg=None, missing=()):
    """Counted and refused; missing: (from, to) indices of samples that did not arrive."""
    counter = RepetitionCounter(LEAST_DEG, target_deg)
    counted = []
    for k, angle in enumerate(angle_deg):
        if any(first <= k < last for first, last in missing):
            continue
        counted += [done] if (done := counter.update(k / RATE_HZ, float(angle))) else []
    counted += [done] if (done := counter.finish()) else []
    return counted, counter.refused()


def curve(*parts):
    return np.concatenate([PAUSE, *(piece for part in parts for piece in (part, PAUSE))])


def test_short_of_the_target_is_told_in_degrees():
    counted, (refused,) = run(curve(bump(62), bump(40), bump(61)), target_deg=60.0)
    assert [round(one.excursion_deg) for one in counted] == [62, 61]
    assert refused.reason is Reason.TOO_SHORT
    assert refused.sentence == "Not counted: stopped at 40°, target 60°."
    assert 5.5 < refused.start_s < refused.end_s < 9.2


def test_a_little_short_of_the_target_is_within_the_error_of_the_angle():
    counted, refused = run(curve(bump(57)), target_deg=60.0)
    assert (len(counted), refused) == (1, [])


def test_without_a_target_the_usual_range_is_the_measure():
    counted, (refused,) = run(curve(bump(70), bump(70), bump(70), bump(17), bump(70)))
    assert len(counted) == 4
    assert refused.sentence == "Not counted: stopped at 17°, target 21°."


def test_a_leg_that_stays_out_has_not_returned():
    up = bump(60)[: round(1.5 * RATE_HZ)]
    counted, refused = run(np.concatenate([PAUSE, up, np.full(round(40 * RATE_HZ), 60.0)]))
    assert counted == []
    assert [one.reason for one in refused] == [Reason.NOT_RETURNED]
    assert refused[0].sentence == "Not counted: go all the way back before the next one."


def test_what_the_end_finds_half_way_back_has_not_returned():
    assert run(np.concatenate([PAUSE, bump(60)[:100]]))[1][0].reason is Reason.NOT_RETURNED


def test_a_gap_inside_is_told_and_the_next_one_counts():
    angle = curve(bump(60), bump(60), bump(60))
    middle = 2 * len(PAUSE) + len(bump(60)) + 60
    counted, (refused,) = run(angle, missing=[(middle, middle + 40)])
    assert len(counted) == 2
    assert refused.reason is Reason.INTERRUPTED
    assert refused.sentence == "Not counted: the sensor was out of reach for a moment."


def test_refused_are_told_once():
    counter = RepetitionCounter(LEAST_DEG, 60.0)
    for k, angle in enumerate(curve(bump(40))):
        counter.update(k / RATE_HZ, float(angle))
    assert len(counter.refused()) == 1
    assert counter.refused() == []


def test_a_hold_is_measured():
    (one,), _ = run(curve(bump(60, hold_s=3.0)))
    # A twentieth of the excursion from the turn lasts 0.43 s of this 3 s movement besides.
    assert one.hold_s == pytest.approx(3.43, abs=0.05)


def test_every_reason_has_a_sentence():
    sentences = {NotCounted(0.0, 1.0, reason).sentence for reason in Reason}
    assert len(sentences) == len(Reason)
    assert all(sentence.startswith("Not counted: ") and sentence.endswith(".") for sentence in sentences)


EXCURSIONS = st.lists(st.floats(0, 90), max_size=8)


@given(EXCURSIONS, st.floats(1.0, 5.0), st.integers(0, 2**32 - 1))
def test_never_more_repetitions_than_turns_and_none_overlap(excursions, seconds, seed):
    angle = curve(*(bump(e, seconds) for e in excursions)) + np.random.default_rng(seed).normal(0, 0.3)
    counted, refused = run(angle)
    assert len(counted) + len(refused) <= len(excursions)
    assert len(counted) <= sum(e >= LEAST_DEG - 0.1 for e in excursions)
    for one, following in pairwise(counted):
        assert one.end_s <= following.start_s
    for one in counted:
        assert one.start_s < one.peak_s < one.end_s


@given(st.integers(1, 4), st.floats(0.1, 0.9), st.floats(0.4, 3.0))
def test_what_a_gap_interrupts_is_never_counted(number, where, gap_s):
    angle = curve(*[bump(60)] * number, bump(60), bump(60))
    first = round(len(PAUSE) + number * (len(bump(60)) + len(PAUSE)) + where * len(bump(60)))
    gap = (first, first + round(gap_s * RATE_HZ))
    counted, _ = run(angle, missing=[gap])
    assert not any(one.start_s < gap[0] / RATE_HZ and one.end_s > gap[1] / RATE_HZ for one in counted)
    assert len(counted) <= number + 1
