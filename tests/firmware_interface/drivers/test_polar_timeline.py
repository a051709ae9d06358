"""Times of samples in frames that tell when their last was taken, and what was lost between frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.drivers.polar.timeline import FrameTimeline
from firmware_interface.errors import DecodeError

PERIOD_NS = 20_000_000  # 50 Hz
START_NS = 599_616_000 * 10**9  # an H10 that was off: 2019-01-01


def after(samples, period_ns=PERIOD_NS):
    """The time of the sample with this number."""
    return START_NS + samples * period_ns


def test_samples_of_the_first_frame_are_a_nominal_period_apart():
    times_us, lost = FrameTimeline(50.0).place(START_NS, 4)
    assert (times_us - START_NS // 1000).tolist() == [-60_000, -40_000, -20_000, 0]
    assert lost == 0


@pytest.mark.parametrize("rate_error", [-0.04, -0.01, 0.0, 0.01, 0.04])
def test_samples_are_spread_evenly_between_the_frames_times(rate_error):
    """As Polar documents it, so that a chip's own rate is followed."""
    timeline, period_ns = FrameTimeline(50.0), round(PERIOD_NS * (1 + rate_error))
    timeline.place(after(36, period_ns), 36)
    for frame, count in enumerate((36, 71, 130, 8, 1, 36), start=1):
        last = 36 + sum((36, 71, 130, 8, 1, 36)[:frame])
        times_us, lost = timeline.place(after(last, period_ns), count)
        expected = (after(np.arange(last - count + 1, last + 1), period_ns)) / 1000
        np.testing.assert_allclose(times_us, expected, rtol=0, atol=1)
        assert lost == 0


@given(st.integers(1, 2_500), st.integers(30, 130), st.sampled_from([0.97, 1.0, 1.02]))
def test_what_was_lost_is_counted_by_the_rate_that_was_learnt(frames, count, pace):
    """The first frames teach it; 30 lost samples and more are counted within one in a thousand."""
    timeline, period_ns = FrameTimeline(50.0), PERIOD_NS / pace
    last = 0
    for _ in range(40):
        last += count
        timeline.place(START_NS + round(last * period_ns), count)
    gap = min(frames + 29, 2_500)
    last += gap + count
    times_us, lost = timeline.place(START_NS + round(last * period_ns), count)
    assert lost == pytest.approx(gap, rel=1e-3)
    np.testing.assert_allclose(np.diff(times_us), period_ns / 1000, atol=100)


def test_a_frame_from_elsewhere_is_left_out_and_the_next_true_one_is_taken():
    timeline = FrameTimeline(50.0)
    timeline.place(after(36), 36)
    for elsewhere in (after(36), after(10), START_NS + 10**18, 5):
        with pytest.raises(DecodeError, match="does not continue"):
            timeline.place(elsewhere, 36)
    _, lost = timeline.place(after(108), 36)
    assert lost == 36


def test_a_clock_that_was_set_is_believed_with_its_second_frame_and_nothing_is_left_out():
    timeline = FrameTimeline(50.0)
    timeline.place(after(36), 36)
    with pytest.raises(DecodeError):
        timeline.place(7_000_000_000, 36)
    times_us, lost = timeline.place(7_000_000_000 + 20 * PERIOD_NS, 20)
    np.testing.assert_array_equal(times_us, 7_000_000 + np.arange(-35, 21) * 20_000)
    assert lost == 0
    times_us, lost = timeline.place(7_000_000_000 + 21 * PERIOD_NS, 1)
    assert (times_us.tolist(), lost) == ([7_420_000], 0)


def test_damaged_frames_teach_nothing_that_shuts_out_true_ones():
    timeline, now_ns = FrameTimeline(50.0), START_NS
    for _ in range(200):
        now_ns += round(0.5 * PERIOD_NS)
        timeline.place(now_ns, 1)
    for _ in range(3):
        now_ns += 36 * PERIOD_NS
        _, lost = timeline.place(now_ns, 36)
        assert lost == 0


def test_a_long_silence_is_bridged_only_where_it_is_expected():
    timeline = FrameTimeline(50.0)
    timeline.place(after(36), 36)
    half_hour = 1800 * 50
    with pytest.raises(DecodeError):
        timeline.place(after(36 + half_hour), 36)
    timeline.expect_gap()
    _, lost = timeline.place(after(72 + half_hour), 36)
    assert lost == half_hour
    with pytest.raises(DecodeError):
        timeline.place(after(108 + 2 * half_hour), 36)


@pytest.mark.parametrize("years", [-7, 7])
def test_a_clock_that_was_set_during_a_silence_is_no_loss(years):
    timeline = FrameTimeline(50.0)
    timeline.place(after(36), 36)
    timeline.expect_gap()
    set_by = years * 365 * 86_400 * 50
    with pytest.raises(DecodeError):
        timeline.place(after(72 + set_by), 36)
    times_us, lost = timeline.place(after(108 + set_by), 36)
    assert (len(times_us), lost) == (72, 0)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(1, 600)), max_size=40))
def test_times_of_a_frame_always_rise(frames):
    timeline = FrameTimeline(52.0)
    for last_ns, count in frames:
        try:
            times_us, lost = timeline.place(last_ns, count)
        except DecodeError:
            continue
        assert len(times_us) >= count
        assert (np.diff(times_us) > 0).all()
        assert lost >= 0
