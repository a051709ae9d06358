"""A damaged store is set aside with its bytes kept, and what can be read of it begins the next one."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import pytest

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError
from device_gateway.storage import database as database_module
from device_gateway.storage.salvage import damaged_copies
from device_gateway.storage.store import Store

CHUNKS = 30
PAGE_BYTES = 4096


def sentences(conditions: Conditions) -> dict[str, str]:
    return {condition.code: condition.sentence for condition in conditions.now()}


def spoil(path: Path, *pages: int) -> bytes:
    """Overwrite pages, counted from 0; the whole file as it is then."""
    image = bytearray(path.read_bytes())
    for page in pages:
        image[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    path.write_bytes(image)
    return bytes(image)


async def test_a_file_that_is_no_store_is_set_aside_and_its_bytes_are_kept(tmp_path: Path) -> None:
    spoilt = b"not a database at all" * 100
    (tmp_path / "gateway.sqlite3").write_bytes(spoilt)
    conditions = Conditions()
    store = await Store.open(tmp_path, conditions)
    assert (tmp_path / "gateway.sqlite3.damaged-01").read_bytes() == spoilt
    assert "set aside as gateway.sqlite3.damaged-01" in sentences(conditions)[Trouble.DISK_DAMAGED]
    await store.keep_settings(identity="new")
    await store.close()
    store = await Store.open(tmp_path, again := Conditions())
    assert await store.setting("identity") == "new"
    assert Trouble.DISK_DAMAGED in sentences(again), "it is told for as long as the file is there"
    await store.close()


async def test_what_can_be_read_is_taken_over_whichever_pages_are_damaged(tmp_path: Path, kept, invented) -> None:
    """Page by page through the file: nothing hangs, nothing wrong comes back, and most of it does."""
    opened, chunks = kept
    path = tmp_path / "gateway.sqlite3"
    whole, saved = path.read_bytes(), 0
    for page in range(1, len(whole) // PAGE_BYTES):
        home = tmp_path / str(page)
        home.mkdir()
        (home / path.name).write_bytes(whole)
        spoil(home / path.name, page)
        store = await Store.open(home)
        for waiting in await store.uploads():
            assert waiting.opening == opened
            report = waiting.report
            assert report is not None
            assert len(waiting.chunks_waiting) == report.chunk_count, "the report counts what is left"
            found = [await store.chunk(opened.id, number) for number in waiting.chunks_waiting]
            assert all(data in chunks for data, _ in found)
            digests = b"".join(hashlib.sha256(data).digest() for data, _ in found)
            assert report.chunks_sha256 == hashlib.sha256(digests).hexdigest()
            saved += len(found)
        assert await store.setting("identity") in {"who I am", None}
        assert await store.read(lambda database: database.pragma("integrity_check")) == "ok"
        await store.close()
    assert saved > 0.8 * CHUNKS * (len(whole) // PAGE_BYTES - 1)


async def test_a_session_whose_upload_had_begun_says_why_it_cannot_be_finished(tmp_path: Path, kept) -> None:
    opened, chunks = kept
    store = await Store.open(tmp_path)
    await store.mark(opened.id, opening_uploaded=True)
    await store.close()
    path = tmp_path / "gateway.sqlite3"
    spoil(path, path.read_bytes().index(chunks[10][:400]) // PAGE_BYTES)
    store = await Store.open(tmp_path)
    (waiting,) = await store.uploads()
    assert "lost to a damaged disk" in (waiting.problem or "")
    assert 10 not in waiting.chunks_waiting
    assert 0 in waiting.chunks_waiting
    await store.close()


async def test_a_power_cut_while_a_store_is_set_aside_begins_that_anew(
    tmp_path: Path, kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, _ = kept
    path = tmp_path / "gateway.sqlite3"
    spoilt = spoil(path, 2)

    def cut(*_: object) -> None:
        raise OSError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(database_module, "salvage", cut)
        with pytest.raises(GatewayError, match="the power is gone"):
            await Store.open(tmp_path)
    store = await Store.open(tmp_path)
    assert [upload.id for upload in await store.uploads()] == [opened.id]
    assert [copy.read_bytes() for copy in damaged_copies(path)] == [spoilt], "one copy, and not a byte of it changed"
    await store.close()


async def test_looking_over_a_large_store_ends_in_time(tmp_path: Path, kept, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gateway.sqlite3"
    spoil(path, path.stat().st_size // PAGE_BYTES - 1)
    monkeypatch.setattr(database_module, "CHECK_S", -1.0)
    store = await Store.open(tmp_path)
    assert damaged_copies(path) == [], "not looked at to its end, so taken as it is"
    await store.close()


async def test_the_next_damage_gets_a_name_of_its_own(tmp_path: Path) -> None:
    for number in itertools.islice(itertools.count(1), 2):
        (tmp_path / "gateway.sqlite3").write_bytes(b"x" * 1000)
        await (await Store.open(tmp_path)).close()
        assert len(damaged_copies(tmp_path / "gateway.sqlite3")) == number


async def test_a_chunk_that_changed_silently_is_not_taken_over(tmp_path: Path, kept) -> None:
    opened, chunks = kept
    path = tmp_path / "gateway.sqlite3"
    image = bytearray(path.read_bytes())
    image[image.index(chunks[5][:400]) + 200] ^= 1
    path.write_bytes(image)
    spoil(path, image.index(chunks[20][:400]) // PAGE_BYTES)
    store = await Store.open(tmp_path)
    (waiting,) = await store.uploads()
    found = [(await store.chunk(opened.id, number))[0] for number in waiting.chunks_waiting]
    assert set(found) < set(chunks) - {chunks[5]}
    assert len(found) > CHUNKS / 2
    await store.close()


async def test_of_a_salvaged_session_no_stream_is_taken_up(tmp_path: Path, kept, invented) -> None:
    """Its last chunk may be lost, behind which the bookmarks stand: what was between would not be counted."""
    _, chunks = kept
    store = await Store.open(tmp_path)
    await store.keep_opening(running := invented.opening())
    await store.keep_chunk(running.id, 0, invented.chunk(0), bookmarks={"C1": {"stream": 1}})
    assert [session.bookmarks for session in await store.unfinished()] == [{"C1": {"stream": 1}}]
    await store.close()
    path = tmp_path / "gateway.sqlite3"
    spoil(path, path.read_bytes().index(chunks[20][:400]) // PAGE_BYTES)
    store = await Store.open(tmp_path)
    assert damaged_copies(path)
    assert [session.bookmarks for session in await store.unfinished()] == [{}]
    await store.close()


async def test_what_only_the_log_holds_is_taken_over_and_neither_file_is_changed(
    tmp_path: Path, kept, invented
) -> None:
    """As after `kill -9`: the write-ahead log is not yet in the file."""
    _, chunks = kept
    home = tmp_path / "killed"
    home.mkdir()
    store = await Store.open(tmp_path)
    await store.keep_settings(only="in the log")
    for name in ("gateway.sqlite3", "gateway.sqlite3-wal"):
        (home / name).write_bytes((tmp_path / name).read_bytes())
    await store.close()
    path, log = home / "gateway.sqlite3", (home / "gateway.sqlite3-wal").read_bytes()
    spoilt = spoil(path, path.read_bytes().index(chunks[20][:400]) // PAGE_BYTES)
    store = await Store.open(home)
    assert await store.setting("only") == "in the log"
    (aside,) = damaged_copies(path)
    assert (aside.read_bytes(), aside.with_name(f"{aside.name}-wal").read_bytes()) == (spoilt, log)
    await store.close()
