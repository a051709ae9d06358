"""What a file must survive, and what must be said when it has not."""

import asyncio
import hashlib
import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from server.access.records import TokenRecord
from server.database import Database
from server.inspection import DatabaseDamagedError, inspect
from server.schema import APPLICATION_ID, VERSION


def fingerprint(folder: Path) -> dict[str, bytes]:
    return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()}


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(length).randbytes(length))


@pytest.fixture
def clinic_file(clinic_home: Path) -> Path:
    return clinic_home / "clinic.sqlite3"


async def test_every_connection_is_durable_and_keeps_references(clinic_file: Path) -> None:
    async with Database(clinic_file) as database:
        for way in (database.reading, database.writing):
            async with way() as db:
                found = [(await db.execute(text(f"PRAGMA {p}"))).scalar() for p in ("journal_mode", "synchronous")]
                assert found == ["wal", 2], "synchronous=FULL is 2; NORMAL would lose acknowledged rows on power loss"
                assert (await db.execute(text("PRAGMA foreign_keys"))).scalar() == 1
                assert (await db.execute(text("PRAGMA busy_timeout"))).scalar() == 10_000
        with pytest.raises(IntegrityError):
            async with database.writing() as db:
                await db.execute(text("INSERT INTO program VALUES ('nobody', 1, '2026-01-01', '{}')"))


async def test_a_new_database_is_stamped_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite3"
    for _ in range(2):
        async with Database(path) as database, database.reading() as db:
            assert (await db.execute(text("PRAGMA user_version"))).scalar() == VERSION
            assert (await db.execute(text("PRAGMA application_id"))).scalar() == APPLICATION_ID
    inspect(path)


@pytest.mark.parametrize("where", ["header", "middle"])
async def test_a_damaged_database_is_refused_and_not_touched(clinic_file: Path, where: str) -> None:
    overwrite(clinic_file, *{"header": (0, 100), "middle": (4096, 4096 * 5)}[where])
    before = fingerprint(clinic_file.parent)
    with pytest.raises(DatabaseDamagedError, match=r"is damaged \(.*\)\. It was not touched; put the latest backup"):
        await Database(clinic_file).open()
    assert fingerprint(clinic_file.parent) == before


async def test_a_foreign_or_newer_database_is_refused_and_not_touched(clinic_file: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign" / "clinic.sqlite3"
    foreign.parent.mkdir()
    for path, change, words in (
        (foreign, "CREATE TABLE recipes (name)", "not a Sinew database"),
        (clinic_file, f"PRAGMA user_version = {VERSION + 1}", "newer Sinew"),
    ):
        connection = sqlite3.connect(path)
        connection.execute(change)
        connection.commit()
        connection.close()
        before = fingerprint(path.parent)
        with pytest.raises(DatabaseDamagedError, match=words):
            await Database(path).open()
        assert fingerprint(path.parent) == before


async def test_what_a_killed_server_left_in_its_log_survives_the_inspection(clinic_file: Path, tmp_path: Path) -> None:
    """A copy taken while a connection is open is what `kill -9` leaves: rows that are only in the WAL."""
    left = tmp_path / "left"
    left.mkdir()
    async with Database(clinic_file) as database:
        async with database.writing() as db:
            await db.execute(text("UPDATE patient SET name = 'In The Log' WHERE id = 'p1'"))
        for path in clinic_file.parent.iterdir():
            (left / path.name).write_bytes(path.read_bytes())
    assert b"In The Log" not in (left / "clinic.sqlite3").read_bytes()
    inspect(left / "clinic.sqlite3")
    async with Database(left / "clinic.sqlite3") as database, database.reading() as db:
        assert (await db.execute(text("SELECT name FROM patient WHERE id = 'p1'"))).scalar() == "In The Log"


async def test_a_block_that_raises_leaves_nothing(clinic_file: Path) -> None:
    async with Database(clinic_file) as database:

        async def midway() -> None:
            async with database.writing() as db:
                await db.execute(text("DELETE FROM token"))
                raise RuntimeError("midway")

        with pytest.raises(RuntimeError, match="midway"):
            await midway()
        async with database.reading() as db:
            assert (await db.execute(text("SELECT count(*) FROM token"))).scalar() == 6


async def test_writers_take_turns_and_readers_do_not_wait(clinic_file: Path) -> None:
    async with Database(clinic_file) as database:
        inside = asyncio.Event()
        go_on = asyncio.Event()

        async def slow() -> None:
            async with database.writing() as db:
                await db.execute(text("UPDATE patient SET goal_deg = goal_deg + 1 WHERE id = 'p1'"))
                inside.set()
                await go_on.wait()

        async def quick() -> None:
            async with database.writing() as db:
                await db.execute(text("UPDATE patient SET goal_deg = goal_deg + 1 WHERE id = 'p1'"))

        first = asyncio.create_task(slow())
        await inside.wait()
        others = [asyncio.create_task(quick()) for _ in range(5)]
        async with asyncio.timeout(5), database.reading() as db:
            assert (await db.execute(text("SELECT goal_deg FROM patient WHERE id = 'p1'"))).scalar() == 85
        assert not any(other.done() for other in others)
        go_on.set()
        await asyncio.gather(first, *others)
        async with database.reading() as db:
            assert (await db.execute(text("SELECT goal_deg FROM patient WHERE id = 'p1'"))).scalar() == 91


async def test_a_long_queue_of_writers_is_no_refusal(impatient_api) -> None:
    """The queue is our own: waiting for one another's turn must not use up SQLite's patience with other processes."""

    async def write(wait_s: float) -> None:
        async with impatient_api.database.writing() as db:
            await db.execute(text("UPDATE patient SET goal_deg = goal_deg + 1 WHERE id = 'p1'"))
            await asyncio.sleep(wait_s)

    await asyncio.gather(*(write(0.08) for _ in range(6)))


async def test_a_writer_that_reads_first_already_keeps_others_out(impatient_api, clinic_file: Path) -> None:
    other = sqlite3.connect(clinic_file, isolation_level=None, timeout=0)
    async with impatient_api.database.writing() as db:
        await db.execute(text("SELECT count(*) FROM patient"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_another_process_in_the_way_is_said_and_passes(impatient_api, clinic_file: Path, make) -> None:
    api, opening = impatient_api, make.opening()
    other = sqlite3.connect(clinic_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    busy = await api.put_word(f"sessions/{opening.id}", opening)
    assert (busy.status_code, busy.json()["type"], busy.headers["retry-after"]) == (503, "storage-busy", "5")
    # A token's use is noted once a minute; that this cannot be written must not keep anybody from reading.
    api.clock.advance(minutes=2)
    assert (await api("GET", "patients", "physiotherapist")).status_code == 200
    other.execute("ROLLBACK")
    other.close()
    assert (await api.put_word(f"sessions/{opening.id}", opening)).status_code == 201


@pytest.fixture
async def impatient_api(api):
    """As `api`, but SQLite waits 50 ms and not 10 s for another process."""

    def shorten(connection, *_) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 50")
        cursor.close()

    event.listen(api.database.engine.sync_engine, "checkout", shorten)
    return api


async def test_a_full_disk_is_said_and_nothing_is_half_stored(api, make) -> None:
    """SQLite's own page limit stands for the disk: the same error, from a real write that finds no room."""
    opening = make.opening()
    assert (await api.put_word(f"sessions/{opening.id}", opening)).status_code == 201
    async with api.database.reading() as db:
        pages = (await db.execute(text("PRAGMA page_count"))).scalar()
    limit = {"pages": pages + 12}

    def confine(connection, *_) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {limit['pages']}")
        cursor.close()

    event.listen(api.database.engine.sync_engine, "checkout", confine)
    statuses: list[int] = []
    while 507 not in statuses:
        answer = await api.put_chunk(opening.id, len(statuses), make.chunk(len(statuses), samples=300))
        statuses.append(answer.status_code)
    assert statuses == [201] * (len(statuses) - 1) + [507]
    assert len(statuses) > 2
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["type"], "send it again" in answer.json()["detail"]) == ("storage-full", True)

    received = f"sessions/{opening.id}/chunks"
    assert (await api("GET", received, "gateway")).json() == {"received": [[0, len(statuses) - 2]]}
    assert (await api("GET", "patients", "physiotherapist")).status_code == 200

    limit["pages"] = 1_000_000
    last = len(statuses) - 1
    assert (await api.put_chunk(opening.id, last, make.chunk(last, samples=300))).status_code == 201
    async with api.database.reading() as db:
        assert (await db.execute(text("PRAGMA integrity_check"))).scalar() == "ok"


async def test_instants_come_back_as_utc_and_none_is_stored_without_its_zone(clinic_file: Path, make) -> None:
    async with Database(clinic_file) as database:
        async with database.reading() as db:
            created = await db.scalar(select(TokenRecord.created_at).limit(1))
        assert created == make.now
        assert created.utcoffset().total_seconds() == 0
        naive = make.now.replace(tzinfo=None)
        with pytest.raises(StatementError, match="time zone"):
            async with database.writing() as db:
                db.add(TokenRecord(sha256=b"x", account_id=make.opening().id, created_at=naive, used_at=naive))
