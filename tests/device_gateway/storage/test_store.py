"""What was acknowledged is there: after kill -9, on a full disk, for one gateway at a time."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from device_gateway.errors import GatewayError, StoreError
from device_gateway.storage.store import Store

WRITER = """
import asyncio, sys
from pathlib import Path
from analytics.domain.session import SessionOpening
from device_gateway.storage.store import Store

async def main():
    store = await Store.open(Path(sys.argv[1]))
    opening = SessionOpening.model_validate_json(sys.argv[2])
    await store.keep_opening(opening)
    for number in range(1_000_000):
        await store.keep_chunk(opening.id, number, number.to_bytes(4, "big") * 2000)
        print(number, flush=True)

asyncio.run(main())
"""


async def killed_in_mid_write(home: Path, opening: str, after: int) -> int:
    """Have another process store chunks, kill it once it has told of `after` of them; return the last it told of."""
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(home), opening), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    while int(await writer.stdout.readline()) < after:
        pass
    writer.kill()
    told = (await writer.stdout.read()).split(b"\n")[:-1]
    await writer.wait()
    return int(told[-1]) if told else after


@pytest.mark.parametrize("after", [0, 7, 40])
async def test_every_acknowledged_chunk_survives_kill_9(tmp_path: Path, invented, after: int) -> None:
    opened = invented.opening()
    last = await killed_in_mid_write(tmp_path, opened.model_dump_json(), after)
    store = await Store.open(tmp_path)
    (upload,) = await store.uploads()
    assert upload.opening == opened
    assert upload.chunks_waiting[: last + 1] == tuple(range(last + 1))
    assert len(upload.chunks_waiting) <= last + 2, "at most the one that was being written"
    for number in upload.chunks_waiting:
        data, sha256 = await store.chunk(opened.id, number)
        assert data == number.to_bytes(4, "big") * 2000
        assert hashlib.sha256(data).digest() == sha256
    await store.close()


async def test_a_commit_waits_for_the_disk(gateway_store: Store) -> None:
    """FULL (2): NORMAL loses the last commits at a power cut."""
    pragmas = await gateway_store._do(
        lambda database: [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    )
    assert pragmas == ["wal", 2]


async def test_a_full_disk_is_one_sentence_and_touches_nothing(gateway_store: Store, invented) -> None:
    """SQLite's own SQLITE_FULL, raised by its own limit on pages."""
    opened = invented.opening()
    await gateway_store.keep_opening(opened)
    await gateway_store.keep_chunk(opened.id, 0, invented.chunk(0))
    await gateway_store._do(lambda database: database.execute("PRAGMA max_page_count = 1").fetchone())
    with pytest.raises(StoreError, match="disk is full: free some space"):
        await gateway_store.keep_chunk(opened.id, 1, bytes(100_000))
    (upload,) = await gateway_store.uploads()
    assert upload.chunks_waiting == (0,)
    assert (await gateway_store.chunk(opened.id, 0))[0] == invented.chunk(0)
    await gateway_store._do(lambda database: database.execute("PRAGMA max_page_count = 1000000").fetchone())
    await gateway_store.keep_chunk(opened.id, 1, bytes(100_000))


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


async def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    spoilt = tmp_path / "gateway.sqlite3"
    spoilt.write_bytes(b"not a database at all" * 100)
    with pytest.raises(GatewayError, match="--home"):
        await Store.open(tmp_path)
    assert spoilt.read_bytes() == b"not a database at all" * 100


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
    await store._do(lambda database: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    path = tmp_path / "gateway.sqlite3"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    await store._do(lambda database: database.execute("PRAGMA shrink_memory").fetchall())
    with pytest.raises(StoreError, match="its disk or card fails, so replace it"):
        await store.keep_chunk(opened.id, 0, invented.chunk(0))
    await asyncio.wait_for(store.close(), 5)
