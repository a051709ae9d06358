"""Letting gateways in, knowing where they are, and shutting them out."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.base import uuid7
from analytics.domain.gateway_health import GatewayHealth
from server.access import policy
from server.access.policy import Action
from server.access.records import AccountRecord
from server.access.service import digest, revoke_account
from server.access.words import Caller, Role
from server.patients.records import PatientRecord
from server.problems import Conflict, NotFound

from .keys import first_key, key_id
from .records import ClaimCodeRecord, GatewayHealthRecord, GatewayKeyRecord, GatewayRecord
from .words import GatewaySummary, Presence, ReportedPresence

CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without letters and digits that look alike."""
CODE_LENGTH = 10
ASK_FOR_ANOTHER = (
    "This claim code is unknown, used or expired; ask the clinic for a new one and type it within its time."
)


class UnknownClaimCode(NotFound):
    type, title = "claim-code-unknown", "Unknown claim code"


class NoGateway(NotFound):
    type, title = "no-gateway", "No gateway yet"


class AnothersHome(Conflict):
    type, title = "another-patient", "This gateway is another patient's"


class Claimed(NamedTuple):
    gateway_id: UUID
    patient_id: str


async def make_claim_code(
    db: AsyncSession, patient_id: str, now: datetime, *, lifetime: timedelta = timedelta(minutes=10)
) -> str:
    """A code that lets one gateway in for this patient, once, until it expires. About 49 bits; kept as its SHA-256."""
    if await db.get(PatientRecord, patient_id) is None:
        raise NotFound(policy.NOTHING_HERE)
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    db.add(ClaimCodeRecord(sha256=digest(letters), patient_id=patient_id, expires_at=now + lifetime))
    await db.flush()
    return f"{letters[:5]}-{letters[5:]}"


async def offer_claim_code(
    db: AsyncSession, caller: Caller, patient_id: str, *, now: datetime, lifetime: timedelta
) -> str:
    """`make_claim_code` for somebody who asks for it."""
    policy.require(caller, Action.MANAGE_GATEWAYS, patient_id)
    return await make_claim_code(db, patient_id, now, lifetime=lifetime)


async def claim(
    db: AsyncSession, code: str, name: str, *, public_key: bytes, now: datetime, patient_id: str | None = None
) -> Claimed:
    """Make a gateway of this code's patient, which proves itself by this key from then on.

    Claiming again with the same code and key, because the answer was lost, is answered as the first time. `patient_id`:
    the only patient whose gateway this one may become. Raises `UnknownClaimCode`, also for a used or expired code, and
    `AnothersHome`, which leaves the code to be used elsewhere.
    """
    row = await db.get(ClaimCodeRecord, digest(_letters(code)), with_for_update=True)
    if row is None or (row.used_at is None and row.expires_at <= now):
        raise UnknownClaimCode(ASK_FOR_ANOTHER)
    if patient_id not in {None, row.patient_id}:
        raise AnothersHome(
            "This claim code is for another patient than the one whose sessions this gateway holds; ask for a code for "
            "that patient, or give the new patient's gateway a folder of its own."
        )
    if row.used_at is not None:
        return await _claimed_before(db, row, public_key)
    if await db.get(GatewayKeyRecord, key_id(public_key)) is not None:
        raise Conflict("This key is a gateway's already; make a new key and claim with that.")
    row.used_at = now
    account = AccountRecord(id=uuid7(), role=Role.GATEWAY, name=name, patient_id=row.patient_id, created_at=now)
    db.add(account)
    await db.flush()
    db.add(GatewayRecord(id=account.id, patient_id=row.patient_id, claimed_at=now))
    await db.flush()
    db.add(first_key(account.id, public_key, now))
    await db.flush()
    return Claimed(account.id, row.patient_id)


async def _claimed_before(db: AsyncSession, code: ClaimCodeRecord, public_key: bytes) -> Claimed:
    key = await db.get(GatewayKeyRecord, key_id(public_key))
    gateway = None if key is None else await db.get(GatewayRecord, key.gateway_id)
    if gateway is None or (gateway.patient_id, gateway.claimed_at) != (code.patient_id, code.used_at):
        raise UnknownClaimCode(ASK_FOR_ANOTHER)
    return Claimed(gateway.id, gateway.patient_id)


async def report_presence(db: AsyncSession, caller: Caller, presence: ReportedPresence, *, now: datetime) -> None:
    """Remember where this gateway's live channel is."""
    policy.require_own(caller, Action.REPORT_PRESENCE)
    gateway = await db.get_one(GatewayRecord, caller.gateway_id)
    gateway.live_url = presence.live_url
    gateway.certificate_sha256 = presence.certificate_sha256
    gateway.live_token = presence.live_token
    gateway.pairing_code = presence.pairing_code
    gateway.seen_at = now
    await db.flush()


async def report_health(db: AsyncSession, caller: Caller, health: GatewayHealth, *, now: datetime) -> None:
    """Keep the last that this gateway said of its own health."""
    policy.require_own(caller, Action.REPORT_PRESENCE)
    await db.merge(
        GatewayHealthRecord(gateway_id=caller.gateway_id, received_at=now, document=health.model_dump_json())
    )
    gateway = await db.get_one(GatewayRecord, caller.gateway_id)
    gateway.seen_at = now
    await db.flush()


async def own_gateway(db: AsyncSession, caller: Caller) -> Presence:
    """Where the patient's phone finds the gateway: of several, the one heard from last. Raises `NoGateway`."""
    patient_id = policy.require_own(caller, Action.READ_OWN_GATEWAY)
    gateway = await db.scalar(
        select(GatewayRecord)
        .join(AccountRecord, AccountRecord.id == GatewayRecord.id)
        .where(GatewayRecord.patient_id == patient_id, AccountRecord.active, GatewayRecord.live_url.is_not(None))
        .order_by(GatewayRecord.seen_at.desc())
        .limit(1)
    )
    if gateway is None:
        raise NoGateway(
            "Your gateway has not reported yet; switch it on, check its network, and try again in a minute."
        )
    return Presence(
        live_url=gateway.live_url, certificate_sha256=gateway.certificate_sha256, live_token=gateway.live_token
    )


async def list_gateways(db: AsyncSession, caller: Caller) -> list[GatewaySummary]:
    """Every gateway ever claimed, newest first, and whether it is still let in."""
    visible = policy.visible_patients(caller, Action.MANAGE_GATEWAYS, GatewayRecord.patient_id)
    rows = await db.execute(
        select(GatewayRecord, AccountRecord, GatewayHealthRecord.document)
        .join(AccountRecord, AccountRecord.id == GatewayRecord.id)
        .outerjoin(GatewayHealthRecord, GatewayHealthRecord.gateway_id == GatewayRecord.id)
        .where(visible)
        .order_by(GatewayRecord.claimed_at.desc())
    )
    return [
        GatewaySummary(
            id=gateway.id,
            name=account.name,
            patient_id=gateway.patient_id,
            claimed_at=gateway.claimed_at,
            seen_at=gateway.seen_at,
            active=account.active,
            health=None if document is None else GatewayHealth.model_validate_json(document),
            pairing_code=gateway.pairing_code if account.active else None,
        )
        for gateway, account, document in rows
    ]


async def revoke_gateway(db: AsyncSession, caller: Caller, gateway_id: UUID) -> None:
    """Let this gateway in no more, from its next request on. What it has sent stays."""
    policy.granted(caller, Action.MANAGE_GATEWAYS, await db.get(GatewayRecord, gateway_id))
    await revoke_account(db, gateway_id)


def _letters(code: str) -> str:
    return code.upper().replace("-", "").replace(" ", "")
