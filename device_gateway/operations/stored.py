"""What the gateway's file says of how it fares: read by the gateway that runs, or past it where none does."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analytics.domain.session import SessionOpening
from device_gateway.errors import GatewayError, StoreError
from device_gateway.storage.database import DATABASE
from device_gateway.storage.retention import Retention
from device_gateway.storage.sessions import blobs
from device_gateway.storage.store import Store


class Stored(BaseModel):
    """sessions_waiting: those not wholly at the clinic; one that runs is among them."""

    model_config = ConfigDict(frozen=True)

    store_bytes: int = Field(description="of the file and its log")
    free_bytes: int = Field(description="of the disk that it lies on")
    sessions_waiting: int
    chunks_waiting: int
    waiting_since: datetime | None = Field(description="when the oldest session that waits, and can be read, began")
    recorded_bytes: int = Field(description="samples of the sessions that are kept")
    program_version: int | None


def read_stored(database: apsw.Connection, home: Path) -> Stored:
    """Read `database`, which is the one in `home`. Raises apsw.Error."""
    waiting: Any = database.execute(
        f"SELECT {blobs('opening')} FROM session WHERE NOT report_uploaded ORDER BY rowid"  # noqa: S608 - a name of ours
    ).fetchall()
    chunks: Any = database.execute("SELECT count(*) FROM chunk WHERE NOT uploaded").fetchone()
    recorded: Any = database.execute("SELECT coalesce(sum(chunk_bytes), 0) FROM session").fetchone()
    kept: Any = database.execute(f"SELECT {blobs('value')} FROM setting WHERE name = 'assignment'").fetchone()  # noqa: S608
    return Stored(
        store_bytes=sum(file.stat().st_size for file in home.glob(f"{DATABASE}*")),
        free_bytes=shutil.disk_usage(home).free,
        sessions_waiting=len(waiting),
        chunks_waiting=chunks[0],
        waiting_since=next(filter(None, (_began(opening) for (opening,) in waiting)), None),
        recorded_bytes=recorded[0],
        program_version=None if kept is None else _program_version(kept[0]),
    )


def _began(opening: bytes) -> datetime | None:
    try:
        return SessionOpening.model_validate_json(opening).started_at
    except ValidationError:
        return None


def _program_version(assignment: bytes) -> int | None:
    try:
        return int(json.loads(assignment)["program"]["version"])
    except (ValueError, LookupError, TypeError):
        return None


async def stored_of(store: Store | None, home: Path) -> Stored | None:
    """Ask the store of the gateway that runs here; None where its disk refuses to be read, or it is not open."""
    try:
        return None if store is None else await store.read(lambda database: read_stored(database, home))
    except (StoreError, OSError):
        return None


async def days_left(retention: Retention | None) -> int | None:
    """Days of exercising that still fit; None where the disk does not answer."""
    try:
        return None if retention is None else await retention.days_left()
    except (StoreError, OSError):
        return None


def stored_in(home: Path) -> Stored:
    """Read the file of a gateway that does not run. Nothing is changed. Raises GatewayError where there is none."""
    path = home / DATABASE
    try:
        if not path.exists():
            raise GatewayError(f"No gateway has kept anything in {home}: name its folder with --home.")
        database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return read_stored(database, home)
        finally:
            database.close()
    except (PermissionError, apsw.CantOpenError) as trouble:
        raise GatewayError(f"{home} may not be read by you: ask again with sudo.") from trouble
    except apsw.Error as trouble:
        raise GatewayError(f"{path} cannot be read ({trouble}): start the gateway and ask again.") from trouble
