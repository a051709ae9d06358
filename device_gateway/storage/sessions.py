"""What is written down of a session: its opening and plan, commands, chunks of samples, and the report at its end."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import apsw
from pydantic import TypeAdapter, ValidationError

from analytics.domain.session import SensorRecord, SessionOpening, SessionReport
from device_gateway.errors import StoreError
from firmware_interface.driver_kit.decoder import Bookmark

from .database import Database
from .plan import GivenCommand, SessionPlan

UNREADABLE = (
    "What this gateway wrote down of a session cannot be read: its disk may be failing, or a newer Sinew wrote it."
)
_SENSORS = TypeAdapter(tuple[SensorRecord, ...])
_BOOKMARKS = TypeAdapter(dict[str, Bookmark])
_OPENING, _PLAN, _GIVEN = TypeAdapter(SessionOpening), TypeAdapter(SessionPlan), TypeAdapter(GivenCommand)
Kept = TypeVar("Kept")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UnfinishedSession:
    """A session that has no report: it runs, or its gateway died.

    `plan` is None where an older gateway kept it; it, `sensors`, `bookmarks` and a command are also missing where
    unreadable. bookmarks: by address, where a sensor's stream stands behind the chunks.
    """

    opening: SessionOpening
    plan: SessionPlan | None
    sensors: tuple[SensorRecord, ...]
    commands: tuple[GivenCommand, ...]
    chunks: tuple[int, ...]
    bookmarks: dict[str, Bookmark]


class SessionRows(Database):
    """Keeping the same thing again is harmless."""

    async def keep_opening(self, opening: SessionOpening, plan: SessionPlan | None = None) -> None:
        await self.write(
            lambda database: database.execute(
                "INSERT INTO session (id, opening, plan) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (str(opening.id), opening.model_dump_json(), plan.model_dump_json() if plan else None),
            )
        )

    async def keep_command(self, session_id: UUID, given: GivenCommand) -> None:
        await self.write(
            lambda database: database.execute(
                "INSERT INTO command (session_id, given) VALUES (?, ?)", (str(session_id), given.model_dump_json())
            )
        )

    async def keep_chunk(
        self,
        session_id: UUID,
        number: int,
        data: bytes,
        sensors: tuple[SensorRecord, ...] = (),
        bookmarks: Mapping[str, Bookmark] | None = None,
    ) -> None:
        """Keep a chunk, and what the sensors have delivered, and where their streams stand, at its end."""
        bookmarks_json = _BOOKMARKS.dump_json(dict(bookmarks or {})).decode()

        def write(database: apsw.Connection) -> None:
            database.execute(
                "INSERT INTO chunk (session_id, number, sha256, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (str(session_id), number, hashlib.sha256(data).digest(), data),
            )
            if database.changes():
                database.execute(
                    "UPDATE session SET sensors = ?, bookmarks = ?, chunk_bytes = chunk_bytes + ? WHERE id = ?",
                    (_SENSORS.dump_json(sensors).decode(), bookmarks_json, len(data), str(session_id)),
                )

        await self.write(write)

    async def keep_report(self, report: SessionReport) -> None:
        await self.write(
            lambda database: database.execute(
                "UPDATE session SET report = ? WHERE id = ?", (report.model_dump_json(), str(report.id))
            )
        )

    async def chunk(self, session_id: UUID, number: int) -> tuple[bytes, bytes]:
        """A stored chunk and the SHA-256 it had when it was stored."""

        def read(database: apsw.Connection) -> tuple[bytes, bytes]:
            row: Any = database.execute(
                "SELECT data, sha256 FROM chunk WHERE session_id = ? AND number = ?", (str(session_id), number)
            ).fetchone()
            data, sha256 = row
            return data, sha256

        return await self.read(read)

    async def unfinished(self) -> list[UnfinishedSession]:
        """Every session that has no report, oldest first; one whose opening cannot be read is stepped over."""

        def read(database: apsw.Connection) -> dict[str, UnfinishedSession | None]:
            rows: list[Any] = database.execute(
                f"SELECT id, {blobs('opening', 'plan', 'sensors', 'bookmarks')} FROM session"  # noqa: S608 - names above
                " WHERE report IS NULL ORDER BY rowid"
            ).fetchall()
            return {row[0]: _unfinished(database, *row) for row in rows}

        found = await self.read(read)
        await self.note_unreadable(session_id for session_id, session in found.items() if session is None)
        return [session for session in found.values() if session is not None]

    async def note_unreadable(self, sessions: Iterable[str]) -> None:
        """Have it told that nobody can read these; they are kept."""
        noted = [(UNREADABLE, session_id, UNREADABLE) for session_id in sessions]
        if not noted:
            return
        log.error("Sessions that cannot be read and are stepped over: %d.", len(noted))
        with contextlib.suppress(StoreError):  # the next look notes it
            await self.write(
                lambda database: database.executemany(
                    "UPDATE session SET problem = ? WHERE id = ? AND problem IS NOT ?", noted
                )
            )


def blobs(*columns: str) -> str:
    """Columns of JSON as the bytes they are: where bits have turned they may be no text, which SQLite does not mind."""
    return ", ".join(f"CAST({column} AS BLOB)" for column in columns)


def _unfinished(
    database: apsw.Connection, session_id: str, opening: bytes, *others: bytes | None
) -> UnfinishedSession | None:
    plan, sensors, bookmarks = others
    commands: Any = database.execute(
        f"SELECT {blobs('given')} FROM command WHERE session_id = ? ORDER BY rowid",  # noqa: S608 - a name of ours
        (session_id,),
    )
    chunks: Any = database.execute("SELECT number FROM chunk WHERE session_id = ? ORDER BY number", (session_id,))
    opened = _readable(_OPENING, opening)
    if opened is None:
        return None
    given = [_readable(_GIVEN, document) for (document,) in commands]
    return UnfinishedSession(
        opening=opened,
        plan=_readable(_PLAN, plan),
        sensors=_readable(_SENSORS, sensors) or (),
        commands=tuple(command for command in given if command is not None),
        chunks=tuple(number for (number,) in chunks),
        bookmarks=_readable(_BOOKMARKS, bookmarks) or {},
    )


def _readable(kind: TypeAdapter[Kept], document: bytes | None) -> Kept | None:
    try:
        return None if document is None else kind.validate_json(document)
    except ValidationError:
        return None
