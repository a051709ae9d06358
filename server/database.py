"""One SQLite file, one writer. What left `writing()` is on the disk: WAL with synchronous=FULL, fsync before return.

Reads run beside the writer on their own snapshot. Every connection is a thread of aiosqlite, so neither a commit nor a
query holds the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from server import schema
from server.inspection import inspect
from server.problems import StorageBusy, StorageFull
from server.upgrades import upgrade

BUSY_TIMEOUT_S = 10
"""Another process, such as a backup, may hold the file for a moment."""


class Database:
    """`await open()` before use and `await close()` after; or `async with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine: AsyncEngine = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            # Values of parameters are personal data; they must not reach a log through an error's text.
            hide_parameters=True,
            connect_args={"timeout": BUSY_TIMEOUT_S},
        )
        self._writer = self.engine.execution_options(writing=True)
        self._one_writer = asyncio.Lock()
        event.listen(self.engine.sync_engine, "connect", _prepare)
        event.listen(self.engine.sync_engine, "begin", _begin)

    async def open(self) -> None:
        """Check an existing file without touching it, then bring it to today's shape. Raises `DatabaseDamagedError`."""
        await asyncio.to_thread(inspect, self.path)
        async with self.writing() as db:
            connection = await db.connection()
            await connection.run_sync(upgrade)
            await connection.run_sync(schema.METADATA.create_all)
            await connection.execute(text(f"PRAGMA user_version = {schema.VERSION}"))
            await connection.execute(text(f"PRAGMA application_id = {schema.APPLICATION_ID}"))

    async def close(self) -> None:
        await self.engine.dispose()

    async def __aenter__(self) -> Database:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One consistent snapshot."""
        async with AsyncSession(self.engine, expire_on_commit=False) as db:
            yield db

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction: durable when the block is left, undone when it raises.

        Raises `StorageFull` or `StorageBusy` where the disk or another process is in the way; then nothing is stored.
        """
        async with self._one_writer, AsyncSession(self._writer, expire_on_commit=False) as db:
            try:
                yield db
                await db.commit()
            except DBAPIError as error:
                await db.rollback()
                raise _storage_problem(error) or error from error


def _prepare(connection: Any, _: object) -> None:
    # sqlite3 would start transactions by itself, and too late for BEGIN IMMEDIATE; `_begin` does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: one that reads first and writes later could otherwise fail midway.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _storage_problem(error: DBAPIError) -> StorageFull | StorageBusy | None:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StorageFull(
            "The server's disk is full, so nothing was stored; keep what you have and send it again later."
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StorageBusy(
            "The server is busy with another task; send this again in a moment.", headers={"Retry-After": "5"}
        )
    return None
