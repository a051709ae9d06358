"""What has been rejected stays rejected for a while: a proposal that comes back every evening is no longer read."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.recovery import Proposal, ProposalStatus

from .history import heard_since
from .records import ProposalRecord

EASING = frozenset({"ease_pain", "ease_effort", "restriction"})
"""Rules that ask for less because more could harm. Being told again costs a minute, not being told may cost a knee."""


async def still_rejected(db: AsyncSession, proposal: Proposal, *, holds: timedelta, now: datetime) -> bool:
    """Whether this very change of this program version was rejected less than `holds` ago.

    A rejected easing holds only until the patient exercises or says how it felt again, or until older pain comes to
    light: the decision did not know that.
    """
    records = await db.scalars(
        select(ProposalRecord).where(
            ProposalRecord.patient_id == proposal.patient_id,
            ProposalRecord.status == ProposalStatus.REJECTED,
            ProposalRecord.decided_at > now - holds,
        )
    )
    decisions = [
        r.decided_at for r in records if r.decided_at and _same(Proposal.model_validate_json(r.document), proposal)
    ]
    if not decisions or proposal.rule not in EASING:
        return bool(decisions)
    return not await heard_since(db, proposal.patient_id, proposal.before, max(decisions))


def _same(rejected: Proposal, proposal: Proposal) -> bool:
    return (rejected.from_version, rejected.rule, rejected.after) == (
        proposal.from_version,
        proposal.rule,
        proposal.after,
    )
