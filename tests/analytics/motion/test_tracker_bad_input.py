"""What goes wrong at home is detected and said, and never a silently wrong angle."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.domain.session import FormLabel
from analytics.exercises import exercise
from analytics.motion.events import AngleSample, CalibrationRefused, RepetitionDone
from analytics.motion.tracker import Tracker
from analytics.motion.worn import SensorNote
from analytics.signals.samples import ImuSamples
from analytics.simulation import faults
from analytics.simulation.body import (
    INEXPENSIVE,
    MOVEMENTS,
    calibration_while_walking,
    seated_knee_extensions,
    simulate,
)

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
WORN = (THIGH, SHANK)


@pytest.fixture(scope="module")
def body():
    return seated_knee_extensions([FormLabel.CORRECT] * 5, np.random.default_rng(2), rate_hz=50.0)


def tracked(sensors, time_s, rate_hz=50.0):
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, dict.fromkeys(WORN, rate_hz))
    events = []
    for first in range(0, len(time_s), 10):
        part = slice(first, first + 10)
        for segment in WORN:
            acc, gyr = sensors[segment]
            samples = ImuSamples(np.round(time_s[part] * 1e6).astype(np.int64), acc[part], gyr[part])
            events += tracker.update(segment, samples, time_s[part])
    return events + tracker.finish()


def of(kind, events):
    return [one for one in events if isinstance(one, kind)]


def worst_error_deg(body, events):
    angles = of(AngleSample, events)
    truth = np.interp([one.time_s for one in angles], body.time_s, body.flexion_deg)
    return float(np.abs(np.array([one.flexion_deg for one in angles]) - truth).max())


@pytest.mark.parametrize(("fault", "word"), [(faults.in_g, "in g"), (faults.in_degrees, "degrees")])
def test_wrong_units_are_named_and_end_the_angle(body, fault, word):
    events = tracked(fault(body.sensors, [SHANK]), body.time_s)
    (note,) = [one for one in of(SensorNote, events) if one.unusable]
    assert note.segment == SHANK
    assert word in note.sentence
    assert not [one for one in of(AngleSample, events) if one.time_s > note.time_s + 0.1]
    assert note.time_s < 12.0


def test_a_sensor_upside_down_measures_the_same(body):
    plain, turned = (tracked(sensors, body.time_s) for sensors in (body.sensors, upside_down(body)))
    assert len(of(RepetitionDone, turned)) == len(of(RepetitionDone, plain)) == 5
    assert worst_error_deg(body, turned) < worst_error_deg(body, plain) + 0.5


def upside_down(body):
    return faults.upside_down(faults.upside_down(body.sensors, THIGH), SHANK, axis=2)


def test_a_rate_that_is_off_by_a_tenth_is_said(body):
    sensors = faults.sampled_faster(body.sensors, WORN)
    # The clock says when samples came; the sensor sends ten per cent more of them than it was set to.
    time_s = body.time_s[0] + np.arange(len(sensors[SHANK][0])) / 55.0
    notes = [one.sentence for one in of(SensorNote, tracked(sensors, time_s))]
    assert any("samples a second, not 50" in sentence for sentence in notes)


def test_two_seconds_that_never_came_give_no_angle_and_no_wrong_one(body):
    start_s = body.repetitions[2].start_s + 0.5
    events = tracked(faults.dropped(body.sensors, SHANK, body.time_s, start_s), body.time_s)
    angles = of(AngleSample, events)
    assert not [one for one in angles if start_s < one.time_s < start_s + 2.0]
    assert [one for one in angles if one.time_s > start_s + 6.0]
    assert worst_error_deg(body, events) < worst_error_deg(body, tracked(body.sensors, body.time_s)) + 2.0
    assert any("begins anew" in one.sentence for one in of(SensorNote, events))


def test_a_calibration_while_walking_is_refused_in_words():
    rng = np.random.default_rng(4)
    parts = calibration_while_walking(MOVEMENTS["seated_knee_extension"], rng, walk_s=12.0)
    session = simulate(parts, map(str, WORN), rng, model=INEXPENSIVE)
    events = tracked({s: session.sensors[s] for s in WORN}, session.time_s, session.rate_hz)
    refused = of(CalibrationRefused, events)
    assert any("walking" in one.sentence for one in refused)
