"""Which session another one is compared with: the last of the same exercise, side and patient in which something was
done; and nobody learns of a session that is not theirs to see."""

from __future__ import annotations

from uuid import UUID

import pytest

from analytics.domain.exercise import Side
from server.access.words import Caller, Role
from server.problems import NotFound
from server.sessions.service import report_before

PHYSIOTHERAPIST = Caller(account_id=UUID(int=1), role=Role.PHYSIOTHERAPIST, name="Petra", patient_id=None)
OTHER_PATIENT = Caller(account_id=UUID(int=2), role=Role.PATIENT, name="Bert", patient_id="p2")


async def put(api, number: int, *, count: int = 30, **opening) -> UUID:
    said = api.make.opening(number, **opening)
    assert (await api.put_word(f"sessions/{said.id}", said)).is_success
    report = api.make.report(number, opening=said, count=count)
    assert (await api.put_word(f"sessions/{said.id}/report", report)).is_success
    return said.id


async def before(api, session_id: UUID, caller: Caller = PHYSIOTHERAPIST) -> UUID | None:
    async with api.database.reading() as db:
        found = await report_before(db, caller, session_id)
    return None if found is None else found.id


async def test_it_is_the_last_of_the_same_exercise_and_side_in_which_something_was_done(api) -> None:
    first = await put(api, 1)
    second = await put(api, 2)
    await put(api, 3, exercise="knee.squat")
    await put(api, 4, side=Side.LEFT)
    await put(api, 5, count=0)
    last = await put(api, 6)
    assert await before(api, last) == second
    assert await before(api, second) == first
    assert await before(api, first) is None


async def test_an_unfinished_session_is_nothing_to_compare_with(api) -> None:
    opened = api.make.opening(1)
    assert (await api.put_word(f"sessions/{opened.id}", opened)).is_success
    assert await before(api, await put(api, 2)) is None


async def test_nobody_learns_of_another_patients_session(api) -> None:
    await put(api, 1)
    last = await put(api, 2)
    with pytest.raises(NotFound):
        await before(api, last, OTHER_PATIENT)
