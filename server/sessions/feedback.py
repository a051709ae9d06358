"""What patients say after exercising. It may arrive before the session does."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.session import Feedback
from server.access import policy
from server.access.policy import Action
from server.access.words import Caller
from server.problems import Conflict

from .records import FeedbackRecord, SessionRecord


async def give_feedback(db: AsyncSession, caller: Caller, feedback: Feedback, *, now: datetime) -> bool:
    """Keep it; True the first time, False for the same again.

    Raises `Conflict` for something else under the same id, `NotFound` when the session is another patient's.
    """
    patient_id = policy.require_own(caller, Action.GIVE_FEEDBACK)
    session = await db.get(SessionRecord, feedback.session_id)
    if session is not None:
        policy.granted(caller, Action.GIVE_FEEDBACK, session)
    stored = await db.get(FeedbackRecord, feedback.id)
    if stored is None:
        db.add(FeedbackRecord(patient_id=patient_id, received_at=now, **feedback.model_dump()))
        await db.flush()
        return True
    if stored.patient_id != patient_id or _word(stored) != feedback:
        raise Conflict("Another answer is stored under this identifier; send this one under a new identifier.")
    return False


async def feedback_of(db: AsyncSession, patient_id: str, session_id: UUID | None = None) -> dict[UUID, Feedback]:
    """The latest feedback per session of this patient, or of one session only."""
    query = select(FeedbackRecord).where(FeedbackRecord.patient_id == patient_id).order_by(FeedbackRecord.given_at)
    if session_id is not None:
        query = query.where(FeedbackRecord.session_id == session_id)
    return {record.session_id: _word(record) for record in await db.scalars(query)}


def _word(record: FeedbackRecord) -> Feedback:
    return Feedback(
        id=record.id,
        session_id=record.session_id,
        pain=record.pain,
        effort=record.effort,
        given_at=record.given_at,
    )
