"""From what a patient did to a proposed change, which waits for a decision (`decisions`)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.recovery import Forecast, Proposal, ProposalStatus

from .choice import called_for
from .records import ProposalRecord


async def waiting_proposal(db: AsyncSession, patient_id: str) -> Proposal | None:
    """The one proposal of this patient that awaits a decision."""
    record = await _waiting_record(db, patient_id)
    return None if record is None else proposal_of(record)


async def reconsider(
    db: AsyncSession, patient_id: str, *, forecast: Forecast | None, rejection_holds: timedelta, now: datetime
) -> Proposal | None:
    """Look again at everything known of a patient, and put what follows from it in place of any waiting proposal.

    A waiting proposal that the newest session or pain no longer supports must not stay to be approved by mistake, and
    a change that was rejected does not come back before its time (`rejections.still_rejected`). `now` is in the
    clinic's zone: its date is the day on which restrictions are in force.
    """
    proposal = await called_for(db, patient_id, forecast=forecast, rejection_holds=rejection_holds, now=now)
    waiting = await _waiting_record(db, patient_id)
    if waiting is not None:
        waiting.status = ProposalStatus.SUPERSEDED
        await db.flush()
    if proposal is not None:
        db.add(
            ProposalRecord(
                id=proposal.id,
                patient_id=patient_id,
                made_at=proposal.made_at,
                status=ProposalStatus.WAITING,
                document=proposal.model_dump_json(),
            )
        )
        await db.flush()
    return proposal


async def _waiting_record(db: AsyncSession, patient_id: str) -> ProposalRecord | None:
    return await db.scalar(
        select(ProposalRecord).where(
            ProposalRecord.patient_id == patient_id, ProposalRecord.status == ProposalStatus.WAITING
        )
    )


def proposal_of(record: ProposalRecord) -> Proposal:
    """The proposal as made, with what was decided."""
    return Proposal.model_validate_json(record.document).model_copy(
        update={
            "status": record.status,
            "decided_by": record.decided_by,
            "decided_at": record.decided_at,
            "decision_reason": record.decision_reason,
        }
    )
