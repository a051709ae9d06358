"""What goes wrong with sensors at home, one after the other: each is detected, said, and gives never a silently wrong
angle, which is either withheld or as near to the truth as without it.

Through what a gateway has: the tracker, and the preparation that finds out which sensor is where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.domain.live import SessionState
from analytics.domain.session import Placement
from analytics.exercises import exercise
from analytics.motion.events import AngleSample, CalibrationRefused, RepetitionDone
from analytics.motion.grid import TimeGrid
from analytics.motion.tracker import Tracker
from analytics.motion.worn import SensorNote
from analytics.signals.samples import FloatArray, ImuSamples, IntArray
from analytics.simulation import faults
from analytics.simulation.body import (
    INEXPENSIVE,
    MOVEMENTS,
    SimulatedBody,
    calibration_while_walking,
    repeat,
    rest,
    seated_knee_extensions,
    simulate,
)
from device_gateway.session.preparation import Preparation

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
WORN = (THIGH, SHANK)
RATE_HZ = 50.0
KNEE = exercise("knee.extension.seated")


@dataclass
class Case:
    """What arrives. time_s: by the session's clock; counted_us: by the sensor's."""

    body: SimulatedBody
    sensors: dict[str, tuple[FloatArray, FloatArray]]
    time_s: FloatArray
    counted_us: IntArray
    mag_ut: FloatArray | None = None
    last_up: dict[Segment, tuple[float, float, float]] = field(default_factory=dict)
    on_grid: bool = False


@dataclass
class Heard:
    angles: list[AngleSample]
    repetitions: list[RepetitionDone]
    sentences: list[str]
    placement: Placement
    up: dict[Segment, tuple[float, float, float]]

    def worst_error_deg(self, body: SimulatedBody) -> float:
        truth = np.interp([one.time_s for one in self.angles], body.time_s, body.flexion_deg)
        return float(np.abs(np.array([one.flexion_deg for one in self.angles]) - truth).max())


@pytest.fixture(scope="module")
def body() -> SimulatedBody:
    return seated_knee_extensions(3, np.random.default_rng(2), rate_hz=RATE_HZ)


@pytest.fixture(scope="module")
def usual(body) -> Heard:
    """With nothing wrong."""
    return heard(plain(body))


def plain(body: SimulatedBody) -> Case:
    return Case(body, body.sensors, body.time_s, np.round(1e6 * body.time_s).astype(np.int64))


def heard(case: Case) -> Heard:
    rates_hz = dict.fromkeys(WORN, RATE_HZ)
    preparation = Preparation(KNEE, Side.RIGHT, rates_hz, guided=False)
    runs = list(_runs(case))
    cues = [
        outcome.cue.text
        for segment, samples, time_s in runs
        for outcome in preparation.update(segment, samples, time_s, lambda: SessionState.PLACING)
        if outcome.cue is not None
    ]
    tracker = Tracker(KNEE, Side.RIGHT, rates_hz, last_up=case.last_up)
    events = [
        event
        for segment, samples, time_s in runs
        for event in tracker.update(preparation.segment_of[segment], samples, time_s)
    ]
    events += tracker.finish()
    notes = [one.sentence for one in events if isinstance(one, SensorNote | CalibrationRefused)]
    return Heard(
        [one for one in events if isinstance(one, AngleSample)],
        [one for one in events if isinstance(one, RepetitionDone)],
        [*notes, *cues],
        preparation.placement,
        dict(tracker.up),
    )


def _runs(case: Case):
    grid = TimeGrid(WORN)
    for first in range(0, len(case.time_s), 10):
        part = slice(first, first + 10)
        for segment in WORN:
            acc, gyr = case.sensors[segment]
            mag = None if case.mag_ut is None or segment != SHANK else case.mag_ut[part]
            samples = ImuSamples(case.counted_us[part], acc[part], gyr[part], mag_ut=mag)
            if not case.on_grid:
                yield segment, samples, case.time_s[part]
                continue
            for run in grid.take(segment, RATE_HZ, samples, case.time_s[part]):
                yield run.segment, run.samples, run.time_s


def changed(fault: Callable, *how: object, **more: object) -> Callable[[SimulatedBody], Case]:
    return lambda body: replace(plain(body), sensors=fault(body.sensors, *how, **more))


def off(share: float, *, on_grid: bool) -> Callable[[SimulatedBody], Case]:
    """The sensors count their samples; the session's clock knows better."""

    def case(body: SimulatedBody) -> Case:
        sensors = faults.sampled_faster(body.sensors, WORN, share)
        n = np.arange(len(sensors[SHANK][0]))
        counted_us = np.round(1e6 * n / RATE_HZ).astype(np.int64)
        return Case(body, sensors, n / RATE_HZ / share, counted_us, on_grid=on_grid)

    return case


def other_way_up(body: SimulatedBody) -> Case:
    last_up = heard(plain(body)).up
    turned = {name: faults.upside_down(body.sensors, name, _across(last_up[Segment(name)]))[name] for name in WORN}
    return replace(plain(body), sensors=turned, last_up=last_up)


def _across(up: tuple[float, float, float]) -> int:
    return (int(np.argmax(np.abs(up))) + 1) % 3


def magnet(body: SimulatedBody) -> Case:
    earth_ut = np.tile([20.0, 0.0, -44.0], (len(body.time_s), 1))
    near_ut = faults.beside_a_magnet(earth_ut, body.time_s, 15.0, 5.0, np.array([120.0, 0.0, 0.0]))
    return replace(plain(body), mag_ut=near_ut)


def lost_2_s(body: SimulatedBody) -> Case:
    start_s = body.repetitions[1].start_s + 0.5
    return replace(plain(body), sensors=faults.dropped(body.sensors, SHANK, body.time_s, start_s))


WITHHELD = [
    ("acceleration in g, shank", changed(faults.in_g, [SHANK]), "acceleration comes in g"),
    ("acceleration in g, thigh", changed(faults.in_g, [THIGH]), "acceleration comes in g"),
    ("rate in degrees, shank", changed(faults.in_degrees, [SHANK]), "rate of turn comes in degrees"),
    ("rate in degrees, thigh", changed(faults.in_degrees, [THIGH]), "rate of turn comes in degrees"),
    ("rate in degrees, both", changed(faults.in_degrees, WORN), "rate of turn comes in degrees"),
]
RIGHT = [
    ("exchanged", changed(faults.swapped, THIGH, SHANK), "worn the other way round", 0.5),
    ("upside down", other_way_up, "the other way up than last time", 0.5),
    ("a tenth faster", off(1.1, on_grid=False), "takes 55 samples a second, not 50", 0.5),
    ("a tenth slower", off(0.9, on_grid=False), "takes 45 samples a second, not 50", 0.5),
    ("a tenth faster, on the grid", off(1.1, on_grid=True), "takes 55 samples a second, not 50", 0.5),
    ("a tenth slower, on the grid", off(0.9, on_grid=True), "takes 45 samples a second, not 50", 0.5),
    ("two seconds lost", lost_2_s, "begins anew", 2.0),
    ("a magnet nearby", magnet, "a magnet or much steel", 0.0),
]


@pytest.mark.parametrize(("bad", "says"), [one[1:] for one in WITHHELD], ids=[one[0] for one in WITHHELD])
def test_what_cannot_be_measured_is_said_and_not_measured(body, bad, says) -> None:
    found = heard(bad(body))
    assert any(says in sentence for sentence in found.sentences)
    assert found.angles == []
    assert found.repetitions == []


@pytest.mark.parametrize(("bad", "says", "more_deg"), [one[1:] for one in RIGHT], ids=[one[0] for one in RIGHT])
def test_what_can_be_measured_all_the_same_is_said_and_right(body, usual, bad, says, more_deg) -> None:
    found = heard(bad(body))
    assert any(says in sentence for sentence in found.sentences)
    assert not any(says in sentence for sentence in usual.sentences)
    assert found.worst_error_deg(body) <= usual.worst_error_deg(body) + more_deg
    assert len(found.angles) > 0.8 * len(usual.angles)


def test_two_seconds_that_were_lost_have_no_angle(body) -> None:
    start_s = body.repetitions[1].start_s + 0.5
    assert not [one for one in heard(lost_2_s(body)).angles if start_s < one.time_s < start_s + 2.0]


def test_a_movement_beyond_the_sensors_range_is_said_and_less_sure() -> None:
    """Kicks of 350 °/s seen by a gyroscope that ends at 250 °/s."""
    kick = replace(MOVEMENTS["seated_knee_extension"], tempo_s=(0.5, 1.0, 0.5))
    rng = np.random.default_rng(3)
    session = simulate([rest(3.0, kick.position), repeat(kick, 5, rng)], map(str, WORN), rng, rate_hz=RATE_HZ)
    body = SimulatedBody(
        RATE_HZ, session.time_s, session.sensors, session.angles_deg["right_knee"][:, 0], session.repetitions
    )
    limit = float(np.radians(250.0))
    assert np.abs(session.sensors[SHANK][1]).max() > 1.1 * limit
    found = heard(replace(plain(body), sensors=faults.saturated(body.sensors, WORN, gyr_limit_rad_s=limit)))
    usual = heard(plain(body))
    assert any("turned faster than it can measure" in sentence for sentence in found.sentences)
    assert not any("turned faster" in sentence for sentence in usual.sentences)
    assert found.worst_error_deg(body) < usual.worst_error_deg(body) + 2.0


def test_a_calibration_while_walking_is_refused_in_words() -> None:
    rng = np.random.default_rng(4)
    parts = calibration_while_walking(MOVEMENTS["seated_knee_extension"], rng, walk_s=12.0)
    session = simulate(parts, map(str, WORN), rng, rate_hz=RATE_HZ, model=INEXPENSIVE)
    body = SimulatedBody(
        RATE_HZ, session.time_s, session.sensors, session.angles_deg["right_knee"][:, 0], session.repetitions
    )
    found = heard(plain(body))
    assert any("You were walking" in sentence for sentence in found.sentences)
