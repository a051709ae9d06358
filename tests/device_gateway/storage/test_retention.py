"""What goes and in which order when room is short, and how long before that is said."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics.domain.session import SessionOpening
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import StoreError
from device_gateway.settings import GatewaySettings
from device_gateway.storage import retention as rules
from device_gateway.storage.retention import Retention
from device_gateway.storage.store import Store

LIMIT_BYTES = 4_000_000
DAY_BYTES = 20_000
CHUNKS = 4
FAR = 10**12
PAGE = Path(__file__).parents[3] / "docs" / "gateway-storage.md"


@pytest.fixture
def conditions() -> Conditions:
    return Conditions()


@pytest.fixture
async def hasty_store(gateway_store: Store) -> Store:
    """The power stays on in these tests, so nobody waits for the disk."""
    await gateway_store.read(lambda database: database.pragma("synchronous", "OFF"))
    return gateway_store


def making_room(
    store: Store, conditions: Conditions, *, limit_bytes: int = LIMIT_BYTES, free_bytes: int = FAR, least_bytes: int = 0
) -> Retention:
    return Retention(
        store, conditions, largest_store_bytes=limit_bytes, least_free_bytes=least_bytes,
        free_bytes=lambda _: free_bytes,
    )  # fmt: skip


async def a_day(store: Store, invented, day: int, *, uploaded: bool = False) -> SessionOpening:
    """One finished session of that day, of DAY_BYTES."""
    started = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    opened = invented.opening().model_copy(update={"started_at": started})
    await store.keep_opening(opened)
    chunks = [bytes([day % 256, number]) * (DAY_BYTES // CHUNKS // 2) for number in range(CHUNKS)]
    for number, data in enumerate(chunks):
        await store.keep_chunk(opened.id, number, data)
    await store.keep_report(invented.report(opened, chunks))
    if uploaded:
        await store.mark(opened.id, opening_uploaded=True, report_uploaded=True)
    return opened


async def sizes(store: Store) -> dict[str, int]:
    rows = await store.read(lambda database: database.execute("SELECT id, chunk_bytes FROM session").fetchall())
    return {str(session): int(size) for session, size in rows}


def told(conditions: Conditions) -> str:
    return next((c.sentence for c in conditions.now() if c.code == Trouble.DISK_NEARLY_FULL), "")


async def test_the_oldest_uploaded_go_first_and_only_when_room_is_short(hasty_store, invented, conditions) -> None:
    retention = making_room(hasty_store, conditions)
    kept = [await a_day(hasty_store, invented, day, uploaded=day % 2 == 0) for day in range(10)]
    await retention.check()
    assert len(await sizes(hasty_store)) == 10, "there is room, so what is uploaded stays too"
    for day in range(10, 220):
        kept.append(await a_day(hasty_store, invented, day, uploaded=True))
        await retention.check()
    left = await sizes(hasty_store)
    waiting = {str(kept[day].id) for day in range(1, 10, 2)}
    assert waiting <= set(left)
    assert all(left[session] == DAY_BYTES for session in waiting), "nothing that the clinic lacks is touched"
    gone = [day for day, opened in enumerate(kept) if str(opened.id) not in left]
    assert gone == sorted(set(range(0, 10, 2)) | set(range(10, 220)))[: len(gone)], "the oldest first"
    assert len(gone) > 20
    assert told(conditions) == ""


async def test_the_file_never_passes_its_limit(hasty_store, invented, conditions, tmp_path: Path) -> None:
    retention = making_room(hasty_store, conditions)
    for day in range(300):
        await a_day(hasty_store, invented, day, uploaded=True)
        await retention.check()
    assert (tmp_path / "gateway" / "gateway.sqlite3").stat().st_size <= LIMIT_BYTES
    room = await retention.room()
    assert room.left >= LIMIT_BYTES // rules.EASE


async def test_it_is_announced_long_before_and_at_each_stage(hasty_store, invented, conditions) -> None:
    retention = making_room(hasty_store, conditions)
    heard: list[str] = []
    for day in range(200):
        await a_day(hasty_store, invented, day)
        await retention.check()
        if told(conditions) and told(conditions) not in heard:
            heard.append(told(conditions))
    stages = [re.findall(r"about (\d+|one) more day", sentence) for sentence in heard]
    assert stages == [["28"], ["14"], ["7"], ["3"], ["one"], []]
    assert "There is no more room: with each new exercise" in heard[-1]


async def test_at_the_hard_limit_the_oldest_samples_go_and_the_report_stays(hasty_store, invented, conditions) -> None:
    retention = making_room(hasty_store, conditions)
    kept = []
    for day in range(220):
        kept.append(await a_day(hasty_store, invented, day))
        await retention.check()
    left = await sizes(hasty_store)
    assert len(left) == 220, "every session is still there"
    dropped = [day for day, opened in enumerate(kept) if left[str(opened.id)] == 0]
    assert dropped == list(range(len(dropped)))
    assert dropped, "the oldest"
    reports = {upload.id: upload.report for upload in await hasty_store.uploads()}
    gone = reports[kept[0].id]
    assert gone is not None
    assert (gone.chunk_count, gone.chunks_sha256) == (0, invented.report(kept[0], []).chunks_sha256)
    assert reports[kept[-1].id] == invented.report(kept[-1], [
        (await hasty_store.chunk(kept[-1].id, number))[0] for number in range(CHUNKS)
    ])  # fmt: skip


async def test_a_running_session_and_one_whose_upload_has_begun_are_never_given_up(
    hasty_store, invented, conditions
) -> None:
    retention = making_room(hasty_store, conditions, limit_bytes=50 * DAY_BYTES)
    begun = await a_day(hasty_store, invented, 0)
    await hasty_store.mark(begun.id, opening_uploaded=True)
    running = invented.opening()
    await hasty_store.keep_opening(running)
    numbers = itertools.count()
    with pytest.raises(StoreError, match="disk is full"):  # noqa: PT012 - until it raises
        while True:
            await retention.check()
            await hasty_store.keep_chunk(running.id, next(numbers), bytes(DAY_BYTES // 10))
    kept = next(numbers) - 1
    assert kept > 10
    assert (await sizes(hasty_store)) == {str(begun.id): DAY_BYTES, str(running.id): kept * DAY_BYTES // 10}
    await retention.check()
    assert "nothing that is kept may be deleted" in told(conditions)
    assert "what is measured next may have to wait in memory" in told(conditions)


async def test_a_disk_filled_by_others_costs_only_what_the_clinic_has(hasty_store, invented, conditions) -> None:
    kept = [await a_day(hasty_store, invented, day, uploaded=day < 2) for day in range(4)]
    squeezed = making_room(hasty_store, conditions, free_bytes=500, least_bytes=1000)
    await squeezed.check()
    kept.append(await a_day(hasty_store, invented, 5))
    await squeezed.check()
    assert await sizes(hasty_store) == {str(opened.id): DAY_BYTES for opened in kept[2:]}
    assert "no more room on the disk: free space on it" in told(conditions)
    await making_room(hasty_store, conditions).check()
    assert told(conditions) == "", "said until there is room again"


async def test_room_can_be_made_on_a_full_disk(hasty_store, invented, conditions) -> None:
    """SQLite refuses one page more; deleting needs none, and what comes next takes the pages that became free."""
    for day in range(4):
        await a_day(hasty_store, invented, day, uploaded=True)
    await hasty_store.read(lambda database: database.pragma("max_page_count", 1))
    with pytest.raises(StoreError, match="disk is full"):
        await hasty_store.keep_chunk((await a_day(hasty_store, invented, 9)).id, 0, b"")
    size = await hasty_store.read(lambda database: database.pragma("page_count"))
    opened = invented.opening()
    await making_room(hasty_store, conditions, limit_bytes=size * 4096).check()
    await hasty_store.keep_opening(opened)
    await hasty_store.keep_chunk(opened.id, 0, bytes(DAY_BYTES // CHUNKS))
    assert await hasty_store.read(lambda database: database.pragma("page_count")) == size


async def test_a_reserve_that_could_not_be_made_is_made_later(
    hasty_store, conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve, retention = hasty_store.home / "reserve", making_room(hasty_store, conditions)

    def refuse(*_: int) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(rules.os, "posix_fallocate", refuse)
        await retention.check()
        assert not reserve.exists()
    for left_behind in (None, b"", bytes(1000)):
        if left_behind is not None:
            reserve.write_bytes(left_behind)
        await retention.check()
        assert reserve.stat().st_size == rules.RESERVE_BYTES


async def test_a_damaged_copy_is_told_until_somebody_deletes_it(tmp_path: Path, conditions) -> None:
    (tmp_path / "gateway.sqlite3").write_bytes(b"x" * 1000)
    store = await Store.open(tmp_path, conditions)
    retention = making_room(store, conditions, limit_bytes=10**9)
    await retention.check()
    assert [condition.code for condition in conditions.now()] == [Trouble.DISK_DAMAGED]
    (tmp_path / "gateway.sqlite3.damaged-01").unlink()
    await retention.check()
    assert conditions.now() == ()
    await store.close()


async def test_what_was_refused_and_is_never_tried_again_does_not_stand_for_ever(tmp_path: Path) -> None:
    conditions = Conditions()
    store = await Store.open(tmp_path, conditions)
    await store.read(lambda database: database.pragma("max_page_count", 1))
    with pytest.raises(StoreError, match="disk is full"):
        await store.keep_settings(long="x" * 1_000_000)
    assert conditions.now() != ()
    await making_room(store, conditions, limit_bytes=10**9).check()
    assert conditions.now() == ()
    await store.close()


async def test_four_weeks_without_internet_are_kept_oldest_first(hasty_store, invented, conditions) -> None:
    settings = GatewaySettings(home=Path(), server_url="http://127.0.0.1")
    retention = making_room(
        hasty_store, conditions, limit_bytes=settings.largest_store_bytes, least_bytes=settings.least_free_bytes
    )
    kept = []
    for day in range(28):
        kept.append(await a_day(hasty_store, invented, day))
        await retention.check()
    uploads = await hasty_store.uploads()
    assert [upload.id for upload in uploads] == [opened.id for opened in kept]
    assert all(upload.chunks_waiting == tuple(range(CHUNKS)) for upload in uploads)
    assert conditions.now() == ()


async def test_what_refers_to_a_session_goes_with_it(hasty_store) -> None:
    """Another room's table that forgets ON DELETE CASCADE would keep retention from making room."""
    rows = await hasty_store.read(
        lambda database: database.execute(
            "SELECT m.name, f.on_delete FROM sqlite_schema m, pragma_foreign_key_list(m.name) f"
            " WHERE m.type = 'table' AND f.\"table\" = 'session'"
        ).fetchall()
    )
    assert {table for table, on_delete in rows if on_delete != "CASCADE"} == {"chunk", "command"}


def test_the_policy_is_written_down_as_it_is() -> None:
    page = PAGE.read_text("utf-8")
    settings = GatewaySettings(home=Path(), server_url="http://127.0.0.1")
    assert f"`largest_store_bytes` ({settings.largest_store_bytes // 2**30} GiB" in page
    assert f"`least_free_bytes` ({settings.least_free_bytes // 2**30} GiB" in page
    assert f"1/{rules.EASE} of the limit" in page
    assert f"1/{rules.LAST} of the limit" in page
    assert ", ".join(str(stage) for stage in rules.STAGES_DAYS) in page
