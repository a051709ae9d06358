"""Decisions over HTTP."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from analytics.domain.base import Word
from analytics.domain.recovery import Proposal
from server.access.api import CurrentCaller
from server.access.words import Caller
from server.clinic import Clinic, ThisClinic
from server.recovery import service as recovery
from server.routing import api_router

from . import decisions, service

router = api_router("adaptation")


class Decision(Word):
    approve: bool
    reason: str = Field(max_length=2000)


async def decide_in(clinic: Clinic, caller: Caller, proposal_id: UUID, *, approve: bool, reason: str) -> Proposal:
    """The decision of whoever sent it, API or page. Raises what `decisions.decide` raises."""
    now, holds = clinic.local_now(), clinic.settings.rejection_holds
    try:
        async with clinic.database.writing() as db:
            return await decisions.decide(
                db, caller, proposal_id, approve=approve, reason=reason, now=now, rejection_holds=holds
            )
    except decisions.NoLongerCalledFor as refusal:
        # The refusal undid its own transaction; what holds now takes the proposal's place in another.
        async with clinic.database.writing() as db:
            forecast = await recovery.forecast_of(db, refusal.patient_id)
            await service.reconsider(db, refusal.patient_id, forecast=forecast, rejection_holds=holds, now=now)
        raise


@router.post("/proposals/{proposal_id}/decision")
async def decide(proposal_id: UUID, decision: Decision, caller: CurrentCaller, clinic: ThisClinic) -> Proposal:
    """Approve a waiting proposal, which makes the next program version, or reject it."""
    return await decide_in(clinic, caller, proposal_id, approve=decision.approve, reason=decision.reason)
