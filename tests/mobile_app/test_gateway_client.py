"""The line to the gateway: only to the right one, through breaks, and never mute about pain."""

import asyncio
from contextlib import suppress
from random import Random

import pytest
from patient_scenes import LIVE_TOKEN, repetition, snapshot, until

from analytics.domain.live import Command, RepetitionEvent, SessionState, Snapshot, StateEvent
from mobile_app.clients.clinic import GatewayAddress
from mobile_app.clients.follow import Follower, Link
from mobile_app.clients.gateway import GatewayError, WrongCertificate, open_live_line


def address_of(gateway, **changes) -> GatewayAddress:
    return GatewayAddress(**gateway.presence() | changes)


async def test_events_come_in_and_commands_go_out(home_gateway):
    home_gateway.tell(snapshot(SessionState.EXERCISING))
    async with open_live_line(address_of(home_gateway)) as line:
        events = line.events()
        joined = await anext(events)
        assert isinstance(joined, Snapshot)
        assert joined.state is SessionState.EXERCISING
        said = RepetitionEvent(sequence=0, set_number=1, count_in_set=1, repetition=repetition(1))
        home_gateway.tell(said)
        heard = await anext(events)
        assert heard.repetition == said.repetition
        await line.send(Command(command="hurts", pain=4))
        await until(lambda: home_gateway.commands)
    assert home_gateway.commands == [Command(command="hurts", pain=4)]


async def test_a_certificate_with_colons_and_capitals_is_the_same(home_gateway):
    digest = home_gateway.presence()["certificate_sha256"].upper()
    written = ":".join(digest[i : i + 2] for i in range(0, 64, 2))
    async with open_live_line(address_of(home_gateway, certificate_sha256=written)) as line:
        assert isinstance(await anext(line.events()), Snapshot)


async def test_another_certificate_is_refused_before_the_token_is_sent(home_certificate):
    """The same listener hears the token when the pin fits, so its silence means something."""
    heard: list[bytes] = []

    async def listen(reader, writer):
        received = b""
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(0.5):
                received = await reader.read(65536)
        heard.append(received)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=home_certificate.context)
    async with server:
        url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}/live"
        right = GatewayAddress(
            live_url=url, certificate_sha256=home_certificate.certificate_sha256, live_token=LIVE_TOKEN
        )
        wrong = right.model_copy(update={"certificate_sha256": "0" * 64})
        with pytest.raises(WrongCertificate, match="Nothing was sent"):
            await open_live_line(wrong).__aenter__()
        await until(lambda: heard)
        assert heard == [b""]
        with pytest.raises(GatewayError, match="does not answer"):
            await open_live_line(right).__aenter__()
        await until(lambda: len(heard) == 2)
        assert LIVE_TOKEN.encode() in heard[1]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"live_token": "old"}, "does not know this phone"),
        ({"live_url": "ws://127.0.0.1:1/live"}, "not a protected one"),
        ({"live_url": "wss://127.0.0.1:1/live"}, "does not answer"),
        ({"live_url": "wss://"}, "does not answer"),
    ],
)
async def test_what_cannot_be_followed_is_said(home_gateway, change, sentence):
    with pytest.raises(GatewayError, match=sentence):
        await open_live_line(address_of(home_gateway, **change)).__aenter__()


async def test_what_a_newer_gateway_says_is_passed_over(home_gateway):
    async with open_live_line(address_of(home_gateway)) as line:
        events = line.events()
        await anext(events)
        for listener in home_gateway.hub._listeners:
            listener.hear(StateEvent(sequence=1, state=SessionState.PAUSED), b'{"kind": "weather", "sequence": 1}')
        home_gateway.tell(StateEvent(sequence=0, state=SessionState.PAUSED))
        assert (await anext(events)).state is SessionState.PAUSED


class Listening:
    """A follower at work, and what it heard."""

    def __init__(self, gateway) -> None:
        self.events, self.links = [], []

        async def find() -> GatewayAddress:
            return address_of(gateway)

        self.follower = Follower(
            find, self.events.append, lambda link, sentence: self.links.append((link, sentence)), random=Random(1)
        )

    async def __aenter__(self):
        self._task = asyncio.create_task(self.follower.run())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def link(self) -> Link | None:
        return self.links[-1][0] if self.links else None


async def test_a_follower_comes_back_by_itself(home_gateway):
    async with Listening(home_gateway) as listening:
        await until(lambda: listening.link is Link.CONNECTED)
        await home_gateway.stop()
        await until(lambda: listening.link is Link.UNREACHABLE)
        assert listening.links[-1][1]
        await home_gateway.start()
        await until(lambda: listening.link is Link.CONNECTED)
        home_gateway.tell(StateEvent(sequence=0, state=SessionState.PAUSED))
        await until(lambda: isinstance(listening.events[-1], StateEvent))


async def test_what_did_not_go_out_is_said_and_not_told_later(home_gateway):
    await home_gateway.stop()
    async with Listening(home_gateway) as listening:
        await until(lambda: listening.link is Link.UNREACHABLE)
        assert not await listening.follower.send(Command(command="resume"))
        await home_gateway.start()
        listening.follower.try_now()
        await until(lambda: listening.link is Link.CONNECTED)
        assert await listening.follower.send(Command(command="stop"))
        await until(lambda: home_gateway.commands)
    assert home_gateway.commands == [Command(command="stop")]
