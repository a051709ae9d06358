"""Four weeks without internet, by a clock that runs ahead: all is kept, the way up is tried on, all arrives in order.

The clinic's application is the real one behind a real socket, told the time by the same clock, so that tokens and keys
grow old as they would.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import uvicorn
from gateway_at_clinic import entered, uploading

from analytics.domain.program import Assignment
from analytics.exercises.catalogue import exercise as exercise_named
from device_gateway.conditions import Trouble
from device_gateway.uplink.assignments import Assignments
from device_gateway.uplink.claiming import Identity
from device_gateway.uplink.dates import Dates
from device_gateway.uplink.uplink import LONGEST_PAUSE_S
from server.app import create_app
from server.settings import Settings

DAY_S = 86400.0


@dataclass
class Ahead:
    """Seconds that pass as soon as somebody sleeps; of the day they stand still, so that there is time to do things."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    passed_s: float = 0.0
    until_s: float = 0.0
    slept_s: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.passed_s

    def utc(self) -> datetime:
        return self.began + timedelta(seconds=self.passed_s)

    def dates(self, store, conditions) -> Dates:
        return Dates(store, conditions, utc=self.utc, now=self.now, boot="this")

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        while self.passed_s + seconds > self.until_s:  # noqa: ASYNC110 - polled, as the rest of a simulated time
            await asyncio.sleep(0.001)
        self.passed_s += seconds

    async def pass_by(self, seconds: float) -> None:
        """Let it pass for a gateway that tries in vain; the last pause is cut off."""
        self.until_s += seconds
        while self.passed_s < self.until_s - LONGEST_PAUSE_S:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@asynccontextmanager
async def clinic_by(clock: Ahead, home: Path, port: int) -> AsyncIterator[None]:
    app = create_app(Settings(home=home, port=port), now=clock.utc)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="on"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


async def exercise(store, invented, number: int, chunks: int = 3) -> tuple[UUID, list[bytes]]:
    opened = invented.opening()
    data = [invented.chunk(number * chunks + n, 50) for n in range(chunks)]
    await store.keep_opening(opened)
    for n, bytes_ in enumerate(data):
        await store.keep_chunk(opened.id, n, bytes_)
    await store.keep_report(invented.report(opened, data))
    return opened.id, data


async def assigned(store, at) -> Assignment:
    return await Assignments(store, at.clinic, at.conditions, exercise_named).current()


async def offline(days: int, clinic, store, invented) -> None:
    clock, kept = Ahead(), []
    async with (
        clinic_by(clock, clinic.home, clinic.port),
        entered(clinic.url, store, await clinic.claim_code(), now=clock.now) as at,
        uploading(at, store, dates=clock.dates(store, at.conditions), sleep=clock.sleep, now=clock.now) as uplink,
    ):
        program = await assigned(store, at)
        kept.append(await exercise(store, invented, 0))
        assert await uplink.drain(20)
        (key,) = at.credentials.identity.keys
    async with (
        entered(clinic.url, store, now=clock.now) as at,
        uploading(at, store, dates=clock.dates(store, at.conditions), sleep=clock.sleep, now=clock.now) as uplink,
    ):
        for day in range(days):
            for half in range(2):
                assert await assigned(store, at) == program, "the last program is gone by"
                kept.append(await exercise(store, invented, 1 + 2 * day + half))
                uplink.wake()
                await clock.pass_by(DAY_S / 2)
        assert len(await store.waiting()) == 2 * days
        assert f"Nothing has reached the clinic for {days - 1} day" in at.trouble(Trouble.CLINIC_UNREACHABLE)
        assert f"{2 * days} sessions here wait to be sent" in at.trouble(Trouble.CLINIC_UNREACHABLE)
        late = clock.slept_s[-200:]
        assert LONGEST_PAUSE_S / 2 <= min(late) < max(late) <= LONGEST_PAUSE_S <= 300, "still tried, every few minutes"
        assert len(set(late)) > 190, "jittered"
        async with clinic_by(clock, clinic.home, clinic.port):
            clock.until_s += 4 * LONGEST_PAUSE_S
            assert await uplink.drain(60), uplink.problem
            assert at.troubles == {}
            assert await assigned(store, at) == program
    identity = Identity.model_validate_json(await store.setting("identity") or "")
    assert (identity.keys[0] != key) == (days > 30), "changed by its age at the clinic"
    assert order_of(clinic.home, "chunk") == [(id_, n) for id_, data in kept for n in range(len(data))]
    assert order_of(clinic.home, "session_report") == [(id_,) for id_, _ in kept]
    for id_, data in kept:
        assert clinic.chunks(id_) == dict(enumerate(data))


def order_of(home: Path, table: str) -> list[tuple[object, ...]]:
    """As they came in."""
    columns = "session_id, number" if table == "chunk" else "session_id"
    with contextlib.closing(sqlite3.connect(home / "clinic.sqlite3")) as database:
        rows = database.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()
    return [(UUID(str(row[0])), *row[1:]) for row in rows]


async def test_two_days_without_internet(own_clinic, gateway_store, invented) -> None:
    await offline(2, own_clinic, gateway_store, invented)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("days", [28, 32], ids=["four weeks", "past the key's age"])
async def test_weeks_without_internet(own_clinic, gateway_store, invented, days: int) -> None:
    await offline(days, own_clinic, gateway_store, invented)
