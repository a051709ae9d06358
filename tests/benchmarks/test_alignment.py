"""How well samples of five sensors are aligned, against the truth, and beside what others would do with the same."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from alignment import by_arrival, by_clock, by_least_round_trip, by_least_squares, covered, hear_five, pairwise_ms
from pytest_benchmark.fixture import BenchmarkFixture

SECONDS = 40.0
AFTER_S = 20.0
SEEDS = (1, 2, 3)
ARRIVAL_BAR_MS = 15.0
EXCHANGE_BAR_MS = 5.0
WAYS = {
    "arrival itself": by_arrival,
    "least squares on all arrivals": by_least_squares,
    "middle of the least round trip (NTP)": by_least_round_trip,
    "ours, from arrival alone": by_clock(exchange=False),
    "ours, with two-way exchange": by_clock(exchange=True),
}


def test_alignment_of_five_sensors(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    runs = benchmark.pedantic(lambda: [asyncio.run(hear_five(SECONDS, seed)) for seed in SEEDS], rounds=1, iterations=1)
    apart_ms = {
        name: np.concatenate([pairwise_ms(all_heard, way, AFTER_S) for all_heard in runs]) for name, way in WAYS.items()
    }
    stated = {exchange: [covered(all_heard, exchange=exchange) for all_heard in runs] for exchange in (False, True)}
    with capsys.disabled():
        print(f"\n  between five sensors, {AFTER_S:g} to {SECONDS:g} s after the start, {len(SEEDS)} runs, in ms")
        print(f"  | {'how samples are placed':36} |  p50 |  p95 |  p99 |")
        for name, errors_ms in apart_ms.items():
            p50, p95, p99 = np.percentile(errors_ms, [50, 95, 99])
            print(f"  | {name:36} | {p50:4.1f} | {p95:4.1f} | {p99:4.1f} |")
        for exchange, shares in stated.items():
            told = "with exchange" if exchange else "from arrival alone"
            print(f"  the stated uncertainty covers {100 * np.mean(shares):.1f} % of samples {told}")
    p99_ms = {name: float(np.percentile(errors_ms, 99)) for name, errors_ms in apart_ms.items()}
    assert p99_ms["ours, from arrival alone"] <= ARRIVAL_BAR_MS
    assert p99_ms["ours, with two-way exchange"] <= EXCHANGE_BAR_MS
    assert p99_ms["ours, with two-way exchange"] < p99_ms["arrival itself"]
    assert min(np.mean(shares) for shares in stated.values()) >= 0.95
