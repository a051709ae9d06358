"""The counter on angle curves whose truth is drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.motion.repetition import RepetitionCounter

LEAST_DEG = 15.0


def bumps(excursions, *, rate_hz=50.0, seconds=3.0, pause_s=1.0, rest_deg=0.0):
    """Raised cosines with pauses between: times and angles."""
    pause = np.zeros(round(pause_s * rate_hz))
    phase = np.linspace(0, 2 * np.pi, round(seconds * rate_hz), endpoint=False)
    parts = [pause, *(part for e in excursions for part in (e * (1 - np.cos(phase)) / 2, pause))]
    angle = rest_deg + np.concatenate(parts)
    return np.arange(len(angle)) / rate_hz, angle


def count(time_s, angle_deg):
    counter = RepetitionCounter(LEAST_DEG)
    found = [done for t, a in zip(time_s, angle_deg, strict=True) if (done := counter.update(float(t), float(a)))]
    last = counter.finish()
    return [*found, last] if last else found


@given(
    st.lists(st.floats(50, 80), min_size=1, max_size=8),
    st.floats(1.0, 6.0),
    st.floats(0, 2),
    st.sampled_from([25.0, 50.0, 100.0]),
)
@settings(max_examples=60, deadline=None)
def test_every_movement_counts_once_with_its_range(excursions, seconds, pause_s, rate_hz):
    found = count(*bumps(excursions, seconds=seconds, pause_s=pause_s, rate_hz=rate_hz))
    assert [one.excursion_deg for one in found] == pytest.approx(excursions, abs=1.0)


def test_it_is_told_as_soon_as_the_movement_is_over():
    time_s, angle = bumps([70.0])
    counter = RepetitionCounter(LEAST_DEG)
    told_s = next(t for t, a in zip(time_s, angle, strict=True) if counter.update(t, a))
    assert 3.6 < told_s < 4.2, "the movement ends at 4.0 s"


def test_start_peak_and_end_are_where_they_were():
    (one,) = count(*bumps([70.0]))
    assert one.start_s == pytest.approx(1.0, abs=0.35)
    assert one.peak_s == pytest.approx(2.5, abs=0.05)
    assert one.end_s == pytest.approx(4.0, abs=0.35)
    assert one.curve[0][0] == one.start_s
    assert one.curve[-1][0] == one.end_s
    assert one.peak_velocity_deg_s == pytest.approx(70 * np.pi / 3, rel=0.05)


def test_what_is_too_small_is_not_a_repetition():
    assert count(*bumps([10.0, 12.0, 14.0])) == []


def test_smaller_than_a_third_of_the_usual_is_not_one_either():
    assert len(count(*bumps([70, 70, 70, 18, 70]))) == 4


def test_a_smaller_range_from_the_start_counts():
    assert len(count(*bumps([18, 20, 19, 21]))) == 4


def test_a_long_hold_is_one_repetition():
    _, angle = bumps([70.0], seconds=4.0)
    top = int(np.argmax(angle))
    held = np.concatenate([angle[:top], np.full(50 * 20, angle[top]), angle[top:]])
    assert len(count(np.arange(len(held)) / 50, held)) == 1


def test_hesitating_on_the_way_is_one_repetition():
    up, down = np.linspace(0, 40, 50), np.linspace(70, 0, 100)
    angle = np.concatenate([np.zeros(50), up, np.full(50, 38.0), np.linspace(38, 70, 50), down, np.zeros(50)])
    assert len(count(np.arange(len(angle)) / 50, angle)) == 1


def test_a_slowly_drifting_rest_pose_is_followed():
    time_s, angle = bumps([60.0] * 10, pause_s=3.0)
    drift = 25.0 * time_s / time_s[-1]
    assert [one.excursion_deg for one in count(time_s, angle + drift)] == pytest.approx([60.0] * 10, abs=3.0)


def test_sitting_down_differently_is_no_repetition():
    angle = np.concatenate([np.zeros(100), np.linspace(0, 12, 25), np.full(500, 12.0)])
    again = bumps([60.0], rest_deg=12.0)[1]
    found = count(np.arange(len(angle) + len(again)) / 50, np.concatenate([angle, again]))
    assert [one.excursion_deg for one in found] == pytest.approx([60.0], abs=1.0)


def test_noise_at_rest_never_counts():
    rng = np.random.default_rng(0)
    angle = rng.normal(0, 1.0, 50 * 600)
    assert count(np.arange(len(angle)) / 50, angle) == []


def test_nothing_is_counted_across_a_silence():
    time_s, angle = bumps([70.0, 70.0, 70.0])
    hole = (time_s > 6.0) & (time_s < 7.0)
    found = count(time_s[~hole], angle[~hole])
    assert [round(one.peak_s, 1) for one in found] == [2.5, 10.5]
    assert len(count(time_s, angle)) == 3


def test_a_clock_set_back_a_little_loses_nothing():
    time_s, angle = bumps([70.0, 70.0])
    time_s = np.where(time_s > 2.2, time_s - 0.025, time_s)
    found = count(time_s, angle)
    assert len(found) == 2
    assert all(np.all(np.diff([t for t, _ in one.curve]) > 0) for one in found)
