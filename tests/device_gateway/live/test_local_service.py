"""The local API in a home: its port taken, its address changed, its codes and phones asked for at the terminal."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device_gateway import command
from device_gateway.conditions import Conditions
from device_gateway.live import service as service_room
from device_gateway.live.control import Control
from device_gateway.live.hub import LiveHub
from device_gateway.live.service import LocalService
from device_gateway.settings import GatewaySettings
from device_gateway.storage.store import Store
from mobile_app.clients.gateway import open_live_line
from mobile_app.clients.pairing import pair

TRY_S = 0.02


class Home:
    """One gateway's local service, and what was told of it."""

    def __init__(self, store: Store, settings: GatewaySettings) -> None:
        self.conditions = Conditions()
        self.changes: list[str] = []
        self.control = Control(settings.home)
        self.service = LocalService(
            settings, store, LiveHub(), self.conditions, self._obey, now=lambda: datetime.now(UTC),
            on_change=lambda: self.changes.append(self.service.url), check_address_s=TRY_S, try_port_s=TRY_S,
        )  # fmt: skip
        self.service.offer(self.control)

    async def _obey(self, command: object) -> None:
        raise AssertionError("nobody asked for anything")

    @property
    def port(self) -> int:
        return int(self.service.url.rpartition(":")[2].partition("/")[0])


Open = Callable[..., object]


@pytest.fixture
def home(tmp_path: Path) -> Open:
    @asynccontextmanager
    async def opened(**settings: object) -> AsyncIterator[Home]:
        store = await Store.open(tmp_path)
        home = Home(store, GatewaySettings(home=tmp_path, server_url="http://localhost:1", **settings))
        await home.control.start()
        await home.service.start()
        yield home
        await home.service.close()
        await home.control.close()
        await store.close()

    return opened


async def say(capsys: pytest.CaptureFixture[str], home: Path, *words: str) -> tuple[int, str]:
    """`sinew gateway …` in this home; its exit code and what it printed."""
    code = await asyncio.to_thread(command.main, [words[0], "--home", str(home), *words[1:]])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


async def test_a_taken_port_is_a_condition_that_ends_when_the_port_is_free(home: Open, until) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with home(port=port) as gateway:
            (condition,) = gateway.conditions.now()
            assert condition.code == "local_api.down"
            assert f"port {port}" in condition.sentence
            assert "recorded all the same" in condition.sentence
            assert gateway.service.url == ""
            other.close()
            await until(lambda: not gateway.conditions.now())
            assert gateway.changes == [f"wss://127.0.0.1:{port}/live"], "the clinic is told where phones come now"
            paired = await pair("127.0.0.1", port, gateway.service.codes.label, phone_name="Anna's phone")
            async with open_live_line(paired.address) as line:
                await anext(line.events())


async def test_a_new_address_is_told_once(home: Open, until, monkeypatch: pytest.MonkeyPatch) -> None:
    """The routing table's answer is the one thing here that a test cannot change for real."""
    address = "192.0.2.10"
    monkeypatch.setattr(service_room, "reachable_host", lambda host: address)
    async with home() as gateway:
        assert gateway.service.url == f"wss://192.0.2.10:{gateway.port}/live"
        await asyncio.sleep(5 * TRY_S)
        assert gateway.changes == []
        address = "192.0.2.11"
        await until(lambda: gateway.changes)
        await asyncio.sleep(5 * TRY_S)
        assert gateway.changes == [f"wss://192.0.2.11:{gateway.port}/live"]


async def test_a_code_from_the_terminal_pairs_a_phone_which_is_listed_and_revoked(
    home: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with home() as gateway:
        exit_code, printed = await say(capsys, tmp_path, "pair")
        assert exit_code == 0
        code = printed.partition("Pairing code: ")[2][:11]
        assert "10 minutes" in printed
        assert gateway.service.url in printed
        await pair("127.0.0.1", gateway.port, code, phone_name="Anna's phone")
        assert "2  Anna's phone: let in" in (await say(capsys, tmp_path, "phones"))[1]
        token = gateway.service.phones.clinic_token
        _, printed = await say(capsys, tmp_path, "phones", "--revoke", "2")
        assert "'Anna's phone' is let in no more" in printed
        assert [phone.name for phone in gateway.service.phones.all()] == ["phones signed in at the clinic"]
        assert gateway.service.phones.clinic_token == token
        assert await say(capsys, tmp_path, "phones", "--revoke", "2") == (
            1, "sinew gateway: There is no phone number 2: `sinew gateway phones` lists them.\n"
        )  # fmt: skip
        told = len(gateway.changes)
        await say(capsys, tmp_path, "phones", "--revoke", "1")
        assert gateway.service.phones.clinic_token != token
        assert len(gateway.changes) > told, "the clinic is told its new token"


async def test_the_label_is_shown_again_renewed_and_switched_off(
    home: Open, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with home() as gateway:
        first = (await say(capsys, tmp_path, "pair", "--label"))[1]
        assert gateway.service.codes.label == first.partition("label: ")[2][:11].replace("-", "")
        assert (await say(capsys, tmp_path, "pair", "--label"))[1] == first
        assert (await say(capsys, tmp_path, "pair", "--new-label"))[1] != first
        assert "switched off" in (await say(capsys, tmp_path, "pair", "--no-label"))[1]
        assert gateway.service.codes.label is None


async def test_without_a_gateway_the_terminal_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("pair", "phones"):
        exit_code, printed = await say(capsys, tmp_path, word)
        assert exit_code == 1
        assert "No gateway runs" in printed


@pytest.mark.parametrize(
    ("settings", "announces"),
    [
        ({"host": "127.0.0.1"}, False),
        ({"host": "127.0.0.1", "mdns_interfaces": ("127.0.0.1",)}, True),
        ({"host": "0.0.0.0"}, True),
        ({"host": "0.0.0.0", "mdns_interfaces": ()}, False),
    ],
)
def test_who_lets_itself_be_found(tmp_path: Path, settings: dict[str, object], announces: bool) -> None:
    wanted = GatewaySettings(home=tmp_path, server_url="http://localhost:1", **settings)
    assert (service_room._announcer(wanted, "ab" * 32) is not None) == announces
