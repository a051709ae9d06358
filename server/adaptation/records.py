"""Proposed changes of program and what was decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from analytics.domain.recovery import ProposalStatus
from server.records import Record

WAITING = text(f"status = '{ProposalStatus.WAITING.name}'")


class ProposalRecord(Record):
    """`document` is the JSON of analytics.domain.recovery.Proposal as made; the decision stands in the columns.

    The partial index lets at most one proposal per patient wait.
    """

    __tablename__ = "proposal"
    __table_args__ = (
        Index("uq_proposal_waiting", "patient_id", unique=True, sqlite_where=WAITING, postgresql_where=WAITING),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    made_at: Mapped[datetime]
    status: Mapped[ProposalStatus]
    document: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
