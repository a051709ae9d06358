"""What the gateway keeps: one SQLite file, one thread that touches it, and nothing counted before it is durable.

WAL with synchronous=FULL: a returned write survives `kill -9` and power loss (NORMAL loses the last commits). All work
goes through a single thread, so the event loop never waits for a disk and there is never a second writer.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TextIO, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from analytics.domain.session import SensorRecord, SessionOpening, SessionReport
from device_gateway.errors import GatewayError, StoreError

from .plan import GivenCommand, SessionPlan

SCHEMA_VERSION = 2
_SENSORS = TypeAdapter(tuple[SensorRecord, ...])
Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionUpload:
    """How far a session has come on its way to the clinic."""

    id: UUID
    opening: SessionOpening
    report: SessionReport | None
    opening_uploaded: bool
    problem: str | None
    chunks_waiting: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnfinishedSession:
    """A session that has no report: it runs, or its gateway died. `plan` is None where an older gateway kept it."""

    opening: SessionOpening
    plan: SessionPlan | None
    sensors: tuple[SensorRecord, ...]
    commands: tuple[GivenCommand, ...]
    chunks: tuple[int, ...]


class Store:
    """The gateway's memory. Open with `await Store.open(folder)`; every method is a coroutine and durable on return.

    All raise StoreError where the disk is full or fails; what was stored before stays as it is, and keeping the same
    thing again is harmless.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._database: sqlite3.Connection | None = None
        self._lock: TextIO | None = None

    @classmethod
    async def open(cls, home: Path) -> Store:
        """Open or make the store in `home`.

        Raises GatewayError where the folder or the file cannot be used, or another gateway uses it.
        """
        store = cls(home / "gateway.sqlite3")
        try:
            store._lock = _lock(home)
            store._database = await asyncio.get_running_loop().run_in_executor(store._thread, _connect, store._path)
        except (OSError, sqlite3.Error) as trouble:
            await store.close()
            raise GatewayError(
                f"The gateway cannot keep its data in {home} ({trouble}): choose a folder it may write with --home."
            ) from trouble
        except GatewayError:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        if self._database is not None:
            try:
                await self._do(lambda database: database.close())
            except StoreError as trouble:
                log.warning("%s", trouble)
            self._database = None
        self._thread.shutdown()
        if self._lock is not None:
            self._lock.close()

    async def setting(self, name: str) -> str | None:
        def read(database: sqlite3.Connection) -> str | None:
            row = database.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            return None if row is None else str(row[0])

        return await self._do(read)

    async def keep_settings(self, **values: str) -> None:
        """Write several settings at once: all of them, or none."""
        await self._write(
            lambda database: database.executemany(
                "INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                values.items(),
            )
        )

    async def keep_opening(self, opening: SessionOpening, plan: SessionPlan | None = None) -> None:
        await self._write(
            lambda database: database.execute(
                "INSERT INTO session (id, opening, plan) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (str(opening.id), opening.model_dump_json(), plan.model_dump_json() if plan else None),
            )
        )

    async def keep_command(self, session_id: UUID, given: GivenCommand) -> None:
        await self._write(
            lambda database: database.execute(
                "INSERT INTO command (session_id, given) VALUES (?, ?)", (str(session_id), given.model_dump_json())
            )
        )

    async def keep_chunk(
        self, session_id: UUID, number: int, data: bytes, sensors: tuple[SensorRecord, ...] = ()
    ) -> None:
        """Keep a chunk, and what the sensors have delivered up to its end."""

        def write(database: sqlite3.Connection) -> None:
            database.execute(
                "INSERT INTO chunk (session_id, number, sha256, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (str(session_id), number, hashlib.sha256(data).digest(), data),
            )
            database.execute(
                "UPDATE session SET sensors = ? WHERE id = ?", (_SENSORS.dump_json(sensors).decode(), str(session_id))
            )

        await self._write(write)

    async def keep_report(self, report: SessionReport) -> None:
        await self._write(
            lambda database: database.execute(
                "UPDATE session SET report = ? WHERE id = ?", (report.model_dump_json(), str(report.id))
            )
        )

    async def chunk(self, session_id: UUID, number: int) -> tuple[bytes, bytes]:
        """A stored chunk and the SHA-256 it had when it was stored."""

        def read(database: sqlite3.Connection) -> tuple[bytes, bytes]:
            row: tuple[bytes, bytes] = database.execute(
                "SELECT data, sha256 FROM chunk WHERE session_id = ? AND number = ?", (str(session_id), number)
            ).fetchone()
            return row

        return await self._do(read)

    async def uploads(self) -> list[SessionUpload]:
        """Every session that is not wholly at the clinic, oldest first; those with a problem too."""

        def read(database: sqlite3.Connection) -> list[SessionUpload]:
            rows = database.execute(
                "SELECT id, opening_uploaded, problem, opening, report FROM session"
                " WHERE NOT report_uploaded ORDER BY id"
            ).fetchall()
            waiting: dict[str, list[int]] = {}
            for session_id, number in database.execute(
                "SELECT session_id, number FROM chunk WHERE NOT uploaded ORDER BY session_id, number"
            ):
                waiting.setdefault(session_id, []).append(number)
            return [_upload(row, waiting.get(row[0], [])) for row in rows]

        return await self._do(read)

    async def unfinished(self) -> list[UnfinishedSession]:
        """Every session that has no report, oldest first."""

        def read(database: sqlite3.Connection) -> list[UnfinishedSession]:
            rows = database.execute(
                "SELECT id, opening, plan, sensors FROM session WHERE report IS NULL ORDER BY id"
            ).fetchall()
            return [_unfinished(database, *row) for row in rows]

        return await self._do(read)

    async def mark(
        self,
        session_id: UUID,
        *,
        opening_uploaded: bool | None = None,
        report_uploaded: bool | None = None,
        problem: str | None = None,
    ) -> None:
        """Note what became of a session's upload; what is None stays as it was."""
        await self._write(
            lambda database: database.execute(
                "UPDATE session SET opening_uploaded = coalesce(?, opening_uploaded),"
                " report_uploaded = coalesce(?, report_uploaded), problem = coalesce(?, problem) WHERE id = ?",
                (opening_uploaded, report_uploaded, problem, str(session_id)),
            )
        )

    async def mark_chunks(self, session_id: UUID, uploaded: Iterable[tuple[int, int]]) -> None:
        """Note that the clinic holds exactly these ranges [first, last] of a session's chunks."""
        ranges = list(uploaded)

        def write(database: sqlite3.Connection) -> None:
            database.execute("UPDATE chunk SET uploaded = 0 WHERE session_id = ?", (str(session_id),))
            database.executemany(
                "UPDATE chunk SET uploaded = 1 WHERE session_id = ? AND number BETWEEN ? AND ?",
                [(str(session_id), first, last) for first, last in ranges],
            )

        await self._write(write)

    async def mark_chunk(self, session_id: UUID, number: int) -> None:
        """Note that the clinic has acknowledged a chunk."""
        await self._write(
            lambda database: database.execute(
                "UPDATE chunk SET uploaded = 1 WHERE session_id = ? AND number = ?", (str(session_id), number)
            )
        )

    async def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        database = self._database
        if database is None:
            raise RuntimeError("the store is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, database)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a fault in this program, not in the disk
        except sqlite3.DatabaseError as trouble:
            raise _problem(trouble) from trouble

    async def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        def transaction(database: sqlite3.Connection) -> None:
            with database:
                work(database)

        await self._do(transaction)


def _lock(home: Path) -> TextIO:
    """Keep a second gateway out of this home for as long as the file is open."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (home / "gateway.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise GatewayError(f"Another gateway uses {home} already: stop it, or choose another --home.") from None
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds the gateway's token
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        _prepare(database, path)
    except Exception:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA foreign_keys = ON")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise GatewayError(
            f"{path} was written by a newer Sinew: install that version again, or choose another folder with --home."
        )
    for step in range(version + 1, SCHEMA_VERSION + 1):
        schema = resources.files(__package__).joinpath(f"schema_{step}.sql").read_text("utf-8")
        database.executescript(f"BEGIN; {schema} PRAGMA user_version = {step}; COMMIT;")


def _unfinished(
    database: sqlite3.Connection, session_id: str, opening: str, plan: str | None, sensors: str | None
) -> UnfinishedSession:
    commands = database.execute("SELECT given FROM command WHERE session_id = ? ORDER BY rowid", (session_id,))
    chunks = database.execute("SELECT number FROM chunk WHERE session_id = ? ORDER BY number", (session_id,))
    return UnfinishedSession(
        opening=SessionOpening.model_validate_json(opening),
        plan=None if plan is None else SessionPlan.model_validate_json(plan),
        sensors=() if sensors is None else _SENSORS.validate_json(sensors),
        commands=tuple(GivenCommand.model_validate_json(given) for (given,) in commands),
        chunks=tuple(number for (number,) in chunks),
    )


def _upload(row: tuple[str, int, str | None, str, str | None], waiting: list[int]) -> SessionUpload:
    session_id, opening_uploaded, problem, opening, report = row
    return SessionUpload(
        id=UUID(session_id),
        opening=SessionOpening.model_validate_json(opening),
        report=None if report is None else SessionReport.model_validate_json(report),
        opening_uploaded=bool(opening_uploaded),
        problem=problem,
        chunks_waiting=tuple(waiting),
    )


def _problem(trouble: sqlite3.DatabaseError) -> StoreError:
    code = getattr(trouble, "sqlite_errorcode", 0) & 0xFF  # absent where the fault is not SQLite's own
    if code == sqlite3.SQLITE_FULL:
        return StoreError(
            "The gateway's disk is full: free some space on it. What is stored is untouched, and what is measured now "
            "waits in memory."
        )
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreError(
            f"What the gateway keeps is damaged ({trouble}): its disk or card fails, so replace it. What is measured "
            "now waits in memory and is lost when the gateway stops."
        )
    return StoreError(
        f"The gateway's disk cannot be written ({trouble}): check or replace it. What is stored is untouched, and what "
        "is measured now waits in memory."
    )
