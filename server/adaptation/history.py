"""What a patient's sessions amounted to, as adaptation reads them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.adaptation.history import SessionOutcome
from analytics.domain.program import Prescription
from analytics.domain.recovery import KNEE_RANGE
from server.recovery.records import CoursePointRecord
from server.sessions.records import FeedbackRecord, SessionRecord


async def outcomes(db: AsyncSession, patient_id: str, prescription: Prescription) -> list[SessionOutcome]:
    """Finished sessions of one prescription's exercise and side, oldest first, each with its latest feedback."""
    rows = await db.execute(
        select(SessionRecord, CoursePointRecord.value, FeedbackRecord.pain, FeedbackRecord.effort)
        .outerjoin(
            CoursePointRecord,
            (CoursePointRecord.session_id == SessionRecord.id) & (CoursePointRecord.outcome == KNEE_RANGE),
        )
        .outerjoin(
            FeedbackRecord,
            (FeedbackRecord.session_id == SessionRecord.id) & (FeedbackRecord.patient_id == SessionRecord.patient_id),
        )
        .where(
            SessionRecord.patient_id == patient_id,
            SessionRecord.exercise == prescription.exercise,
            SessionRecord.side == prescription.side,
            SessionRecord.ended_at.is_not(None),
        )
        .order_by(SessionRecord.started_at, FeedbackRecord.given_at)
    )
    latest = {session.id: (session, range_deg, pain, effort) for session, range_deg, pain, effort in rows}
    return [
        SessionOutcome(
            program_version=session.program_version,
            started_at=session.started_at,
            repetitions=session.repetitions,
            range_deg=range_deg,
            correct_fraction=_fraction(session.correct, session.repetitions, session.not_judged),
            pain=pain,
            effort=effort,
        )
        for session, range_deg, pain, effort in latest.values()
    ]


async def heard_since(db: AsyncSession, patient_id: str, prescription: Prescription, moment: datetime) -> bool:
    """Whether a session of this exercise and side has ended, or was answered about, after that moment."""
    newer = await db.scalar(
        select(SessionRecord.id)
        .outerjoin(
            FeedbackRecord,
            (FeedbackRecord.session_id == SessionRecord.id) & (FeedbackRecord.patient_id == SessionRecord.patient_id),
        )
        .where(
            SessionRecord.patient_id == patient_id,
            SessionRecord.exercise == prescription.exercise,
            SessionRecord.side == prescription.side,
            SessionRecord.ended_at.is_not(None),
            or_(SessionRecord.ended_at > moment, FeedbackRecord.given_at > moment),
        )
        .limit(1)
    )
    return newer is not None


def _fraction(correct: int, repetitions: int, not_judged: int) -> float | None:
    """Share of correct among the judged; None where nothing was judged, which is not the same as nothing correct."""
    judged = repetitions - not_judged
    return correct / judged if judged > 0 else None
