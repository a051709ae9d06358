"""Courses, the population model fitted on them, and each patient's forecast."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint, Forecast
from analytics.domain.session import SessionReport
from analytics.recovery.course import course_point, outcome_of
from analytics.recovery.forecast import forecast
from analytics.recovery.growth import GrowthModel, GrowthModelError
from server.patients.records import PatientRecord

from .records import CoursePointRecord, ForecastRecord, GrowthModelRecord

HORIZON_DAYS = 28
LEAST_HORIZON_DAY = 84
"""Twelve weeks, the usual length of an episode after knee surgery; later, four weeks ahead."""


async def course_of(db: AsyncSession, patient_id: str) -> Course:
    """The patient's measurements in order of day."""
    records = await db.scalars(
        select(CoursePointRecord)
        .where(CoursePointRecord.patient_id == patient_id, CoursePointRecord.outcome == KNEE_RANGE)
        .order_by(CoursePointRecord.day)
    )
    return Course(patient_id=patient_id, outcome=KNEE_RANGE, points=tuple(map(_point, records)))


async def forecast_of(db: AsyncSession, patient_id: str) -> Forecast | None:
    """The forecast in force, as it was made after the latest session."""
    record = await db.get(ForecastRecord, (patient_id, KNEE_RANGE))
    return None if record is None else Forecast.model_validate_json(record.document)


def point_record(report: SessionReport, surgery_on: date) -> CoursePointRecord | None:
    """What a session adds to the course of what its exercise measures; None where it measured no range."""
    point = course_point(report, surgery_on)
    if point is None:
        return None
    return CoursePointRecord(
        session_id=report.id,
        outcome=outcome_of(report.exercise),
        patient_id=report.patient_id,
        day=point.day,
        value=point.value,
        error=point.error,
        simulated=point.simulated,
    )


async def refresh(db: AsyncSession, patient_id: str, *, now: datetime, refit_after: int) -> Forecast:
    """Make the forecast of one patient anew from everything measured so far.

    The population model is fitted again when the clinic has `refit_after` more course points than it was fitted on, or
    twice as many: a young clinic's first model has seen next to nothing.
    """
    patient = await db.get_one(PatientRecord, patient_id)
    model = await _model(db, now=now, refit_after=refit_after)
    today = _day(patient.surgery_on, now)
    made = forecast(
        model,
        await course_of(db, patient_id),
        goal=patient.goal_deg,
        made_at=now,
        today=today,
        horizon_day=max(LEAST_HORIZON_DAY, today + HORIZON_DAYS),
    )
    await db.merge(
        ForecastRecord(patient_id=patient_id, outcome=KNEE_RANGE, made_at=now, document=made.model_dump_json())
    )
    await db.flush()
    return made


async def _model(db: AsyncSession, *, now: datetime, refit_after: int) -> GrowthModel:
    points = await db.scalar(select(func.count()).where(CoursePointRecord.outcome == KNEE_RANGE)) or 0
    latest = await db.scalar(
        select(GrowthModelRecord)
        .where(GrowthModelRecord.outcome == KNEE_RANGE)
        .order_by(GrowthModelRecord.fitted_at.desc(), GrowthModelRecord.points.desc())
        .limit(1)
    )
    if latest is not None and points - latest.points < min(refit_after, max(latest.points, 1)):
        # A model of an older release's form is fitted again rather than read.
        with suppress(GrowthModelError):
            return GrowthModel.from_json(latest.document)
    model = await asyncio.to_thread(GrowthModel.fit, await _all_courses(db), outcome=KNEE_RANGE)
    await db.merge(
        GrowthModelRecord(
            sha256=model.sha256, outcome=KNEE_RANGE, document=model.to_json(), fitted_at=now, points=points
        )
    )
    await db.flush()
    return model


async def _all_courses(db: AsyncSession) -> list[Course]:
    records = await db.scalars(
        select(CoursePointRecord)
        .where(CoursePointRecord.outcome == KNEE_RANGE)
        .order_by(CoursePointRecord.patient_id, CoursePointRecord.day)
    )
    points: dict[str, list[CoursePoint]] = {}
    for record in records:
        points.setdefault(record.patient_id, []).append(_point(record))
    return [Course(patient_id=id_, outcome=KNEE_RANGE, points=tuple(found)) for id_, found in points.items()]


def _point(record: CoursePointRecord) -> CoursePoint:
    return CoursePoint(
        day=record.day,
        value=record.value,
        error=record.error,
        session_id=record.session_id,
        simulated=record.simulated,
    )


def _day(surgery_on: date, now: datetime) -> float:
    return (now - datetime.combine(surgery_on, time(), tzinfo=UTC)).total_seconds() / 86_400
