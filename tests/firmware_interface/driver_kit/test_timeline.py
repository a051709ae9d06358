"""The clock and the count of a stream. Tests of the open decoder test much of it again, on its bytes."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.driver_kit.timeline import CountedTimeline, Timeline
from firmware_interface.errors import DecodeError


def test_times_are_on_the_sensors_clock_in_microseconds():
    milliseconds = Timeline(52.0, tick_us=1000.0)
    times_us, lost = milliseconds.place(122_371, 4)
    np.testing.assert_array_equal(times_us, np.rint(122_371_000 + np.arange(4) * 1e6 / 52))
    assert lost == 0


@pytest.mark.parametrize(("bits", "tick_us"), [(32, 1.0), (32, 1000.0), (16, 1000.0), (24, 30.517578125)])
def test_a_clock_goes_on_where_its_bits_end(bits, tick_us):
    rate_hz, wrap = 1e6 / (100 * tick_us), 1 << bits
    timeline, start = Timeline(rate_hz, tick_us=tick_us, clock_bits=bits), wrap - 250
    times = [timeline.place((start + 100 * k) % wrap, 1) for k in range(6)]
    np.testing.assert_allclose([t[0] for t, _ in times], (start + 100 * np.arange(6)) * tick_us, atol=0.5)
    assert [lost for _, lost in times] == [0] * 6


@given(gap=st.integers(0, 5_000), jitter_us=st.integers(-3_000, 3_000))
def test_without_a_sequence_time_tells_what_was_lost(gap, jitter_us):
    timeline = Timeline(100.0)
    timeline.place(1_000_000, 5)
    _, lost = timeline.place(1_050_000 + gap * 10_000 + jitter_us, 5)
    assert lost == gap


def test_sixty_four_bits_of_nanoseconds_keep_their_microseconds():
    timeline, now_ns = Timeline(100.0, tick_us=1e-3, clock_bits=64), 840_000_000 * 10**9
    first, _ = timeline.place(now_ns, 1)
    second, lost = timeline.place(now_ns + 10_000_000, 1)
    assert (int(second[0] - first[0]), lost) == (10_000, 0)


def test_a_time_that_goes_backwards_is_left_out_once():
    timeline = Timeline(100.0)
    timeline.place(10_000_000, 1)
    with pytest.raises(DecodeError):
        timeline.place(5_000_000, 1)
    _, lost = timeline.place(10_010_000, 1)
    assert lost == 0, "one bad packet takes no good one with it"
    with pytest.raises(DecodeError):
        timeline.place(5_000_000, 1)
    times_us, lost = timeline.place(5_010_000, 1)
    assert int(times_us[0]) == 5_010_000, "two that fit each other are believed: the sensor began anew"
    assert lost == 1, "the first of the two"


def test_where_the_clock_is_set_the_sequence_tells_what_was_lost():
    timeline, lost = Timeline(100.0), 0
    for first in range(0, 100, 5):
        set_us = 500_000 if first >= 50 else 0
        with contextlib.suppress(DecodeError):
            lost += timeline.place(first * 10_000 + set_us, 5, first)[1]
    assert lost == 5, "the one that was left out until the next agreed with it"


def test_a_count_is_a_time_where_there_is_none():
    timeline = CountedTimeline(60.0)
    times_us = np.concatenate([timeline.place(n) for n in (1, 3, 2)])
    np.testing.assert_array_equal(times_us, np.rint(np.arange(6) * 1e6 / 60))


def test_a_clock_too_coarse_for_samples_counts_whole_packets():
    """1 ms at 833 Hz: two packets of eight lie 9.6 ms apart, told as 9 or 10."""
    timeline = Timeline(833.0, tick_us=1000.0, whole_packets=True)
    starts_ms = [int(8 * k * 1000 / 833) for k in range(60)]
    heard = [k for k in range(60) if k not in (7, 8, 30)]
    lost = [timeline.place(starts_ms[k], 8)[1] for k in heard]
    assert [(k, n) for k, n in zip(heard, lost, strict=True) if n] == [(9, 16), (31, 8)]
