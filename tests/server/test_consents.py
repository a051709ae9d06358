"""Agreeing to be watched, and taking it back."""

from __future__ import annotations

from sqlalchemy import select

from server.consents.records import ConsentRecord


async def agreed(api, who: str = "patient") -> bool:
    return (await api("GET", "me/consents/live_view", who)).json()["given"]


async def test_nobody_agrees_unasked_and_the_gateway_is_told(api) -> None:
    assert not await agreed(api)
    assert not (await api("GET", "gateway/assignment", "gateway")).json()["live_view"]
    answer = await api("PUT", "me/consents/live_view", "patient", json={"given": True})
    assert answer.json() == {"given": True}
    assert await agreed(api)
    assert not await agreed(api, "other_patient")
    assert (await api("GET", "gateway/assignment", "gateway")).json()["live_view"]
    assert not (await api("GET", "gateway/assignment", "other_gateway")).json()["live_view"]


async def test_what_held_when_stays_known(api) -> None:
    decisions = (True, True, False, False, True)
    for hours, given in enumerate(decisions):
        api.clock.advance(hours=hours)
        await api("PUT", "me/consents/live_view", "patient", json={"given": given})
    async with api.database.reading() as db:
        records = (await db.scalars(select(ConsentRecord).order_by(ConsentRecord.given_at))).all()
    first, second = records
    assert first.withdrawn_at is not None
    assert first.given_at < first.withdrawn_at < second.given_at
    assert second.withdrawn_at is None


async def test_another_subject_is_none(api) -> None:
    assert (await api("GET", "me/consents/everything", "patient")).status_code == 422
