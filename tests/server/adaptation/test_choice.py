"""What is put before a physiotherapist, and what of it may still be approved days later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from analytics.domain.exercise import Side
from analytics.domain.session import PainMoment
from server.adaptation.service import waiting_proposal
from server.programs import service as programs


async def waiting(api) -> dict | None:
    async with api.database.reading() as db:
        found = await waiting_proposal(db, "p1")
    return None if found is None else found.model_dump(mode="json")


async def exercise(api, number: int, *, felt: dict[str, int] | None = None, report: Any = None, **opening: Any) -> None:
    """The session of day `number`, which goes beyond its target, reported at once."""
    begun = api.make.opening(number, **opening)
    api.clock.now = max(api.clock.now, begun.started_at + timedelta(minutes=10))
    assert (await api.put_word(f"sessions/{begun.id}", begun)).status_code == 201
    sent = api.make.report(opening=begun, **{"excursion_deg": 66.0} | (report or {}))
    assert (await api.put_word(f"sessions/{begun.id}/report", sent)).status_code == 201
    if felt is not None:
        answer = api.make.feedback(number, **felt)
        assert (await api.put_word(f"me/feedback/{answer.id}", answer, "patient")).status_code == 201


async def approve(api, proposal: dict):
    """Signed in anew: a sign-in does not last for days."""
    credentials = {"login": "physiotherapist", "password": api.make.password}
    api.tokens["anew"] = (await api("POST", "sign-in", json=credentials)).json()["token"]
    body = {"approve": True, "reason": "Agreed."}
    return await api("POST", f"proposals/{proposal['id']}/decision", "anew", json=body)


@pytest.fixture
async def asked_for_more(api) -> dict:
    for number in (1, 2, 3):
        await exercise(api, number, felt={})
    proposal = await waiting(api)
    assert proposal["rule"] == "progress_range"
    return proposal


async def test_pain_told_only_during_a_session_eases(api, asked_for_more) -> None:
    await exercise(api, 4, report={"hurts": (PainMoment(time_s=30, pain=9),)})
    less = await waiting(api)
    assert (less["rule"], less["after"]["dose"]["target_excursion_deg"]) == ("ease_pain", 55)


async def test_pain_without_a_number_holds(api, asked_for_more) -> None:
    await exercise(api, 4, felt={}, report={"hurts": (PainMoment(time_s=30),)})
    assert await waiting(api) is None


async def test_the_best_three_repetitions_are_not_the_target_reached(api, make) -> None:
    few = tuple(make.repetition(k + 1, 66.0 if k < 9 else 50.0) for k in range(30))
    for number in (1, 2, 3):
        await exercise(api, number, felt={}, report={"repetitions": few})
    assert await waiting(api) is None


async def test_pain_of_a_gateway_that_was_offline_eases_the_version_approved_since(api, asked_for_more) -> None:
    begun = api.make.opening(4)
    api.clock.now = begun.started_at + timedelta(hours=1)
    assert (await approve(api, asked_for_more)).status_code == 200
    api.clock.advance(days=1)
    await exercise(api, 4, report={"hurts": (PainMoment(time_s=30, pain=8),)})
    less = await waiting(api)
    assert (less["from_version"], less["rule"], less["after"]["dose"]["target_excursion_deg"]) == (2, "ease_pain", 60)
    assert (await approve(api, less)).status_code == 200
    await exercise(api, 6, program_version=3)
    assert await waiting(api) is None, "what led to an easing does not ease again"


@pytest.mark.parametrize("first", [Side.RIGHT, Side.LEFT])
async def test_of_two_exercises_the_one_that_hurts_comes_first(api, make, first: Side) -> None:
    both = [make.prescription(), make.prescription().model_copy(update={"side": Side.LEFT})]
    both.sort(key=lambda prescription: prescription.side is not first)
    async with api.database.writing() as db:
        await programs.add_version(db, make.program(version=2, prescriptions=tuple(both)))
    for number in (1, 2, 3):
        await exercise(api, number, felt={}, program_version=2)
    await exercise(api, 50, felt={"pain": 8}, program_version=2, side=Side.LEFT, started_at=api.clock.now)
    less = await waiting(api)
    assert (less["rule"], less["before"]["side"]) == ("ease_pain", "left")


async def test_more_is_not_approved_once_the_facts_no_longer_call_for_it(api, asked_for_more) -> None:
    """After a longer break the old dose is tried first, also where the proposal was made before the break."""
    api.clock.advance(days=9)
    answer = await approve(api, asked_for_more)
    assert (answer.status_code, answer.json()["type"]) == (409, "no-longer-called-for")
    assert answer.json()["detail"].startswith("What is known today no longer supports asking for more")
    assert await waiting(api) is None, "nor does it go on waiting"
    async with api.database.reading() as db:
        assert (await programs.current_program(db, "p1")).version == 1


async def test_less_may_always_be_approved(api) -> None:
    await exercise(api, 1, felt={"pain": 8})
    less = await waiting(api)
    api.clock.advance(days=60)
    answer = await approve(api, less)
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
