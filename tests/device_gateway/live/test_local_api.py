"""Who may listen: the one with the token, and only to the gateway whose certificate was pinned."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from analytics.domain.live import (
    Command,
    Cue,
    CueEvent,
    CueLevel,
    SessionState,
    Snapshot,
    StateEvent,
    parse_live_event,
)
from device_gateway.errors import GatewayError
from device_gateway.live.api import MOST_LISTENERS, LocalApi
from device_gateway.live.certificate import load_or_make
from device_gateway.live.hub import LiveHub, fold
from device_gateway.live.schema import live_schema


async def test_a_phone_with_token_and_pin_hears_a_snapshot_and_what_follows(served) -> None:
    async with await served.join() as phone:
        assert isinstance(parse_live_event(await phone.recv()), Snapshot)
        served.hub.publish(StateEvent(sequence=0, state=SessionState.EXERCISING))
        event = parse_live_event(await asyncio.wait_for(phone.recv(), 1))
        assert isinstance(event, StateEvent)
        assert event.state is SessionState.EXERCISING


@pytest.mark.parametrize("token", ["", "the-wrong-token", "ü"])
async def test_a_wrong_token_hears_nothing(served, token: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await served.join(token)
    assert refused.value.response.status_code == 401
    assert b"sign in again" in refused.value.response.body
    assert not served.hub._listeners


async def test_another_certificate_than_the_pinned_one_is_not_spoken_to(served, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = load_or_make(tmp_path / "other", datetime.now(UTC))
    with pytest.raises(ValueError, match="another certificate"):
        await served.join(pin=other.certificate_sha256)


async def test_the_certificate_stays_the_same_after_a_restart(tmp_path: Path) -> None:
    first = load_or_make(tmp_path, datetime.now(UTC))
    assert load_or_make(tmp_path, datetime.now(UTC)).certificate_sha256 == first.certificate_sha256
    assert (tmp_path / "certificate.pem").stat().st_mode & 0o077 == 0


def test_a_spoilt_certificate_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").write_text("spoilt")
    with pytest.raises(GatewayError, match="delete it"):
        load_or_make(tmp_path, datetime.now(UTC))


async def test_commands_arrive_in_order(served) -> None:
    async with await served.join() as phone:
        for command in ("start", "pause", "resume", "hurts", "stop"):
            await phone.send(Command(command=command).model_dump_json())
        await phone.close()
    assert [command.command for command in served.commands] == ["start", "pause", "resume", "hurts", "stop"]


@pytest.mark.parametrize("nonsense", ["{}", "not json", json.dumps({"command": "erase"}), "[1]"])
async def test_what_is_no_command_ends_the_conversation_with_a_reason(served, nonsense: str) -> None:
    async with await served.join() as phone:
        await phone.recv()
        await phone.send(nonsense)
        with pytest.raises(ConnectionClosed) as closed:
            await phone.recv()
    assert closed.value.rcvd is not None
    assert "not a command" in closed.value.rcvd.reason
    assert served.commands == []


async def test_another_path_is_told_where_to_go(served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await served.join(path="/elsewhere")
    assert refused.value.response.status_code == 404


async def test_a_port_in_use_is_one_sentence(served, tmp_path: Path) -> None:
    second = LocalApi(LiveHub(), served.phones, None, None)
    with pytest.raises(GatewayError, match=f"port {served.port} .*--port"):
        await second.start("127.0.0.1", served.port, served.certificate.context)


def state(number: int) -> StateEvent:
    return StateEvent(sequence=0, state=SessionState.EXERCISING, set_number=number)


def long_cue(number: int) -> CueEvent:
    return CueEvent(cue=Cue(code=str(number), text="x" * 1000, level=CueLevel.INFO))


async def read_to_the_end(connection: ClientConnection) -> None:
    async for _ in connection:
        pass


async def test_a_listener_that_reads_nothing_holds_up_nobody_and_is_told_the_newest_state(served) -> None:
    """Its socket and all buffers are full; another hears everything; when it reads again, old news are left out."""
    count = 3000
    async with await served.join() as asleep, await served.join() as awake:
        await asleep.recv()
        await awake.recv()
        asleep.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asleep.transport.pause_reading()
        for number in range(1, count + 1):
            served.hub.publish(long_cue(number))
            if number % 50 == 0:
                heard = [parse_live_event(await asyncio.wait_for(awake.recv(), 5)) for _ in range(50)]
                assert [event.sequence for event in heard] == list(range(number - 49, number + 1))
        asleep.transport.resume_reading()
        late = []
        while not late or late[-1].sequence < count:
            late.append(parse_live_event(await asyncio.wait_for(asleep.recv(), 5)))
        assert len(late) < count / 4
        known = Snapshot(sequence=0, state=SessionState.IDLE)
        for event in late:
            assert isinstance(event, Snapshot) or event.sequence == known.sequence + 1, "nothing is left out unsaid"
            known = fold(known, event)
        assert known == served.hub.snapshot
        served.hub.publish(state(7))
        after = parse_live_event(await asyncio.wait_for(asleep.recv(), 5))
        assert after.sequence == count + 1


async def test_a_listener_that_takes_nothing_for_long_is_closed(serve) -> None:
    async with serve(stuck_s=0.2) as served, await served.join() as asleep:
        await asleep.recv()
        asleep.transport.pause_reading()
        async with asyncio.timeout(20):
            while served.hub.listeners:
                for number in range(20):
                    served.hub.publish(long_cue(number))
                await asyncio.sleep(0.01)
        asleep.transport.resume_reading()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(read_to_the_end(asleep), 5)


async def test_one_listener_too_many_is_told_so_and_takes_nobodys_place(served) -> None:
    phones = [await served.join() for _ in range(MOST_LISTENERS)]
    async with await served.join() as late:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(late.recv(), 5)
    assert "close one of them" in closed.value.rcvd.reason
    served.hub.publish(state(1))
    for phone in phones:
        assert isinstance(parse_live_event(await phone.recv()), Snapshot)
        await phone.close()


async def test_the_schema_is_there_for_everybody(served) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def fetch() -> tuple[str, str]:
        with urlopen(f"https://127.0.0.1:{served.port}/schema", context=context) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    kind, text = await asyncio.to_thread(fetch)
    assert kind == "application/schema+json"
    assert text == live_schema()
