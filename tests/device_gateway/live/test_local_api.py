"""Who may listen: the one with the token, and only to the gateway whose certificate was pinned."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from analytics.domain.live import Command, SessionState, Snapshot, StateEvent, parse_live_event
from device_gateway.errors import GatewayError
from device_gateway.live.api import LocalApi
from device_gateway.live.certificate import load_or_make
from device_gateway.live.hub import LiveHub

TOKEN = "the-right-token"


class WrongCertificateError(Exception):
    pass


def pinned_context(host: str, port: int, certificate_sha256: str) -> ssl.SSLContext:
    """As a phone does it: take the certificate that is shown, compare its digest, then trust that one alone."""
    pem = ssl.get_server_certificate((host, port))
    if hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() != certificate_sha256:
        raise WrongCertificateError
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=pem)
    return context


@dataclass
class Served:
    hub: LiveHub
    api: LocalApi
    port: int
    certificate_sha256: str
    commands: list[Command] = field(default_factory=list)

    async def join(self, token: str = TOKEN, pin: str | None = None, path: str = "/live") -> ClientConnection:
        pin = pin or self.certificate_sha256
        context = await asyncio.to_thread(pinned_context, "127.0.0.1", self.port, pin)
        headers = {"Authorization": f"Bearer {token}"}
        return await connect(f"wss://127.0.0.1:{self.port}{path}", ssl=context, additional_headers=headers)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    certificate = load_or_make(tmp_path, datetime.now(UTC))
    commands: list[Command] = []

    async def obey(command: Command) -> None:
        commands.append(command)

    hub = LiveHub()
    api = LocalApi(hub, TOKEN, obey)
    port = await api.start("127.0.0.1", 0, certificate.context)
    yield Served(hub, api, port, certificate.certificate_sha256, commands)
    await api.close()


async def test_a_phone_with_token_and_pin_hears_a_snapshot_and_what_follows(served: Served) -> None:
    async with await served.join() as phone:
        assert isinstance(parse_live_event(await phone.recv()), Snapshot)
        served.hub.publish(StateEvent(sequence=0, state=SessionState.EXERCISING))
        event = parse_live_event(await asyncio.wait_for(phone.recv(), 1))
        assert isinstance(event, StateEvent)
        assert event.state is SessionState.EXERCISING


@pytest.mark.parametrize("token", ["", "the-wrong-token", TOKEN + "x", "ü"])
async def test_a_wrong_token_hears_nothing(served: Served, token: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await served.join(token)
    assert refused.value.response.status_code == 401
    assert b"sign in again" in refused.value.response.body
    assert not served.hub._listeners


async def test_another_certificate_than_the_pinned_one_is_not_spoken_to(served: Served, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = load_or_make(tmp_path / "other", datetime.now(UTC))
    with pytest.raises(WrongCertificateError):
        await served.join(pin=other.certificate_sha256)


async def test_the_certificate_stays_the_same_after_a_restart(tmp_path: Path) -> None:
    first = load_or_make(tmp_path, datetime.now(UTC))
    assert load_or_make(tmp_path, datetime.now(UTC)).certificate_sha256 == first.certificate_sha256
    assert (tmp_path / "certificate.pem").stat().st_mode & 0o077 == 0


def test_a_spoilt_certificate_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").write_text("spoilt")
    with pytest.raises(GatewayError, match="delete it"):
        load_or_make(tmp_path, datetime.now(UTC))


async def test_commands_arrive_in_order(served: Served) -> None:
    async with await served.join() as phone:
        for command in ("start", "pause", "resume", "hurts", "stop"):
            await phone.send(Command(command=command).model_dump_json())
        await phone.close()
    assert [command.command for command in served.commands] == ["start", "pause", "resume", "hurts", "stop"]


@pytest.mark.parametrize("nonsense", ["{}", "not json", json.dumps({"command": "erase"}), "[1]"])
async def test_what_is_no_command_ends_the_conversation_with_a_reason(served: Served, nonsense: str) -> None:
    async with await served.join() as phone:
        await phone.recv()
        await phone.send(nonsense)
        with pytest.raises(ConnectionClosed) as closed:
            await phone.recv()
    assert closed.value.rcvd is not None
    assert "not a command" in closed.value.rcvd.reason
    assert served.commands == []


async def test_another_path_is_told_where_to_go(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await served.join(path="/elsewhere")
    assert refused.value.response.status_code == 404


async def test_a_port_in_use_is_one_sentence(served: Served, tmp_path: Path) -> None:
    second = LocalApi(LiveHub(), TOKEN, served.api._obey)
    certificate = load_or_make(tmp_path, datetime.now(UTC))
    with pytest.raises(GatewayError, match=f"port {served.port} .*--port"):
        await second.start("127.0.0.1", served.port, certificate.context)


async def test_a_listener_that_reads_nothing_holds_up_nobody(served: Served) -> None:
    """Its socket and all buffers are full; the hub goes on, and another listener hears everything."""
    async with await served.join() as asleep, await served.join() as awake:
        assert asleep.transport is not None
        asleep.transport.pause_reading()
        for number in range(1, 3001):
            served.hub.publish(StateEvent(sequence=0, state=SessionState.EXERCISING, set_number=number))
            if number % 100 == 0:
                await asyncio.sleep(0)
        heard = [parse_live_event(await asyncio.wait_for(awake.recv(), 2)) for _ in range(3001)]
        assert [event.sequence for event in heard[1:]] == list(range(1, 3001))
        asleep.transport.resume_reading()
        late = [parse_live_event(await asyncio.wait_for(asleep.recv(), 2)) for _ in range(3001)]
        assert [event.sequence for event in late[1:]] == list(range(1, 3001)), "late, but nothing of this is left out"
