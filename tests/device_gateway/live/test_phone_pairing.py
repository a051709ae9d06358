"""A phone and a gateway that share a code: paired with each other, and with nobody between or beside them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from analytics.domain.live import Snapshot
from analytics.domain.pairing import (
    LETTERS,
    PairingGrant,
    PairingOffer,
    PairingRequest,
    proof,
    proves,
    read_code,
    shared_key,
    written,
)
from device_gateway.live.api import MOST_LISTENERS
from device_gateway.live.certificate import load_or_make
from device_gateway.live.codes import PAUSE_S, TERMINAL_CODE_LASTS_S, WRONG_TRIES
from device_gateway.live.pairing import TOO_MANY, WRONG_CODE
from device_gateway.live.phones import SIGNED_IN
from mobile_app.clients.gateway import GatewayError, open_live_line, unpinned_tls
from mobile_app.clients.pairing import PairedGateway, pair

pytestmark = pytest.mark.usefixtures("cheap_keys")

NONCE = "ab" * 32


async def try_code(served, code: str, port: int | None = None) -> PairedGateway:
    return await pair("127.0.0.1", port or served.port, code, phone_name="Anna's phone")


def wrong(code: str) -> str:
    return written(code[:-1] + LETTERS[LETTERS.index(code[-1]) - 1])


async def follows(paired: PairedGateway) -> bool:
    async with open_live_line(paired.address) as line:
        return isinstance(await anext(line.events()), Snapshot)


async def test_a_phone_with_the_labels_code_follows_and_so_does_the_next(served) -> None:
    first, second = [await try_code(served, written(served.codes.label).lower()) for _ in range(2)]
    assert first.name == "Kitchen"
    assert first.address.certificate_sha256 == served.certificate_sha256
    assert first.address.live_token != second.address.live_token
    assert await follows(first)
    assert await follows(second)
    assert [phone.name for phone in served.phones.all()][1:] == ["Anna's phone"] * 2


async def test_a_code_of_the_terminal_pairs_one_phone(served) -> None:
    code = served.codes.issue()
    assert await follows(await try_code(served, code))
    with pytest.raises(GatewayError, match="ask for a new one"):
        await try_code(served, code)


async def test_a_code_sent_by_two_phones_at_once_pairs_one(served) -> None:
    code = served.codes.issue()
    outcomes = await asyncio.gather(*(try_code(served, code) for _ in range(3)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["GatewayError", "GatewayError", "PairedGateway"]
    assert len(served.phones.all()) == 2


async def test_a_code_of_the_terminal_ends_after_its_minutes(served) -> None:
    code, in_time = served.codes.issue(), served.codes.issue()
    served.clock.now_s += TERMINAL_CODE_LASTS_S - 1
    assert await try_code(served, in_time)
    served.clock.now_s += 2
    with pytest.raises(GatewayError, match="ask for a new one"):
        await try_code(served, code)


async def test_the_clinics_code_pairs_one_phone_and_the_clinic_is_told_the_next(served) -> None:
    code = served.codes.clinic
    assert await follows(await try_code(served, code))
    assert served.clinic_codes_renewed == [served.codes.clinic]
    assert served.codes.clinic != code
    with pytest.raises(GatewayError, match="ask for a new one"):
        await try_code(served, code)


async def test_a_label_outlives_a_restart_until_it_is_made_anew_or_switched_off(serve) -> None:
    async with serve() as served:
        label = served.codes.label
    async with serve() as served:
        assert served.codes.label == label
        assert await try_code(served, label)
        new = await served.codes.renew_label()
        with pytest.raises(GatewayError, match="ask for a new one"):
            await try_code(served, label)
        assert await try_code(served, new)
        await served.codes.switch_label_off()
        with pytest.raises(GatewayError, match="ask for a new one"):
            await try_code(served, new)
    async with serve() as served:
        assert served.codes.label is None


async def test_after_five_wrong_codes_none_is_looked_at_for_a_while(served) -> None:
    code = served.codes.issue()
    for _ in range(WRONG_TRIES):
        with pytest.raises(GatewayError, match="letter by letter"):
            await try_code(served, wrong(code))
    with pytest.raises(GatewayError, match="Wait a minute"):
        await try_code(served, code)
    served.clock.now_s += PAUSE_S - 1
    with pytest.raises(GatewayError, match="Wait a minute"):
        await try_code(served, code)
    served.clock.now_s += 2
    assert await try_code(served, code)


async def test_lines_that_were_open_before_the_pause_do_not_get_round_it(served) -> None:
    code = served.codes.issue()
    for _ in range(WRONG_TRIES - 1):
        with pytest.raises(GatewayError, match="letter by letter"):
            await try_code(served, wrong(code))
    async with raw_line(served.port) as first, raw_line(served.port) as second, raw_line(served.port) as third:
        offers = [PairingOffer.model_validate_json(await line.recv()) for line in (first, second, third)]
        closed_with = []
        for line, offer, said in zip((first, second, third), offers, (wrong(code), code, code), strict=True):
            key = shared_key(read_code(said), offer.nonce, NONCE, served.certificate_sha256)
            await line.send(PairingRequest(name="x", nonce=NONCE, proof=proof(key, "phone")).model_dump_json())
            with pytest.raises(ConnectionClosed) as closed:
                await line.recv()
            closed_with.append(closed.value.rcvd.code)
    assert closed_with == [WRONG_CODE, TOO_MANY, TOO_MANY]


async def test_what_is_no_code_is_said_before_anything_is_sent(served) -> None:
    for text in ("", "ABCDE", "ABCDE-FGHJK2", "ABCDE-FGHI0"):
        with pytest.raises(ValueError, match="pairing code has 10"):
            await try_code(served, text)
    assert served.codes.pause_s() == 0


@pytest.mark.parametrize("said", ["", "{}", "[1]", '{"name": "x", "nonce": "00", "proof": "00"}', "x" * 5000])
async def test_nonsense_is_no_try_and_harms_nobody(served, said: str) -> None:
    for _ in range(WRONG_TRIES + 1):
        async with raw_line(served.port) as line:
            await line.recv()
            await line.send(said)
            with pytest.raises(ConnectionClosed):
                await line.recv()
    assert await try_code(served, served.codes.label)


def raw_line(port: int) -> connect:
    return connect(f"wss://127.0.0.1:{port}/pair", ssl=unpinned_tls(), proxy=None)


@contextlib.asynccontextmanager
async def man_in_the_middle(served, home: Path) -> AsyncIterator[tuple[int, list[bytes]]]:
    """TLS with a certificate of his own towards the phone, TLS to the gateway, and all that is said in his hands."""
    heard: list[bytes] = []

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                heard.append(data)
                sink.write(data)
                await sink.drain()
        sink.close()

    async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", served.port, ssl=unpinned_tls())
        await asyncio.gather(pump(reader, back), pump(there, writer))

    own = load_or_make(home, datetime.now(UTC))
    server = await asyncio.start_server(between, "127.0.0.1", 0, ssl=own.context)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def test_a_man_in_the_middle_gets_nobody_paired(served, tmp_path_factory) -> None:
    code = served.codes.issue()
    async with man_in_the_middle(served, tmp_path_factory.mktemp("middle")) as (port, heard):
        with pytest.raises(GatewayError, match="letter by letter"):
            await try_code(served, code, port)
    assert any(b"Upgrade: websocket" in said for said in heard), "everything went through his hands"
    assert [phone.name for phone in served.phones.all()] == [SIGNED_IN]
    assert await follows(await try_code(served, code)), "the code was not used up by him"


@contextlib.asynccontextmanager
async def impostor(home: Path, answer: Callable[[PairingRequest], str]) -> AsyncIterator[int]:
    """Listens where a phone looks for its gateway, and knows no code."""

    async def play(connection: ServerConnection) -> None:
        await connection.send(PairingOffer(nonce=NONCE).model_dump_json())
        await connection.send(answer(PairingRequest.model_validate_json(await connection.recv())))
        await connection.wait_closed()

    async with serve(play, "127.0.0.1", 0, ssl=load_or_make(home, datetime.now(UTC)).context) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "proof_of", [lambda request: request.proof, lambda request: NONCE], ids=["the phone's own, sent back", "invented"]
)
async def test_an_impostor_is_not_paired_with(served, tmp_path_factory, proof_of) -> None:
    home = tmp_path_factory.mktemp("impostor")
    digest = load_or_make(home, datetime.now(UTC)).certificate_sha256

    def answer(request: PairingRequest) -> str:
        grant = PairingGrant(proof=proof_of(request), token="t", name="Kitchen", certificate_sha256=digest)
        return grant.model_dump_json()

    async with impostor(home, answer) as port:
        with pytest.raises(GatewayError, match="not your gateway"):
            await try_code(served, served.codes.issue(), port)


async def test_what_a_phone_once_said_opens_nothing_later(served) -> None:
    """Even with the phone's own nonce again: the gateway's is another each time."""
    async with raw_line(served.port) as line:
        offer = PairingOffer.model_validate_json(await line.recv())
        key = shared_key(served.codes.label, offer.nonce, NONCE, served.certificate_sha256)
        said = PairingRequest(name="x", nonce=NONCE, proof=proof(key, "phone")).model_dump_json()
        await line.send(said)
        assert proves(PairingGrant.model_validate_json(await line.recv()).proof, key, "gateway")
    async with raw_line(served.port) as line:
        await line.recv()
        await line.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            await line.recv()
    assert closed.value.rcvd.code == WRONG_CODE


async def test_strangers_who_say_nothing_keep_no_listener_out(served) -> None:
    async with contextlib.AsyncExitStack() as strangers:
        for _ in range(MOST_LISTENERS + 2):
            await strangers.enter_async_context(raw_line(served.port))
        async with await served.join() as phone:
            assert b"snapshot" in (await phone.recv(decode=False))
        with pytest.raises(GatewayError, match="Wait a minute"):
            await try_code(served, served.codes.label)


async def test_where_nothing_listens_is_said(served) -> None:
    with pytest.raises(GatewayError, match="No gateway answers there"):
        await try_code(served, served.codes.label, 1)
