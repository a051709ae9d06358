"""A patient's name goes through a whole session, and into no line of any log."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sqlite3
from pathlib import Path

import httpx2
import pytest
from worn_gateway import body, home_of

from analytics.domain.live import Cue, CueEvent, CueLevel
from device_gateway.operations.health import Health
from device_gateway.operations.logs import configure_logs
from device_gateway.operations.status import describe

NAME = "Quetzalcoatl"


def named_everywhere(clinic_home: Path) -> None:
    """The patient's name as the clinic keeps it, and as a physiotherapist may well write it into a program."""
    with contextlib.closing(sqlite3.connect(clinic_home / "clinic.sqlite3")) as database, database:
        assert database.execute("UPDATE patient SET name = ?", (f"{NAME} Test",)).rowcount == 1
        changed = database.execute("UPDATE program SET document = replace(document, 'for a test', ?)", (f"for {NAME}",))
        assert changed.rowcount == 1
        assert NAME in database.execute("SELECT document FROM program").fetchone()[0]


@pytest.mark.usefixtures("logging_as_before")
async def test_nobody_is_named_in_any_line(tmp_path: Path, own_clinic) -> None:
    named_everywhere(own_clinic.home)
    own_clinic.start()
    claim_code = await own_clinic.claim_code()
    written = io.StringIO()
    handler = configure_logs("debug", "json", written)
    logging.getLogger().setLevel(logging.DEBUG)  # more than the settings file can ask for
    logging.getLogger("device_gateway").warning("Logs are read here.")
    async with home_of(tmp_path, own_clinic.url, claim_code, body(2), speed=20) as home:
        health = Health(home.gateway.status)
        port = await health.start("127.0.0.1", 0)
        await home.gateway.start_session()
        praise = Cue(code="clinic.words", text=f"Well done, {NAME}!", level=CueLevel.GOOD)
        home.gateway.hub.publish(CueEvent(cue=praise))
        await home.played()
        await home.gateway.finish_session()
        assert await home.gateway.drain(20)
        assert any(NAME in event.cue.text for event in home.phone.of(CueEvent)), "the name was on the way"
        token = home.gateway.live_token
        async with httpx2.AsyncClient(trust_env=False) as client:
            answers = [await client.get(f"http://127.0.0.1:{port}{path}") for path in ("/healthz", "/metrics")]
        status = await home.gateway.status()
        await health.close()
    logging.getLogger().removeHandler(handler)
    with contextlib.closing(sqlite3.connect(tmp_path / "gateway" / "gateway.sqlite3")) as database:
        assert NAME in database.execute("SELECT value FROM setting WHERE name = 'assignment'").fetchone()[0]
        identity = json.loads(database.execute("SELECT value FROM setting WHERE name = 'identity'").fetchone()[0])

    lines = written.getvalue().splitlines()
    assert any("Logs are read here." in line for line in lines)
    told = [*lines, *(answer.text for answer in answers), status.model_dump_json(), *describe(status)]
    for secret in (NAME, token, claim_code, *identity["keys"]):
        assert not [line for line in told if secret in line]
