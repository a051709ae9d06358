"""Slipped, loose and turned sensors, from simulated sessions in which they do and real ones in which they do not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion import rotations
from analytics.motion.calibration.mounting_watch import MountingWatch
from analytics.motion.tracker import Tracker
from analytics.motion.worn import Posture, SensorNote
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import seated_knee_extensions
from analytics.simulation.faults import upside_down

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
WORN = (THIGH, SHANK)
RATE_HZ = 50.0


@pytest.fixture(scope="module")
def body():
    return seated_knee_extensions(10, np.random.default_rng(4), rate_hz=RATE_HZ)


def told(sensors, body, **how):
    """What is said after which repetition (from 1), and the watch."""
    watch = MountingWatch(WORN, RATE_HZ, **how)
    ends = {round(one.end_s * RATE_HZ): (k, one) for k, one in enumerate(body.repetitions, 1)}
    readings = [sensors[segment] for segment in WORN]
    said = []
    for i, time_s in enumerate(body.time_s):
        acc, gyr = (np.array([one[kind][i] for one in readings]) for kind in (0, 1))
        watch.update(Posture(time_s, 0, np.tile([1.0, 0, 0, 0], (2, 1)), gyr, acc, [True] * 2, [False] * 2))
        if i in ends:
            k, one = ends[i]
            said += [(k, note) for note in watch.repetition(one.start_s, one.end_s)]
    return said, watch


def turned(body, segment, axis_deg, from_repetition):
    """The sensor sits otherwise from shortly before that repetition on."""
    turn = rotations.from_rotation_vector(np.radians(axis_deg))
    after = (body.time_s >= body.repetitions[from_repetition - 1].start_s - 0.8)[:, None]
    changed = tuple(np.where(after, rotations.rotate(turn, one), one) for one in body.sensors[segment])
    return {**body.sensors, segment: changed}


def axis_of(body, segment):
    gyr = body.sensors[segment][1]
    return np.linalg.eigh(gyr.T @ gyr)[1]


def test_sensors_that_stay_where_they_are_are_not_mentioned(body):
    said, watch = told(body.sensors, body)
    assert said == []
    for segment in WORN:
        down = body.sensors[segment][0][:50].mean(axis=0)
        assert np.dot(watch.up[segment], down / np.linalg.norm(down)) > 0.999


@pytest.mark.parametrize("angle_deg", [20.0, 30.0])
def test_a_strap_that_turns_about_the_limb_is_told_once_after_two_repetitions(body, angle_deg):
    across = axis_of(body, SHANK)[:, 0]
    said, _ = told(turned(body, SHANK, angle_deg * across, 6), body)
    ((k, note),) = said
    assert (k, note.segment, note.unusable) == (7, SHANK, False)
    assert f"your right lower leg has slipped by {angle_deg:.0f}°" in note.sentence


def test_a_slip_about_the_joints_axis_or_another_pose_is_asked_about(body):
    about = axis_of(body, SHANK)[:, 2]
    said, _ = told(turned(body, SHANK, 25.0 * about, 6), body)
    ((k, note),) = said
    assert (k, note.segment) == (7, SHANK)
    assert "turned by 25° since you began" in note.sentence


def test_what_happens_once_is_no_slip(body):
    one = body.repetitions[5]
    during = ((body.time_s > one.start_s - 0.8) & (body.time_s < one.end_s))[:, None]
    turn = rotations.from_rotation_vector(np.radians(30.0) * axis_of(body, SHANK)[:, 0])
    odd = tuple(np.where(during, rotations.rotate(turn, x), x) for x in body.sensors[SHANK])
    assert told({**body.sensors, SHANK: odd}, body)[0] == []


def test_a_loose_strap_is_told(body):
    acc, gyr = body.sensors[THIGH]
    trembling = np.radians(4.0) * 2 * np.pi * 6.0 * np.sqrt(2) * np.sin(2 * np.pi * 6.0 * body.time_s)
    said, _ = told({**body.sensors, THIGH: (acc, gyr + trembling[:, None] * [1.0, 0, 0])}, body)
    ((k, note),) = said
    assert (k, note.segment) == (2, THIGH)
    assert "your right thigh is loose" in note.sentence


def test_a_sensor_that_sits_otherwise_than_last_time_is_told_with_the_first_repetition(body):
    _, last = told(body.sensors, body)
    vertical = int(np.argmax(np.abs(last.up[SHANK])))
    said, _ = told(upside_down(body.sensors, SHANK, axis=(vertical + 1) % 3), body, last_up=last.up)
    ((k, note),) = said
    assert (k, note.segment) == (1, SHANK)
    assert "the other way up than last time" in note.sentence
    assert told(body.sensors, body, last_up=last.up)[0] == []
    about = axis_of(body, THIGH)[:, 2]
    said, _ = told(turned(body, THIGH, 50.0 * about, 1), body, last_up=last.up)
    assert "° off from last time" in said[0][1].sentence


def test_real_people_whose_straps_held_are_left_alone(data_folder):
    """Seated knee extensions, thirty each, of three kinds; five sensors."""
    for subject in ("s1", "s2", "s3"):
        path = data_folder / "uci_physical_therapy" / f"{subject}_e1_test.npz"
        if not path.exists():
            pytest.skip("no uci_physical_therapy")
        with np.load(path) as data:
            acc, gyr = data["acc"].astype(float), data["gyr"].astype(float)
            rows = data["reps"] if len(data["reps"]) else data["reps_auto"]
            assert len(json.loads(str(data["meta"]))["units"]) == 5
        ends = {int(b): int(a) for a, b in np.round(rows[:, :2])}
        watch = MountingWatch(list(Segment)[:5], 25.0)
        said = []
        for i in range(len(acc)):
            still = np.tile([1.0, 0, 0, 0], (5, 1))
            watch.update(Posture(i / 25.0, 0, still, gyr[i], acc[i], [True] * 5, [False] * 5))
            if i in ends:
                said += watch.repetition(ends[i] / 25.0, i / 25.0)
        assert said == []
        assert len(watch.up) == 5


def test_the_tracker_tells_of_a_slip(body):
    sensors = turned(body, SHANK, 30.0 * axis_of(body, SHANK)[:, 0], 6)
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, dict.fromkeys(WORN, RATE_HZ))
    events = []
    for first in range(0, len(body.time_s), 10):
        part = slice(first, first + 10)
        for segment in WORN:
            acc, gyr = sensors[segment]
            us = np.round(body.time_s[part] * 1e6).astype(np.int64)
            events += tracker.update(segment, ImuSamples(us, acc[part], gyr[part]), body.time_s[part])
    sentences = [one.sentence for one in events if isinstance(one, SensorNote)]
    assert any("right lower leg has slipped" in one for one in sentences)
    assert tracker.up.keys() == {*WORN}
