"""What is written down: everything, in chunks of ten seconds, gaps kept as gaps, whatever else goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import numpy as np
import pytest

from analytics.domain.exercise import Segment
from analytics.signals.chunk import SensorBlock, decode_chunk
from analytics.signals.samples import ImuSamples
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.conditions import Trouble
from device_gateway.storage import recorder as recorder_module
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store

RATE_HZ = 25


def record(recorder: Recorder, clock: SensorClock, run: ImuSamples, address: str, step) -> None:
    now_s = float(run.sensor_time_us[-1]) * 1e-6
    clock.observe(int(run.sensor_time_us[-1]), now_s)
    segment = Segment.RIGHT_THIGH if address.endswith("1") else Segment.RIGHT_SHANK
    recorder.add(run, address=address, segment=segment, resolution=step, clock=clock, now_s=now_s)


async def blocks_of(store: Store, session_id, count: int) -> list[list[SensorBlock]]:
    return [decode_chunk((await store.chunk(session_id, number))[0]) for number in range(count)]


@pytest.fixture
async def recorded(gateway_store: Store, invented):
    told: list[str] = []
    opened = invented.opening()
    recorder = Recorder(opened, gateway_store, lambda: told.append("stored"), told.append)
    yield recorder, opened.id, told
    await recorder.close()


async def test_a_chunk_holds_ten_seconds_of_all_sensors(recorded, gateway_store, invented) -> None:
    recorder, session_id, told = recorded
    clocks = {"C1": SensorClock(), "C2": SensorClock()}
    for first in range(0, 35 * RATE_HZ, 5):
        for address, clock in clocks.items():
            record(recorder, clock, invented.samples(first, 5), address, invented.step)
    recorder.flush()
    assert await recorder.written()
    assert recorder.chunk_count == recorder.chunks_stored == 6
    chunks = await blocks_of(gateway_store, session_id, 6)
    digests = b"".join([hashlib.sha256((await gateway_store.chunk(session_id, n))[0]).digest() for n in range(6)])
    assert hashlib.sha256(digests).hexdigest() == recorder.chunks_sha256
    both = ["C1", "C2"]
    assert [sorted(block.address for block in blocks) for blocks in chunks] == [["C1"], ["C2"], *[both] * 4]
    for address in clocks:
        runs = [block.samples for blocks in chunks for block in blocks if block.address == address]
        time_us = np.concatenate([run.sensor_time_us for run in runs])
        assert (np.diff(time_us) == 40_000).all()
        assert len(time_us) == 35 * RATE_HZ
    assert told == ["stored"] * 7, "the opening and the chunks"


async def test_a_gap_begins_a_run_and_a_connection_also_ends_the_chunk(recorded, gateway_store, invented) -> None:
    recorder, session_id, _ = recorded
    first, second = SensorClock(), SensorClock()
    whole = invented.samples(0, 30)
    parts = [
        ImuSamples(whole.sensor_time_us[a:b], whole.acc_m_s2[a:b], whole.gyr_rad_s[a:b], lost)
        for a, b, lost in ((0, 5, 0), (5, 10, 0), (13, 20, 3), (20, 30, 0))
    ]
    for part, clock in zip(parts, (first, first, first, second), strict=True):
        record(recorder, clock, part, "C1", invented.step)
    recorder.flush()
    assert await recorder.written()
    chunks = await blocks_of(gateway_store, session_id, 2)
    held = [[(len(block.samples), block.samples.lost_before) for block in blocks] for blocks in chunks]
    assert held == [[(5, 0)], [(5, 0), (7, 3), (10, 0)]], "of each connection the first samples are on disk at once"
    blocks = [block for blocks in chunks for block in blocks]
    placed_us = [block.clock_offset_us + block.clock_rate * block.samples.sensor_time_us[0] for block in blocks]
    assert placed_us == sorted(placed_us)


async def test_while_the_disk_is_full_chunks_wait_in_their_order(
    recorded, gateway_store, invented, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.05)
    recorder, session_id, told = recorded
    assert await recorder.written()
    await gateway_store.read(lambda database: database.execute("PRAGMA max_page_count = 1").fetchone())
    clock = SensorClock()
    for first in range(0, 40 * RATE_HZ, 25):
        record(recorder, clock, invented.samples(first, 25), "C1", invented.step)
    recorder.flush()
    assert not await recorder.written()
    assert "disk is full" in (recorder.problem or "")
    assert recorder.chunks_stored < recorder.chunk_count
    await asyncio.sleep(0.2)
    assert len([sentence for sentence in told if "disk is full" in sentence]) == 1, "said once"
    await gateway_store.read(lambda database: database.execute("PRAGMA max_page_count = 1000000").fetchone())
    await until(lambda: recorder.chunks_stored == recorder.chunk_count)
    assert await recorder.written()
    assert recorder.problem is None
    chunks = await blocks_of(gateway_store, session_id, recorder.chunk_count)
    time_us = np.concatenate([block.samples.sensor_time_us for blocks in chunks for block in blocks])
    assert (np.diff(time_us) == 40_000).all()
    assert len(time_us) == 40 * RATE_HZ


async def test_all_that_a_sensor_says_is_kept(recorded, gateway_store, invented) -> None:
    """Its magnetic field (in some packets), its own orientation, and which samples were clipped."""
    recorder, session_id, _ = recorded
    clock = SensorClock()
    parts = [invented.samples(first, 5) for first in (5, 10, 15)]
    field, turned = np.full((5, 3), 21.5), np.tile([1.0, 0, 0, 0], (5, 1))
    clipped = np.array([False, True, False, False, False])
    said = [
        replace(parts[0], mag_ut=field, orientation=turned, clipped=clipped),
        replace(parts[1], orientation=turned, clipped=clipped),
        replace(parts[2], orientation=turned),  # whether it was clipped is not known: another run
    ]
    record(recorder, clock, invented.samples(0, 5), "C1", invented.step)
    for part in said:
        record(recorder, clock, part, "C1", invented.step)
    recorder.flush()
    assert await recorder.written()
    _, (first, second) = await blocks_of(gateway_store, session_id, 2)
    np.testing.assert_array_equal(first.samples.mag_ut, np.vstack([field, np.full((5, 3), np.nan)]))
    np.testing.assert_allclose(first.samples.orientation, np.vstack([turned, turned]))
    np.testing.assert_array_equal(first.samples.clipped, np.concatenate([clipped, clipped]))
    assert (len(second.samples), second.samples.mag_ut, second.samples.clipped) == (5, None, None)


async def test_a_sensor_without_a_gyroscope_is_recorded(recorded, gateway_store, invented) -> None:
    recorder, session_id, _ = recorded
    said = replace(invented.samples(0, 5), gyr_rad_s=np.full((5, 3), np.nan))
    record(recorder, SensorClock(), said, "C1", invented.step)
    recorder.flush()
    assert await recorder.written()
    ((block,),) = await blocks_of(gateway_store, session_id, 1)
    np.testing.assert_array_equal(block.samples.gyr_rad_s, said.gyr_rad_s)


async def test_what_fits_neither_disk_nor_memory_is_counted_as_lost(
    recorded, gateway_store, invented, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.05)
    monkeypatch.setattr(recorder_module, "LARGEST_WAITING_BYTES", 10_000)
    recorder, session_id, _ = recorded
    assert await recorder.written()
    await gateway_store.read(lambda database: database.pragma("max_page_count", 1))
    clock, sent = SensorClock(), 0
    codes = []
    for _ in range(8):
        record(recorder, clock, invented.samples(sent, 200), "C1", invented.step)
        recorder.flush()
        sent += 200
        await recorder.written()
        codes.append({condition.code for condition in gateway_store.conditions.now()})
    assert {Trouble.DISK_FULL} in codes, "first it waits"
    assert codes[-1] == {Trouble.DISK_FULL, Trouble.RECORDING_FAULT}
    assert gateway_store.waiting_bytes <= 10_000
    await gateway_store.read(lambda database: database.pragma("max_page_count", 1_000_000))
    await until(lambda: not recorder.waits)
    assert (gateway_store.waiting_bytes, gateway_store.conditions.now()) == (0, ())
    record(recorder, clock, invented.samples(sent, 200), "C1", invented.step)
    sent += 200
    recorder.flush()
    assert await recorder.written()
    blocks = [block for (block,) in await blocks_of(gateway_store, session_id, recorder.chunk_count)]
    assert sum(len(block.samples) + block.samples.lost_before for block in blocks) == sent
    assert blocks[-1].samples.lost_before > 0


async def full_to_the_end(store: Store, recorder: Recorder, invented) -> int:
    """Record eight runs on a disk that takes nothing, and end; how many samples came."""
    assert await recorder.written()
    await store.read(lambda database: database.pragma("max_page_count", 1))
    clock = SensorClock()
    for first in range(0, 1600, 200):
        record(recorder, clock, invented.samples(first, 200), "C1", invented.step)
        recorder.flush()
        await recorder.written()
    return 1600


async def test_what_was_not_recorded_up_to_the_end_stands_in_the_report(
    gateway_store, invented, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run follows that could say so; and the fault is over with the session."""
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.05)
    monkeypatch.setattr(recorder_module, "LARGEST_WAITING_BYTES", 10_000)
    delivered = [
        invented.sensor_record("C1", Segment.RIGHT_THIGH).model_copy(
            update={"samples_received": 1600, "samples_lost": 5, "gaps": 2}
        ),
        invented.sensor_record("C2", Segment.RIGHT_SHANK),
    ]
    opened = invented.opening()
    recorder = Recorder(opened, gateway_store, lambda: None, lambda _: None, sensors=lambda: delivered)
    sent = await full_to_the_end(gateway_store, recorder, invented)
    told, other = recorder.records()
    recorder.keep_report(invented.report(opened, []).model_copy(update={"sensors": (told, other)}))
    assert Trouble.RECORDING_FAULT in {condition.code for condition in gateway_store.conditions.now()}
    await gateway_store.read(lambda database: database.pragma("max_page_count", 1_000_000))
    await until(lambda: not recorder.waits)
    blocks = [block for (block,) in await blocks_of(gateway_store, opened.id, recorder.chunk_count)]
    recorded = sum(len(block.samples) for block in blocks)
    assert recorded < sent
    assert (told.samples_received, told.samples_lost - 5, told.gaps) == (recorded, sent - recorded, 3)
    assert other == delivered[1]
    assert gateway_store.conditions.now() == ()
    await recorder.close()


async def test_the_fault_ends_with_the_report_where_no_chunk_follows(recorded, gateway_store, invented) -> None:
    recorder, session_id, _ = recorded
    gateway_store.conditions.set(Trouble.RECORDING_FAULT, "A fault.")
    recorder.keep_report(invented.report(invented.opening().model_copy(update={"id": session_id}), []))
    assert await recorder.written()
    assert gateway_store.conditions.now() == ()


async def test_a_run_that_cannot_be_written_costs_the_other_sensors_nothing(recorded, gateway_store, invented) -> None:
    recorder, session_id, _ = recorded
    clocks = {address: SensorClock() for address in ("C1", "X" * 300)}  # a name longer than 255 bytes has no place
    for first in (0, 25):
        for address, clock in clocks.items():
            record(recorder, clock, invented.samples(first, 25), address, invented.step)
        recorder.flush()
        assert await recorder.written()
    _, (block,) = await blocks_of(gateway_store, session_id, 2)
    assert (block.address, len(block.samples)) == ("C1", 25)
    assert [condition.code for condition in gateway_store.conditions.now()] == [Trouble.RECORDING_FAULT]
    record(recorder, clocks["C1"], invented.samples(50, 25), "C1", invented.step)
    recorder.flush()
    assert await recorder.written()
    assert gateway_store.conditions.now() == ()


async def test_runs_of_which_none_can_be_written_make_no_chunk(recorded, gateway_store, invented) -> None:
    recorder, _, _ = recorded
    record(recorder, SensorClock(), invented.samples(0, 25), "X" * 300, invented.step)
    recorder.flush()
    assert await recorder.written()
    assert recorder.chunk_count == 0
    assert [condition.code for condition in gateway_store.conditions.now()] == [Trouble.RECORDING_FAULT]
