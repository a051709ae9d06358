"""The people the clinic looks after."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from analytics.domain.exercise import Side
from server.records import Record


class PatientRecord(Record):
    __tablename__ = "patient"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    diagnosis: Mapped[str]
    side: Mapped[Side]
    surgery_on: Mapped[date]
    goal_deg: Mapped[float]
    simulated: Mapped[bool]
