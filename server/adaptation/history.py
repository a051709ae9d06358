"""What a patient's sessions amounted to, as adaptation reads them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.adaptation.history import SessionOutcome
from analytics.domain.program import Prescription
from server.recovery.records import CoursePointRecord
from server.sessions.figures import felt_pain
from server.sessions.records import FeedbackRecord, SessionRecord


async def outcomes(db: AsyncSession, patient_id: str, prescription: Prescription) -> list[SessionOutcome]:
    """Finished sessions of one prescription's exercise and side, oldest first, each with its latest feedback."""
    rows = await db.execute(
        select(SessionRecord, CoursePointRecord.value, FeedbackRecord)
        .outerjoin(CoursePointRecord, CoursePointRecord.session_id == SessionRecord.id)
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
    latest = {session.id: (session, range_deg, feedback) for session, range_deg, feedback in rows}
    return [_outcome(*found) for found in latest.values()]


def _outcome(session: SessionRecord, range_deg: float | None, feedback: FeedbackRecord | None) -> SessionOutcome:
    known_at = [session.reported_at or session.ended_at or session.started_at]
    if feedback is not None:
        known_at.append(feedback.received_at or feedback.given_at)
    return SessionOutcome(
        program_version=session.program_version,
        started_at=session.started_at,
        repetitions=session.repetitions,
        reached=session.reached,
        range_deg=range_deg,
        correct_fraction=_fraction(session.correct, session.repetitions, session.not_judged),
        pain=felt_pain(session, None if feedback is None else feedback.pain),
        effort=None if feedback is None else feedback.effort,
        hurt_unrated=session.hurts_unrated > 0,
        known_at=max(known_at),
    )


async def heard_since(db: AsyncSession, patient_id: str, prescription: Prescription, moment: datetime) -> bool:
    """Whether a session of this exercise and side has ended, or has been answered about, after that moment.

    So counts one that had ended before and whose report came in later, where it says that it hurt.
    """
    hurt = SessionRecord.hurts_pain.is_not(None) | (SessionRecord.hurts_unrated > 0)
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
            or_(
                SessionRecord.ended_at > moment,
                hurt & (SessionRecord.reported_at > moment),
                FeedbackRecord.given_at > moment,
                FeedbackRecord.received_at > moment,
            ),
        )
        .limit(1)
    )
    return newer is not None


def _fraction(correct: int, repetitions: int, not_judged: int) -> float | None:
    """Share of correct among the judged; None where nothing was judged, which is not the same as nothing correct."""
    judged = repetitions - not_judged
    return correct / judged if judged > 0 else None
