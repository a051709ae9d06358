"""One line per session, for lists."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.session import Feedback
from server.exercises import Exercises
from server.patients.words import SessionSummary
from server.recovery.records import CoursePointRecord

from .feedback import feedback_of
from .figures import felt_pain
from .records import SessionRecord


async def sessions_of(db: AsyncSession, patient_id: str, exercises: Exercises) -> tuple[SessionSummary, ...]:
    """Every finished session of a patient, newest first. Raw samples and reports are not opened."""
    rows = await db.execute(
        select(SessionRecord, CoursePointRecord.value, CoursePointRecord.error)
        .outerjoin(CoursePointRecord, CoursePointRecord.session_id == SessionRecord.id)
        .where(SessionRecord.patient_id == patient_id, SessionRecord.ended_at.is_not(None))
        .order_by(SessionRecord.started_at.desc())
    )
    said = await feedback_of(db, patient_id)
    return tuple(
        _summary(session, exercises.name(session.exercise), range_deg, range_error_deg, said.get(session.id))
        for session, range_deg, range_error_deg in rows
    )


def _summary(
    session: SessionRecord, name: str, range_deg: float | None, range_error_deg: float | None, feedback: Feedback | None
) -> SessionSummary:
    told_after = None if feedback is None else feedback.pain
    pain = felt_pain(session, told_after)
    return SessionSummary(
        id=session.id,
        started_at=session.started_at,
        exercise=session.exercise,
        exercise_name=name,
        repetitions=session.repetitions,
        range_deg=range_deg,
        range_error_deg=range_error_deg,
        correct=session.correct,
        not_judged=session.not_judged,
        pain=pain,
        pain_told_during=pain != told_after,
        hurt_unrated=session.hurts_unrated > 0,
        effort=None if feedback is None else feedback.effort,
        stopped=session.stopped,
        samples_lost=session.samples_lost,
        simulated=session.simulated,
    )
