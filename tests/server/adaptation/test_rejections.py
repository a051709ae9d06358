"""A rejection is remembered: the same change does not come back with the next session, but safety does."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from analytics.domain.session import PainMoment
from analytics.safety.rules import Rules
from server.adaptation.rejections import EASING
from server.adaptation.service import waiting_proposal
from server.programs import service as programs

HARD = [{"pain": 8}, {"effort": 10}]
"""What makes the rules ask for less: pain at the last session, effort at the last two."""


async def waiting(api) -> dict | None:
    # Not over HTTP: a physiotherapist's sign-in does not last the weeks of these tests, and a patient is not shown it.
    async with api.database.reading() as db:
        found = await waiting_proposal(db, "p1")
    return None if found is None else found.model_dump(mode="json")


async def tell(api, number: int, **felt) -> None:
    answer = api.make.feedback(number, **felt)
    assert (await api.put_word(f"me/feedback/{answer.id}", answer, "patient")).status_code == 201


async def exercise(api, number: int, *, version: int = 1, **felt: int) -> dict | None:
    """The session of day `number`, which goes beyond its target, and how it felt. Gives what is proposed then."""
    api.clock.now = api.make.opening(number).started_at + timedelta(minutes=10)
    opening = api.make.opening(number, program_version=version)
    await api.put_word(f"sessions/{opening.id}", opening)
    report = api.make.report(opening=opening, excursion_deg=66.0)
    assert (await api.put_word(f"sessions/{opening.id}/report", report)).status_code == 201
    await tell(api, number, **felt)
    return await waiting(api)


async def reject(api, proposal: dict) -> None:
    api.clock.advance(minutes=10)
    body = {"approve": False, "reason": "Not yet."}
    answer = await api("POST", f"proposals/{proposal['id']}/decision", "physiotherapist", json=body)
    assert answer.status_code == 200


@pytest.fixture
async def rejected_more(api) -> dict:
    """Good sessions on the days 1 to 3 lead to a larger target, which is rejected."""
    for number in (1, 2, 3):
        proposal = await exercise(api, number)
    assert (proposal["rule"], proposal["after"]["dose"]["target_excursion_deg"]) == ("progress_range", 65)
    await reject(api, proposal)
    return proposal


async def rejected_less(api, felt: dict[str, int]) -> dict:
    """Hard sessions on the days 1 and 2 lead to a smaller dose, which is rejected."""
    for number in (1, 2):
        proposal = await exercise(api, number, **felt)
    await reject(api, proposal)
    return proposal


async def test_a_rejected_change_is_not_proposed_again_for_a_week(api, rejected_more) -> None:
    for number in range(4, 11):
        assert await exercise(api, number) is None, f"day {number}"
    again = await exercise(api, 11)
    assert (again["rule"], again["after"]) == (rejected_more["rule"], rejected_more["after"])
    assert again["id"] != rejected_more["id"]


async def test_a_clinic_may_set_another_time(start_clinic) -> None:
    async with start_clinic(rejection_holds=timedelta(days=2)) as api:
        for number in (1, 2, 3):
            proposal = await exercise(api, number)
        await reject(api, proposal)
        assert [await exercise(api, number) is not None for number in (4, 5, 6)] == [False, False, True]


async def test_another_change_is_proposed_all_the_same(api, rejected_more) -> None:
    less = await exercise(api, 4, pain=8)
    assert less["rule"] == "ease_pain"


async def test_a_rejection_is_of_one_program_version(api, rejected_more) -> None:
    async with api.database.writing() as db:
        await programs.add_version(db, api.make.program(version=2))
    for number in (4, 5, 6):
        again = await exercise(api, number, version=2)
    assert (again["from_version"], again["after"]) == (2, rejected_more["after"])


async def test_a_rejection_is_of_one_patient(api, rejected_more) -> None:
    for number in (1, 2, 3):
        opening = api.make.opening(number + 50, patient_id="p2", started_at=api.make.opening(number).started_at)
        await api.put_word(f"sessions/{opening.id}", opening, "other_gateway")
        report = api.make.report(opening=opening, excursion_deg=66.0)
        await api.put_word(f"sessions/{opening.id}/report", report, "other_gateway")
        felt = api.make.feedback(number + 50)
        await api.put_word(f"me/feedback/{felt.id}", felt, "other_patient")
    assert (await api("GET", "patients/p2", "physiotherapist")).json()["proposal"]["rule"] == "progress_range"


@pytest.mark.parametrize("felt", HARD, ids=["ease_pain", "ease_effort"])
async def test_easing_comes_back_with_the_next_session_and_not_before(api, felt: dict[str, int]) -> None:
    less = await rejected_less(api, felt)
    # An older session whose gateway was without network tells nothing that is newer than the decision.
    api.clock.advance(minutes=1)
    await api.put_session(0, excursion_deg=66.0)
    assert await waiting(api) is None
    again = await exercise(api, 3, **felt)
    assert (again["rule"], again["after"]) == (less["rule"], less["after"])
    await reject(api, again)
    api.clock.advance(minutes=1)
    await api.put_session(-1, excursion_deg=66.0)
    assert await waiting(api) is None, "of two rejections the later one counts"


async def test_pain_told_after_the_rejection_brings_easing_back(api) -> None:
    less = await rejected_less(api, {"pain": 6})
    api.clock.advance(minutes=1)
    await tell(api, 2, pain=9, id=UUID(int=555), given_at=api.clock.now)
    again = await waiting(api)
    assert (again["rule"], again["after"]) == (less["rule"], less["after"])


async def test_older_pain_that_comes_to_light_after_the_rejection_brings_easing_back(api) -> None:
    """The report waited in a gateway without network, the answer in a phone without one."""
    less = await rejected_less(api, {"pain": 6})
    api.clock.advance(minutes=1)
    await api.put_session(0, hurts=(PainMoment(time_s=30, pain=9),))
    again = await waiting(api)
    assert (again["rule"], again["after"]) == (less["rule"], less["after"])
    await reject(api, again)
    assert await waiting(api) is None
    api.clock.advance(minutes=1)
    await tell(api, 2, pain=9, id=UUID(int=555), given_at=api.make.feedback(2).given_at + timedelta(minutes=1))
    assert (await waiting(api))["after"] == less["after"]


def test_the_rules_that_ease_are_rules() -> None:
    assert set(Rules.model_fields) >= EASING
