"""`kill -9` of a process that records, at any moment: every chunk that it told of is there and can be read."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from analytics.signals.chunk import decode_chunk
from device_gateway.storage.salvage import damaged_copies
from device_gateway.storage.store import Store

SAMPLES = 500
RECORDING = """
import asyncio, sys
from pathlib import Path

import numpy as np

from analytics.domain.exercise import Segment
from analytics.domain.session import SessionOpening
from analytics.signals.samples import ImuSamples, Resolution
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store

SAMPLES = 500

async def main():
    store = await Store.open(Path(sys.argv[1]))
    opening = SessionOpening.model_validate_json(sys.argv[2])
    recorder = Recorder(opening, store, lambda: print(recorder.chunks_stored, flush=True), print)
    clock, rng = SensorClock(), np.random.default_rng(1)
    clock.observe(0, 0.0)
    for number in range(1_000_000):
        readings = rng.integers(-32768, 32768, (2, SAMPLES, 3)) * 0.001
        samples = ImuSamples(np.arange(number * SAMPLES, (number + 1) * SAMPLES) * 10_000, *readings)
        recorder.add(samples, address="C1:00:00:00:00:01", segment=Segment.RIGHT_THIGH,
                     resolution=Resolution(0.001, 0.001), clock=clock, now_s=0.0)
        recorder.flush()
        await recorder.written()

asyncio.run(main())
"""


async def killed(home: Path, opening: str, after: int, then_s: float) -> int:
    """Have another process record, kill it a little after it told of `after` chunks; how many it told of."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RECORDING, str(home), opening), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    while int(await process.stdout.readline()) < after:
        pass
    await asyncio.sleep(then_s)
    process.kill()
    told = (await process.stdout.read()).split(b"\n")[:-1]
    await process.wait()
    return int(told[-1]) if told else after


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(100, 150), marks=pytest.mark.long)], ids=len)
async def test_every_chunk_that_was_told_of_survives(tmp_path: Path, invented, seeds: range) -> None:
    for seed in seeds:
        rng, home, opened = random.Random(seed), tmp_path / str(seed), invented.opening()
        told = await killed(home, opened.model_dump_json(), rng.randint(0, 40), rng.uniform(0, 0.01))
        store = await Store.open(home)
        (left,) = await store.unfinished()
        assert left.opening == opened
        assert left.chunks == tuple(range(len(left.chunks)))
        assert told <= len(left.chunks) <= told + 1, "all that was told of, and the one that was being written at most"
        blocks = [decode_chunk((await store.chunk(opened.id, number))[0]) for number in left.chunks]
        time_us = np.concatenate([block.samples.sensor_time_us for (block,) in blocks] or [np.empty(0, np.int64)])
        np.testing.assert_array_equal(time_us, np.arange(SAMPLES * len(left.chunks)) * 10_000)
        assert damaged_copies(home / "gateway.sqlite3") == []
        await store.close()
