"""Decisions over HTTP."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from analytics.domain.base import Word
from analytics.domain.recovery import Proposal
from server.access.api import CurrentCaller
from server.clinic import ThisClinic
from server.routing import api_router

from . import service

router = api_router("adaptation")


class Decision(Word):
    approve: bool
    reason: str = Field(max_length=2000)


@router.post("/proposals/{proposal_id}/decision")
async def decide(proposal_id: UUID, decision: Decision, caller: CurrentCaller, clinic: ThisClinic) -> Proposal:
    """Approve a waiting proposal, which makes the next program version, or reject it."""
    async with clinic.database.writing() as db:
        return await service.decide(
            db, caller, proposal_id, approve=decision.approve, reason=decision.reason, now=clinic.now()
        )
