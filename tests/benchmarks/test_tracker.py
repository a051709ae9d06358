"""What the whole tracker costs with seven sensors at 100 Hz."""

from __future__ import annotations

import gc
import time
import tracemalloc

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion.events import RepetitionDone
from analytics.motion.tracker import Tracker
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import seated_knee_extensions

RATE_HZ, REPETITIONS = 100.0, 20
PACKET = 5
"""50 ms a packet, as sensors send them; all seven arrive in the same tick, which is the worst case."""
SHARE_BAR, P99_BAR_MS = 0.05, 1.0
THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
OTHERS = (Segment.LEFT_THIGH, Segment.LEFT_SHANK, Segment.PELVIS, Segment.CHEST, Segment.RIGHT_FOOT)


def worn(repetitions):
    body = seated_knee_extensions(repetitions, np.random.default_rng(1), rate_hz=RATE_HZ)
    thigh, shank = body.sensors[THIGH], body.sensors[SHANK]
    return body.time_s, {THIGH: thigh, SHANK: shank} | dict.fromkeys(OTHERS, thigh)


def follow(time_s, sensors):
    """Time of each round of packets on this thread, and what was told."""
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, dict.fromkeys(sensors, RATE_HZ))
    ticks_us = np.round(time_s * 1e6).astype(np.int64)
    spent_s, told = [], []
    for first in range(0, len(time_s), PACKET):
        part = slice(first, first + PACKET)
        begun = time.thread_time()
        for segment, (acc, gyr) in sensors.items():
            told += tracker.update(segment, ImuSamples(ticks_us[part], acc[part], gyr[part]), time_s[part])
        spent_s.append(time.thread_time() - begun)
    return np.array(spent_s), told


def test_seven_sensors(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    time_s, sensors = worn(REPETITIONS)
    spent_s, told = benchmark.pedantic(follow, args=(time_s, sensors), rounds=3, iterations=1)
    assert sum(isinstance(one, RepetitionDone) for one in told) == REPETITIONS
    share = spent_s.sum() / (time_s[-1] - time_s[0])
    p50, p99, worst = np.percentile(spent_s * 1e3 / PACKET, [50, 99, 100])
    with capsys.disabled():
        print(f"\n  seven sensors, {PACKET} samples a packet: {share:.1%} of a core (bar {SHARE_BAR:.0%})")
        print(f"  of a 10 ms tick: p50 {p50:.2f}, p99 {p99:.2f} ms (bar {P99_BAR_MS:.0f}), calibration {worst:.1f} ms")
    assert share <= SHARE_BAR
    assert p99 <= P99_BAR_MS


def test_allocation_is_steady(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """What ten minutes leave in memory when the events are dropped."""
    time_s, sensors = worn(100)
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, dict.fromkeys(sensors, RATE_HZ))
    ticks_us = np.round(time_s * 1e6).astype(np.int64)
    sizes = []

    def run() -> None:
        tracemalloc.start()
        for first in range(0, len(time_s), PACKET):
            part = slice(first, first + PACKET)
            for segment, (acc, gyr) in sensors.items():
                tracker.update(segment, ImuSamples(ticks_us[part], acc[part], gyr[part]), time_s[part])
            if first % (len(time_s) // 4 // PACKET * PACKET) == 0:
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()

    benchmark.pedantic(run, rounds=1, iterations=1)
    growth_kib = (sizes[-1] - sizes[1]) / 1024
    with capsys.disabled():
        print(f"\n  from a quarter to the end of {time_s[-1]:.0f} s: {growth_kib:+.0f} KiB of {sizes[-1] / 1024:.0f}")
    assert growth_kib < 256
