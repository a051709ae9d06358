"""A look at the database file before anything may change it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from server import schema

DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""Only these say that the content is wrong; a file that is locked or not permitted must not be called damaged."""


class DatabaseDamagedError(RuntimeError):
    """The file is not one this program can safely open; the message says what to do."""


def inspect(path: Path) -> None:
    """Raise `DatabaseDamagedError` for a file that is damaged, foreign or newer than this program. Nothing is written.

    An absent or empty file is fine: it becomes a new database.
    """
    if not path.exists() or path.stat().st_size == 0:
        return
    # Without a write-ahead log the file is all there is, and reading it as immutable leaves no log beside it either.
    logged = path.with_name(f"{path.name}-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'' if logged else '&immutable=1'}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            stamp = _pragma(connection, "user_version")
            foreign = _pragma(connection, "application_id") != schema.APPLICATION_ID
            verdict = _pragma(connection, "quick_check(1)")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in DAMAGE:
            raise DatabaseDamagedError(
                f"The database {path} cannot be opened ({error}). End other programs that use it and make it a file "
                "that this user may read and write, or choose another --home."
            ) from error
        verdict, stamp, foreign = str(error), 0, False
    if verdict != "ok":
        fault = str(verdict).splitlines()[-1]
        raise DatabaseDamagedError(
            f"The database {path} is damaged ({fault}). It was not touched; put the latest backup in its place, "
            "or start with another --home."
        )
    if foreign:
        raise DatabaseDamagedError(
            f"The file {path} is not a Sinew database. It was not touched; choose another --home."
        )
    if stamp > schema.VERSION:
        raise DatabaseDamagedError(
            f"The database {path} was written by a newer Sinew (schema {stamp}, this one knows {schema.VERSION}). "
            "It was not touched; install that version or a later one."
        )


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]
