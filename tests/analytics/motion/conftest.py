from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion.events import AngleSample, Calibrated, RepetitionDone
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK


@dataclass
class Tracked:
    events: list

    @property
    def angles(self):
        return [e for e in self.events if isinstance(e, AngleSample)]

    @property
    def repetitions(self):
        return [e for e in self.events if isinstance(e, RepetitionDone)]

    @property
    def calibrations(self):
        return [e for e in self.events if isinstance(e, Calibrated)]

    def error_deg(self, body):
        truth = np.interp([a.time_s for a in self.angles], body.time_s, body.flexion_deg)
        return np.array([a.flexion_deg for a in self.angles]) - truth


def packets(body, size, lost=()):
    """Samples as they would arrive: size per packet, thigh and shank in turn; lost: (segment, from_s, to_s)."""
    for first in range(0, len(body.time_s), size):
        for segment in (THIGH, SHANK):
            acc, gyr = body.sensors[str(segment)]
            part = slice(first, first + size)
            time_s = body.time_s[part]
            if any(segment == s and start <= time_s[0] and time_s[-1] < end for s, start, end in lost):
                continue
            yield segment, ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc[part], gyr[part]), time_s


@pytest.fixture(scope="session")
def track():
    """Run a body through a new tracker: track(body, size=..., lost=...)."""

    def run(body, size=10, lost=()):
        rates = {THIGH: body.rate_hz, SHANK: body.rate_hz}
        tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, rates)
        events = [event for packet in packets(body, size, lost) for event in tracker.update(*packet)]
        return Tracked(events + tracker.finish())

    return run
