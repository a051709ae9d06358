"""Sensors that share a clock are placed by one line, and who does not share it is found out."""

from __future__ import annotations

import random

import numpy as np
import pytest

from device_gateway.clocks.sensor_clock import SensorClock

RATE_HZ = 60.0
WAITS_S = (0.0, 0.008)
"""What the packets of each sensor wait at least."""


class Body:
    """Two sensors that tell one time; the second waits longer for its connection events."""

    def __init__(self) -> None:
        self.group = SensorClock()
        self.clocks = [SensorClock(), SensorClock()]
        self.late_s: list[list[float]] = [[], []]
        self._rng = random.Random(3)

    def join(self) -> None:
        for clock in self.clocks:
            clock.join(self.group)

    def hear(self, sensor: int, taken_s: float, *, ahead_s: float = 0.0) -> None:
        """A packet of a sensor whose clock is so far ahead of the group's."""
        time_us = round((taken_s + ahead_s + 4000.0) * 1e6)
        clock, arrival_s = self.clocks[sensor], taken_s + WAITS_S[sensor] + self._rng.uniform(0.001, 0.015)
        clock.observe(time_us, arrival_s)
        placed_s = clock.place(np.array([time_us]))[0]
        self.late_s[sensor].append(placed_s - taken_s)

    def play(self, seconds: float, begin_s: float = 0.0, behind_s: float = 0.0) -> None:
        """behind_s: how far the second sensor's clock is behind the group's."""
        for k in range(round(begin_s * RATE_HZ), round((begin_s + seconds) * RATE_HZ)):
            self.hear(0, k / RATE_HZ)
            self.hear(1, k / RATE_HZ, ahead_s=-behind_s)

    def apart_ms(self) -> float:
        return abs(self.late_s[0][-1] - self.late_s[1][-1]) * 1e3


@pytest.fixture
def body() -> Body:
    return Body()


def test_a_group_agrees_although_its_arrivals_do_not(body: Body) -> None:
    body.join()
    body.play(20.0)
    assert body.apart_ms() < 0.2
    assert body.clocks[0].line() == body.clocks[1].line() == body.group.line()
    assert body.clocks[1].uncertainty_ms == body.clocks[0].uncertainty_ms >= 50.0, "what is common stays unknown"


def test_without_a_group_they_stay_apart(body: Body) -> None:
    body.play(20.0)
    assert body.apart_ms() > 5.0


def test_who_joins_late_stands_with_the_others_from_the_first_sample(body: Body) -> None:
    body.clocks[0].join(body.group)
    for k in range(600):
        body.hear(0, k / RATE_HZ)
    body.clocks[1].join(body.group)
    body.play(1 / RATE_HZ, begin_s=10.0)
    assert body.apart_ms() < 0.2


@pytest.mark.parametrize("ahead_s", [-(2**32) * 1e-6, -30.0, 30.0, 2**32 * 1e-6])
def test_who_tells_another_time_is_not_placed_by_the_group(body: Body, ahead_s: float) -> None:
    """Another root's, or the same after its 32 bits have wrapped."""
    body.clocks[0].join(body.group)
    for k in range(600):
        body.hear(0, k / RATE_HZ)
    before = body.group.line()
    body.clocks[1].join(body.group)
    body.hear(1, 10.0, ahead_s=ahead_s)
    assert (body.clocks[0].shared, body.clocks[1].shared) == (True, False)
    assert body.group.line() == before, "a stranger pulls nobody"
    assert 0.0 <= body.late_s[1][-1] < 0.03


def test_early_samples_of_a_stranger_are_not_placed_by_the_group(body: Body) -> None:
    """Those that came before it told that it was synchronised."""
    body.join()
    body.hear(0, 0.0)
    stranger = SensorClock()
    stranger.observe(5_000_000, 0.01)
    stranger.join(body.group)
    assert not stranger.shared
    assert stranger.place(np.array([5_000_000]))[0] == pytest.approx(0.01)


@pytest.mark.parametrize(("behind_s", "shared"), [(0.03, True), (0.08, False)])
def test_who_has_drifted_behind_by_more_than_is_stated_leaves(body: Body, behind_s: float, shared: bool) -> None:
    body.join()
    body.play(12.0, behind_s=behind_s)
    assert (body.clocks[0].shared, body.clocks[1].shared) == (True, shared)
    for clock, late_s in zip(body.clocks, body.late_s, strict=True):
        assert clock.uncertainty_ms is not None
        assert abs(late_s[-1]) * 1e3 < clock.uncertainty_ms
    assert body.apart_ms() == pytest.approx(behind_s * 1e3 if shared else WAITS_S[1] * 1e3, abs=1.0)
