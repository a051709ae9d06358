"""Everything stored reaches the clinic once, whatever the network and the server do meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from uuid import UUID

import pytest
from gateway_at_clinic import entered, let_in, uplink_to, uploading

from analytics.domain.session import SessionOpening
from analytics.exercises.catalogue import exercise
from device_gateway.conditions import Trouble
from device_gateway.errors import GatewayError, ShutOutError, UnreachableError
from device_gateway.storage.store import Store
from device_gateway.uplink.assignments import Assignments
from device_gateway.uplink.uplink import LONGEST_PAUSE_S, pause_s
from device_gateway.uplink.wire import Wire
from server.database import Database
from server.programs.service import add_version
from server.settings import Settings


async def keep_session(
    store: Store, invented, count: int, *, finished: bool = True
) -> tuple[SessionOpening, list[bytes]]:
    opened = invented.opening()
    chunks = [invented.chunk(number, 50) for number in range(count)]
    await store.keep_opening(opened)
    for number, data in enumerate(chunks):
        await store.keep_chunk(opened.id, number, data)
    if finished:
        await store.keep_report(invented.report(opened, chunks))
    return opened, chunks


async def test_a_server_killed_in_mid_upload_ends_up_with_everything_once(
    own_clinic, gateway_store, invented, until, monkeypatch
) -> None:
    monkeypatch.setattr("device_gateway.uplink.uplink.FIRST_PAUSE_S", 0.1)
    own_clinic.start()
    opened, chunks = await keep_session(gateway_store, invented, 150)
    async with uplink_to(own_clinic.url, gateway_store, await own_clinic.claim_code()) as uplink:
        await until(lambda: len(own_clinic.chunks(opened.id)) >= 20)
        own_clinic.kill()
        assert len(own_clinic.chunks(opened.id)) < 150, "killed too late to show anything"
        assert not await uplink.drain(1.0)
        assert "does not answer" in (uplink.problem or "")
        own_clinic.start()
        assert await uplink.drain(30)
        assert uplink.problem is None
    assert own_clinic.chunks(opened.id) == dict(enumerate(chunks))
    assert own_clinic.report(opened.id) == invented.report(opened, chunks)
    assert await gateway_store.uploads() == []


async def test_chunks_go_up_while_the_session_runs_and_the_report_comes_last(
    shared_clinic, gateway_store, invented
) -> None:
    opened, chunks = await keep_session(gateway_store, invented, 2, finished=False)
    async with uplink_to(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as uplink:
        assert not await uplink.drain(10), "the session is not finished"
        assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))
        assert shared_clinic.report(opened.id) is None
        chunks.append(invented.chunk(2, 50))
        await gateway_store.keep_chunk(opened.id, 2, chunks[2])
        await gateway_store.keep_report(invented.report(opened, chunks))
        assert await uplink.drain(10)
    assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))
    assert shared_clinic.report(opened.id) == invented.report(opened, chunks)


async def test_a_server_restored_from_an_old_backup_gets_what_it_lost(shared_clinic, gateway_store, invented) -> None:
    opened, chunks = await keep_session(gateway_store, invented, 8, finished=False)
    async with uplink_to(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as uplink:
        await uplink.drain(10)
        with contextlib.closing(sqlite3.connect(shared_clinic.home / "clinic.sqlite3")) as database, database:
            database.execute("DELETE FROM chunk WHERE number > 2 AND session_id = ?", (opened.id.hex,))
        assert len(shared_clinic.chunks(opened.id)) == 3
        await gateway_store.keep_report(invented.report(opened, chunks))
        assert await uplink.drain(20)
    assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))
    assert shared_clinic.report(opened.id) == invented.report(opened, chunks)


async def test_what_has_arrived_is_not_sent_again_though_its_answers_were_lost(
    shared_clinic, gateway_store, invented, monkeypatch
) -> None:
    opened, chunks = await keep_session(gateway_store, invented, 8, finished=False)
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at:
        async with uploading(at, gateway_store) as uplink:
            await uplink.drain(10)
        await gateway_store.mark_chunks(opened.id, [])  # as if no answer had come
        chunks.append(invented.chunk(8, 50))
        await gateway_store.keep_chunk(opened.id, 8, chunks[8])
        await gateway_store.keep_report(invented.report(opened, chunks))
        sent, put_chunk = [], at.clinic.put_chunk

        async def noting(session_id: UUID, number: int, data: bytes, sha256: bytes) -> None:
            sent.append(number)
            await put_chunk(session_id, number, data, sha256)

        monkeypatch.setattr(at.clinic, "put_chunk", noting)
        async with uploading(at, gateway_store) as uplink:
            assert await uplink.drain(10)
    assert sent == [8]
    assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))


async def test_what_the_clinic_refuses_for_good_is_kept_and_shown_and_stops_nobody_else(
    shared_clinic, gateway_store, invented
) -> None:
    spoilt, _ = await keep_session(gateway_store, invented, 1, finished=False)
    await gateway_store.keep_chunk(spoilt.id, 1, b"these bytes are no chunk")
    foreign = invented.opening().model_copy(update={"patient_id": "somebody-else"})
    await gateway_store.keep_opening(foreign)
    good, chunks = await keep_session(gateway_store, invented, 3)
    async with uplink_to(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as uplink:
        assert not await uplink.drain(15)
        assert shared_clinic.chunks(good.id) == dict(enumerate(chunks))
        assert shared_clinic.report(good.id)
        assert not shared_clinic.report(spoilt.id)
    kept = {upload.id: upload for upload in await gateway_store.uploads()}
    assert set(kept) == {spoilt.id, foreign.id}
    assert "not a Sinew chunk" in (kept[spoilt.id].problem or "")
    assert kept[foreign.id].problem
    assert (await gateway_store.chunk(spoilt.id, 1))[0] == b"these bytes are no chunk"


def assignments(at, store) -> Assignments:
    return Assignments(store, at.clinic, at.conditions, exercise)


async def test_a_gateway_that_is_shut_out_keeps_everything_says_so_and_heals(
    shared_clinic, gateway_store, invented, until, monkeypatch
) -> None:
    monkeypatch.setattr("device_gateway.uplink.uplink.LONGEST_PAUSE_S", 0.2)
    async with (
        entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at,
        uploading(at, gateway_store) as uplink,
    ):
        assert await uplink.drain(10)
        gateway_id = at.credentials.identity.gateway_id
        let_in(shared_clinic.home, gateway_id, active=False)
        opened, chunks = await keep_session(gateway_store, invented, 2)
        assert not await asyncio.wait_for(uplink.drain(600), 10), "nobody need wait"
        assert "new claim code" in at.trouble(Trouble.CLINIC_SHUT_OUT)
        assert "is kept" in at.trouble(Trouble.CLINIC_SHUT_OUT)
        with pytest.raises(ShutOutError, match="claim code"):
            # Without network it may go on with the program it has; this is another matter.
            await assignments(at, gateway_store).current()
        (upload,) = await gateway_store.uploads()
        assert upload.chunks_waiting == (0, 1)
        assert upload.problem is None, "nothing is wrong with the session"
        let_in(shared_clinic.home, gateway_id, active=True)
        await until(lambda: not at.trouble(Trouble.CLINIC_SHUT_OUT))
        assert await uplink.drain(10)
    assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))


async def test_the_program_is_fetched_once_and_kept_for_days_without_network(
    shared_clinic, relay, gateway_store, invented
) -> None:
    async with (
        entered(relay.url, gateway_store, await shared_clinic.claim_code()) as at,
        uploading(at, gateway_store),
    ):
        first = await assignments(at, gateway_store).current()
        assert await at.clinic.assignment(await gateway_store.setting("assignment_etag")) is None, "304: nothing new"
        assert await assignments(at, gateway_store).current() == first
        async with Database(Settings(home=shared_clinic.home).database_path) as database, database.writing() as db:
            await add_version(db, invented.program(first.program.version + 1))
        second = await assignments(at, gateway_store).current()
        assert second.program.version == first.program.version + 1
        await relay.stop()
        assert await assignments(at, gateway_store).current() == second


async def test_without_network_and_without_a_kept_program_there_is_a_sentence(
    shared_clinic, relay, gateway_store
) -> None:
    async with entered(relay.url, gateway_store, await shared_clinic.claim_code()) as at:
        await relay.stop()
        async with uploading(at, gateway_store):
            with pytest.raises(GatewayError, match=r"no program to exercise by yet.*does not answer"):
                await assignments(at, gateway_store).current()


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden"])
async def test_what_is_not_the_clinic_is_not_believed(status: str) -> None:
    """A hotel's sign-in page answers 200 to everything."""

    async def portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        page = b"<html>Welcome to our WiFi</html>"
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
        writer.write(head.encode() + page)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(portal, "127.0.0.1", 0)
    wire = Wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    for method, path in (("GET", "gateway/assignment"), ("PUT", f"sessions/{UUID(int=1)}/chunks/0")):
        with pytest.raises(UnreachableError, match="not the clinic's server"):
            await wire.ask(method, path, token="any")
    await wire.close()
    server.close()


@pytest.mark.parametrize("url", ["clinic.example", "", "ftp://clinic.example", "https://clinic.example:port"])
def test_what_is_no_address_is_one_sentence(url: str) -> None:
    with pytest.raises(GatewayError, match=r"It looks like https://clinic\.example"):
        Wire(url)


def test_a_token_never_leaves_this_machine_unprotected() -> None:
    with pytest.raises(GatewayError, match="unprotected"):
        Wire("http://clinic.example")


def test_pauses_double_and_spread_and_end_at_three_minutes() -> None:
    rng = random.Random(1)
    for failures in range(1, 40):
        full = min(LONGEST_PAUSE_S, 0.5 * 2 ** (failures - 1))
        drawn = [pause_s(failures, rng) for _ in range(50)]
        assert full / 2 <= min(drawn) < max(drawn) <= full
        assert len(set(drawn)) == 50
