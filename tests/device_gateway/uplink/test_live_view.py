"""The live view between a gateway, a real server process, and a physiotherapist who watches."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from analytics.domain.live import AngleEvent, Cue, CueEvent, CueLevel, SessionState, Snapshot, StateEvent
from analytics.domain.live_view import NOT_SHARED, REPLACED
from device_gateway.live.hub import LiveHub
from device_gateway.uplink.live_view import LiveView
from server.access.policy import NotAllowed
from server.access.records import AccountRecord
from server.access.service import create_account, issue_token
from server.access.words import Role
from server.database import Database
from server.live.api import _events, _mind
from server.live.relay import LiveRelay
from server.settings import Settings

PASSWORD = "correct horse battery"


@dataclass
class Home:
    """A patient's gateway and phone, and the clinic they belong to."""

    url: str
    tokens: dict[str, str]
    hub: LiveHub
    view: LiveView

    async def ask(self, method: str, path: str, who: str, **options: object) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, headers=self.bearer(who)) as client:
            return await client.request(method, f"{self.url}/api/v1/{path}", **options)

    def bearer(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    async def agree(self, given: bool = True) -> None:
        answer = await self.ask("PUT", "me/consents/live_view", "patient", json={"given": given})
        assert answer.is_success

    async def in_view(self) -> None:
        """Wait until the clinic sees the session."""
        async with asyncio.timeout(20):
            while (  # noqa: ASYNC110 - looks at another process
                await self.ask("POST", "patients/p1/live/words", "physio", json={"text": "Hello"})
            ).status_code != 202:
                await asyncio.sleep(0.02)

    async def watch(self) -> AsyncIterator[dict[str, object]]:
        timeout = httpx2.Timeout(20.0)
        async with (
            httpx2.AsyncClient(trust_env=False, headers=self.bearer("physio"), timeout=timeout) as client,
            client.stream("GET", f"{self.url}/api/v1/patients/p1/live") as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))


def exercising() -> Snapshot:
    return Snapshot(state=SessionState.EXERCISING, session_id=uuid4(), exercise="knee.extension.seated")


def cue(text: str) -> CueEvent:
    return CueEvent(cue=Cue(code="test", text=text, level=CueLevel.INFO))


@pytest.fixture(scope="module")
def clinic_with_accounts(make_clinic) -> Iterator[tuple[Any, dict[str, str]]]:
    """A running clinic, and the tokens of a physiotherapist, patient p1 and p1's gateway."""
    server = make_clinic()
    tokens = asyncio.run(_tokens(server.home))
    server.start()
    yield server, tokens
    server.kill()


async def _tokens(clinic_home: Path) -> dict[str, str]:
    now, people = datetime.now(UTC), {"physio": (Role.PHYSIOTHERAPIST, None), "patient": (Role.PATIENT, "p1")}
    tokens = {}
    async with Database(Settings(home=clinic_home).database_path) as database, database.writing() as db:
        for who, (role, patient) in people.items():
            made = await create_account(
                db, login=who, password=PASSWORD, name=who, role=role, now=now, patient_id=patient
            )
            tokens[who] = await issue_token(db, made, now=now, lifetime=None)
        gateway = AccountRecord(id=uuid4(), role=Role.GATEWAY, name="Kitchen", patient_id="p1", created_at=now)
        db.add(gateway)
        await db.flush()
        tokens["gateway"] = await issue_token(db, gateway.id, now=now, lifetime=None)
    return tokens


@pytest.fixture
async def home(clinic_with_accounts, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    monkeypatch.setattr("device_gateway.uplink.uplink.FIRST_PAUSE_S", 0.05)
    server, tokens = clinic_with_accounts
    hub = LiveHub()

    async def token() -> str:
        return tokens["gateway"]

    view = LiveView(hub, server.url, token, random.Random(1))
    home = Home(server.url, tokens, hub, view)
    await home.agree(given=False)
    yield home
    await view.close()


async def test_who_watches_is_told_how_things_stand_and_then_all_that_happens(home: Home) -> None:
    await home.agree()
    home.hub.publish(exercising())
    home.hub.publish(cue("before anybody watched"))
    home.view.begin()
    await home.in_view()
    events = home.watch()
    snapshot = await anext(events)
    assert snapshot["kind"] == "snapshot"
    home.hub.publish(cue("now"))
    heard = [event async for event in _until_kind(events, "cue", "now")]
    sequences = [event["sequence"] for event in heard if event["sequence"] > snapshot["sequence"]]
    assert sequences == sorted(sequences)
    home.hub.publish(StateEvent(state=SessionState.FINISHED))
    await events.aclose()


async def _until_kind(events: AsyncIterator[dict], kind: str, text: str) -> AsyncIterator[dict]:
    async for event in events:
        yield event
        if event["kind"] == kind and event["cue"]["text"] == text:
            return


async def test_the_physiotherapists_words_reach_the_patient(home: Home) -> None:
    await home.agree()
    home.hub.publish(exercising())
    home.view.begin()
    await home.in_view()
    listener = home.hub.join()
    await listener.next()
    answer = await home.ask("POST", "patients/p1/live/words", "physio", json={"text": "A little slower, please."})
    assert answer.status_code == 202
    async with asyncio.timeout(20):
        while True:
            event = json.loads(await listener.next())
            if event["kind"] == "cue" and event["cue"]["text"] == "A little slower, please.":
                break
    assert (event["cue"]["code"], event["cue"]["level"]) == ("physiotherapist.says", "info")
    empty = await home.ask("POST", "patients/p1/live/words", "physio", json={"text": ""})
    assert empty.status_code == 422


async def test_without_consent_nothing_is_shown_and_it_is_not_tried_again(home: Home) -> None:
    home.hub.publish(exercising())
    home.view.begin()
    async with asyncio.timeout(20):
        await home.view._task  # its own end is what is tested
    assert (await home.ask("GET", "patients/p1/live", "physio")).status_code == 404


async def test_consent_that_is_withdrawn_ends_the_view_at_once(home: Home) -> None:
    await home.agree()
    home.hub.publish(exercising())
    home.view.begin()
    await home.in_view()
    events = home.watch()
    await anext(events)
    await home.agree(given=False)
    async with asyncio.timeout(20):
        assert [event async for event in events if event["kind"] not in {"snapshot", "cue"}] == []
        await home.view._task
    assert (await home.ask("GET", "patients/p1/live", "physio")).status_code == 404


async def test_who_may_not_watch_any_more_sees_no_more() -> None:
    relay, answers = LiveRelay(), iter((True, True, False))

    async def allowed() -> bool:
        return next(answers)

    with relay.show("p1") as shown, pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.live.api.HEARTBEAT_S", 0.1)
        told = asyncio.create_task(_tell_for_ever(shown))
        async with asyncio.timeout(10):
            seen = [line async for line in _events(shown, allowed)]
        told.cancel()
    assert sum(line.startswith("data:") for line in seen) > 5, "events came all the time"
    assert next(answers, "asked three times") == "asked three times"


async def _tell_for_ever(shown) -> None:
    while True:
        shown.tell("{}")
        await asyncio.sleep(0.01)


async def test_a_gateway_that_is_shut_out_shows_no_more() -> None:
    relay, answers = LiveRelay(), iter((True, False))

    async def shown_patient() -> str:
        if not next(answers):
            raise NotAllowed("no more")
        return "p1"

    with relay.show("p1") as shown, pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.live.api.HEARTBEAT_S", 0.05)
        minding = asyncio.create_task(_mind(shown, shown_patient))
        async with asyncio.timeout(10):
            assert await shown.closing == 4401
        minding.cancel()


async def test_the_view_comes_back_after_the_server_was_killed(home: Home, clinic_with_accounts) -> None:
    server, _ = clinic_with_accounts
    await home.agree()
    home.hub.publish(exercising())
    home.view.begin()
    await home.in_view()
    server.kill()
    server.start()
    await home.in_view()


async def test_angles_are_thinned_and_nothing_else_is(home: Home) -> None:
    await home.agree()
    home.hub.publish(exercising())
    home.view.begin()
    await home.in_view()
    events = home.watch()
    await anext(events)
    for count in range(60):
        home.hub.publish(AngleEvent(time_s=count / 60, sensor_time_us=count, flexion_deg=count, excursion_deg=count))
        home.hub.publish(cue(f"cue {count}"))
        await asyncio.sleep(1 / 60)
    heard = [event async for event in _until_kind(events, "cue", "cue 59")]
    cues = [event["cue"]["text"] for event in heard if event["kind"] == "cue"]
    assert [text for text in cues if text != "Hello"] == [f"cue {count}" for count in range(60)]
    assert 1 <= sum(event["kind"] == "angle" for event in heard) < 30
    await events.aclose()


@pytest.mark.parametrize("who", ["patient", "physio"])
async def test_only_a_gateway_may_show(home: Home, who: str) -> None:
    await home.agree()
    url = f"{home.url.replace('http', 'ws', 1)}/api/v1/gateway/live"
    async with connect(url, additional_headers=home.bearer(who), proxy=None) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd.code == 4401


async def test_a_second_connection_takes_the_firsts_place(home: Home) -> None:
    await home.agree()
    url = f"{home.url.replace('http', 'ws', 1)}/api/v1/gateway/live"
    async with connect(url, additional_headers=home.bearer("gateway"), proxy=None) as first:
        await home.in_view()
        async with connect(url, additional_headers=home.bearer("gateway"), proxy=None):
            with pytest.raises(ConnectionClosed) as closed:
                async for _ in first:
                    pass
            assert closed.value.rcvd.code == REPLACED != NOT_SHARED
            await home.in_view()
