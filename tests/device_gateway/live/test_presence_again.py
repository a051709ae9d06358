"""What a phone needs to know reaches the clinic again when it changes: a whole gateway, a real clinic."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

from worn_gateway import body, home_of

from device_gateway.live.control import ask
from mobile_app.clients.pairing import pair


async def test_the_clinic_knows_the_code_and_the_token_that_hold_now(tmp_path: Path, own_clinic, until) -> None:
    own_clinic.start()

    def known(column: str) -> str:
        with contextlib.closing(sqlite3.connect(own_clinic.home / "clinic.sqlite3")) as database:
            return database.execute(f"SELECT {column} FROM gateway").fetchone()[0]

    code = await own_clinic.claim_code()
    async with home_of(tmp_path, own_clinic.url, code, body(1), speed=1, listens=False) as home:
        gateway = home.gateway
        await until(lambda: known("live_token") == gateway.live_token)
        assert known("live_url") == gateway.live_url
        used = known("pairing_code")
        where = urlsplit(gateway.live_url)
        paired = await pair(where.hostname, where.port, used, phone_name="Anna's phone")
        assert paired.address.certificate_sha256 == gateway.certificate_sha256
        await until(lambda: known("pairing_code") not in {used, None})
        token = gateway.live_token
        listed = await asyncio.to_thread(ask, tmp_path / "gateway", "phones")
        await asyncio.to_thread(ask, tmp_path / "gateway", "revoke", id=listed["phones"][0]["id"])
        assert gateway.live_token != token
        await until(lambda: known("live_token") == gateway.live_token)
