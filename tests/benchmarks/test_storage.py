"""What it costs to keep ten seconds of five sensors at 100 Hz: the gateway's chunk in a BLOB row, and peers beside it.

Every commit is durable (WAL, synchronous=FULL), on the disk of the tests' folder. Noise as a sensor at work has it; the
empty file is taken off the size.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from analytics.domain.base import uuid7
from analytics.domain.exercise import Side
from analytics.domain.session import SessionOpening
from analytics.signals.chunk import SensorBlock, encode_chunk
from analytics.signals.samples import ImuSamples, Resolution
from device_gateway.storage.store import Store

SENSORS, SAMPLES, CHUNKS = 5, 1000, 20
STEP = Resolution(acc_m_s2=16 * 9.80665 / 32768, gyr_rad_s=np.radians(2000) / 32768)
EMPTY_BYTES = 2 * 4096
"""Of a peer: its schema, and its one table."""
Figures = dict[str, tuple[float, float]]


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    """Milliseconds per chunk, encoding and commit, and bytes per sample on disk, by name."""
    found: Figures = {}
    yield found
    print(f"\n\n  {SENSORS} sensors, {SAMPLES} samples each         ms     bytes per sample")
    for name, (cost_ms, size_bytes) in sorted(found.items(), key=lambda item: item[1]):
        print(f"  {name:36} {cost_ms:7.2f}   {size_bytes:8.2f}")


def block(sensor: int, number: int, *, rich: bool = False) -> SensorBlock:
    """A limb that swings at 0.5 Hz, with 3 mg and 0.12 °/s of noise, and 60 µs of jitter on its clock."""
    rng = np.random.default_rng((sensor, number))
    time_s = number * 10 + np.arange(SAMPLES) / 100
    swing = np.sin(np.pi * time_s)[:, None] * rng.uniform(0.2, 1, 3)
    acc = np.array([0, 0, 9.81]) + 2 * swing + rng.normal(0, 0.03, (SAMPLES, 3))
    gyr = 1.5 * swing + rng.normal(0, np.radians(0.12), (SAMPLES, 3))
    samples = ImuSamples(
        (time_s * 1e6 + rng.normal(0, 60, SAMPLES)).astype(np.int64),
        np.rint(acc / STEP.acc_m_s2) * STEP.acc_m_s2,
        np.rint(gyr / STEP.gyr_rad_s) * STEP.gyr_rad_s,
        mag_ut=20 * swing + rng.normal(0, 0.3, (SAMPLES, 3)) if rich else None,
        orientation=np.hstack([np.cos(swing[:, :1]), np.sin(swing[:, :1]), np.zeros((SAMPLES, 2))]) if rich else None,
        clipped=np.zeros(SAMPLES, np.bool_) if rich else None,
    )
    return SensorBlock(f"C1:00:00:00:00:{sensor:02}", "right_thigh", STEP, 0, 1.0, samples)


def blocks(number: int, *, rich: bool = False) -> list[SensorBlock]:
    return [block(sensor, number, rich=rich) for sensor in range(SENSORS)]


def measure(
    benchmark: BenchmarkFixture, keep: Callable[[int], object], close: Callable[[], None], path: Path, empty_bytes: int
) -> tuple[float, float]:
    """Milliseconds per chunk and bytes per sample."""
    made = itertools.count()
    benchmark.pedantic(lambda number: keep(number), setup=lambda: ((next(made),), {}), rounds=CHUNKS)  # noqa: PLW0108
    close()
    assert benchmark.stats is not None
    median_ms = float(benchmark.stats.stats.median) * 1e3
    return median_ms, (path.stat().st_size - empty_bytes) / (SENSORS * SAMPLES * CHUNKS)


@pytest.mark.parametrize("rich", [False, True], ids=["6 channels", "13 channels and clipping"])
def test_the_gateway(benchmark: BenchmarkFixture, figures: Figures, tmp_path: Path, rich: bool) -> None:
    given = [blocks(number, rich=rich) for number in range(CHUNKS)]
    opening = SessionOpening(
        id=uuid7(), patient_id="p", program_version=1, exercise="knee.extension.seated", side=Side.RIGHT,
        started_at=datetime.now(UTC),
    )  # fmt: skip
    path = tmp_path / "gateway.sqlite3"
    with asyncio.Runner() as runner:
        runner.run(runner.run(Store.open(tmp_path)).close())
        empty_bytes = path.stat().st_size
        store = runner.run(Store.open(tmp_path))
        runner.run(store.keep_opening(opening))
        found = measure(
            benchmark,
            lambda number: runner.run(store.keep_chunk(opening.id, number, encode_chunk(given[number]))),
            lambda: runner.run(store.close()),
            path,
            empty_bytes,
        )
    figures["chunk, APSW" + (", 13 channels" if rich else "")] = found


def connected(path: Path, schema: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {schema}")
    return database


def test_the_same_chunk_by_sqlite3(benchmark: BenchmarkFixture, figures: Figures, tmp_path: Path) -> None:
    given = [blocks(number) for number in range(CHUNKS)]
    path = tmp_path / "peer.sqlite3"
    database = connected(path, "CREATE TABLE chunk (number INTEGER PRIMARY KEY, data BLOB)")
    figures["chunk, sqlite3 module"] = measure(
        benchmark,
        lambda number: database.execute("INSERT INTO chunk VALUES (?, ?)", (number, encode_chunk(given[number]))),
        database.close,
        path,
        EMPTY_BYTES,
    )


def test_a_row_per_sample(benchmark: BenchmarkFixture, figures: Figures, tmp_path: Path) -> None:
    """As most programs keep samples; one transaction for the ten seconds."""
    given = [blocks(number) for number in range(CHUNKS)]
    path = tmp_path / "peer.sqlite3"
    database = connected(path, "CREATE TABLE sample (sensor INTEGER, time_us INTEGER, ax, ay, az, gx, gy, gz)")

    def keep(number: int) -> None:
        database.execute("BEGIN")
        for sensor, one in enumerate(given[number]):
            acc, gyr = one.samples.acc_m_s2.tolist(), one.samples.gyr_rad_s.tolist()
            times = one.samples.sensor_time_us.tolist()
            rows = ((sensor, t, *a, *g) for t, a, g in zip(times, acc, gyr, strict=True))
            database.executemany("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute("COMMIT")

    figures["row per sample, sqlite3 module"] = measure(benchmark, keep, database.close, path, EMPTY_BYTES)
