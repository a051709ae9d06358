"""Where the sensor's clock is put, against the truth, over a radio with connection events and lost ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_gateway.clocks.sensor_clock import LEAST_PACE, SensorClock

INTERVAL_S = 0.030
TRANSIT_S = 0.002


class Packet(NamedTuple):
    taken_s: float
    sensor_time_us: int
    arrival_s: float


def link(skew_ppm: float, seconds: float, seed: int, rate_hz: float = 25.0, speed: float = 1.0) -> Iterator[Packet]:
    """Packets of one sample each over a 30 ms connection interval, 8 % of whose events are lost, and with host jitter.

    At `speed` the radio stays as slow as it is, so that its delays are that much longer in session time.
    """
    rng = random.Random(seed)
    interval_s, phase_s, free_at_s = INTERVAL_S * speed, rng.random() * INTERVAL_S * speed, 0.0
    for k in range(int(seconds * rate_hz)):
        taken_s = k / rate_hz
        delay_s = interval_s - (taken_s + phase_s) % interval_s + (TRANSIT_S + rng.expovariate(1 / 0.0015)) * speed
        while rng.random() < 0.08:
            delay_s += interval_s
        free_at_s = max(free_at_s, taken_s + delay_s)
        yield Packet(taken_s, 1_000_000_000 + round(taken_s * (1 + skew_ppm * 1e-6) * 1e6), free_at_s)


def errors_ms(skew_ppm: float, seconds: float, seed: int) -> tuple[np.ndarray, SensorClock]:
    clock, errors = SensorClock(), []
    for packet in link(skew_ppm, seconds, seed):
        clock.observe(packet.sensor_time_us, packet.arrival_s)
        errors.append(clock.place(np.array([packet.sensor_time_us]))[0] - packet.taken_s)
    return np.array(errors) * 1e3, clock


@pytest.mark.parametrize("skew_ppm", [-50.0, 0.0, 50.0])
def test_samples_are_placed_within_15_ms_after_20_s(skew_ppm: float) -> None:
    settled = np.concatenate([errors_ms(skew_ppm, 120, seed)[0][20 * 25 :] for seed in range(5)])
    assert np.percentile(np.abs(settled), 99) <= 15
    assert settled.min() >= 0, "a sample cannot have been taken after it arrived"


def test_arrival_itself_would_not_do() -> None:
    late_ms = [(packet.arrival_s - packet.taken_s) * 1e3 for packet in link(50.0, 120, 0)]
    assert np.percentile(late_ms, 99) > 40


@pytest.mark.parametrize("skew_ppm", [-50.0, 20.0, 50.0])
def test_skew_is_told_in_ppm(skew_ppm: float) -> None:
    found = [errors_ms(skew_ppm, 120, seed)[1].skew_ppm for seed in range(4)]
    assert found == pytest.approx([skew_ppm] * 4, abs=5)


def test_a_short_connection_is_placed_by_offset_alone() -> None:
    _, clock = errors_ms(50.0, 1.5, 0)
    assert clock.skew_ppm == 0


def test_a_fast_replay_does_not_mistake_jitter_for_skew() -> None:
    """At speed 20 the radio's jitter is 20 times as long in session time; no crystal is that bad."""
    clock = SensorClock()
    for packet in link(0.0, 60, 1, rate_hz=1.25, speed=20):
        clock.observe(packet.sensor_time_us, packet.arrival_s)
    assert abs(clock.skew_ppm) < 20


def test_residual_tells_how_arrivals_scatter() -> None:
    residual_ms = errors_ms(0.0, 60, 0)[1].residual_ms
    assert 25 < residual_ms < 75  # one connection interval, two where an event was lost


def test_the_line_for_the_record_agrees_with_what_was_placed() -> None:
    clock = SensorClock()
    for packet in link(30.0, 60, 2):
        clock.observe(packet.sensor_time_us, packet.arrival_s)
        placed_s = clock.place(np.array([packet.sensor_time_us]))
    offset_us, rate = clock.line()
    assert (offset_us + rate * packet.sensor_time_us) * 1e-6 == pytest.approx(placed_s[0], abs=1e-5)


@given(
    st.lists(st.tuples(st.integers(1, 12), st.floats(0, 3)), min_size=1, max_size=60),
    st.floats(-5, 5),
)
def test_placed_times_never_go_backwards(packets: list[tuple[int, float]], not_before_s: float) -> None:
    """Whatever the delays, and whoever held the segment before."""
    clock, sensor_time_us, last_s = SensorClock(not_before_s), 4_000_000_000, not_before_s
    for size, delay_s in packets:
        times_us = sensor_time_us + 10_000 * np.arange(size)
        sensor_time_us = int(times_us[-1]) + 10_000
        clock.observe(int(times_us[-1]), (int(times_us[-1]) - 4_000_000_000) * 1e-6 + delay_s)
        placed_s = clock.place(times_us)
        assert placed_s[0] >= last_s
        assert (np.diff(placed_s) >= LEAST_PACE * 0.01 * 0.999).all()
        last_s = placed_s[-1]


def counted_errors_ms(rate_off: float, lost_at_s: float, lost: int, seed: int) -> np.ndarray:
    """(n, 2): when a sample was taken [s], and by how much it is placed too late; its sensor only counts samples."""
    clock, errors, count = SensorClock(counted=True), [], 0
    for packet in link(0.0, 90, seed):
        k = round(packet.taken_s * 25)
        if lost_at_s * 25 <= k < lost_at_s * 25 + lost:
            continue
        time_us = round(count * 1e6 / 25 * (1 + rate_off))
        count += 1
        clock.observe(time_us, packet.arrival_s)
        errors.append((packet.taken_s, (clock.place(np.array([time_us]))[0] - packet.taken_s) * 1e3))
    return np.array(errors)


@pytest.mark.parametrize("rate_off", [-0.04, 0.0, 0.03])
def test_a_sensor_that_only_counts_is_placed_by_its_real_rate(rate_off: float) -> None:
    taken_s, error_ms = np.concatenate([counted_errors_ms(rate_off, 1e9, 0, seed) for seed in range(4)]).T
    settled = error_ms[taken_s > 20]
    assert np.percentile(np.abs(settled), 99) <= 25
    assert error_ms[taken_s > 2].max() < 100


def test_a_loss_nobody_could_count_is_forgotten_within_20_s() -> None:
    taken_s, error_ms = np.concatenate([counted_errors_ms(0.01, 40, 10, seed) for seed in range(4)]).T
    assert error_ms[(taken_s > 40.4) & (taken_s < 41)].min() < -300, "400 ms too early, right after"
    assert np.percentile(np.abs(error_ms[taken_s > 60]), 99) <= 25


@pytest.mark.parametrize("set_by_s", [1000.0, -30.0])
def test_a_clock_that_was_set_is_noticed(set_by_s: float) -> None:
    clock, noticed = SensorClock(), []
    for packet in link(20.0, 60, 3):
        time_us = packet.sensor_time_us + (round(set_by_s * 1e6) if packet.taken_s >= 30 else 0)
        if clock.jumped(time_us, packet.arrival_s):
            noticed.append(packet.taken_s)
            clock = SensorClock()
        clock.observe(time_us, packet.arrival_s)
    assert noticed == [30.0]


def test_a_radio_however_bad_is_no_set_clock() -> None:
    clock = SensorClock()
    for packet in link(50.0, 120, 1, rate_hz=2.5, speed=20):
        assert not clock.jumped(packet.sensor_time_us, packet.arrival_s)
        clock.observe(packet.sensor_time_us, packet.arrival_s)
