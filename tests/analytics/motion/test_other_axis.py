from __future__ import annotations

from math import cos, pi, radians, sin

import pytest

from analytics.motion.other_axis import OtherAxis

RATE_HZ, LEAST_DEG = 50.0, 20.0
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def repetitions(*axes, amplitude_deg=60.0):
    """Angular rates of one repetition of two seconds about each axis, with a second of rest after each."""
    for axis in axes:
        for k in range(150):
            speed = radians(amplitude_deg) * pi * sin(2 * pi * k / 100) / 2 if k < 100 else 0.0
            yield tuple(speed * value for value in axis)


def noticed_s(rates, axis=X):
    watch = OtherAxis(RATE_HZ, LEAST_DEG)
    return [at for k, rate in enumerate(rates) if (at := watch.update(k / RATE_HZ, rate, axis)) is not None]


def test_the_joints_own_movement_is_no_other():
    assert noticed_s(repetitions(X, X, X, X)) == []
    slanted = (cos(radians(20)), sin(radians(20)), 0.0)
    assert noticed_s(repetitions(slanted, slanted, slanted)) == []


def test_another_movement_is_noticed_once_it_is_repeated_and_when_it_began():
    assert noticed_s(repetitions(Y)) == []
    assert noticed_s(repetitions(X, Y, Y))[0] == pytest.approx(3.0, abs=0.3)


def test_movements_of_all_kinds_between_repetitions_change_nothing():
    assert noticed_s(repetitions(Y, X, Y, X, Y, X)) == []
    assert noticed_s(repetitions(Y, Z, Y, Z)) == []
