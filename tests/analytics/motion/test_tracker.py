"""The tracker against simulated bodies, whose joint angle is known."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.domain.session import FormLabel
from analytics.exercises import exercise
from analytics.motion.events import AngleSample
from analytics.motion.grid import TimeGrid
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import seated_knee_extensions

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
MIXED = [FormLabel.CORRECT] * 3 + [FormLabel.TOO_FAST] * 2 + [FormLabel.LOW_AMPLITUDE] * 2


def simulated(seed, labels=MIXED, **options):
    rng = np.random.default_rng(seed)
    options.setdefault("range_deg", rng.uniform(40, 90))
    return seated_knee_extensions(labels, rng, **options)


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
def test_ideal_sensors_on_a_resting_thigh_give_the_angle_exactly(track, rate_hz):
    body = simulated(1, rate_hz=rate_hz, noise=0, thigh_motion=0, skin_motion_deg=0)
    tracked = track(body)
    # A sample stands for the interval before it, so a fast movement (here up to 150 °/s) is seen half a sample late.
    assert np.abs(tracked.error_deg(body)).max() < 1.0 + 0.5 * 150 / rate_hz
    assert [one.excursion_deg for one in tracked.repetitions] == pytest.approx(
        [one.excursion_deg for one in body.repetitions], abs=1.0
    )


def test_people_with_cheap_sensors_worn_anyhow(track):
    """Counts are exact, excursions right within what they say of themselves, over random people and mountings."""
    errors, stated = [], []
    kinds = [FormLabel.CORRECT, FormLabel.TOO_FAST, FormLabel.LOW_AMPLITUDE]
    for seed in range(60):
        body = simulated(seed, labels=kinds, rate_hz=(50.0, 100.0)[seed % 2])
        found = track(body).repetitions
        assert [one.number for one in found] == [1, 2, 3]
        for one, truth in zip(found, body.repetitions, strict=True):
            assert min(one.end_s, truth.end_s) - max(one.start_s, truth.start_s) > 0.6 * (truth.end_s - truth.start_s)
            assert one.start_s < one.peak_s < one.end_s
            errors.append(abs(one.excursion_deg - truth.excursion_deg))
            stated.append(one.excursion_error_deg)
    assert np.mean(errors) < 2.5, "mean absolute error of excursions [°]"
    assert 0.58 < np.mean(np.array(errors) < np.array(stated)) < 0.78, "one standard deviation covers about 68 %"


def test_it_does_not_matter_how_samples_are_cut_into_packets(track):
    body = simulated(7)
    one_by_one, by_ten, at_once = (track(body, size) for size in (1, 10, len(body.time_s)))
    assert one_by_one.angles == by_ten.angles == at_once.angles
    assert one_by_one.calibrations == at_once.calibrations
    for a, b in zip(one_by_one.repetitions, at_once.repetitions, strict=True):
        assert (a.start_s, a.excursion_deg, a.end_s) == (b.start_s, b.excursion_deg, b.end_s)
        assert np.array_equal(a.motion.flexion_deg, b.motion.flexion_deg)


def test_the_axis_is_found_before_the_first_repetition_ends_and_that_one_counts(track):
    body = simulated(3)
    events = track(body, size=1).events
    kinds = [type(e).__name__ for e in events[:3]]
    assert kinds[:2] == ["Calibrated", "AngleSample"], "only the current angle comes with the calibration"
    assert events[0].calibration.axis_explained > 0.95
    assert body.repetitions[0].start_s < events[1].time_s < body.repetitions[0].end_s


def test_someone_who_does_not_move_gets_no_angle(track):
    assert track(simulated(0, labels=[])).events == []


def test_flexion_is_counted_from_the_rest_pose_and_falls_in_extension(track):
    tracked = track(simulated(5))
    assert tracked.angles[-1].flexion_deg == pytest.approx(90, abs=4)
    for angle in tracked.angles:
        assert angle.flexion_deg == pytest.approx(90 - angle.excursion_deg)


def test_a_short_loss_is_bridged(track):
    body = simulated(4)
    peak_s = body.repetitions[2].start_s + 0.8
    whole, holed = track(body, size=8), track(body, size=8, lost=[(SHANK, peak_s, peak_s + 0.16)])
    assert len(holed.repetitions) == len(MIXED)
    assert len(whole.angles) - len(holed.angles) == 8, "no angle for samples that never came"
    assert np.abs(holed.error_deg(body)).max() < np.abs(whole.error_deg(body)).max() + 1.0


@pytest.mark.parametrize("lost", [[THIGH], [SHANK], [THIGH, SHANK]])
def test_a_long_loss_gives_no_angle_and_then_the_right_one_again(track, lost):
    for seed in (11, 12, 13):
        body = simulated(seed, labels=[FormLabel.CORRECT] * 6)
        hit = body.repetitions[2]
        start_s, end_s = hit.start_s + 0.5, hit.start_s + 3.0
        tracked = track(body, lost=[(segment, start_s, end_s) for segment in lost])
        assert not [a for a in tracked.angles if start_s + 0.1 < a.time_s < end_s - 0.1]
        whole = np.abs(track(body).error_deg(body)).max()
        assert np.abs(tracked.error_deg(body)).max() < whole + 2.0, "never a silently wrong angle"
        assert 4 <= len(tracked.repetitions) <= 5, "the one that was hit is not counted, at most one more is lost"
        assert not [r for r in tracked.repetitions if r.start_s < start_s < r.end_s]


def test_not_a_number_is_a_missing_sample(track):
    body = simulated(6)
    k = round(body.repetitions[1].peak_s * body.rate_hz)
    body.sensors["right_shank"][1][k] = np.nan
    tracked = track(body)
    assert len(tracked.repetitions) == len(MIXED)
    assert all(np.isfinite(a.flexion_deg) for a in tracked.angles)


def test_sensors_of_different_rates_and_phase():
    body = simulated(9, rate_hz=200.0, skin_motion_deg=0)
    grid = TimeGrid({THIGH, SHANK})
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, {THIGH: 100.0, SHANK: 100.0})
    events = []
    for first in range(0, len(body.time_s), 200):
        for segment, step, phase in ((SHANK, 2, 0), (THIGH, 5, 1)):
            part = slice(first + phase, first + 200, step)
            acc, gyr = (x[part] for x in body.sensors[str(segment)])
            time_s = body.time_s[part]
            samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc, gyr)
            for run in grid.take(segment, 200.0 / step, samples, time_s):
                events += tracker.update(run.segment, run.samples, run.time_s)
    angles = [e for e in events if isinstance(e, AngleSample)]
    truth = np.interp([a.time_s for a in angles], body.time_s, body.flexion_deg)
    assert np.sqrt(np.mean((np.array([a.flexion_deg for a in angles]) - truth) ** 2)) < 1.5
    assert len(angles) > 0.8 * len(body.time_s) / 2
    with pytest.raises(ValueError, match="one grid"):
        Tracker(exercise("knee.extension.seated"), Side.RIGHT, {THIGH: 40.0, SHANK: 100.0})


def test_other_segments_are_ignored_and_a_missing_sensor_is_named():
    chosen = exercise("knee.extension.seated")
    tracker = Tracker(chosen, Side.RIGHT, {THIGH: 50, SHANK: 50})
    some = ImuSamples(np.arange(3), np.ones((3, 3)), np.ones((3, 3)))
    assert tracker.update(Segment.CHEST, some, np.arange(3.0)) == []
    with pytest.raises(ValueError, match="right shank"):
        Tracker(chosen, Side.RIGHT, {THIGH: 50})
    with pytest.raises(ValueError, match="above 0 Hz"):
        Tracker(chosen, Side.RIGHT, {THIGH: 50, SHANK: 0})
