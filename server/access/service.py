"""Accounts, signing in, and recognising who a token stands for."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.base import uuid7
from server.database import Database
from server.problems import Conflict, Problem, StorageBusy, StorageFull

from .passwords import hash_password, verify_password
from .records import AccountRecord, TokenRecord
from .throttle import AttemptThrottle, sign_in_limits
from .words import Caller, Role, SignedIn


class Lifetime(NamedTuple):
    """A token ends when unused for `idle`, and at the latest after `absolute`."""

    idle: timedelta
    absolute: timedelta


# A shared computer in a clinic is left open; a phone is one person's, and must still send after weeks without network.
LIFETIMES = {
    Role.PATIENT: Lifetime(timedelta(days=60), timedelta(days=180)),
    Role.PHYSIOTHERAPIST: Lifetime(timedelta(hours=1), timedelta(hours=12)),
    Role.ADMINISTRATOR: Lifetime(timedelta(minutes=30), timedelta(hours=12)),
}
GATEWAY_LIFETIME = Lifetime(timedelta(minutes=15), timedelta(minutes=15))
"""A gateway signs itself in again by its key, so a token that leaks is of little use."""
USE_NOTED_AFTER = timedelta(minutes=1)
"""`used_at` is written at most this often, so that reading pages does not become writing."""


class NotSignedIn(Problem):
    status, type, title = 401, "not-signed-in", "Not signed in"


class WrongCredentials(Problem):
    status, type, title = 401, "wrong-credentials", "Sign-in failed"


async def create_account(
    db: AsyncSession,
    *,
    login: str,
    password: str,
    name: str,
    role: Role,
    now: datetime,
    patient_id: str | None = None,
) -> UUID:
    """An account for a person; a patient's names its patient. Raises `Conflict` or `PasswordTooShortError`."""
    if (role is Role.PATIENT) != (patient_id is not None) or role is Role.GATEWAY:
        raise ValueError("a patient's account names its patient, no other does, and gateways claim theirs")
    if await db.scalar(select(AccountRecord.id).where(AccountRecord.login == normal(login))):
        raise Conflict("This login is in use; choose another.")
    account = AccountRecord(
        id=uuid7(),
        login=normal(login),
        password_hash=await hash_password(password),
        role=role,
        name=name,
        patient_id=patient_id,
        created_at=now,
    )
    db.add(account)
    await db.flush()
    return account.id


async def sign_in(
    database: Database, throttle: AttemptThrottle, login: str, password: str, *, address: str, now: datetime
) -> SignedIn:
    """Exchange a login and password for a token. Raises `WrongCredentials` or `TooManyAttempts`.

    The password is verified between two transactions, not inside one: nobody's samples wait for Argon2.
    """
    limits = sign_in_limits(normal(login), address)
    throttle.attempt(limits, now)
    async with database.reading() as db:
        account = await db.scalar(select(AccountRecord).where(AccountRecord.login == normal(login)))
    right = await verify_password(password, account.password_hash if account and account.active else None)
    if not right or account is None:
        raise WrongCredentials("The login or the password is wrong; check both and try again.")
    throttle.forgive(limits, now)
    lifetime = LIFETIMES[account.role]
    async with database.writing() as db:
        await db.execute(delete(TokenRecord).where(TokenRecord.expires_at <= now))
        token = await issue_token(db, account.id, now=now, lifetime=lifetime)
    return SignedIn(token, account.role, account.name, account.patient_id, now + lifetime.absolute)


async def issue_token(db: AsyncSession, account_id: UUID, *, now: datetime, lifetime: Lifetime | None) -> str:
    """A new secret for an account; without a lifetime it holds until it is revoked."""
    token = secrets.token_urlsafe(32)
    db.add(
        TokenRecord(
            sha256=digest(token),
            account_id=account_id,
            created_at=now,
            used_at=now,
            expires_at=now + lifetime.absolute if lifetime else None,
            idle_s=int(lifetime.idle.total_seconds()) if lifetime else None,
        )
    )
    await db.flush()
    return token


async def recognise(database: Database, token: str | None, *, now: datetime) -> Caller:
    """Who a token stands for. Raises `NotSignedIn` for none, an unknown, an expired or a revoked one."""
    if not token:
        raise NotSignedIn("Sign in first.", headers={"WWW-Authenticate": "Bearer"})
    async with database.reading() as db:
        row = (
            await db.execute(
                select(TokenRecord, AccountRecord)
                .join(AccountRecord, AccountRecord.id == TokenRecord.account_id)
                .where(TokenRecord.sha256 == digest(token), AccountRecord.active)
            )
        ).one_or_none()
    if row is None or _expired(row[0], now):
        raise NotSignedIn("This sign-in has ended; sign in again.", headers={"WWW-Authenticate": "Bearer"})
    record, account = row
    if now - record.used_at >= USE_NOTED_AFTER:
        # A full disk must not keep anybody from reading.
        with suppress(StorageFull, StorageBusy):
            async with database.writing() as db:
                noted = update(TokenRecord).where(TokenRecord.sha256 == record.sha256).values(used_at=now)
                await db.execute(noted)
    return Caller(
        account_id=account.id,
        role=account.role,
        name=account.name,
        patient_id=account.patient_id,
        gateway_id=account.id if account.role is Role.GATEWAY else None,
    )


async def sign_out(db: AsyncSession, token: str) -> None:
    """Make one token worthless."""
    await db.execute(delete(TokenRecord).where(TokenRecord.sha256 == digest(token)))


async def revoke_account(db: AsyncSession, account_id: UUID) -> None:
    """Shut an account and every token of it, at once."""
    await db.execute(update(AccountRecord).where(AccountRecord.id == account_id).values(active=False))
    await db.execute(delete(TokenRecord).where(TokenRecord.account_id == account_id))


def _expired(token: TokenRecord, now: datetime) -> bool:
    if token.expires_at is not None and now >= token.expires_at:
        return True
    return token.idle_s is not None and now - token.used_at >= timedelta(seconds=token.idle_s)


def normal(login: str) -> str:
    """Logins that differ in case or surrounding space are one login."""
    return login.strip().casefold()


def digest(secret: str) -> bytes:
    """What is kept of a random secret. A fast hash is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
