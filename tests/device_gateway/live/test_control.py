"""The control socket: one question, one answer, for the owner of the gateway's home alone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from device_gateway.errors import GatewayError
from device_gateway.live.control import SOCKET, Control, _short, ask


async def double(question: Mapping[str, Any]) -> dict[str, Any]:
    if question["number"] < 0:
        raise GatewayError("Numbers here are not negative: give another.")
    return {"doubled": 2 * question["number"]}


async def broken(question: Mapping[str, Any]) -> dict[str, Any]:
    raise ZeroDivisionError


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    home = tmp_path / ("a folder whose name is longer than a socket's path may be " * 2)
    home.mkdir()
    control = Control(home)
    control.offer("double", double)
    control.offer("broken", broken)
    await control.start()
    yield home
    await control.close()


async def test_a_question_is_answered(home: Path) -> None:
    assert await asyncio.to_thread(ask, home, "double", number=21) == {"doubled": 42}


async def test_a_no_is_its_sentence(home: Path) -> None:
    with pytest.raises(GatewayError, match="not negative"):
        await asyncio.to_thread(ask, home, "double", number=-1)


async def test_an_unknown_question_and_a_fault_are_sentences_too(home: Path) -> None:
    with pytest.raises(GatewayError, match="does not know that question"):
        await asyncio.to_thread(ask, home, "weather")
    with pytest.raises(GatewayError, match="fault"):
        await asyncio.to_thread(ask, home, "broken")
    assert await asyncio.to_thread(ask, home, "double", number=1) == {"doubled": 2}


@pytest.mark.parametrize("line", [b"", b"\n", b"nonsense\n", b"[1]\n", b'{"ask": []}\n', b"x" * (2**20 + 9)])
async def test_nonsense_ends_one_conversation_and_not_the_next(home: Path, line: bytes) -> None:
    def talk() -> bytes:
        with socket.socket(socket.AF_UNIX) as there, _short(home) as path, suppress(ConnectionError):
            there.settimeout(5)
            there.connect(str(path))
            there.sendall(line)
            there.shutdown(socket.SHUT_WR)
            return there.recv(4096)
        return b""

    answer = await asyncio.to_thread(talk)
    assert answer == b"" or b"does not know" in answer
    assert await asyncio.to_thread(ask, home, "double", number=2) == {"doubled": 4}


async def test_only_its_owner_may_speak(home: Path) -> None:
    assert (home / SOCKET).stat().st_mode & 0o777 == 0o600


async def test_where_no_gateway_runs_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="No gateway runs"):
        ask(tmp_path, "double", number=1)
    with pytest.raises(GatewayError, match="No gateway runs"):
        ask(tmp_path / "nowhere", "double", number=1)


async def test_a_socket_left_by_a_killed_gateway_is_no_hindrance(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead, _short(tmp_path) as path:
        dead.bind(str(path))
    with pytest.raises(GatewayError, match="No gateway runs"):
        ask(tmp_path, "double", number=1)
    control = Control(tmp_path)
    control.offer("double", double)
    await control.start()
    assert await asyncio.to_thread(ask, tmp_path, "double", number=3) == {"doubled": 6}
    await control.close()
    assert not (tmp_path / SOCKET).exists()
