"""The power is cut at any moment under the real store and recorder, on a disk that keeps only what it had synced.

The runs with `synchronous=NORMAL` and with a disk that lies show that the harness can tell a store that loses.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from crash_disk import CrashDisk

from analytics.domain.exercise import Segment
from analytics.signals.chunk import decode_chunk
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.conditions import Conditions
from device_gateway.errors import GatewayError, StoreError
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.retention import Retention
from device_gateway.storage.salvage import damaged_copies
from device_gateway.storage.store import Store

ADDRESS = "C1:00:00:00:00:01"
OLD_CHUNKS = 3
CHUNKS = 8
SAMPLES = 250
SCHEMAS = Path(__file__).parents[3] / "device_gateway" / "storage"


@dataclass
class Acknowledged:
    """What the store has said is kept, of a session that the clinic has and of the one that runs."""

    old: UUID
    new: UUID
    setting: str | None = None
    old_chunks: int = 0
    old_may_be_gone: bool = False
    old_is_gone: bool = False
    chunks: int = 0
    report: bool = False
    lost: list[str] = field(default_factory=list)


@pytest.fixture
def powered(tmp_path: Path) -> Iterator[object]:
    """Makes a disk; all of them are let go at the end."""
    disks: list[CrashDisk] = []
    names = itertools.count()

    def make(**how) -> CrashDisk:
        disks.append(CrashDisk(f"crash-{tmp_path.name}-{next(names)}", **how))
        return disks[-1]

    yield make
    for disk in disks:
        disk.unregister()


async def live(store: Store, told: Acknowledged, invented, opened: dict, synchronous: str | None) -> None:
    """An uploaded session, a setting, making room, and a session from opening to report, each acknowledged in turn."""
    await store.read(lambda database: database.pragma("wal_autocheckpoint", 12))
    if synchronous is not None:
        await store.read(lambda database: database.pragma("synchronous", synchronous))
    await store.keep_opening(opened[told.old])
    for number in range(OLD_CHUNKS):
        await store.keep_chunk(told.old, number, invented.chunk(number, 900))
        told.old_chunks = number + 1
    await store.keep_report(invented.report(opened[told.old], []))
    await store.mark(told.old, report_uploaded=True)
    await store.keep_settings(identity="who I am")
    told.setting = "who I am"
    recorder = Recorder(opened[told.new], store, lambda: None, lambda _: None)
    clock = SensorClock()
    clock.observe(0, 0.0)
    try:
        for number in range(CHUNKS):
            recorder.add(
                invented.samples(number * SAMPLES, SAMPLES), address=ADDRESS, segment=Segment.RIGHT_THIGH,
                resolution=invented.step, clock=clock, now_s=0.0,
            )  # fmt: skip
            recorder.flush()
            if not await recorder.written():
                return
            told.chunks = recorder.chunks_stored
            if number == CHUNKS // 2:
                told.old_may_be_gone = True
                await make_room(store)
                told.old_is_gone = True
        recorder.keep_report(invented.report(opened[told.new], []))
        told.report = await recorder.written()
    finally:
        told.chunks = recorder.chunks_stored
        await recorder.close()


async def make_room(store: Store) -> None:
    retention = Retention(store, Conditions(), largest_store_bytes=400_000, least_free_bytes=0, free_bytes=lambda _: 0)
    await retention.check()


async def what_is_lost(home: Path, told: Acknowledged) -> list[str]:
    """Everything that was acknowledged and is not there once the power is back."""
    try:
        store = await Store.open(home)
    except GatewayError as refusal:
        return [f"unreadable: {refusal}"]
    try:
        return [f"missing: {what}" async for what in _missing(store, home, told)]
    except (StoreError, ValueError) as trouble:
        return [f"unreadable: {trouble}"]
    finally:
        await store.close()


async def _missing(store: Store, home: Path, told: Acknowledged):
    if damaged_copies(home / "gateway.sqlite3"):
        yield "all that the damaged file held"
    if await store.read(lambda database: database.pragma("integrity_check")) != "ok":
        yield "integrity"
    if await store.setting("identity") != told.setting and told.setting:
        yield "identity"
    rows = await store.read(
        lambda database: database.execute("SELECT session_id, number FROM chunk ORDER BY number").fetchall()
    )
    old, new = ([number for session, number in rows if session == str(which)] for which in (told.old, told.new))
    if told.old_is_gone and old:
        yield "the deletion"
    if not told.old_may_be_gone and old[: told.old_chunks] != list(range(told.old_chunks)):
        yield "an uploaded session's chunk"
    if told.old_may_be_gone and len(old) not in {0, OLD_CHUNKS}:
        yield "half of an uploaded session"
    if new != list(range(max(len(new), told.chunks))):
        yield "a chunk"
    for number in new:
        ((block),) = decode_chunk((await store.chunk(told.new, number))[0])
        if list(block.samples.sensor_time_us) != [(number * SAMPLES + k) * 40_000 for k in range(SAMPLES)]:
            yield "samples"
    if told.report and [session.opening.id for session in await store.unfinished()] != []:
        yield "the report"


async def cut(
    folder: Path, invented, disk: CrashDisk, rng: random.Random, synchronous: str | None = None
) -> tuple[Acknowledged, list[str]]:
    """Live until the power fails; what had been acknowledged, and what of it is lost."""
    opened = {opening.id: opening for opening in (invented.opening(), invented.opening())}
    told = Acknowledged(*opened)
    store = None
    with contextlib.suppress(GatewayError):
        store = await Store.open(folder / "before", vfs=disk.name)
        await live(store, told, invented, opened, synchronous)
    disk.cut()
    if store is not None:
        await store.close()
    disk.leave(folder / "after", rng)
    return told, await what_is_lost(folder / "after", told)


async def outcomes(tmp_path: Path, powered, invented, seeds: range, *, synchronous=None, lies=False) -> Counter[str]:
    """What became of each cut: the first thing that was lost, or "kept"."""
    whole = powered()
    told, lost = await cut(tmp_path / "whole", invented, whole, random.Random(0))
    assert (told.chunks, told.report, told.old_is_gone, lost) == (CHUNKS, True, True, []), "without a cut, all happens"
    found: Counter[str] = Counter()
    for seed in seeds:
        rng = random.Random(seed)
        disk = powered(cut_after=rng.randint(1, whole.operations), lies=lies)
        _, lost = await cut(tmp_path / str(seed), invented, disk, rng, synchronous)
        found[lost[0].split(":")[0] if lost else "kept"] += 1
    return found


async def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path, powered, invented) -> None:
    assert await outcomes(tmp_path, powered, invented, range(20)) == {"kept": 20}


@pytest.mark.long
async def test_none_of_500_power_cuts_loses_what_was_acknowledged(tmp_path: Path, powered, invented) -> None:
    assert await outcomes(tmp_path, powered, invented, range(1000, 1500)) == {"kept": 500}


@pytest.mark.parametrize("how", [{"synchronous": "NORMAL"}, {"lies": True}], ids=["synchronous=NORMAL", "lying disk"])
async def test_the_harness_sees_a_loss_where_there_is_one(tmp_path: Path, powered, invented, how) -> None:
    found = await outcomes(tmp_path, powered, invented, range(20), **how)
    assert found["missing"] + found["unreadable"] >= 5, f"of 20 cuts: {dict(found)}"


@pytest.mark.parametrize("version", [1, 2])
async def test_a_power_cut_while_an_older_store_is_brought_up_to_date(
    tmp_path: Path, powered, invented, version: int
) -> None:
    opened = invented.opening()
    old = tmp_path / "old"
    old.mkdir()
    with contextlib.closing(sqlite3.connect(old / "gateway.sqlite3")) as database:
        for step in range(1, version + 1):
            database.executescript((SCHEMAS / f"schema_{step}.sql").read_text("utf-8"))
        database.execute(f"PRAGMA user_version = {version}")
        database.execute("INSERT INTO session (id, opening) VALUES (?, ?)", (str(opened.id), opened.model_dump_json()))
        database.execute("INSERT INTO chunk (session_id, number, sha256, data) VALUES (?, 0, 'x', ?)",
                         (str(opened.id), invented.chunk(0)))  # fmt: skip
        database.commit()
    whole = powered()
    for cut_after in itertools.chain([None], itertools.takewhile(lambda n: n <= whole.operations, itertools.count(1))):
        home, after = tmp_path / f"home{cut_after}", tmp_path / f"after{cut_after}"
        home.mkdir()
        (home / "gateway.sqlite3").write_bytes((old / "gateway.sqlite3").read_bytes())
        disk = powered(cut_after=cut_after) if cut_after else whole
        with contextlib.suppress(GatewayError):
            await (await Store.open(home, vfs=disk.name)).close()
        assert disk.dead == (disk is not whole)
        disk.leave(after, random.Random(cut_after))
        store = await Store.open(after)
        assert [session.opening for session in await store.unfinished()] == [opened]
        assert (await store.chunk(opened.id, 0))[0] == invented.chunk(0)
        size = await store.read(lambda database: database.execute("SELECT chunk_bytes FROM session").get)
        assert size == len(invented.chunk(0))
        await store.close()
    assert whole.operations > 10
