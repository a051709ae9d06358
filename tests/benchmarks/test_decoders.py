"""What a sample costs to decode, per family, from a stream its virtual sensor sent; peers read the same bytes beside.

The families and their figures are printed in microseconds per sample, fewest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from bleakheart import PolarMeasurementData
from capture2go import pkg
from capture2go.parsing import Unpacker
from notifications import recorded
from pytest_benchmark.fixture import BenchmarkFixture

from firmware_interface.drivers import DRIVERS

CODES = [driver.family.code for driver in DRIVERS]
MEASURED = (pkg.DataFullFixed100Hz, pkg.DataFullPacked100Hz)
Figures = dict[str, tuple[float, int]]


@pytest.fixture(scope="module")
def per_sample_us() -> Iterator[Figures]:
    """Microseconds per sample and samples per notification, by name."""
    figures: Figures = {}
    yield figures
    print("\n\n  decoder                    µs/sample   samples in a notification")
    for name, (cost_us, batch) in sorted(figures.items(), key=lambda item: item[1]):
        print(f"  {name:26} {cost_us:8.2f}   {batch:6d}")


def measure(
    benchmark: BenchmarkFixture, decode: Callable[[], object], samples: int, notifications: int
) -> tuple[float, int]:
    assert benchmark(decode) == samples > 0, "each round decodes all of it"
    assert benchmark.stats is not None
    median_us = float(benchmark.stats.stats.median) * 1e6
    benchmark.extra_info["us_per_sample"] = median_us / samples
    return median_us / samples, max(1, round(samples / notifications))


# Samples to a packet: what a gateway asks for (50 ms of 100 Hz), and where the family lets it choose, others beside.
BATCHES = {"capture2go": (1, 8), "metamotion": (1, 5), "open_imu": (1, 5, 19)}


@pytest.mark.parametrize(("code", "batch"), [(code, batch) for code in CODES for batch in BATCHES.get(code, (5,))])
def test_a_sample(code: str, batch: int, benchmark: BenchmarkFixture, per_sample_us: Figures) -> None:
    stream = recorded(code, batch=batch, speed=1.0, seconds=4.0)  # faster, packets hold more

    def decode_all() -> int:
        decoder = stream.decoder()
        return sum(len(run) for data, uuid in stream.notifications for run in decoder.decode(data, uuid))

    samples = decode_all()
    name = f"{code} ({batch})" if code in BATCHES else code
    per_sample_us[name] = measure(benchmark, decode_all, samples, len(stream.notifications))


@pytest.mark.parametrize("batch", BATCHES["capture2go"])
def test_the_makers_capture2go(batch: int, benchmark: BenchmarkFixture, per_sample_us: Figures) -> None:
    """capture2go 1.0.1 on the same notifications: to its packages and their values, orientation included."""
    stream = recorded("capture2go", batch=batch, speed=1.0, seconds=4.0)

    def decode_all() -> int:
        unpacker, samples = Unpacker(ignoreInitialGarbage=True), 0
        for data, _ in stream.notifications:
            unpacker.feed(unpacker.extractRtPackages(data))
            for package in unpacker:
                samples += len(np.atleast_2d(package.parse()["acc"])) if isinstance(package, MEASURED) else 0
        return samples

    name = f"  capture2go 1.0.1 ({batch})"
    per_sample_us[name] = measure(benchmark, decode_all, decode_all(), len(stream.notifications))


def test_bleakheart(benchmark: BenchmarkFixture, per_sample_us: Figures) -> None:
    """bleakheart 0.2.0 on the H10's frames: to tuples of integers, without times."""
    stream = recorded("polar_h10", speed=1.0, seconds=4.0)
    decode = PolarMeasurementData._decode_acc_data

    def decode_all() -> int:
        return sum(len(decode(None, data)) for data, _ in stream.notifications)

    per_sample_us["  bleakheart 0.2.0 (H10)"] = measure(benchmark, decode_all, decode_all(), len(stream.notifications))
