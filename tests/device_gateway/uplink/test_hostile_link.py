"""Through a hostile network everything arrives: each chunk once and byte for byte, in order, and each report."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from uuid import UUID

import httpx2
import pytest
from gateway_at_clinic import entered, uploading
from hostile_link import Fault, HostileLink

from analytics.domain.session import SessionOpening
from device_gateway.errors import UnclaimedError

FAULTS = set(Fault) - {Fault.NONE}


async def keep_sessions(store, invented, count: int, chunks: int) -> list[tuple[SessionOpening, list[bytes]]]:
    """Finished ones, each chunk other bytes."""
    kept = []
    for session in range(count):
        opened = invented.opening()
        data = [invented.chunk(session * chunks + number, 50) for number in range(chunks)]
        await store.keep_opening(opened)
        for number, bytes_ in enumerate(data):
            await store.keep_chunk(opened.id, number, bytes_)
        await store.keep_report(invented.report(opened, data))
        kept.append((opened, data))
    return kept


def order_of_arrival(clinic) -> list[tuple[UUID, int]]:
    """Chunks as the server's file has them, first stored first."""
    with contextlib.closing(sqlite3.connect(clinic.home / "clinic.sqlite3")) as database:
        rows = database.execute("SELECT session_id, number FROM chunk ORDER BY id").fetchall()
    return [(UUID(str(session)), number) for session, number in rows]


def check(clinic, kept, invented) -> None:
    for opened, data in kept:
        assert clinic.chunks(opened.id) == dict(enumerate(data))
        assert clinic.report(opened.id) == invented.report(opened, data)
    assert order_of_arrival(clinic) == [(opened.id, n) for opened, data in kept for n in range(len(data))]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back shall be late in tenths of a second."""
    monkeypatch.setattr("device_gateway.uplink.wire.TIMEOUT", httpx2.Timeout(0.5))
    monkeypatch.setattr("device_gateway.uplink.uplink.FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr("device_gateway.uplink.uplink.LONGEST_PAUSE_S", 0.1)


async def claim_through(link: HostileLink, store, code: str) -> None:
    """However often it takes: an answer that is lost does not use the code up."""
    async with entered(link.url, store, code) as at:
        while True:
            try:
                return await at.clinic.claim()
            except UnclaimedError:
                await asyncio.sleep(0.02)


async def upload_through(link: HostileLink, clinic, store, kept, invented, *, hostile_s: float, kills: int = 0) -> None:
    """Claim and upload in war, finish in peace; whatever is under way then has to arrive first."""
    rng = random.Random(kills)
    await claim_through(link, store, await clinic.claim_code())
    async with entered(link.url, store) as at, uploading(at, store) as uplink:
        for kill in range(kills + 1):
            await uplink.drain(hostile_s / (kills + 1) * rng.uniform(0.7, 1.3))
            if kill < kills:
                clinic.kill()
                await asyncio.sleep(0.2)
                await asyncio.to_thread(clinic.start)
        link.calm = True
        await link.drain()
        assert await uplink.drain(60), uplink.problem
    check(clinic, kept, invented)


@pytest.mark.usefixtures("impatient")
async def test_a_hostile_link_loses_nothing_and_doubles_nothing(own_clinic, gateway_store, invented) -> None:
    own_clinic.start()
    kept = await keep_sessions(gateway_store, invented, 3, 30)
    async with HostileLink(own_clinic.port, seed=3) as link:
        await upload_through(link, own_clinic, gateway_store, kept, invented, hostile_s=5)
        assert sum(link.met[fault] for fault in FAULTS) >= 8, link.met
        assert Fault.OVERTAKEN in link.met
        assert len(FAULTS & link.met.keys()) >= 4, link.met


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("seed", range(6))
async def test_hostile_links_and_a_server_that_is_killed(own_clinic, gateway_store, invented, seed: int) -> None:
    own_clinic.start()
    kept = await keep_sessions(gateway_store, invented, 8, 40)
    async with HostileLink(own_clinic.port, seed) as link:
        await upload_through(link, own_clinic, gateway_store, kept, invented, hostile_s=30, kills=4)
        assert set(link.met) >= FAULTS
        print(f"seed {seed}: {dict(link.met)}")
