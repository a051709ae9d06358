"""What is written down of a session: its opening and plan, commands, chunks of samples, and the report at its end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import apsw
from pydantic import TypeAdapter

from analytics.domain.session import SensorRecord, SessionOpening, SessionReport

from .database import Database
from .plan import GivenCommand, SessionPlan

_SENSORS = TypeAdapter(tuple[SensorRecord, ...])


@dataclass(frozen=True, slots=True)
class UnfinishedSession:
    """A session that has no report: it runs, or its gateway died. `plan` is None where an older gateway kept it."""

    opening: SessionOpening
    plan: SessionPlan | None
    sensors: tuple[SensorRecord, ...]
    commands: tuple[GivenCommand, ...]
    chunks: tuple[int, ...]


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
        self, session_id: UUID, number: int, data: bytes, sensors: tuple[SensorRecord, ...] = ()
    ) -> None:
        """Keep a chunk, and what the sensors have delivered up to its end."""

        def write(database: apsw.Connection) -> None:
            database.execute(
                "INSERT INTO chunk (session_id, number, sha256, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (str(session_id), number, hashlib.sha256(data).digest(), data),
            )
            if database.changes():
                database.execute(
                    "UPDATE session SET sensors = ?, chunk_bytes = chunk_bytes + ? WHERE id = ?",
                    (_SENSORS.dump_json(sensors).decode(), len(data), str(session_id)),
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
        """Every session that has no report, oldest first."""

        def read(database: apsw.Connection) -> list[UnfinishedSession]:
            rows: list[Any] = database.execute(
                "SELECT id, opening, plan, sensors FROM session WHERE report IS NULL ORDER BY rowid"
            ).fetchall()
            return [_unfinished(database, *row) for row in rows]

        return await self.read(read)


def _unfinished(
    database: apsw.Connection, session_id: str, opening: str, plan: str | None, sensors: str | None
) -> UnfinishedSession:
    commands: Any = database.execute("SELECT given FROM command WHERE session_id = ? ORDER BY rowid", (session_id,))
    chunks: Any = database.execute("SELECT number FROM chunk WHERE session_id = ? ORDER BY number", (session_id,))
    return UnfinishedSession(
        opening=SessionOpening.model_validate_json(opening),
        plan=None if plan is None else SessionPlan.model_validate_json(plan),
        sensors=() if sensors is None else _SENSORS.validate_json(sensors),
        commands=tuple(GivenCommand.model_validate_json(given) for (given,) in commands),
        chunks=tuple(number for (number,) in chunks),
    )
