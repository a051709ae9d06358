"""Samples that come late: a machine that had no time for them hears nothing for a while, then all at once, one sensor
after the other. Their times are right, so what is told is late, and otherwise as if nothing had been."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion.events import AngleSample, RepetitionDone
from analytics.motion.grid import TimeGrid
from analytics.motion.tracker import Tracker
from analytics.signals.recording import load_recording
from analytics.signals.samples import ImuSamples

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
PACKET_S = 0.08


@pytest.fixture(scope="module")
def knee(data_folder):
    """Ten of the thirty seated knee extensions of a real person."""
    recording = load_recording(data_folder / "uci_physical_therapy" / "s1_e1_test.npz")
    return recording.cut(0.0, 80.0)


def heard(knee, stalls, order):
    """Parts of the recording as they come: those that fall into a stall (start, seconds) when it is over, all of one
    sensor before the other."""
    packets = []
    for start_s, end_s in pairwise(np.arange(0.0, knee.time_s[-1] + PACKET_S, PACKET_S)):
        part = (knee.time_s >= start_s) & (knee.time_s < end_s)
        for k, segment in enumerate(order):
            late_s = next((s + d + 0.01 * k for s, d in stalls if s <= end_s < s + d + 0.02), end_s)
            packets.append((late_s, segment, part))
    return sorted(packets, key=lambda packet: packet[0])


def followed(knee, stalls=(), order=(THIGH, SHANK)):
    """Angles and repetitions."""
    grid = TimeGrid((THIGH, SHANK))
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, dict.fromkeys((THIGH, SHANK), knee.rate_hz))
    events = []
    for _, segment, part in heard(knee, stalls, order):
        time_s, (acc, gyr) = knee.time_s[part], (x[part] for x in knee.sensors[segment])
        samples = ImuSamples(np.round(1e6 * time_s).astype(np.int64), acc, gyr)
        for run in grid.take(segment, knee.rate_hz, samples, time_s):
            events += tracker.update(run.segment, run.samples, run.time_s)
    events += tracker.finish()
    return (
        [(e.time_s, e.flexion_deg) for e in events if isinstance(e, AngleSample)],
        [(e.start_s, e.peak_s, e.end_s, e.excursion_deg) for e in events if isinstance(e, RepetitionDone)],
    )


@pytest.fixture(scope="module")
def undisturbed(knee):
    return followed(knee)


@pytest.mark.parametrize(
    ("stalls", "order"),
    [
        ([(12.0, 10.0)], (SHANK, THIGH)),
        ([(20.0, 40.0)], (THIGH, SHANK)),
        ([(2.0, 10.0), (14.0, 40.0), (60.0, 10.0)], (SHANK, THIGH)),
    ],
)
def test_what_comes_late_is_told_as_if_it_had_come_in_time(knee, undisturbed, stalls, order):
    angles, repetitions = followed(knee, stalls, order)
    assert len(repetitions) >= 9
    assert repetitions == undisturbed[1]
    assert angles == undisturbed[0]
