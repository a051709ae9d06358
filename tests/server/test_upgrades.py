"""A clinic's home of an older release opens with everything that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from gateway_key import GatewayKey
from sqlalchemy import select

from analytics.domain.session import PainMoment
from server.database import Database
from server.schema import VERSION
from server.sessions.records import SessionRecord

SINCE_1 = {
    "session": ("reached", "hurts_pain", "hurts_unrated", "reported_at", "stopped"),
    "feedback": ("received_at",),
    "gateway": ("pairing_code",),
}


def make_old(path: Path) -> None:
    """The shape of version 1: without the columns that came since."""
    connection = sqlite3.connect(path)
    for table, columns in SINCE_1.items():
        for column in columns:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


async def figures(database: Database) -> list[tuple[Any, ...]]:
    async with database.reading() as db:
        columns = (SessionRecord.id, SessionRecord.reached, SessionRecord.hurts_pain, SessionRecord.hurts_unrated)
        return [tuple(row) for row in await db.execute(select(*columns).order_by(SessionRecord.id))]


async def test_a_home_of_the_first_release_opens_with_what_its_reports_say(
    start_clinic, clinic_home: Path, make
) -> None:
    async with start_clinic() as api:
        await api.put_session(1, hurts=(PainMoment(time_s=20, pain=7), PainMoment(time_s=40)))
        await api.put_session(2, excursion_deg=40)
        opening = make.opening(3)
        await api.put_word(f"sessions/{opening.id}", opening)
        felt = make.feedback(1)
        await api.put_word(f"me/feedback/{felt.id}", felt, "patient")
        before = await figures(api.database)
    assert [row[1:] for row in before] == [(30, 7, 1), (0, None, 0), (None, None, 0)]
    make_old(clinic_home / "clinic.sqlite3")
    for _ in range(2):
        async with start_clinic() as api:
            assert await figures(api.database) == before
            shown = (await api("GET", "patients/p1", "physiotherapist")).json()["sessions"]
            assert [session["pain"] for session in shown] == [None, 7]
    connection = sqlite3.connect(clinic_home / "clinic.sqlite3")
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()


async def test_a_gateway_of_the_second_release_is_let_in_and_brings_its_key(start_clinic, clinic_home: Path) -> None:
    connection = sqlite3.connect(clinic_home / "clinic.sqlite3")
    for table in ("gateway_key", "gateway_health"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("ALTER TABLE gateway DROP COLUMN pairing_code")
    connection.execute("ALTER TABLE session DROP COLUMN stopped")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    async with start_clinic() as api:
        assert (await api("GET", "gateway/assignment", "gateway")).status_code == 200
        first = GatewayKey(5).follows(None, api.gateways["gateway"])
        assert (await api("POST", "gateway/keys", "gateway", json=first)).status_code == 204
