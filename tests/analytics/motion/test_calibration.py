from __future__ import annotations

import numpy as np
import pytest

from analytics.motion.calibration import STILL_S, AxisFinder

RATE_HZ = 100.0


def movement(axis, excursion_deg, seconds, rng, across_rad_s=0.0):
    """Angular rate of one way out and back about an axis, with something across it."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    rate = np.radians(excursion_deg) * np.pi / seconds * np.sin(2 * np.pi * t / seconds)
    return rate[:, None] * np.asarray(axis) + across_rad_s * rng.normal(size=(len(t), 3))


def feed(finder, rates):
    for k, rate in enumerate(rates.tolist()):
        if found := finder.update(tuple(rate)):
            return found, k
    return None, len(rates)


@pytest.mark.parametrize("excursion_deg", [25.0, 75.0])
def test_axis_sense_and_excursion_of_the_first_movement(excursion_deg):
    rng = np.random.default_rng(2)
    for _ in range(20):
        axis = rng.normal(size=3)
        axis /= np.linalg.norm(axis)
        rates = np.concatenate([np.zeros((100, 3)), movement(axis, excursion_deg, 4.0, rng, 0.01)])
        found, told = feed(AxisFinder(RATE_HZ, 15.0), rates)
        assert np.degrees(np.arccos(np.clip(np.dot(found.axis, axis), -1, 1))) < 3, "same line and same sense"
        assert found.excursion_deg == pytest.approx(excursion_deg, rel=0.12)
        assert found.explained > 0.98
        assert told < 100 + 300, "told soon after the turning point, not at the end"


def test_turning_about_everything_is_refused_and_the_next_movement_is_tried():
    rng = np.random.default_rng(0)
    tumbling = np.concatenate([movement(axis, 60, 2.0, rng) for axis in np.eye(3)])
    pause = np.zeros((round((STILL_S + 0.2) * RATE_HZ), 3))
    finder = AxisFinder(RATE_HZ, 15.0)
    alone, _ = feed(AxisFinder(RATE_HZ, 15.0), np.stack([np.roll(tumbling, k, axis=1).sum(1) for k in range(3)], 1) * 0)
    assert alone is None
    mixed = tumbling + np.roll(tumbling, 50, axis=0)[:, [1, 2, 0]] + np.roll(tumbling, 90, axis=0)[:, [2, 0, 1]]
    refused, _ = feed(finder, np.concatenate([mixed, pause]))
    assert refused is None
    found, _ = feed(finder, movement((0, 0, 1), 60, 4.0, rng))
    assert found.axis == pytest.approx((0, 0, 1), abs=0.01)


def test_too_little_is_no_calibration():
    rng = np.random.default_rng(0)
    assert feed(AxisFinder(RATE_HZ, 15.0), movement((1, 0, 0), 10.0, 2.0, rng))[0] is None
