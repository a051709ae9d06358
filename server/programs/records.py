"""Program versions: written once, never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.records import Record


class ProgramRecord(Record):
    """`document` is the JSON of analytics.domain.program.Program."""

    __tablename__ = "program"

    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    approved_at: Mapped[datetime]
    document: Mapped[str]
