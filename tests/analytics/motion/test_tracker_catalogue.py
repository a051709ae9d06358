"""The whole catalogue, by each set of sensors that may follow it, against a simulated person's truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analytics.domain.exercise import Follows, Segment, Side
from analytics.exercises import catalogue, exercise
from analytics.motion.calibration.walking import on_foot
from analytics.motion.events import Calibrated, CalibrationRefused, RepetitionDone
from analytics.motion.repetition import NotCounted, Reason
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import MOVEMENTS, repeat, rest, simulate
from analytics.simulation.body.catalogue import MOVEMENT_OF

REPETITIONS = 6
ABSOLUTE_DEG, SHARE = 2.5, 0.04
"""Of an excursion, on average over the set: the seeds tried had up to 2.3° and 4 %."""
NEIGHBOUR_SHARE = 0.1
"""The simulated thigh lifts by 7° while a knee stretches by 75°, which one sensor cannot see."""
OF = {code: movement.in_place() for code, movement in MOVEMENT_OF.items()}
RIGHT_KNEE = (Segment.RIGHT_THIGH, Segment.RIGHT_SHANK)
PLAYED = [(code, k) for code in OF for k in range(len(exercise(code).layouts))]
QUICK = [
    ("knee.squat", 0),
    ("knee.heel_slide", 0),
    ("knee.sit_to_stand", 0),
    ("knee.extension.seated", 1),
    ("neck.rotation", 1),
    ("shoulder.flexion.standing", 2),
    ("trunk.pelvic_tilt", 0),
]


def followed(code, segments, movement, seed=1, count=REPETITIONS, side=Side.RIGHT, rest_s=2.0):
    """The simulated session and the tracker's events."""
    rng = np.random.default_rng(seed)
    parts = [rest(3.0, movement.position), repeat(movement, count, rng, rest_s=rest_s), rest(1.0, movement.position)]
    body = simulate(parts, [str(segment) for segment in segments], rng, rate_hz=50.0)
    tracker = Tracker(exercise(code), side, dict.fromkeys(segments, body.rate_hz))
    events = []
    for first in range(0, len(body.time_s), 10):
        part = slice(first, first + 10)
        for segment in segments:
            acc, gyr = (values[part] for values in body.sensors[str(segment)])
            time_s = body.time_s[part]
            samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc, gyr)
            events += tracker.update(segment, samples, time_s)
    return body, [*events, *tracker.finish()]


def repetitions(events):
    return [event for event in events if isinstance(event, RepetitionDone)]


def counted_and_measured(code, number, seed=1):
    layout = exercise(code).layouts[number]
    body, events = followed(code, layout.on(Side.RIGHT), OF[code], seed)
    found = repetitions(events)
    assert len(found) == REPETITIONS
    assert all(one.start_s < one.peak_s < one.end_s for one in found)
    for one, true in zip(found, body.repetitions, strict=True):
        assert true.start_s < one.peak_s < true.end_s
    if layout.follows is Follows.PATTERN:
        assert all(one.excursion_deg is None and one.motion is None for one in found)
        return
    true_deg = np.array([one.excursion_deg for one in body.repetitions])
    error_deg = float(np.mean([one.excursion_deg for one in found] - true_deg))
    share = NEIGHBOUR_SHARE if code == "knee.extension.seated" and len(layout.segments) == 1 else SHARE
    assert abs(error_deg) < ABSOLUTE_DEG + share * true_deg.mean()


@pytest.mark.parametrize(("code", "layout"), QUICK)
def test_some_exercises_are_counted_and_measured(code, layout):
    counted_and_measured(code, layout)


@pytest.mark.long
@pytest.mark.parametrize(("code", "layout"), PLAYED)
def test_every_exercise_is_counted_and_measured(code, layout):
    counted_and_measured(code, layout)


def test_the_simulated_person_does_almost_everything_that_has_an_angle():
    without = {code for code, one in catalogue().items() if one.follows is Follows.ANGLE} - set(OF)
    assert without == {
        "knee.quad_set", "knee.walking_range", "shoulder.row.band", "shoulder.row.bent_over", "shoulder.swing.prone",
        "shoulder.wall_slide", "sit_to_stand.five", "sit_to_stand.thirty_seconds", "trunk.bird_dog", "trunk.cat_camel",
    }  # fmt: skip


def test_a_left_leg_reads_as_a_right_one_does():
    movement = MOVEMENTS["squat"].mirrored()
    segments = (Segment.LEFT_THIGH, Segment.LEFT_SHANK)
    body, events = followed("knee.squat", segments, movement, side=Side.LEFT)
    found = repetitions(events)
    assert len(found) == REPETITIONS
    for one, true in zip(found, body.repetitions, strict=True):
        assert one.excursion_deg == pytest.approx(true.excursion_deg, abs=6.0)
        assert one.peak_flexion_deg > 60.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_getting_into_place_is_not_taken_for_the_exercise(seed):
    """The elbow bends before the forearm turns: that axis is forgotten once another one is repeated."""
    segments = (Segment.RIGHT_UPPER_ARM, Segment.RIGHT_FOREARM)
    body, events = followed("elbow.pronation", segments, MOVEMENT_OF["elbow.pronation"], seed)
    found = repetitions(events)[-REPETITIONS:]
    assert len([one for one in events if isinstance(one, Calibrated)]) == 2
    for one, true in zip(found, body.repetitions, strict=True):
        assert one.excursion_deg == pytest.approx(true.excursion_deg, abs=5.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_turning_about_the_vertical_does_not_drift_with_what_is_learned_of_the_heading(seed):
    body, events = followed("neck.rotation", (Segment.CHEST, Segment.HEAD), OF["neck.rotation"], seed)
    for one, true in zip(repetitions(events), body.repetitions, strict=True):
        assert one.excursion_deg == pytest.approx(true.excursion_deg, abs=3.0)


def test_one_sensor_does_not_count_while_its_neighbour_swings_about():
    """By a sensor on the shank alone, of somebody who briskly lifts the thigh as well."""
    movement = replace(OF["knee.heel_slide"], tempo_s=(0.6, 0.3, 0.6))
    _, events = followed("knee.curl.prone", (Segment.RIGHT_SHANK,), movement)
    refused = [one for one in events if isinstance(one, NotCounted)]
    assert not repetitions(events)
    assert any(one.reason is Reason.NEIGHBOUR_MOVED and "your thigh moved as well" in one.sentence for one in refused)


def test_a_movement_in_all_directions_is_refused_in_words():
    rng = np.random.default_rng(4)
    time_s = np.arange(0, 10, 0.02)
    gyr = np.zeros((len(time_s), 3))
    gyr[100:250, 0], gyr[100:250, 1] = np.sin(np.arange(150) / 12), np.cos(np.arange(150) / 12)
    acc = np.tile([0.0, 0.0, 9.81], (len(time_s), 1)) + rng.normal(0, 0.02, (len(time_s), 3))
    tracker = Tracker(exercise("trunk.pelvic_tilt"), Side.RIGHT, {Segment.PELVIS: 50.0})
    samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc, gyr)
    told = [e for e in tracker.update(Segment.PELVIS, samples, time_s) if isinstance(e, CalibrationRefused)]
    assert told
    assert "more than one direction" in told[0].sentence


def test_skin_that_trembles_is_no_walk():
    _, events = followed("knee.extension.seated", RIGHT_KNEE, OF["knee.extension.seated"], seed=2)
    assert len(repetitions(events)) == REPETITIONS
    assert not any(isinstance(one, CalibrationRefused) for one in events)


def test_an_arm_that_shakes_as_regularly_as_steps_do_is_counted():
    brisk = replace(OF["shoulder.flexion.standing"].to_range(60.0), tempo_s=(0.4, 0.05, 0.4))
    segments = (Segment.CHEST, Segment.RIGHT_UPPER_ARM)
    _, events = followed("shoulder.flexion.standing", segments, brisk, count=15, rest_s=0.1)
    assert len(repetitions(events)) >= 14
    assert not any(isinstance(one, NotCounted) and one.reason is Reason.WALKING for one in events)


def test_only_legs_are_asked_whether_they_walk():
    assert on_foot(exercise("knee.squat"))
    assert not on_foot(exercise("knee.walking_range"))
    assert not on_foot(exercise("shoulder.scaption"))


def test_sensors_that_are_too_few_are_named():
    with pytest.raises(ValueError, match="Squat needs a sensor on the right shank"):
        Tracker(exercise("knee.squat"), Side.RIGHT, {Segment.RIGHT_THIGH: 50.0})
