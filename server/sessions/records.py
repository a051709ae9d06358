"""Sessions, their raw samples and what was said of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from analytics.domain.exercise import Side
from server.records import Record


class SessionRecord(Record):
    """One exercising. Figures below `ended_at` are copied from the report, so that a list opens no document."""

    __tablename__ = "session"
    __table_args__ = (Index(None, "patient_id", "started_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    program_version: Mapped[int]
    exercise: Mapped[str]
    side: Mapped[Side]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """None until the report is stored, which closes the session."""
    repetitions: Mapped[int] = mapped_column(default=0)
    correct: Mapped[int] = mapped_column(default=0)
    not_judged: Mapped[int] = mapped_column(default=0)
    samples_lost: Mapped[int] = mapped_column(default=0)
    reached: Mapped[int | None]
    """Repetitions that came to the target of the session's program version; None where that prescribes none."""
    hurts_pain: Mapped[int | None]
    """The worst of the numbers given with "It hurts" during the session."""
    hurts_unrated: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often "It hurts" was said without a number."""
    stopped: Mapped[str | None]
    """Why a rule of safety ended the session or refused it, in a clinician's words."""
    simulated: Mapped[bool] = mapped_column(default=False)
    reported_at: Mapped[datetime | None]
    """When the report came in, by the server's clock; None where only `ended_at` is known."""


class ReportRecord(Record):
    """The whole report as the JSON of analytics.domain.session.SessionReport, apart: session rows stay small."""

    __tablename__ = "session_report"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), primary_key=True)
    document: Mapped[str]


class ChunkRecord(Record):
    """Ten seconds of raw samples as they came. A plain rowid table: WITHOUT ROWID costs 40 % more for such BLOBs."""

    __tablename__ = "chunk"
    __table_args__ = (UniqueConstraint("session_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"))
    number: Mapped[int]
    sha256: Mapped[bytes]
    samples: Mapped[int]
    data: Mapped[bytes]


class FeedbackRecord(Record):
    """What the patient said. Without a foreign key: a phone may be back online before the gateway is."""

    __tablename__ = "feedback"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(index=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    pain: Mapped[int]
    effort: Mapped[int]
    given_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    """When it came in, by the server's clock; None where only `given_at` is known."""
