"""Stands seen from the lower back: movements of known height, and three people's days."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.motion.measures import UnmeasurableError
from analytics.motion.timed import LumbarChair, five_times, practice_lift
from tests.support.strokes import chair_stands

GRAVITY_M_S2 = 9.81


def vertical(stands, height_m, rate_hz=100.0, noise_m_s2=0.05, bias_m_s2=0.0):
    """Times, specific force along the vertical, and the moments of the stands."""
    time_s, height, moments = chair_stands(stands, rate_hz, height=height_m)
    acceleration = np.gradient(np.gradient(height, time_s), time_s)
    noise = np.random.default_rng(0).normal(bias_m_s2, noise_m_s2, len(time_s))
    return time_s, GRAVITY_M_S2 + acceleration + noise, moments


def seen(chair, time_s, vertical_m_s2):
    return [one for step in zip(time_s.tolist(), vertical_m_s2.tolist(), strict=True) if (one := chair.update(*step))]


def practised(stand, height_m, rate_hz=100.0):
    return practice_lift(*vertical([(*stand[:3], 2.0)], height_m, rate_hz)[:2])


@pytest.mark.parametrize("rate_hz", [25.0, 100.0])
@pytest.mark.parametrize("height_m", [0.3, 0.4])
@pytest.mark.parametrize("way_s", [0.6, 0.8, 1.0])
@pytest.mark.parametrize("bias_m_s2", [-0.2, 0.2])
def test_five_stands_against_a_practice_stand(rate_hz, height_m, way_s, bias_m_s2):
    stand = (way_s, 0.3, way_s, 0.3)
    chair = LumbarChair(practised(stand, height_m, rate_hz))
    time_s, force, moments = vertical([stand] * 5, height_m, rate_hz, bias_m_s2=bias_m_s2)
    found = seen(chair, time_s, force)
    assert [one.up for one in found] == [True, False] * 5
    middles = [(rises + stood) / 2 for rises, stood, _ in moments]
    assert [one.middle_s for one in found if one.up] == pytest.approx(middles, abs=0.25)
    assert five_times(found, moments[0][0]).measure.value == pytest.approx(moments[4][2] - moments[0][0], abs=0.5)


def test_times_are_as_good_as_stated():
    """Root mean square error of 50 stands by ten people with their own speed, height and bias of the sensor: 0.12 s at
    their ends, 0.5 s at their starts."""
    rng, ends, starts = np.random.default_rng(0), [], []
    for _ in range(10):
        way_s, height_m, bias_m_s2 = rng.uniform([0.6, 0.3, -0.2], [1.2, 0.45, 0.2])
        ways = way_s * rng.uniform(0.8, 1.2, (5, 2))
        stands = [(up_s, rng.uniform(0.0, 0.8), down_s, rng.uniform(0.0, 0.8)) for up_s, down_s in ways]
        time_s, force, moments = vertical(stands, height_m, bias_m_s2=bias_m_s2)
        found = seen(LumbarChair(practised((way_s, 0.3, way_s), height_m)), time_s, force)
        assert [one.up for one in found] == [True, False] * 5
        ends += [one.end_s - stood_s for one, (_, stood_s, _) in zip(found[::2], moments, strict=True)]
        starts += [one.start_s - rises_s for one, (rises_s, _, _) in zip(found[::2], moments, strict=True)]
    assert np.sqrt(np.mean(np.square(ends))) < found[0].end_error_s
    assert np.sqrt(np.mean(np.square(starts))) < found[0].start_error_s


@pytest.mark.parametrize("way_s", [2.0, 3.0, 4.0])
def test_a_stand_too_slow_for_it_is_refused_and_not_miscounted(way_s):
    with pytest.raises(UnmeasurableError, match="on the thigh"):
        practised((way_s, 0.5, way_s, 0.5), 0.35)


def test_sitting_still_is_nothing():
    time_s = np.arange(6000) / 100.0
    force = GRAVITY_M_S2 + np.random.default_rng(0).normal(0.0, 0.3, len(time_s))
    assert seen(LumbarChair(), time_s, force) == []


def test_a_silence_is_no_lift():
    """One reading after two seconds of silence, in the middle of a jolt, does not stand for all of that time."""
    time_s = np.concatenate([np.arange(300) / 100.0, 5.0 + np.arange(1000) / 100.0])
    force = np.full(len(time_s), GRAVITY_M_S2)
    force[300] += 1.5
    assert seen(LumbarChair(), time_s, force) == []


def test_a_day_of_a_real_person(data_folder):
    """Walks, sits down, stands up, bends to the floor twice: scikit-digital-health expects three stands with durations;
    the sits were read off the recording, where the lower back turns and comes to rest."""
    with np.load(data_folder / "skdh_lumbar" / "sit2stand.npz", allow_pickle=False) as stored:
        time_s, length = stored["t"] - stored["t"][0], np.linalg.norm(stored["acc"].astype(float), axis=1)
        expected_s = stored["expected_Duration"]
    found = seen(LumbarChair(standing=True), time_s, length)
    assert [one.up for one in found] == [False, True] * 3 + [False]
    assert [one.middle_s for one in found] == pytest.approx([7.4, 23.8, 30.6, 37.2, 68.5, 82.3, 88.5], abs=0.5)
    ours_s = [one.end_s - one.start_s for one in found if one.up]
    assert len(ours_s) == len(expected_s)
    shorter = np.sort(expected_s) - np.sort(ours_s)
    assert (shorter > 0.2).all(), "it begins with the trunk's lean, we with the lift"
    assert (shorter < 0.6).all()


@pytest.mark.parametrize("who", ["HA", "MS"])
def test_walking_is_no_sitting_down(data_folder, who):
    """A healthy person and one with multiple sclerosis, two walks each."""
    for path in sorted((data_folder / "mobgap_lowback").glob(f"{who}_*_Test5_*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            length = np.linalg.norm(stored["acc"].astype(float), axis=1)
        assert seen(LumbarChair(standing=True), np.arange(len(length)) / 100.0, length) == []
