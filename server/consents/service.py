"""Giving and withdrawing consent, by the patient alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.base import uuid7
from server.access import policy
from server.access.policy import Action
from server.access.words import Caller

from .records import ConsentRecord
from .words import Consent, Subject


async def holds(db: AsyncSession, patient_id: str, subject: Subject) -> bool:
    """Whether the patient agrees to this now. Without a word of theirs: no."""
    return await _open(db, patient_id, subject) is not None


async def own_consent(db: AsyncSession, caller: Caller, subject: Subject) -> Consent:
    """What the caller, a patient, has agreed to."""
    return Consent(given=await holds(db, policy.require_own(caller, Action.GIVE_CONSENT), subject))


async def decide(db: AsyncSession, caller: Caller, subject: Subject, consent: Consent, *, now: datetime) -> str:
    """Note what the patient decided, and return whose decision it is. Deciding the same again changes nothing."""
    patient_id = policy.require_own(caller, Action.GIVE_CONSENT)
    standing = await _open(db, patient_id, subject)
    if consent.given and standing is None:
        db.add(ConsentRecord(id=uuid7(), patient_id=patient_id, subject=subject, given_at=now))
    elif not consent.given and standing is not None:
        standing.withdrawn_at = now
    await db.flush()
    return patient_id


async def _open(db: AsyncSession, patient_id: str, subject: Subject) -> ConsentRecord | None:
    return await db.scalar(
        select(ConsentRecord).where(
            ConsentRecord.patient_id == patient_id,
            ConsentRecord.subject == subject,
            ConsentRecord.withdrawn_at.is_(None),
        )
    )
