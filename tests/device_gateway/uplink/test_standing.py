"""What the gateway says of its clinic: not at each hiccup, then plainly, and no longer than it is true."""

from __future__ import annotations

from uuid import UUID

from gateway_at_clinic import entered, uploading

from device_gateway.conditions import Conditions, Trouble
from device_gateway.storage.uploads import WaitingSession
from device_gateway.uplink.standing import Standing
from server.database import Database
from server.programs.service import add_version


def said(conditions: Conditions) -> dict[str, str]:
    return {condition.code: condition.sentence for condition in conditions.now()}


def waiting(count: int, problem: str | None = None) -> list[WaitingSession]:
    return [WaitingSession(UUID(int=number), True, problem) for number in range(count)]


def test_a_hiccup_is_nobodys_business_and_weeks_are_told_in_weeks() -> None:
    now_s, heard = 0.0, []
    conditions = Conditions(heard.append)
    standing = Standing(conditions, lambda: now_s)
    standing.reached()
    now_s = began_s = 86400.0  # a day without anything to send is no trouble
    sentences = []
    while now_s <= began_s + 3 * 86400:
        standing.unreachable(waiting(2))
        sentences += said(conditions).values()
        if now_s < began_s + 900:
            assert not sentences
        now_s += 100
    assert sentences[0].startswith("Nothing has reached the clinic for 15 minutes, and 2 sessions here wait")
    assert "Everything is kept" in sentences[0]
    assert "for 3 hours" in " ".join(sentences)
    assert sentences[-1].startswith("Nothing has reached the clinic for 3 days")
    assert len(heard) < 40, "said anew each quarter of an hour, then each hour, then each day"
    standing.unreachable(waiting(1))
    assert "1 session here waits" in said(conditions)["clinic.unreachable"]
    standing.unreachable([])
    assert "nothing waits" in said(conditions)["clinic.unreachable"]
    standing.reached()
    assert conditions.now() == ()


def test_shut_out_is_not_unreachable() -> None:
    now_s = 0.0
    conditions = Conditions()
    standing = Standing(conditions, lambda: now_s)
    standing.unreachable([])
    now_s = 1000.0
    standing.unreachable([])
    assert Trouble.CLINIC_UNREACHABLE.value in said(conditions)
    standing.shut_out("Claim it again.")
    assert said(conditions) == {Trouble.CLINIC_SHUT_OUT.value: "Claim it again."}
    standing.reached()
    assert conditions.now() == ()


def test_what_the_clinic_refuses_is_told_until_it_is_taken() -> None:
    conditions = Conditions()
    standing = Standing(conditions)
    standing.refused(waiting(3, "The clinic does not take session 5: no."))
    sentence = said(conditions)["clinic.refuses"]
    assert sentence.startswith("The clinic does not take session 5: no. So it is with 2 sessions more.")
    assert "tell the clinic" in sentence
    standing.refused(waiting(3))
    assert conditions.now() == ()


async def test_what_was_refused_is_tried_again_each_day_and_taken_when_it_is_mended(
    own_clinic, gateway_store, invented
) -> None:
    """A session of a program version that the clinic, restored from a backup, learns of only later."""
    own_clinic.start()
    now_s = 0.0
    opened = invented.opening().model_copy(update={"program_version": 2})
    await gateway_store.keep_opening(opened)
    await gateway_store.keep_report(invented.report(opened, []))
    async with (
        entered(own_clinic.url, gateway_store, await own_clinic.claim_code()) as at,
        uploading(at, gateway_store, now=lambda: now_s) as uplink,
    ):
        assert not await uplink.drain(10)
        assert "no version 2" in at.trouble(Trouble.CLINIC_REFUSES)
        async with Database(own_clinic.home / "clinic.sqlite3") as database, database.writing() as db:
            await add_version(db, invented.program(2))
        assert not await uplink.drain(10), "not before a day is over"
        now_s += 86400
        assert await uplink.drain(10)
        assert at.trouble(Trouble.CLINIC_REFUSES) == ""
    assert own_clinic.report(opened.id) is not None


async def test_a_session_that_runs_does_not_wait_for_all_that_waits(
    shared_clinic, gateway_store, invented, monkeypatch
) -> None:
    """After each older one, what it has goes up; the older ones close in their order."""
    sent: list[tuple[UUID, str]] = []
    older = []
    for _ in range(4):
        opened = invented.opening()
        data = [invented.chunk(number, 50) for number in range(3)]
        await gateway_store.keep_opening(opened)
        for number, chunk in enumerate(data):
            await gateway_store.keep_chunk(opened.id, number, chunk)
        await gateway_store.keep_report(invented.report(opened, data))
        older.append(opened.id)
    running = invented.opening()
    await gateway_store.keep_opening(running)
    await gateway_store.keep_chunk(running.id, 0, invented.chunk(0, 50))
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at:
        put_chunk, put_report = at.clinic.put_chunk, at.clinic.put_report

        async def noting_chunk(session_id: UUID, number: int, data: bytes, sha256: bytes) -> None:
            await put_chunk(session_id, number, data, sha256)
            sent.append((session_id, f"chunk {number}"))

        async def noting_report(report) -> None:
            await put_report(report)
            sent.append((report.id, "report"))
            await gateway_store.keep_chunk(running.id, len(sent), invented.chunk(len(sent), 50))

        monkeypatch.setattr(at.clinic, "put_chunk", noting_chunk)
        monkeypatch.setattr(at.clinic, "put_report", noting_report)
        async with uploading(at, gateway_store) as uplink:
            assert not await uplink.drain(20), "it runs"
    assert [session for session, what in sent if what == "report"] == older
    of_running = [index for index, (session, _) in enumerate(sent) if session == running.id]
    reports = [index for index, (_, what) in enumerate(sent) if what == "report"]
    assert of_running[0] == reports[0] + 1, "not behind all of them"
    assert sum(reports[0] < index < reports[-1] for index in of_running) >= 3
    for id_ in older:
        assert [what for session, what in sent if session == id_] == ["chunk 0", "chunk 1", "chunk 2", "report"]
