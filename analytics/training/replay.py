"""A recording through the same tracker that runs on the gateway."""

from __future__ import annotations

import numpy as np

from analytics.domain.exercise import Exercise, Side
from analytics.motion.events import RepetitionDone, TrackerEvent
from analytics.motion.tracker import Tracker
from analytics.signals.recording import Recording
from analytics.signals.samples import FloatArray, ImuSamples

PACKET_S = 0.5


def replay(recording: Recording, exercise: Exercise, side: Side) -> list[TrackerEvent]:
    """Everything the tracker says, in order. Recording time is taken for gateway time."""
    worn = {segment: recording.sensors[segment] for segment in exercise.layouts[0].on(side)}
    tracker = Tracker(exercise, side, dict.fromkeys(worn, recording.rate_hz))
    events: list[TrackerEvent] = []
    packet = max(1, round(PACKET_S * recording.rate_hz))
    for first in range(0, len(recording.time_s), packet):
        part = slice(first, first + packet)
        for segment, (acc, gyr) in worn.items():
            events += tracker.update(
                segment, _samples(recording.time_s[part], acc[part], gyr[part]), recording.time_s[part]
            )
    return events + tracker.finish()


def repetitions(recording: Recording, exercise: Exercise, side: Side) -> list[RepetitionDone]:
    """The repetitions the tracker counts."""
    return [event for event in replay(recording, exercise, side) if isinstance(event, RepetitionDone)]


def _samples(time_s: FloatArray, acc: FloatArray, gyr: FloatArray) -> ImuSamples:
    return ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc, gyr)
