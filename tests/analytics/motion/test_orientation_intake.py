from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.motion.orientation.clipping import LEAST_GYR_RAD_S, RangeEnd
from analytics.motion.orientation.intake import BRIDGED_GAP_S, Fault, Intake
from analytics.signals.samples import ImuSamples

RATE_HZ = 100.0
FIELDS = ("time_s", "sensor_time_us", "gyr_rad_s", "acc_m_s2", "clipped", "measured", "restarted")


def samples(n, keep=None, clipped=None):
    """A line in every axis, so that what is filled in is known; keep: which samples arrive."""
    t = np.arange(n) / RATE_HZ
    line = t[:, None] * [1.0, 2.0, 3.0]
    keep = np.ones(n, dtype=bool) if keep is None else keep
    run = ImuSamples(np.round(1e6 * t).astype(np.int64)[keep], line[keep] + [0, 0, 9.81], line[keep], clipped=clipped)
    return run, 50.0 + t[keep]


def missing(n, *runs):
    keep = np.ones(n, dtype=bool)
    for first, count in runs:
        keep[first : first + count] = False
    return keep


def part(run, time_s, cut):
    told = None if run.clipped is None else run.clipped[cut]
    return ImuSamples(run.sensor_time_us[cut], run.acc_m_s2[cut], run.gyr_rad_s[cut], clipped=told), time_s[cut]


def test_what_is_missing_for_a_moment_is_filled_in_and_told():
    clean = Intake(RATE_HZ).update(*samples(100, missing(100, (40, 5))))
    whole, time_s = samples(100)
    assert np.allclose(clean.gyr_rad_s, whole.gyr_rad_s)
    assert np.allclose(clean.acc_m_s2, whole.acc_m_s2)
    assert np.allclose(clean.time_s, time_s)
    assert np.array_equal(clean.sensor_time_us, whole.sensor_time_us)
    assert np.array_equal(clean.measured, missing(100, (40, 5)))
    assert not clean.restarted.any()
    (note,) = clean.notes
    assert (note.fault, note.samples) == (Fault.BRIDGED, 5)
    assert note.time_s == pytest.approx(50.40)
    assert "5 samples" in note.sentence


def test_what_is_missing_for_longer_is_a_new_beginning():
    lost = round(BRIDGED_GAP_S * RATE_HZ) + 1
    clean = Intake(RATE_HZ).update(*samples(100, missing(100, (40, lost))))
    assert len(clean) == 100 - lost
    assert np.flatnonzero(clean.restarted).tolist() == [40]
    assert [note.fault for note in clean.notes] == [Fault.GAP]
    assert clean.notes[0].time_s == pytest.approx(50.0 + (40 + lost) / RATE_HZ)


def test_samples_without_a_value_are_missing_samples():
    run, time_s = samples(50)
    run.gyr_rad_s[20, 1] = np.nan
    run.acc_m_s2[21, 2] = np.inf
    clean = Intake(RATE_HZ).update(run, time_s)
    assert [(note.fault, note.samples) for note in clean.notes] == [(Fault.NO_VALUE, 2), (Fault.BRIDGED, 2)]
    assert np.isfinite(clean.gyr_rad_s).all()
    assert np.isfinite(clean.acc_m_s2).all()
    assert np.flatnonzero(~clean.measured).tolist() == [20, 21]


@given(cuts=st.lists(st.integers(0, 90), max_size=8), gaps=st.lists(st.tuples(st.integers(1, 80), st.integers(1, 20))))
def test_packets_may_be_cut_anywhere(cuts, gaps):
    run, time_s = samples(100, missing(100, *gaps))
    run.gyr_rad_s[30:33] = np.nan
    whole = Intake(RATE_HZ).update(run, time_s)
    intake = Intake(RATE_HZ)
    edges = [0, *sorted(cuts), 100]
    pieces = [intake.update(*part(run, time_s, slice(*edge))) for edge in pairwise(edges)]
    for field in FIELDS:
        joined = np.concatenate([getattr(piece, field) for piece in pieces])
        assert np.array_equal(joined, getattr(whole, field)), field


def saturated(range_end, amplitude, frequency_hz, rate_hz=RATE_HZ, seconds=4.0):
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    turn = amplitude * np.sin(2 * np.pi * frequency_hz * t)
    return np.clip(turn, -range_end, range_end), np.abs(turn) > range_end


@given(frequency_hz=st.floats(0.2, 5.0), amplitude=st.floats(4.0, 40.0), phase=st.floats(0, 6.3))
def test_no_smooth_turn_is_taken_for_the_end_of_a_range(frequency_hz, amplitude, phase):
    t = np.arange(500) / RATE_HZ
    turn = amplitude * np.sin(2 * np.pi * frequency_hz * t[:, None] + phase + np.array([0.0, 2.0, 4.0]))
    assert not RangeEnd(LEAST_GYR_RAD_S).update(turn).any()


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 285.7])
def test_the_end_of_a_range_is_recognised_by_its_shape(rate_hz):
    turn, beyond = saturated(8.7, 14.0, 1.0, rate_hz)
    readings = np.stack([0.1 * turn, turn, 0 * turn], axis=1) + np.random.default_rng(0).normal(
        0, 0.003, (len(turn), 3)
    )
    found = RangeEnd(LEAST_GYR_RAD_S).update(readings)
    assert not found[~beyond & (np.abs(turn) < 8.4)].any()
    first = np.flatnonzero(beyond)[:4]
    assert found[beyond & (np.arange(len(turn)) > first[-1])].all(), "all but the three that showed it"


def test_what_was_held_for_the_end_of_a_range_is_given_up_beyond_it():
    """A turn that hits a stop and is held there for a moment looks like one."""
    stop = np.concatenate([np.linspace(0.0, 6.0, 20), np.full(5, 6.0), np.linspace(6.0, 0.0, 20)])
    faster = 9.0 * np.sin(np.linspace(0.0, np.pi, 60))
    found = RangeEnd(LEAST_GYR_RAD_S).update(np.concatenate([stop, faster])[:, None] * [1.0, 0.1, 0.0])
    assert found[: len(stop)].any()
    assert not found[len(stop) :][faster > 6.2].any()


def test_the_end_of_a_range_is_told_whether_or_not_the_driver_knows(data_folder):
    """RepoIMU's T-stick was spun faster than its ±7.3 rad/s."""
    path = data_folder / "repoimu" / "TStick_Test05_Trial1.npz"
    if not path.exists():
        pytest.skip("no RepoIMU recordings")
    arrays = np.load(path)
    gyr, acc = arrays["gyr"].astype(float), arrays["acc"].astype(float)
    ticks = (1e4 * np.arange(len(gyr))).astype(np.int64)
    clean = Intake(RATE_HZ).update(ImuSamples(ticks, acc, gyr), ticks / 1e6)
    beyond = np.abs(gyr).max(axis=1) > 7.2
    assert beyond.sum() > 1000
    assert clean.clipped[beyond, 0].mean() > 0.95
    assert not clean.clipped[np.abs(gyr).max(axis=1) < 7.0].any()
    assert [note.fault for note in clean.notes] == [Fault.GYROSCOPE_CLIPPED]
    told = Intake(RATE_HZ).update(ImuSamples(ticks, acc, gyr, clipped=beyond), ticks / 1e6)
    assert np.array_equal(told.clipped[:, 0], beyond)
    assert not told.clipped[:, 1].any()


def test_nothing_is_found_in_nothing():
    intake = Intake(RATE_HZ)
    empty = ImuSamples(np.empty(0, dtype=np.int64), np.empty((0, 3)), np.empty((0, 3)))
    assert len(intake.update(empty, np.empty(0))) == 0
    assert len(intake.update(*samples(10))) == 10
    assert len(intake.update(empty, np.empty(0))) == 0
