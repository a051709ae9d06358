"""From what a patient did to a proposed change, and from a physiotherapist's decision to the next program version."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.adaptation.proposal import propose
from analytics.domain.base import uuid7
from analytics.domain.program import Prescription, Program
from analytics.domain.recovery import Forecast, Proposal, ProposalStatus
from server.access import policy
from server.access.policy import Action
from server.access.words import Caller
from server.problems import Conflict
from server.programs import service as programs

from .history import outcomes
from .records import ProposalRecord
from .rejections import still_rejected

NO_PROPOSAL = "There is no proposal under this identifier; open the patient's page again."


class AlreadyDecided(Conflict):
    type, title = "already-decided", "This proposal is no longer waiting"


async def waiting_proposal(db: AsyncSession, patient_id: str) -> Proposal | None:
    """The one proposal of this patient that awaits a decision."""
    record = await _waiting_record(db, patient_id)
    return None if record is None else _proposal(record)


async def reconsider(
    db: AsyncSession, patient_id: str, *, forecast: Forecast | None, rejection_holds: timedelta, now: datetime
) -> Proposal | None:
    """Look again at everything known of a patient, and put what follows from it in place of any waiting proposal.

    A waiting proposal that the newest session or pain no longer supports must not stay to be approved by mistake, and
    a change that was rejected does not come back before its time (`rejections.still_rejected`).
    """
    program = await programs.current_program(db, patient_id)
    proposal = None
    for prescription in program.prescriptions:
        history = await outcomes(db, patient_id, prescription)
        found = propose(program, prescription, history, forecast, now=now, proposal_id=uuid7(_milliseconds(now)))
        if found is not None and not await still_rejected(db, found, holds=rejection_holds, now=now):
            proposal = found
            break
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


async def decide(
    db: AsyncSession, caller: Caller, proposal_id: UUID, *, approve: bool, reason: str, now: datetime
) -> Proposal:
    """Approve, which makes the next program version, or reject, which keeps the program. The reason is kept either way.

    Raises `NotFound`, `AlreadyDecided` (409), or `Conflict` when the program has changed since the proposal was made.
    """
    found = await db.get(ProposalRecord, proposal_id)
    record = policy.granted(caller, Action.DECIDE_PROPOSAL, found, NO_PROPOSAL)
    if record.status is not ProposalStatus.WAITING:
        raise AlreadyDecided(_why_not_waiting(record))
    if approve:
        program = await programs.current_program(db, record.patient_id)
        await programs.add_version(db, _approved(program, _proposal(record), caller.name, reason, now))
    record.status = ProposalStatus.APPROVED if approve else ProposalStatus.REJECTED
    record.decided_by, record.decided_at, record.decision_reason = caller.name, now, reason
    await db.flush()
    return _proposal(record)


def _approved(program: Program, proposal: Proposal, by: str, reason: str, now: datetime) -> Program:
    """The program with the proposed prescription in place of the one it was made for."""
    if program.version != proposal.from_version or proposal.before not in program.prescriptions:
        raise Conflict("The program has changed since this proposal was made; reject it and wait for the next one.")

    def replaced(prescription: Prescription) -> Prescription:
        return proposal.after if prescription == proposal.before else prescription

    return program.model_copy(
        update={
            "version": program.version + 1,
            "prescriptions": tuple(map(replaced, program.prescriptions)),
            "approved_by": by,
            "approved_at": now,
            "reason": f"{proposal.reason} {reason}".strip(),
        }
    )


async def _waiting_record(db: AsyncSession, patient_id: str) -> ProposalRecord | None:
    return await db.scalar(
        select(ProposalRecord).where(
            ProposalRecord.patient_id == patient_id, ProposalRecord.status == ProposalStatus.WAITING
        )
    )


def _proposal(record: ProposalRecord) -> Proposal:
    return Proposal.model_validate_json(record.document).model_copy(
        update={
            "status": record.status,
            "decided_by": record.decided_by,
            "decided_at": record.decided_at,
            "decision_reason": record.decision_reason,
        }
    )


def _why_not_waiting(record: ProposalRecord) -> str:
    if record.status is ProposalStatus.SUPERSEDED:
        return "Newer measurements have replaced this proposal; open the patient's page again to see what holds now."
    return f"{record.decided_by} has {record.status} this proposal already; open the patient's page again."


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
