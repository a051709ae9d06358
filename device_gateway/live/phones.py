"""Whom this gateway lets in: a token per phone, kept as its SHA-256, taken away at any time.

The clinic hands one more token to whoever signs in as the patient (docs/decisions/0003); it is a record like the
others, and replaced when it is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import apsw

from analytics.domain.base import uuid7
from device_gateway.errors import GatewayError
from device_gateway.storage.store import Store

SIGNED_IN = "phones signed in at the clinic"


@dataclass(frozen=True, slots=True)
class Phone:
    id: UUID
    name: str
    paired_at: datetime
    last_seen: datetime | None


class Phones:
    """`load` first. `on_revoked` hears of each phone that is let in no more."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self.clinic_token = ""
        self.on_revoked: Callable[[Phone], None] = lambda _: None
        self._store = store
        self._now = now
        self._by_digest: dict[bytes, Phone] = {}

    async def load(self) -> None:
        """Read who is let in; the clinic's token is made the first time, and that of an older gateway taken over."""

        def read(database: apsw.Connection) -> list[tuple[bytes, str, str, str, str | None]]:
            return list(
                database.execute(
                    "SELECT token_sha256, id, name, paired_at, last_seen FROM phone WHERE revoked_at IS NULL"
                )
            )

        self._by_digest = {
            digest: Phone(UUID(phone_id), name, datetime.fromisoformat(paired), _time(seen))
            for digest, phone_id, name, paired, seen in await self._store.read(read)
        }
        kept = await self._store.setting("live_token")
        self.clinic_token = kept or secrets.token_urlsafe(32)
        if _digest(self.clinic_token) not in self._by_digest:
            await self._keep(SIGNED_IN, self.clinic_token, live_token=self.clinic_token)

    def all(self) -> list[Phone]:
        """Everyone who is let in, in the order of their pairing."""
        return sorted(self._by_digest.values(), key=lambda phone: phone.id)

    def admit(self, token: str) -> Phone | None:
        """Whose token this is. Looking up a digest tells an onlooker's stopwatch nothing about the token."""
        return self._by_digest.get(_digest(token))

    async def pair(self, name: str) -> str:
        """Let a phone in. Returns its token, which is kept nowhere."""
        token = secrets.token_urlsafe(32)
        await self._keep(name, token)
        return token

    async def revoke(self, phone_id: UUID) -> None:
        """Let a phone in no more. Raises GatewayError where there is none of this id."""
        found = [(digest, phone) for digest, phone in self._by_digest.items() if phone.id == phone_id]
        if not found:
            raise GatewayError("There is no such phone here: ask for the list of phones again.")
        ((digest, phone),) = found
        if digest == _digest(self.clinic_token):
            token = secrets.token_urlsafe(32)
            await self._keep(SIGNED_IN, token, instead_of=phone, live_token=token)
            self.clinic_token = token
        else:
            await self._store.write(lambda database: _revoke(database, phone, self._now()))
        del self._by_digest[digest]
        self.on_revoked(phone)

    async def saw(self, phone: Phone) -> None:
        """Note that a phone was here."""
        now = self._now()
        for digest, known in self._by_digest.items():
            if known.id == phone.id:
                self._by_digest[digest] = replace(known, last_seen=now)
                break
        await self._store.write(
            lambda database: database.execute(
                "UPDATE phone SET last_seen = ? WHERE id = ?", (now.isoformat(), str(phone.id))
            )
        )

    async def _keep(self, name: str, token: str, instead_of: Phone | None = None, **settings: str) -> None:
        """All of it or nothing: a new phone, the end of the one in whose place it comes, and the settings given."""
        phone = Phone(uuid7(), name, self._now(), None)
        row = (str(phone.id), name, _digest(token), phone.paired_at.isoformat())

        def write(database: apsw.Connection) -> None:
            if instead_of is not None:
                _revoke(database, instead_of, phone.paired_at)
            database.execute("INSERT INTO phone (id, name, token_sha256, paired_at) VALUES (?, ?, ?, ?)", row)
            database.executemany("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", settings.items())

        await self._store.write(write)
        self._by_digest[_digest(token)] = phone


def _revoke(database: apsw.Connection, phone: Phone, now: datetime) -> None:
    database.execute("UPDATE phone SET revoked_at = ? WHERE id = ?", (now.isoformat(), str(phone.id)))


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
