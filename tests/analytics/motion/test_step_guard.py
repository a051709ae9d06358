"""Who gets up between two sets does not exercise while walking."""

from __future__ import annotations

import numpy as np

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion.events import RepetitionDone
from analytics.motion.repetition import NotCounted, Reason
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import INEXPENSIVE, MOVEMENTS, exercise_session, simulate

WORN = (Segment.RIGHT_THIGH, Segment.RIGHT_SHANK)


def test_steps_are_told_and_not_counted():
    rng = np.random.default_rng(1)
    parts = exercise_session(MOVEMENTS["seated_knee_extension"], rng, duration_s=60.0, rest_s=5.0, walk_after_sets=1)
    session = simulate(parts, map(str, WORN), rng, model=INEXPENSIVE)
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, dict.fromkeys(WORN, session.rate_hz))
    events = []
    for first in range(0, len(session.time_s), 50):
        part = slice(first, first + 50)
        time_s = session.time_s[part]
        for segment in WORN:
            acc, gyr = session.sensors[segment]
            samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc[part], gyr[part])
            events += tracker.update(segment, samples, time_s)
    events += tracker.finish()
    hip_deg = session.angles_deg["right_hip"][:, 0]
    on_feet_s = float((hip_deg < 80.0).sum()) / session.rate_hz
    assert on_feet_s > 15.0
    counted = [one for one in events if isinstance(one, RepetitionDone)]
    seated = [one for one in counted if np.interp(one.peak_s, session.time_s, hip_deg) > 80.0]
    assert len(seated) == len(session.repetitions)
    assert len(counted) - len(seated) <= 2, "getting up straightens the knee as the exercise does"
    steps = [one for one in events if isinstance(one, NotCounted) and one.reason is Reason.WALKING]
    assert len(steps) > on_feet_s / 2
    assert steps[0].sentence == "Not counted: you were walking."
