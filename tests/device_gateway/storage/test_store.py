"""One durable store for one gateway at a time, on a full disk, a failing one, and after an update."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import apsw
import pytest

from device_gateway.conditions import Conditions
from device_gateway.errors import GatewayError, StoreError
from device_gateway.storage.store import Store


async def test_a_commit_waits_for_the_disk(gateway_store: Store) -> None:
    """FULL (2): NORMAL loses the last commits at a power cut."""
    pragmas = await gateway_store.read(
        lambda database: [database.pragma(name) for name in ("journal_mode", "synchronous")]
    )
    assert pragmas == ["wal", 2]


async def test_a_full_disk_is_one_sentence_and_touches_nothing(gateway_store: Store, invented) -> None:
    """SQLite's own SQLITE_FULL, raised by its own limit on pages."""
    opened = invented.opening()
    await gateway_store.keep_opening(opened)
    await gateway_store.keep_chunk(opened.id, 0, invented.chunk(0))
    await gateway_store.read(lambda database: database.execute("PRAGMA max_page_count = 1").fetchone())
    with pytest.raises(StoreError, match="disk is full: free some space"):
        await gateway_store.keep_chunk(opened.id, 1, bytes(100_000))
    (upload,) = await gateway_store.uploads()
    assert upload.chunks_waiting == (0,)
    assert (await gateway_store.chunk(opened.id, 0))[0] == invented.chunk(0)
    await gateway_store.read(lambda database: database.execute("PRAGMA max_page_count = 1000000").fetchone())
    await gateway_store.keep_chunk(opened.id, 1, bytes(100_000))


async def test_what_the_disk_refuses_is_told_until_it_takes_something_again(tmp_path: Path) -> None:
    heard: list[tuple[str, ...]] = []
    store = await Store.open(tmp_path, Conditions(lambda now: heard.append(tuple(c.code for c in now))))
    await store.read(lambda database: database.pragma("max_page_count", 1))
    for _ in range(2):
        with pytest.raises(StoreError, match="disk is full"):
            await store.keep_settings(long="x" * 1_000_000)
    assert heard == [("disk.full",)], "once"
    await store.keep_settings(short="x")
    assert heard == [("disk.full",), ()]
    await store.close()


async def test_a_fault_in_the_program_is_no_fault_of_the_disk(gateway_store: Store) -> None:
    with pytest.raises(apsw.SQLError):
        await gateway_store.write(lambda database: database.execute("SELECT * FROM nowhere"))
    assert gateway_store.conditions.now() == ()
    await gateway_store.keep_settings(works="still")


async def test_a_write_happens_wholly_or_not_at_all(gateway_store: Store) -> None:
    def half(database: apsw.Connection) -> None:
        database.execute("INSERT INTO setting VALUES ('a', 'b')")
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        await gateway_store.write(half)
    assert await gateway_store.setting("a") is None


async def test_a_second_gateway_is_kept_out(gateway_store: Store, tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="Another gateway uses"):
        await Store.open(tmp_path / "gateway")


async def test_only_the_owner_may_read_it(gateway_store: Store, tmp_path: Path) -> None:
    mode = (tmp_path / "gateway" / "gateway.sqlite3").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


async def test_a_home_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(GatewayError, match="--home"):
        await Store.open(tmp_path / "file")


async def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "gateway.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(GatewayError, match="newer Sinew"):
        await Store.open(tmp_path)


async def test_settings_outlive_the_gateway(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.keep_settings(live_token="a", server_url="b")
    await store.keep_settings(live_token="c")
    await store.close()
    store = await Store.open(tmp_path)
    assert [await store.setting(name) for name in ("live_token", "server_url", "nothing")] == ["c", "b", None]
    await store.close()


async def test_damage_found_while_writing_is_one_sentence_and_closing_does_not_hang(tmp_path: Path, invented) -> None:
    store = await Store.open(tmp_path)
    opened = invented.opening()
    await store.keep_opening(opened)
    await store.read(lambda database: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    path = tmp_path / "gateway.sqlite3"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    await store.read(lambda database: database.execute("PRAGMA shrink_memory").fetchall())
    with pytest.raises(StoreError, match="its disk or card fails, so replace it"):
        await store.keep_chunk(opened.id, 0, invented.chunk(0))
    await asyncio.wait_for(store.close(), 5)
