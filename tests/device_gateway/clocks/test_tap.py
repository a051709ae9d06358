"""One knock that two sensors felt shows how far apart their clocks place it."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.exercise import Segment
from analytics.signals.samples import FloatArray
from analytics.simulation.body import seated_knee_extensions
from device_gateway.clocks.tap import tap_check

KNOCK_AT_S = 2.3714


def knocked(rate_hz: float, phase: float, seed: int, *, late_s: float = 0.0) -> list[tuple[FloatArray, FloatArray]]:
    """Thigh and shank of a moving body, struck once; the shank's clock places it late, and its samples fall between."""
    rng = np.random.default_rng(seed)
    body = seated_knee_extensions(3, rng, rate_hz=1000.0)
    sensors = []
    for segment, offset, late in ((Segment.RIGHT_THIGH, 0.0, 0.0), (Segment.RIGHT_SHANK, phase, late_s)):
        acc, _ = body.sensors[segment]
        since_s = body.time_s - KNOCK_AT_S
        shock = 40.0 * rng.uniform(0.7, 1.3) * np.exp(-((since_s / 0.012) ** 2))  # soft, as through strap and clothes
        acc = acc + shock[:, np.newaxis] * rng.normal(0, 1, 3)
        which = np.arange(round(offset * 1000 / rate_hz), len(acc), round(1000 / rate_hz))
        sensors.append((body.time_s[which] + late, acc[which] + rng.normal(0, 0.05, (len(which), 3))))
    return sensors


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 200.0])
@pytest.mark.parametrize("late_ms", [-40.0, 0.0, 3.0, 25.0])
def test_the_offset_is_found_to_half_a_sample(rate_hz: float, late_ms: float) -> None:
    for seed, phase in enumerate((0.0, 0.3, 0.5, 0.9)):
        (first_s, first), (second_s, second) = knocked(rate_hz, phase, seed, late_s=late_ms / 1e3)
        check = tap_check(first_s, first, second_s, second)
        assert check is not None
        assert check.offset_ms == pytest.approx(late_ms, abs=1000 / rate_hz / 2)
        assert check.at_s == pytest.approx(KNOCK_AT_S, abs=0.02)
        assert check.likeness > 0.8


def test_without_a_knock_there_is_nothing_to_tell() -> None:
    body = seated_knee_extensions(3, np.random.default_rng(0), rate_hz=100.0)
    thigh, shank = (body.sensors[s][0] for s in (Segment.RIGHT_THIGH, Segment.RIGHT_SHANK))
    assert tap_check(body.time_s, thigh, body.time_s, shank) is None


def test_a_knock_that_one_sensor_alone_felt_is_no_check() -> None:
    (first_s, first), _ = knocked(100.0, 0.0, 0)
    (second_s, second), _ = knocked(100.0, 0.0, 1, late_s=0.0)
    assert tap_check(first_s, first, second_s + 1.5, second) is None


def test_nothing_is_told_of_nothing() -> None:
    empty_s, empty = np.zeros(0), np.zeros((0, 3))
    assert tap_check(empty_s, empty, empty_s, empty) is None
