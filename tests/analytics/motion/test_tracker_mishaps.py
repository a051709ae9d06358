"""What befalls sensors and people in the midst of it costs a repetition at most, and no angle is wrong in silence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion import rotations
from analytics.motion.events import CalibrationRefused, RepetitionDone
from analytics.motion.followed_joint import FollowedJoint, JointInstant
from analytics.motion.grid import TimeGrid
from analytics.motion.repetition import Reason, RepetitionCounter
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import repeat, rest, simulate
from analytics.simulation.body.catalogue import MOVEMENT_OF


def played(code, *, count=6, seed=1, rate_hz=50.0, in_place=True, harm=None):
    """The true session and the tracker's events; harm(segment, time_s, acc, gyr) says which samples (n,) arrive and may
    change them."""
    movement = MOVEMENT_OF[code].in_place() if in_place else MOVEMENT_OF[code]
    segments = exercise(code).layouts[0].on(Side.RIGHT)
    rng = np.random.default_rng(seed)
    parts = [rest(3.0, movement.position), repeat(movement, count, rng), rest(1.0, movement.position)]
    body = simulate(parts, [str(one) for one in segments], rng, rate_hz=rate_hz)
    signals = {one: [values.copy() for values in body.sensors[str(one)]] for one in segments}
    arrives = {one: np.ones(len(body.time_s), dtype=bool) for one in segments}
    for one in segments:
        if harm is not None:
            arrives[one] = harm(one, body.time_s, *signals[one])
    tracker = Tracker(exercise(code), Side.RIGHT, dict.fromkeys(segments, rate_hz))
    events = []
    for first in range(0, len(body.time_s), 10):
        for one in segments:
            part = np.flatnonzero(arrives[one][first : first + 10]) + first
            if len(part):
                acc, gyr = (values[part] for values in signals[one])
                time_us = np.round(body.time_s[part] * 1e6).astype(np.int64)
                events += tracker.update(one, ImuSamples(time_us, acc, gyr), body.time_s[part])
    return body, [*events, *tracker.finish()]


def repetitions(events):
    return [one for one in events if isinstance(one, RepetitionDone)]


@pytest.mark.parametrize("code", ["shoulder.external_rotation.band", "neck.rotation"])
def test_about_an_upright_axis_the_angle_returns_after_a_gap(code):
    outer = exercise(code).layouts[0].on(Side.RIGHT)[1]

    def silent(segment, time_s, acc, gyr):
        return (segment is not outer) | (np.abs(time_s - 20.0) > 0.1)

    body, events = played(code, count=10, harm=silent)
    found = repetitions(events)
    assert len(found) >= len(body.repetitions) - 3
    assert found[-1].end_s > body.repetitions[-1].peak_s
    assert any(isinstance(one, CalibrationRefused) and "out of reach" in one.sentence for one in events)


def turns(*movements, rate_hz=50.0):
    """Ideal readings of a level sensor that turns there and back in 4 s, about a level axis so far off x [°], by so
    much [°], with 2 s of rest before each: time, specific force, angular rate."""
    bend = (1 - np.cos(2 * np.pi * np.arange(0, 4, 1 / rate_hz) / 4)) / 2
    still = np.zeros((round(2 * rate_hz), 3))
    parts = [still]
    for off_deg, turn_deg in movements:
        axis = np.array([np.cos(np.radians(off_deg)), np.sin(np.radians(off_deg)), 0.0])
        parts += [np.radians(turn_deg) * bend[:, None] * axis, still]
    vector = np.concatenate(parts)
    orientation = rotations.from_rotation_vector(vector)
    acc = rotations.rotate(rotations.conjugate(orientation), np.tile([0.0, 0.0, 9.81], (len(vector), 1)))
    # About one axis at a time, so that the rate is the vector's own.
    return np.arange(len(vector)) / rate_hz, acc, np.gradient(vector, 1 / rate_hz, axis=0)


@pytest.mark.parametrize("off_deg", [45, 55, 65])
def test_no_movement_is_counted_about_two_axes(off_deg):
    """One movement to the side shows the axis; the six that follow are about another, and the past is gone over."""
    time_s, acc, gyr = turns((off_deg, 60), *[(0, 90)] * 6)
    tracker = Tracker(exercise("trunk.pelvic_tilt"), Side.RIGHT, {Segment.PELVIS: 50.0})
    samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc, gyr)
    found = repetitions([*tracker.update(Segment.PELVIS, samples, time_s), *tracker.finish()])
    assert 6 <= len(found) <= 7
    for one, after in pairwise(sorted(found, key=lambda one: one.start_s)):
        assert after.start_s >= one.end_s - 0.5


def test_a_sensor_that_sends_zeros_first_is_followed_all_the_same():
    def zeros(segment, time_s, acc, gyr):
        acc[0] = gyr[0] = 0.0
        return np.ones(len(time_s), dtype=bool)

    body, events = played("knee.extension.seated", harm=zeros)
    assert len(repetitions(events)) == len(body.repetitions)


@pytest.mark.parametrize("wild", ["acc", "gyr"])
def test_one_absurd_reading_is_no_reading(wild):
    def spoilt(segment, time_s, acc, gyr):
        if segment is Segment.RIGHT_SHANK:
            (acc if wild == "acc" else gyr)[len(time_s) // 2, 1] = 1e12
        return np.ones(len(time_s), dtype=bool)

    body, events = played("knee.extension.seated", harm=spoilt)
    found = repetitions(events)
    assert len(found) == len(body.repetitions)
    for one, true in zip(found, body.repetitions, strict=True):
        assert one.excursion_deg == pytest.approx(true.excursion_deg, abs=5.0)


@pytest.mark.parametrize("rate_hz", [200.0, 400.0])
def test_a_movement_of_a_moment_shows_no_axis_and_is_no_fault(rate_hz):
    """Of a fast sensor a few hundredths of a second are many samples."""
    joint = FollowedJoint(exercise("knee.extension.seated"), rate_hz)
    instants = [
        JointInstant(
            k / rate_hz, 0, (1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0), ((0.0,) * 3, (0.0, 0.2, 0.0)),
            np.tile([0.0, 0.0, 9.81], (2, 1)), False,
        )
        for k in range(12)
    ]  # fmt: skip
    assert list(joint._calibrate(instants)) == []
    assert joint.hinge is None


def swing(low_deg, high_deg, count, start_s, period_s=3.0, rate_hz=20.0):
    t = np.arange(0, count * period_s, 1 / rate_hz)
    return zip(start_s + t, low_deg + (high_deg - low_deg) * (1 - np.cos(2 * np.pi * t / period_s)) / 2, strict=True)


def test_who_comes_to_rest_elsewhere_is_counted_again_before_long():
    """Out to 90° once, and from then on back to 40° only."""
    counter = RepetitionCounter(15.0)
    first = [*swing(0, 90, 1, 0.0)][:30]
    found = [one for t, a in [*first, *swing(90, 40, 30, 1.5)] if (one := counter.update(float(t), float(a)))]
    assert len(found) >= 12
    assert all(one.excursion_deg == pytest.approx(50.0, abs=3.0) for one in found)
    assert Reason.NOT_RETURNED in {one.reason for one in counter.refused()}


def test_a_counter_forgets_what_went_on_for_too_long():
    counter = RepetitionCounter(15.0)
    longest = 0
    for t, a in [*swing(0, 60, 1, 0.0), *swing(50, 100, 400, 3.0, period_s=1.5)]:
        counter.update(float(t), float(a))
        longest = max(longest, len(counter._curve))
    assert longest < 20 * 60


def test_the_grid_hands_on_the_magnetic_field_and_what_was_clipped():
    grid = TimeGrid({Segment.RIGHT_SHANK})
    time_s = np.arange(0, 2, 0.02) + 0.004
    clipped = (time_s > 1.0) & (time_s < 1.1)
    field = np.tile([20.0, 0.0, 40.0], (len(time_s), 1))
    field[clipped] = [90.0, 0.0, 40.0]
    samples = ImuSamples(
        np.round(time_s * 1e6).astype(np.int64), np.zeros((len(time_s), 3)), np.zeros((len(time_s), 3)),
        mag_ut=field, clipped=clipped,
    )  # fmt: skip
    runs = list(grid.take(Segment.RIGHT_SHANK, 50.0, samples, time_s))
    assert sum(int(run.clipped.sum()) for _, _, run, _ in runs) == pytest.approx(clipped.sum(), abs=1)
    for _, _, run, _ in runs:
        assert np.array_equal(run.mag_ut[:, 0] > 50.0, run.clipped)
