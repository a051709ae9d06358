"""What exchanges add to arrivals, and that the stated uncertainty covers the error, over many simulated connections."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from device_gateway.clocks.exchange import _pause_s
from device_gateway.clocks.offset import HOST_S, LEAST_EXCHANGES
from device_gateway.clocks.sensor_clock import SensorClock
from firmware_interface.driver_kit.clock_bounds import ClockBounds

INTERVAL_S = 0.030
EVENTS_LOST = 0.08
QUEUE_LOSS = 0.1
RATE_HZ, BATCH = 100.0, 5
SECONDS = 40.0
SEEDS = 25
SENSOR_START_US = 2**33


class Connection:
    """A radio of connection events, some of them lost; a sensor whose clock drifts and whose queue loses packets."""

    def __init__(self, seed: int, interval_s: float = INTERVAL_S) -> None:
        self.rng = rng = random.Random(seed)
        self.interval_s = interval_s
        self.skew_ppm = rng.uniform(-50, 50)
        self._phase_s = rng.random() * interval_s
        self._began_s = rng.random() * BATCH / RATE_HZ

    def event_s(self, after_s: float) -> float:
        """When something that waits since then is carried over."""
        wait_s = self.interval_s - (after_s + self._phase_s) % self.interval_s
        while self.rng.random() < EVENTS_LOST:
            wait_s += self.interval_s
        return after_s + wait_s

    def host_s(self) -> float:
        return 0.0005 + self.rng.expovariate(1 / 0.0015)

    def sensor_us(self, at_s: float) -> int:
        return SENSOR_START_US + round(at_s * (1 + self.skew_ppm * 1e-6) * 1e6)

    def packets(self) -> Iterator[tuple[float, float]]:
        """Arrival and taking of each packet's last sample."""
        free_s = 0.0
        for k in range(int(SECONDS * RATE_HZ / BATCH)):
            taken_s = self._began_s + k * BATCH / RATE_HZ
            if self.rng.random() >= QUEUE_LOSS:
                free_s = max(free_s, self.event_s(taken_s) + self.host_s())
                yield free_s, taken_s

    def exchanges(self) -> Iterator[tuple[float, ClockBounds]]:
        """A question waits for an event, its answer for the next."""
        asked_s, count = 0.3, 0
        while asked_s < SECONDS:
            there_s = self.event_s(asked_s + self.host_s() / 2)
            heard_s = self.event_s(there_s + 1e-4) + self.host_s()
            yield heard_s, ClockBounds(self.sensor_us(there_s), self.sensor_us(there_s), asked_s, heard_s)
            count += 1
            asked_s = heard_s + self.rng.uniform(0, 2 * _pause_s(count))


@cache
def placed(seed: int, exchange: bool, interval_s: float = INTERVAL_S) -> np.ndarray:
    """(n, 3): when a sample was taken [s], by how much it is placed too late [ms], and the uncertainty stated [ms]."""
    connection, clock, rows = Connection(seed, interval_s), SensorClock(), []
    told = [(arrival_s, taken_s) for arrival_s, taken_s in connection.packets()]
    told += [(heard_s, one) for heard_s, one in connection.exchanges()] if exchange else []
    for at_s, what in sorted(told, key=lambda one: one[0]):
        if isinstance(what, ClockBounds):
            clock.bound(what)
            continue
        sensor_us = connection.sensor_us(what)
        clock.observe(sensor_us, at_s)
        late_s = float(clock.place(np.array([sensor_us]))[0]) - what
        rows.append((what, late_s * 1e3, clock.uncertainty_ms))
    return np.array(rows)


def settled(seed: int, exchange: bool, interval_s: float = INTERVAL_S) -> np.ndarray:
    rows = placed(seed, exchange, interval_s)
    return rows[rows[:, 0] >= 20.0]


@pytest.mark.parametrize(("exchange", "bar_ms"), [(False, 15.0), (True, 5.0)])
def test_sensors_are_aligned_after_20_s(exchange: bool, bar_ms: float) -> None:
    late_ms = [float(np.median(settled(seed, exchange)[:, 1])) for seed in range(SEEDS)]
    apart_ms = [abs(one - other) for one, other in combinations(late_ms, 2)]
    assert np.percentile(apart_ms, 99) <= bar_ms


def test_an_exchange_removes_what_is_constant() -> None:
    alone, exchanged = (np.concatenate([settled(k, x)[:, 1] for k in range(SEEDS)]) for x in (False, True))
    assert np.median(alone) > 3.0, "a third of a connection interval, half of the time"
    assert abs(np.median(exchanged)) < HOST_S * 1e3 / 2


@pytest.mark.parametrize("exchange", [False, True])
@pytest.mark.parametrize("interval_s", [0.0075, 0.030, 0.050])
def test_the_stated_uncertainty_covers_the_error(exchange: bool, interval_s: float) -> None:
    rows = np.concatenate([placed(seed, exchange, interval_s) for seed in range(SEEDS)])
    assert np.mean(np.abs(rows[:, 1]) <= rows[:, 2]) >= 0.95


def test_what_is_stated_is_worth_stating() -> None:
    """An interval where nothing else is known; after exchanges a fraction of it."""
    stated_ms = [np.median(settled(0, exchange)[:, 2]) for exchange in (False, True)]
    assert stated_ms[0] == pytest.approx(52, abs=3)
    assert stated_ms[1] < 5


def test_before_the_first_packet_nothing_is_stated() -> None:
    clock = SensorClock()
    clock.bound(ClockBounds(0, 0, 1.0, 1.1))
    assert (clock.uncertainty_ms, clock.exchanges) == (None, 0)


def test_a_few_exchanges_are_not_enough_to_say() -> None:
    connection, clock = Connection(0), SensorClock()
    clock.observe(connection.sensor_us(0.2), 0.21)
    told = (one for _, one in connection.exchanges())
    for _ in range(LEAST_EXCHANGES - 1):
        clock.bound(next(told))
        assert clock.line()[1] == 1.0
        assert clock.uncertainty_ms == pytest.approx(52, abs=1)
    clock.bound(next(told))
    assert clock.uncertainty_ms < 30


def test_an_exchange_of_a_clock_that_was_set_since_is_left_out() -> None:
    connection, clock = Connection(0), SensorClock()
    clock.observe(connection.sensor_us(1.0), 1.01)
    before = clock.line()
    for set_by_us in (60_000_000, -60_000_000):
        then_us = connection.sensor_us(1.0) + set_by_us
        clock.bound(ClockBounds(then_us, then_us, 0.98, 1.04))
        assert (clock.line(), clock.exchanges) == (before, 0)


def test_a_sensor_that_only_counts_says_how_little_is_known_at_first() -> None:
    connection, clock, stated_ms = Connection(0), SensorClock(counted=True), {}
    for arrival_s, taken_s in connection.packets():
        clock.observe(round(taken_s * 1e6 * 1.03), arrival_s)
        clock.place(np.array([round(taken_s * 1e6 * 1.03)]))
        stated_ms[round(taken_s, 2)] = clock.uncertainty_ms
    told = list(stated_ms.values())
    assert max(told[:40]) > told[0] + 30, "3 % of the time since the least delay, twice"
    assert told[-1] < 60
