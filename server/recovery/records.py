"""Courses, the population model and each patient's forecast."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.records import Record


class CoursePointRecord(Record):
    """One measured outcome of one session."""

    __tablename__ = "course_point"
    __table_args__ = (Index(None, "patient_id", "outcome", "day"),)

    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    day: Mapped[float]
    value: Mapped[float]
    error: Mapped[float]
    simulated: Mapped[bool]


class GrowthModelRecord(Record):
    """A fitted population model. Every one is kept: a forecast names the hash of the model that made it."""

    __tablename__ = "growth_model"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    document: Mapped[str]
    fitted_at: Mapped[datetime]
    points: Mapped[int]
    """How many course points the clinic had when it was fitted; a model that saw many fewer than there are is stale."""


class ForecastRecord(Record):
    """The forecast in force for one patient, as the JSON of analytics.domain.recovery.Forecast."""

    __tablename__ = "forecast"

    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    document: Mapped[str]
