"""Consents: each one given is a row, and withdrawing it closes that row, so that what held when stays known."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.records import Record

from .words import Subject


class ConsentRecord(Record):
    __tablename__ = "consent"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    subject: Mapped[Subject]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
