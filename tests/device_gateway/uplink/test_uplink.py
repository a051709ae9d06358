"""Everything stored reaches the clinic once, whatever the network and the server do meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from analytics.domain.session import SessionOpening
from device_gateway.errors import GatewayError, RefusedError, ShutOutError, UnreachableError
from device_gateway.storage.store import Store
from device_gateway.uplink.clinic import Clinic, Presence
from device_gateway.uplink.uplink import LONGEST_PAUSE_S, Uplink, pause_s
from server.database import Database
from server.programs.service import add_version
from server.settings import Settings

NOWHERE = "http://127.0.0.1:1"
PRESENCE = Presence(live_url="wss://127.0.0.1:1/live", certificate_sha256="0" * 64, live_token="t")


@asynccontextmanager
async def uplink_to(url: str, store: Store, token: str | None) -> AsyncIterator[Uplink]:
    clinic = Clinic(url, token)
    uplink = Uplink(store, clinic, PRESENCE, random.Random(7))
    running = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await clinic.close()


async def claimed_token(server) -> str:
    clinic = Clinic(server.url)
    identity = await clinic.claim(await server.claim_code(), "Test gateway")
    await clinic.close()
    return identity.token


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


class HostileLink:
    """A TCP relay that refuses, cuts requests and cuts answers, as drawn from a seeded generator."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._rng = random.Random(seed)
        self.cuts = 0
        self.calm = False

    async def __aenter__(self) -> HostileLink:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mood = 1.0 if self.calm else self._rng.random()
        if mood < 0.15:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        request_limit = self._rng.randrange(8000) if mood < 0.5 else None
        answer_limit = self._rng.randrange(1500) if 0.5 <= mood < 1 else None
        await asyncio.gather(
            self._pump(reader, back, request_limit, writer), self._pump(there, writer, answer_limit, back)
        )

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        limit: int | None,
        other: asyncio.StreamWriter,
    ) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                passed += len(data)
                if limit is not None and passed > limit:
                    self.cuts += 1
                    sink.transport.abort()
                    other.transport.abort()
                    return
                sink.write(data)
                await sink.drain()
            sink.close()


async def test_a_server_killed_in_mid_upload_ends_up_with_everything_once(
    own_clinic, gateway_store, invented, until, monkeypatch
) -> None:
    monkeypatch.setattr("device_gateway.uplink.uplink.FIRST_PAUSE_S", 0.1)
    own_clinic.start()
    token = await claimed_token(own_clinic)
    opened, chunks = await keep_session(gateway_store, invented, 150)
    async with uplink_to(own_clinic.url, gateway_store, token) as uplink:
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
    token = await claimed_token(shared_clinic)
    opened, chunks = await keep_session(gateway_store, invented, 2, finished=False)
    async with uplink_to(shared_clinic.url, gateway_store, token) as uplink:
        assert not await uplink.drain(10), "the session is not finished"
        assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))
        assert shared_clinic.report(opened.id) is None
        chunks.append(invented.chunk(2, 50))
        await gateway_store.keep_chunk(opened.id, 2, chunks[2])
        await gateway_store.keep_report(invented.report(opened, chunks))
        assert await uplink.drain(10)
    assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))
    assert shared_clinic.report(opened.id) == invented.report(opened, chunks)


async def test_a_hostile_link_loses_nothing_and_doubles_nothing(
    shared_clinic, gateway_store, invented, monkeypatch
) -> None:
    monkeypatch.setattr("device_gateway.uplink.uplink.FIRST_PAUSE_S", 0.02)
    token = await claimed_token(shared_clinic)
    opened, chunks = await keep_session(gateway_store, invented, 40)
    async with HostileLink(shared_clinic.port, seed=3) as link, uplink_to(link.url, gateway_store, token) as uplink:
        await uplink.drain(2.5)
        link.calm = True
        assert await uplink.drain(20)
        assert link.cuts > 5
    assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))
    assert shared_clinic.report(opened.id) == invented.report(opened, chunks)


async def test_a_server_restored_from_an_old_backup_gets_what_it_lost(shared_clinic, gateway_store, invented) -> None:
    token = await claimed_token(shared_clinic)
    opened, chunks = await keep_session(gateway_store, invented, 8, finished=False)
    async with uplink_to(shared_clinic.url, gateway_store, token) as uplink:
        await uplink.drain(10)
        with contextlib.closing(sqlite3.connect(shared_clinic.home / "clinic.sqlite3")) as database, database:
            database.execute("DELETE FROM chunk WHERE number > 2 AND session_id = ?", (opened.id.hex,))
        assert len(shared_clinic.chunks(opened.id)) == 3
        await gateway_store.keep_report(invented.report(opened, chunks))
        assert await uplink.drain(20)
    assert shared_clinic.chunks(opened.id) == dict(enumerate(chunks))
    assert shared_clinic.report(opened.id) == invented.report(opened, chunks)


async def test_what_the_clinic_refuses_for_good_is_kept_and_shown_and_stops_nobody_else(
    shared_clinic, gateway_store, invented
) -> None:
    token = await claimed_token(shared_clinic)
    spoilt, _ = await keep_session(gateway_store, invented, 1, finished=False)
    await gateway_store.keep_chunk(spoilt.id, 1, b"these bytes are no chunk")
    foreign = invented.opening().model_copy(update={"patient_id": "somebody-else"})
    await gateway_store.keep_opening(foreign)
    good, chunks = await keep_session(gateway_store, invented, 3)
    async with uplink_to(shared_clinic.url, gateway_store, token) as uplink:
        assert not await uplink.drain(15)
        assert shared_clinic.chunks(good.id) == dict(enumerate(chunks))
        assert shared_clinic.report(good.id)
        assert not shared_clinic.report(spoilt.id)
    kept = {upload.id: upload for upload in await gateway_store.uploads()}
    assert set(kept) == {spoilt.id, foreign.id}
    assert "not a Sinew chunk" in (kept[spoilt.id].problem or "")
    assert kept[foreign.id].problem
    assert (await gateway_store.chunk(spoilt.id, 1))[0] == b"these bytes are no chunk"


async def test_a_gateway_that_is_shut_out_keeps_everything_and_says_so(shared_clinic, gateway_store, invented) -> None:
    await keep_session(gateway_store, invented, 2)
    async with uplink_to(shared_clinic.url, gateway_store, "a token nobody issued") as uplink:
        assert not await uplink.drain(1.0)
        assert "claim" in (uplink.problem or "")
    (upload,) = await gateway_store.uploads()
    assert upload.chunks_waiting == (0, 1)
    assert upload.problem is None, "nothing is wrong with the session"


async def test_the_program_is_fetched_once_and_kept_for_days_without_network(
    shared_clinic, relay, gateway_store, invented
) -> None:
    token = await claimed_token(shared_clinic)
    async with uplink_to(relay.url, gateway_store, token) as uplink:
        first = await uplink.assignment()
        clinic = Clinic(relay.url, token)
        assert await clinic.assignment(await gateway_store.setting("assignment_etag")) is None, "304: nothing new"
        await clinic.close()
        assert await uplink.assignment() == first
        async with Database(Settings(home=shared_clinic.home).database_path) as database, database.writing() as db:
            await add_version(db, invented.program(first.program.version + 1))
        second = await uplink.assignment()
        assert second.program.version == first.program.version + 1
        await relay.stop()
        assert await uplink.assignment() == second


async def test_without_network_and_without_a_kept_program_there_is_a_sentence(gateway_store) -> None:
    async with uplink_to(NOWHERE, gateway_store, "any") as uplink:
        with pytest.raises(GatewayError, match=r"no program to exercise by yet.*does not answer"):
            await uplink.assignment()


async def test_claiming_says_what_is_wrong(shared_clinic) -> None:
    nowhere, clinic = Clinic(NOWHERE), Clinic(shared_clinic.url)
    with pytest.raises(UnreachableError, match="check its address"):
        await nowhere.claim("ANY", "Test gateway")
    with pytest.raises(RefusedError):
        await clinic.claim("WRONG-CODE", "Test gateway")
    code = await shared_clinic.claim_code()
    assert (await clinic.claim(code, "Test gateway")).patient_id == "p1"
    with pytest.raises(RefusedError):
        await clinic.claim(code, "A second one")
    await nowhere.close()
    await clinic.close()


async def test_a_gateway_that_is_shut_out_begins_no_session_and_keeps_nobody_waiting(
    shared_clinic, gateway_store, invented
) -> None:
    """Offline it may go on with the program it has; this is not offline."""
    token = await claimed_token(shared_clinic)
    async with uplink_to(shared_clinic.url, gateway_store, token) as uplink:
        await uplink.assignment()
    await keep_session(gateway_store, invented, 1)
    async with uplink_to(shared_clinic.url, gateway_store, "revoked") as uplink:
        with pytest.raises(ShutOutError, match="claim it again"):
            await uplink.assignment()
        assert not await asyncio.wait_for(uplink.drain(600), 10)
    assert len(await gateway_store.uploads()) == 1


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
    clinic = Clinic(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "token")
    with pytest.raises(UnreachableError, match="not the clinic's server"):
        await clinic.assignment(None)
    with pytest.raises(UnreachableError, match="not the clinic's server"):
        await clinic.put_chunk(UUID(int=1), 0, b"", bytes(32))
    await clinic.close()
    server.close()


@pytest.mark.parametrize("url", ["clinic.example", "", "ftp://clinic.example", "https://clinic.example:port"])
def test_what_is_no_address_is_one_sentence(url: str) -> None:
    with pytest.raises(GatewayError, match=r"It looks like https://clinic\.example"):
        Clinic(url)


def test_a_token_never_leaves_this_machine_unprotected() -> None:
    with pytest.raises(GatewayError, match="unprotected"):
        Clinic("http://clinic.example", "token")


def test_pauses_double_and_spread_and_end_at_a_minute() -> None:
    rng = random.Random(1)
    for failures in range(1, 40):
        full = min(LONGEST_PAUSE_S, 0.5 * 2 ** (failures - 1))
        drawn = [pause_s(failures, rng) for _ in range(50)]
        assert full / 2 <= min(drawn) < max(drawn) <= full
        assert len(set(drawn)) == 50
