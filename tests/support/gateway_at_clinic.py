"""A gateway's uplink without the rest of the gateway: real identity, real uploads, by a network to a real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from device_gateway.conditions import Conditions, Trouble
from device_gateway.storage.store import Store
from device_gateway.uplink.clinic import Clinic, Presence
from device_gateway.uplink.dates import Dates
from device_gateway.uplink.identity import Credentials
from device_gateway.uplink.logs import HealthLog
from device_gateway.uplink.uplink import Uplink
from device_gateway.uplink.wire import Wire
from server.access.records import TokenRecord
from server.access.service import issue_token
from server.database import Database
from server.devices.records import GatewayKeyRecord

PRESENCE = Presence(live_url="wss://127.0.0.1:1/live", certificate_sha256="0" * 64, live_token="t")


@dataclass
class AtClinic:
    """What a gateway that has started holds."""

    wire: Wire
    credentials: Credentials
    clinic: Clinic
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def troubles(self) -> dict[str, str]:
        return {condition.code: condition.sentence for condition in self.conditions.now()}

    def trouble(self, trouble: Trouble) -> str:
        """Its sentence, or nothing."""
        return self.troubles.get(trouble.value, "")


@asynccontextmanager
async def entered(url: str, store: Store, claim_code: str | None = None, **credentials: Any) -> AsyncIterator[AtClinic]:
    """A gateway that knows who it is: by its store, or by the code."""
    wire, conditions = Wire(url), Conditions()
    try:
        known = Credentials(wire, store, conditions, claim_code=claim_code, **credentials)
        await known.start(Path("home"))
        yield AtClinic(wire, known, Clinic(wire, known), conditions)
    finally:
        await wire.close()


@asynccontextmanager
async def uploading(at: AtClinic, store: Store, **options: Any) -> AsyncIterator[Uplink]:
    parts = {
        "presence": PRESENCE,
        "rng": random.Random(7),
        "conditions": at.conditions,
        "dates": Dates(store, at.conditions),
        "health": HealthLog(store, at.conditions, Path("/"), now=options.get("now", time.monotonic)),
    }
    uplink = Uplink(store, at.clinic, **parts | options)
    running = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def uplink_to(url: str, store: Store, claim_code: str | None = None, **options: Any) -> AsyncIterator[Uplink]:
    async with entered(url, store, claim_code) as at, uploading(at, store, **options) as uplink:
        yield uplink


def let_in(clinic_home: Path, gateway_id: str, *, active: bool) -> None:
    """Revoke a gateway at the clinic, or let it in again."""
    with contextlib.closing(sqlite3.connect(clinic_home / "clinic.sqlite3", timeout=10)) as database, database:
        known = database.execute("UPDATE account SET active = ? WHERE id = ?", (active, UUID(gateway_id).hex)).rowcount
        assert known == 1
        if not active:
            database.execute("DELETE FROM token WHERE account_id = ?", (UUID(gateway_id).hex,))


async def token_of_the_last_release(clinic_home: Path, store: Store, url: str, gateway_id: str, patient_id: str) -> str:
    """Turn a gateway with keys into one of the release before: no key, and a token that holds until it is revoked."""
    async with Database(clinic_home / "clinic.sqlite3") as database, database.writing() as db:
        await db.execute(delete(GatewayKeyRecord).where(GatewayKeyRecord.gateway_id == UUID(gateway_id)))
        await db.execute(delete(TokenRecord).where(TokenRecord.account_id == UUID(gateway_id)))
        token = await issue_token(db, UUID(gateway_id), now=datetime.now(UTC), lifetime=None)
    identity = {"gateway_id": gateway_id, "token": token, "patient_id": patient_id}
    await store.keep_settings(identity=json.dumps(identity), server_url=url)
    return token
