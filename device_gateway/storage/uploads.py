"""How far each session has come on its way to the clinic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import apsw
from pydantic import ValidationError

from analytics.domain.session import SessionOpening, SessionReport

from .sessions import SessionRows, blobs

_UPLOAD = f"SELECT id, opening_uploaded, problem, {blobs('opening', 'report')} FROM session"  # noqa: S608 - our names


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
class WaitingSession:
    """One that is not wholly at the clinic; `finished` when its report is kept. `problem`: the clinic's, if any."""

    id: UUID
    finished: bool
    problem: str | None


class UploadRows(SessionRows):
    async def waiting(self) -> list[WaitingSession]:
        """Every session that is not wholly at the clinic, in the order in which they were kept."""

        def read(database: apsw.Connection) -> list[WaitingSession]:
            rows: Any = database.execute(
                "SELECT id, report IS NOT NULL, problem FROM session WHERE NOT report_uploaded ORDER BY rowid"
            )
            return [WaitingSession(UUID(id_), bool(finished), problem or None) for id_, finished, problem in rows]

        return await self.read(read)

    async def upload(self, session_id: UUID) -> SessionUpload | None:
        """How far this session has come; None where it is kept no more, or cannot be read."""

        def read(database: apsw.Connection) -> list[SessionUpload | None]:
            rows: list[Any] = database.execute(f"{_UPLOAD} WHERE id = ?", (str(session_id),)).fetchall()
            chunks: Any = database.execute(
                "SELECT number FROM chunk WHERE session_id = ? AND NOT uploaded ORDER BY number", (str(session_id),)
            )
            waiting = [number for (number,) in chunks]
            return [_upload(row, waiting) for row in rows]

        found = await self.read(read)
        if found == [None]:
            await self.note_unreadable([str(session_id)])
        return found[0] if found else None

    async def uploads(self) -> list[SessionUpload]:
        """Every session that is not wholly at the clinic and can be read, oldest first; those with a problem too."""

        def read(database: apsw.Connection) -> list[SessionUpload]:
            rows: list[Any] = database.execute(f"{_UPLOAD} WHERE NOT report_uploaded ORDER BY rowid").fetchall()
            chunks: Any = database.execute(
                "SELECT session_id, number FROM chunk WHERE NOT uploaded ORDER BY session_id, number"
            )
            waiting: dict[str, list[int]] = {}
            for session_id, number in chunks:
                waiting.setdefault(session_id, []).append(number)
            found = [_upload(row, waiting.get(row[0], [])) for row in rows]
            return [upload for upload in found if upload is not None]

        return await self.read(read)

    async def mark(
        self,
        session_id: UUID,
        *,
        opening_uploaded: bool | None = None,
        report_uploaded: bool | None = None,
        problem: str | None = None,
    ) -> None:
        """Note what became of a session's upload; what is None stays as it was."""
        await self.write(
            lambda database: database.execute(
                "UPDATE session SET opening_uploaded = coalesce(?, opening_uploaded),"
                " report_uploaded = coalesce(?, report_uploaded), problem = coalesce(?, problem) WHERE id = ?",
                (opening_uploaded, report_uploaded, problem, str(session_id)),
            )
        )

    async def mark_chunks(self, session_id: UUID, uploaded: Iterable[tuple[int, int]]) -> None:
        """Note that the clinic holds exactly these ranges [first, last] of a session's chunks."""
        ranges = list(uploaded)

        def write(database: apsw.Connection) -> None:
            database.execute("UPDATE chunk SET uploaded = 0 WHERE session_id = ?", (str(session_id),))
            database.executemany(
                "UPDATE chunk SET uploaded = 1 WHERE session_id = ? AND number BETWEEN ? AND ?",
                [(str(session_id), first, last) for first, last in ranges],
            )

        await self.write(write)

    async def mark_chunk(self, session_id: UUID, number: int) -> None:
        """Note that the clinic has acknowledged a chunk."""
        await self.write(
            lambda database: database.execute(
                "UPDATE chunk SET uploaded = 1 WHERE session_id = ? AND number = ?", (str(session_id), number)
            )
        )


def _upload(row: tuple[str, int, str | None, bytes, bytes | None], waiting: list[int]) -> SessionUpload | None:
    """None where what is kept cannot be read."""
    session_id, opening_uploaded, problem, opening, report = row
    try:
        opened = SessionOpening.model_validate_json(opening)
        reported = None if report is None else SessionReport.model_validate_json(report)
    except ValidationError:
        return None
    return SessionUpload(
        id=UUID(session_id),
        opening=opened,
        report=reported,
        opening_uploaded=bool(opening_uploaded),
        problem=problem or None,
        chunks_waiting=tuple(waiting),
    )
