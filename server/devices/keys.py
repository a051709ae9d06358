"""How a gateway gets in: it signs a nonce with its key and is given a token that soon ends.

Only the server's clock counts; what it tells about time is relative, for a gateway's calendar may be wrong by years.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain import signed
from server.access import policy
from server.access.policy import Action
from server.access.records import AccountRecord, TokenRecord
from server.access.service import GATEWAY_LIFETIME, issue_token
from server.access.words import Caller
from server.problems import Problem

from .records import GatewayKeyRecord, GatewayRecord
from .words import Grant, NewKey, OtherGateway, SignedNonce, from_base64

OVERLAP = timedelta(days=7)
"""How long an old key still lets in beside a new one that has not been used yet."""

SHUT_OUT = "The clinic lets this gateway in no more; to come back it needs a new claim code from the Gateways page."


class GatewayShutOut(Problem):
    status, type, title = 401, "gateway-shut-out", "This gateway is not let in"


class KeyNotProved(Problem):
    status, type, title = 422, "key-not-proved", "The new key comes without its proof"


def key_id(public_key: bytes) -> bytes:
    """What a key is called: the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public_key).digest()


def first_key(gateway_id: UUID, public_key: bytes, now: datetime) -> GatewayKeyRecord:
    """The key that a gateway is claimed with."""
    return GatewayKeyRecord(id=key_id(public_key), gateway_id=gateway_id, number=1, public_key=public_key, added_at=now)


async def grant_token(
    db: AsyncSession, gateway_id: UUID, answer: SignedNonce, *, authority: str, now: datetime
) -> Grant:
    """A token for a nonce that one of the gateway's keys has signed; the first with a new key ends the old ones.

    The nonce has been redeemed. Raises `GatewayShutOut` alike for an unknown gateway, a revoked one, a retired key and
    a wrong signature.
    """
    content = signed.message(signed.TOKEN, gateway_id=str(gateway_id), authority=authority, content=answer.nonce)
    key = await _valid_key(db, gateway_id, bytes.fromhex(answer.key_id), now)
    if key is None or not _is_signed(key.public_key, answer.signature, content):
        raise GatewayShutOut(SHUT_OUT)
    await _retire_others(db, key, at=now)
    ended = or_(TokenRecord.expires_at.is_(None), TokenRecord.expires_at <= now)
    await db.execute(delete(TokenRecord).where(TokenRecord.account_id == gateway_id, ended))
    token = await issue_token(db, gateway_id, now=now, lifetime=GATEWAY_LIFETIME)
    return Grant(
        token=token,
        expires_in_s=int(GATEWAY_LIFETIME.absolute.total_seconds()),
        key_age_s=max(0, int((now - key.added_at).total_seconds())),
        server_time=now,
        other_gateways=await other_gateways(db, gateway_id),
    )


async def add_key(db: AsyncSession, caller: Caller, wish: NewKey, *, authority: str, now: datetime) -> None:
    """Take a gateway's next key, signed by itself and by one that is valid now. Adding the same again is harmless.

    A gateway of a release before keys has none yet: its long-lived token is proof enough for the first.
    Raises `KeyNotProved`.
    """
    policy.require_own(caller, Action.RENEW_KEY)
    gateway_id, public_key = caller.account_id, from_base64(wish.public_key)
    content = signed.message(signed.NEW_KEY, gateway_id=str(gateway_id), authority=authority, content=wish.public_key)
    valid = select(GatewayKeyRecord).where(GatewayKeyRecord.gateway_id == gateway_id, _is_valid(now))
    keys = (await db.scalars(valid)).all()
    known = await db.get(GatewayKeyRecord, key_id(public_key))
    proved = _is_signed(public_key, wish.signature, content) and (
        not keys or any(_is_signed(key.public_key, wish.signature_by_old or "", content) for key in keys)
    )
    if known is not None and known in keys:
        return
    if not proved or known is not None:
        raise KeyNotProved("A new key is signed by itself and by the key that lets this gateway in now; do both.")
    last = await db.scalar(select(func.max(GatewayKeyRecord.number)).where(GatewayKeyRecord.gateway_id == gateway_id))
    key = first_key(gateway_id, public_key, now)
    key.number = (last or 0) + 1
    db.add(key)
    await db.flush()
    await _retire_others(db, key, at=now + OVERLAP)


async def other_gateways(db: AsyncSession, gateway_id: UUID) -> tuple[OtherGateway, ...]:
    """Who else is let in for the same patient, longest claimed first."""
    own = select(GatewayRecord.patient_id).where(GatewayRecord.id == gateway_id).scalar_subquery()
    rows = await db.execute(
        select(AccountRecord.name, GatewayRecord.claimed_at)
        .join(GatewayRecord, GatewayRecord.id == AccountRecord.id)
        .where(GatewayRecord.patient_id == own, GatewayRecord.id != gateway_id, AccountRecord.active)
        .order_by(GatewayRecord.claimed_at)
    )
    return tuple(OtherGateway(name=name, claimed_at=claimed_at) for name, claimed_at in rows)


async def _valid_key(db: AsyncSession, gateway_id: UUID, id_: bytes, now: datetime) -> GatewayKeyRecord | None:
    return await db.scalar(
        select(GatewayKeyRecord)
        .join(AccountRecord, AccountRecord.id == GatewayKeyRecord.gateway_id)
        .where(GatewayKeyRecord.id == id_, GatewayKeyRecord.gateway_id == gateway_id)
        .where(AccountRecord.active, _is_valid(now))
    )


def _is_valid(now: datetime) -> ColumnElement[bool]:
    return or_(GatewayKeyRecord.retired_at.is_(None), GatewayKeyRecord.retired_at > now)


async def _retire_others(db: AsyncSession, key: GatewayKeyRecord, *, at: datetime) -> None:
    """Let the keys that came before this one end `at`, or earlier if that was decided already."""
    await db.execute(
        update(GatewayKeyRecord)
        .where(GatewayKeyRecord.gateway_id == key.gateway_id, GatewayKeyRecord.id != key.id)
        .where(GatewayKeyRecord.number < key.number, _is_valid(at))
        .values(retired_at=at)
    )


def _is_signed(public_key: bytes, signature: str, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(from_base64(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True
