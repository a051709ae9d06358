"""One line per session, for lists."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.recovery import KNEE_RANGE
from server.exercises import exercise_name
from server.patients.words import SessionSummary
from server.recovery.records import CoursePointRecord

from .feedback import feedback_of
from .records import SessionRecord


async def sessions_of(db: AsyncSession, patient_id: str) -> tuple[SessionSummary, ...]:
    """Every finished session of a patient, newest first. Raw samples and reports are not opened."""
    rows = await db.execute(
        select(SessionRecord, CoursePointRecord.value, CoursePointRecord.error)
        .outerjoin(
            CoursePointRecord,
            (CoursePointRecord.session_id == SessionRecord.id) & (CoursePointRecord.outcome == KNEE_RANGE),
        )
        .where(SessionRecord.patient_id == patient_id, SessionRecord.ended_at.is_not(None))
        .order_by(SessionRecord.started_at.desc())
    )
    said = await feedback_of(db, patient_id)
    return tuple(
        SessionSummary(
            id=session.id,
            started_at=session.started_at,
            exercise=session.exercise,
            exercise_name=exercise_name(session.exercise),
            repetitions=session.repetitions,
            range_deg=range_deg,
            range_error_deg=range_error_deg,
            correct=session.correct,
            not_judged=session.not_judged,
            pain=said[session.id].pain if session.id in said else None,
            effort=said[session.id].effort if session.id in said else None,
            samples_lost=session.samples_lost,
            simulated=session.simulated,
        )
        for session, range_deg, range_error_deg in rows
    )
