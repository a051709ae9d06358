"""Gateways over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request

from analytics.domain.gateway_health import GatewayHealth
from server.access.api import CurrentCaller, address_of
from server.access.throttle import claim_limits
from server.clinic import ThisClinic
from server.routing import api_router

from . import keys, service
from .challenges import HOLDS
from .words import (
    Challenge,
    ClaimAnswer,
    ClaimCode,
    ClaimRequest,
    GatewaySummary,
    Grant,
    NewKey,
    Presence,
    ReportedPresence,
    SignedNonce,
    from_base64,
)

router = api_router("devices")


@router.post("/gateways/claim", status_code=201)
async def claim(request: Request, wish: ClaimRequest, clinic: ThisClinic) -> ClaimAnswer:
    """Become the gateway of the patient whom the claim code was made for."""
    now, limits = clinic.now(), claim_limits(address_of(request))
    clinic.throttle.attempt(limits, now)
    key = from_base64(wish.public_key)
    async with clinic.database.writing() as db:
        claimed = await service.claim(
            db, wish.claim_code, wish.name, public_key=key, now=now, patient_id=wish.patient_id
        )
    clinic.throttle.forgive(limits, now)
    return ClaimAnswer(**claimed._asdict())


@router.post("/gateways/{gateway_id}/challenge", status_code=201)
async def challenge(gateway_id: UUID, clinic: ThisClinic) -> Challenge:
    """Something for this gateway to sign, once and soon."""
    nonce = clinic.challenges.make(gateway_id, clinic.now())
    return Challenge(nonce=nonce, expires_in_s=int(HOLDS.total_seconds()))


@router.post("/gateways/{gateway_id}/token", status_code=201)
async def grant_token(gateway_id: UUID, answer: SignedNonce, request: Request, clinic: ThisClinic) -> Grant:
    """Let a gateway in that has signed a challenge with its key."""
    now = clinic.now()
    clinic.challenges.redeem(answer.nonce, gateway_id, now)
    async with clinic.database.writing() as db:
        return await keys.grant_token(db, gateway_id, answer, authority=_authority(request), now=now)


@router.post("/gateway/keys", status_code=204)
async def add_key(wish: NewKey, request: Request, caller: CurrentCaller, clinic: ThisClinic) -> None:
    """Take this gateway's next key; the one before ends with the first use of it, or after a week."""
    async with clinic.database.writing() as db:
        await keys.add_key(db, caller, wish, authority=_authority(request), now=clinic.now())


@router.put("/gateway/health", status_code=204)
async def put_health(health: GatewayHealth, caller: CurrentCaller, clinic: ThisClinic) -> None:
    """Say how this gateway is; the last word is kept."""
    async with clinic.database.writing() as db:
        await service.report_health(db, caller, health, now=clinic.now())


@router.put("/gateway/presence", status_code=204)
async def put_presence(presence: ReportedPresence, caller: CurrentCaller, clinic: ThisClinic) -> None:
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


def _authority(request: Request) -> str:
    """The name this server was asked under, which is what gateways sign: a proxy before it must hand Host on."""
    return request.headers.get("host", "")
