"""What the phone keeps: programs, every repetition heard of, and what waits to be sent.

Nothing here is ever wiped: not by signing out, not by an error of the network or the server. A row is on the disk when
the call returns (WAL with synchronous=FULL: NORMAL loses the last rows when the power goes).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from analytics.domain.live import Command
from analytics.domain.program import Assignment
from analytics.domain.session import Feedback, Repetition, SessionReport

SCHEMAS = (
    """
CREATE TABLE assignment (
    patient_id TEXT PRIMARY KEY, body TEXT NOT NULL, heard_at TEXT NOT NULL) STRICT;
CREATE TABLE session (
    id TEXT PRIMARY KEY, patient_id TEXT NOT NULL, heard_at TEXT NOT NULL, report TEXT) STRICT;
CREATE TABLE repetition (
    session_id TEXT NOT NULL REFERENCES session, number INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (session_id, number)) STRICT;
CREATE TABLE outbox (
    id TEXT PRIMARY KEY, patient_id TEXT NOT NULL, session_id TEXT NOT NULL, body TEXT NOT NULL,
    sent_at TEXT, refused_because TEXT) STRICT;
""",
    """
CREATE TABLE urgent (
    id INTEGER PRIMARY KEY, patient_id TEXT NOT NULL, session_id TEXT, body TEXT NOT NULL, settled_at TEXT) STRICT;
""",
)
"""What each version of the app's data has added to the one before."""


class StoreError(RuntimeError):
    """The phone's memory cannot be used; the message says what to do."""


@dataclass(frozen=True)
class SavedSession:
    """What the phone knows of a session that it followed. `report` is None when its end was not heard of."""

    id: UUID
    repetitions: tuple[Repetition, ...]
    report: SessionReport | None


@dataclass(frozen=True)
class UrgentWords:
    """What a gateway must hear. `session_id`: the session in which it was said, where the phone knew of one."""

    id: int
    session_id: UUID | None
    command: Command


class Store:
    """One SQLite file. Used from one thread."""

    def __init__(self, connection: sqlite3.Connection, set_aside: Path | None = None) -> None:
        self._db = connection
        self.set_aside = set_aside
        """Where a damaged database was put when this one was begun in its place."""

    @classmethod
    def open(cls, home: Path, *, now: datetime) -> Store:
        """Open or begin the store in `home`. A damaged file is set aside with its bytes kept.

        Raises StoreError when the folder cannot be written to, or a newer app has written the file.
        """
        path = home / "sinew.db"
        try:
            home.mkdir(parents=True, exist_ok=True)
            try:
                return cls(_connect(path))
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
            aside = _set_aside(path, now)
            return cls(_connect(path), aside)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"The app cannot keep its data in {home} ({error}). Make the folder writable, or free some space."
            ) from error

    def close(self) -> None:
        self._db.close()

    def save_assignment(self, assignment: Assignment, *, now: datetime) -> None:
        with _writing(self._db):
            self._db.execute(
                "INSERT INTO assignment VALUES (?, ?, ?) "
                "ON CONFLICT DO UPDATE SET body = excluded.body, heard_at = excluded.heard_at",
                (assignment.patient_id, assignment.model_dump_json(), now.isoformat()),
            )

    def assignment(self, patient_id: str) -> Assignment | None:
        row = self._db.execute("SELECT body FROM assignment WHERE patient_id = ?", (patient_id,)).fetchone()
        return None if row is None else Assignment.model_validate_json(row[0])

    def save_repetition(self, patient_id: str, session_id: UUID, repetition: Repetition, *, now: datetime) -> None:
        """Keep a repetition; the gateway's later word about the same number replaces the earlier one."""
        with _writing(self._db):
            self._note_session(patient_id, session_id, now)
            self._put_repetitions(session_id, [repetition])

    def save_report(self, report: SessionReport, *, now: datetime) -> None:
        """Keep a finished session, with the repetitions that were missed while the line was down.

        The trace for drawing stays with the gateway and the clinic.
        """
        body = report.model_copy(update={"trace": None}).model_dump_json()
        with _writing(self._db):
            self._note_session(report.patient_id, report.id, now)
            self._put_repetitions(report.id, report.repetitions)
            self._db.execute("UPDATE session SET report = ? WHERE id = ?", (body, str(report.id)))

    def session(self, session_id: UUID) -> SavedSession | None:
        row = self._db.execute("SELECT report FROM session WHERE id = ?", (str(session_id),)).fetchone()
        if row is None:
            return None
        repetitions = self._db.execute(
            "SELECT body FROM repetition WHERE session_id = ? ORDER BY number", (str(session_id),)
        )
        return SavedSession(
            id=session_id,
            repetitions=tuple(Repetition.model_validate_json(body) for (body,) in repetitions),
            report=None if row[0] is None else SessionReport.model_validate_json(row[0]),
        )

    def session_without_feedback(self, patient_id: str, *, since: datetime) -> UUID | None:
        """The latest session about which the patient has not yet said how it felt."""
        row = self._db.execute(
            "SELECT id FROM session WHERE patient_id = ? AND heard_at >= ? "
            "AND id NOT IN (SELECT session_id FROM outbox) ORDER BY heard_at DESC LIMIT 1",
            (patient_id, since.isoformat()),
        ).fetchone()
        return None if row is None else UUID(row[0])

    def reports_since(self, patient_id: str, since: datetime) -> list[SessionReport]:
        """Of the sessions whose end was heard of since then."""
        rows = self._db.execute(
            "SELECT report FROM session WHERE patient_id = ? AND heard_at >= ? AND report IS NOT NULL",
            (patient_id, since.isoformat()),
        )
        return [SessionReport.model_validate_json(report) for (report,) in rows]

    def queue_feedback(self, patient_id: str, feedback: Feedback) -> None:
        """Keep feedback until the clinic has it. The same id a second time changes nothing."""
        with _writing(self._db):
            self._db.execute(
                "INSERT OR IGNORE INTO outbox (id, patient_id, session_id, body) VALUES (?, ?, ?, ?)",
                (str(feedback.id), patient_id, str(feedback.session_id), feedback.model_dump_json()),
            )

    def waiting_feedback(self, patient_id: str) -> list[Feedback]:
        """What this patient said and the clinic does not have yet, oldest first."""
        rows = self._db.execute(
            "SELECT body FROM outbox "
            "WHERE patient_id = ? AND sent_at IS NULL AND refused_because IS NULL ORDER BY rowid",
            (patient_id,),
        )
        return [Feedback.model_validate_json(body) for (body,) in rows]

    def mark_sent(self, feedback_id: UUID, *, now: datetime) -> None:
        with _writing(self._db):
            self._db.execute("UPDATE outbox SET sent_at = ? WHERE id = ?", (now.isoformat(), str(feedback_id)))

    def mark_refused(self, feedback_id: UUID, reason: str) -> None:
        """Keep feedback that the clinic will never take, with its reason, and send it no more."""
        with _writing(self._db):
            self._db.execute("UPDATE outbox SET refused_because = ? WHERE id = ?", (reason, str(feedback_id)))

    def feedback_outcome(self, feedback_id: UUID) -> tuple[bool, str | None]:
        """Whether the clinic has it, and why it refused it, if it did."""
        row = self._db.execute(
            "SELECT sent_at IS NOT NULL, refused_because FROM outbox WHERE id = ?", (str(feedback_id),)
        ).fetchone()
        return (False, None) if row is None else (bool(row[0]), row[1])

    def keep_urgent(self, patient_id: str, session_id: UUID | None, command: Command) -> None:
        """Keep what the gateway must hear until it is settled."""
        with _writing(self._db):
            self._db.execute(
                "INSERT INTO urgent (patient_id, session_id, body) VALUES (?, ?, ?)",
                (patient_id, str(session_id) if session_id else None, command.model_dump_json()),
            )

    def untold(self, patient_id: str) -> list[UrgentWords]:
        """What this patient said and no gateway has taken yet, oldest first."""
        rows = self._db.execute(
            "SELECT id, session_id, body FROM urgent WHERE patient_id = ? AND settled_at IS NULL ORDER BY id",
            (patient_id,),
        )
        return [
            UrgentWords(row, None if session_id is None else UUID(session_id), Command.model_validate_json(body))
            for row, session_id, body in rows
        ]

    def settle_urgent(self, words: UrgentWords, *, now: datetime) -> None:
        """The gateway has taken it, or the session that it was about is over."""
        with _writing(self._db):
            self._db.execute("UPDATE urgent SET settled_at = ? WHERE id = ?", (now.isoformat(), words.id))

    def _note_session(self, patient_id: str, session_id: UUID, now: datetime) -> None:
        self._db.execute(
            "INSERT INTO session (id, patient_id, heard_at) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET heard_at = excluded.heard_at",
            (str(session_id), patient_id, now.isoformat()),
        )

    def _put_repetitions(self, session_id: UUID, repetitions: Iterable[Repetition]) -> None:
        self._db.executemany(
            "INSERT INTO repetition VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            [(str(session_id), repetition.number, repetition.model_dump_json()) for repetition in repetitions],
        )


@contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One durable transaction. Raises StoreError, with nothing half written, when the disk will not take it."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise StoreError("This phone could not save what just happened. Free some space on it.") from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise _Damaged(verdict)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(SCHEMAS):
            raise StoreError(
                f"The data in {path.parent} was written by a newer version of this app. "
                "Update the app; nothing was changed."
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        for number, schema in enumerate(SCHEMAS[version:], version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {number}; COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


class _Damaged(sqlite3.DatabaseError):
    """SQLite read the file but found its pages inconsistent."""


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell a damaged file from a full disk, a lock or a missing permission."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, _Damaged) or (
        code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    )


def _set_aside(path: Path, now: datetime) -> Path:
    """Rename a database with its write-ahead log, so that somebody may still read what is in it."""
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}-{number}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
