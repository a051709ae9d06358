"""Gateways over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from server.access.api import CurrentCaller, address_of
from server.access.throttle import claim_limits
from server.clinic import ThisClinic
from server.routing import api_router

from . import service
from .words import ClaimAnswer, ClaimCode, ClaimRequest, GatewaySummary, Presence

router = api_router("devices")


@router.post("/gateways/claim", status_code=201)
async def claim(request: Request, wish: ClaimRequest, clinic: ThisClinic) -> ClaimAnswer:
    """Become the gateway of the patient whom the claim code was made for."""
    now, limits = clinic.now(), claim_limits(address_of(request))
    clinic.throttle.attempt(limits, now)
    async with clinic.database.writing() as db:
        claimed = await service.claim(db, wish.claim_code, wish.name, now=now)
    clinic.throttle.forgive(limits, now)
    return ClaimAnswer(**claimed._asdict())


@router.put("/gateway/presence", status_code=204)
async def put_presence(presence: Presence, caller: CurrentCaller, clinic: ThisClinic) -> None:
    """Say where this gateway's live channel is."""
    async with clinic.database.writing() as db:
        await service.report_presence(db, caller, presence, now=clinic.now())


@router.get("/me/gateway")
async def get_own_gateway(caller: CurrentCaller, clinic: ThisClinic) -> Presence:
    """Where the phone finds its gateway, how to know it, and the token that opens its live channel."""
    async with clinic.database.reading() as db:
        return await service.own_gateway(db, caller)


@router.get("/gateways")
async def get_gateways(caller: CurrentCaller, clinic: ThisClinic) -> list[GatewaySummary]:
    """Every gateway, and whether it is let in."""
    async with clinic.database.reading() as db:
        return await service.list_gateways(db, caller)


@router.delete("/gateways/{gateway_id}", status_code=204)
async def revoke(gateway_id: UUID, caller: CurrentCaller, clinic: ThisClinic) -> None:
    """Let a gateway in no more."""
    async with clinic.database.writing() as db:
        await service.revoke_gateway(db, caller, gateway_id)


@router.post("/patients/{patient_id}/claim-code", status_code=201)
async def offer_claim_code(patient_id: str, caller: CurrentCaller, clinic: ThisClinic) -> ClaimCode:
    """A code to type into a new gateway."""
    now, lifetime = clinic.now(), clinic.settings.claim_code_lifetime
    async with clinic.database.writing() as db:
        code = await service.offer_claim_code(db, caller, patient_id, now=now, lifetime=lifetime)
    return ClaimCode(claim_code=code, expires_at=now + lifetime)
