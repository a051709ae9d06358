"""From a physiotherapist's decision to the next program version."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.program import Prescription, Program
from analytics.domain.recovery import Proposal, ProposalStatus
from server.access import policy
from server.access.policy import Action
from server.access.words import Caller
from server.problems import Conflict
from server.programs import service as programs
from server.recovery import service as recovery
from server.settings import REJECTION_HOLDS

from .choice import called_for
from .records import ProposalRecord
from .rejections import EASING
from .service import proposal_of

NO_PROPOSAL = "There is no proposal under this identifier; open the patient's page again."


class AlreadyDecided(Conflict):
    type, title = "already-decided", "This proposal is no longer waiting"


class NoLongerCalledFor(Conflict):
    """Asked for more than today's facts do. The proposal is to be reconsidered, in a transaction that lasts."""

    type, title = "no-longer-called-for", "The measurements no longer support this proposal"

    def __init__(self, patient_id: str) -> None:
        super().__init__(
            "What is known today no longer supports asking for more, so nothing was changed; open the patient's page "
            "again to see what holds now."
        )
        self.patient_id = patient_id


async def decide(
    db: AsyncSession,
    caller: Caller,
    proposal_id: UUID,
    *,
    approve: bool,
    reason: str,
    now: datetime,
    rejection_holds: timedelta = REJECTION_HOLDS,
) -> Proposal:
    """Approve, which makes the next program version, or reject, which keeps the program. The reason is kept either way.

    A proposal may wait for days. One that asks for more is approved only if it would be made today as well; less may
    always be asked for. Raises `NotFound`, `AlreadyDecided` (409), `NoLongerCalledFor` (409), or `Conflict` when the
    program has changed since the proposal was made.
    """
    found = await db.get(ProposalRecord, proposal_id)
    record = policy.granted(caller, Action.DECIDE_PROPOSAL, found, NO_PROPOSAL)
    if record.status is not ProposalStatus.WAITING:
        raise AlreadyDecided(_why_not_waiting(record))
    if approve:
        program, proposal = await programs.current_program(db, record.patient_id), proposal_of(record)
        following = _approved(program, proposal, caller.name, reason, now)
        if proposal.rule not in EASING:
            await _check_still_called_for(db, proposal, rejection_holds, now)
        await programs.add_version(db, following)
    record.status = ProposalStatus.APPROVED if approve else ProposalStatus.REJECTED
    record.decided_by, record.decided_at, record.decision_reason = caller.name, now, reason
    await db.flush()
    return proposal_of(record)


async def _check_still_called_for(
    db: AsyncSession, proposal: Proposal, rejection_holds: timedelta, now: datetime
) -> None:
    forecast = await recovery.forecast_of(db, proposal.patient_id)
    today = await called_for(db, proposal.patient_id, forecast=forecast, rejection_holds=rejection_holds, now=now)
    if today is None or (today.before, today.after) != (proposal.before, proposal.after):
        raise NoLongerCalledFor(proposal.patient_id)


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


def _why_not_waiting(record: ProposalRecord) -> str:
    if record.status is ProposalStatus.SUPERSEDED:
        return "Newer measurements have replaced this proposal; open the patient's page again to see what holds now."
    return f"{record.decided_by} has {record.status} this proposal already; open the patient's page again."
