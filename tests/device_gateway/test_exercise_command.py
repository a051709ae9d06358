"""`sinew gateway exercise`: an exercise from the questions to the rating, at a terminal instead of a phone."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from worn_gateway import body, home_of

from analytics.domain.check_in import RedFlag, Swelling
from analytics.domain.live import SessionState
from device_gateway.commands import exercise
from device_gateway.commands.exercise import main

WELL = ["no"] * len(RedFlag) + ["1", "eleven", "0", "same"]


@pytest.fixture
def typed(monkeypatch) -> list[str]:
    """What a person types, in order, at a terminal."""
    keys: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: keys.pop(0))
    monkeypatch.setattr(exercise, "LOOK_EVERY_S", 0.02)
    return keys


async def at_terminal(home: Path, *more: str) -> int:
    return await asyncio.to_thread(main, ["--home", str(home), *more])


async def test_an_exercise_from_the_questions_to_its_end(tmp_path, shared_clinic, typed, until, capsys) -> None:
    code = await shared_clinic.claim_code()
    async with home_of(tmp_path, shared_clinic.url, code, body(2, rate_hz=25.0), speed=20, listens=False) as home:
        typed += WELL
        exercising = asyncio.create_task(at_terminal(tmp_path / "gateway"))
        await until(lambda: home.gateway.hub.snapshot.total_repetitions == 2)
        assert await at_terminal(tmp_path / "gateway", "stop") == 0
        assert await exercising == 0
        report = await home.gateway.finish_session()
        assert (report.check_in.red_flags, report.check_in.swelling) == ((), Swelling.SAME)
        told = capsys.readouterr().out
        assert "Please answer with one of" in told
        assert "[exercising]" in told
        assert "Repetition 2 of 10, set 1" in told

        typed += ["no", "yes"]
        assert await at_terminal(tmp_path / "gateway") == 0
        assert home.gateway.hub.snapshot.state is SessionState.FINISHED
        assert "it could be a clot" in capsys.readouterr().out

        sys.stdin.isatty = lambda: False
        assert await at_terminal(tmp_path / "gateway") == 1
        assert "answer the questions" in capsys.readouterr().err


async def test_ctrl_c_ends_it(tmp_path, shared_clinic, typed, until, monkeypatch, capsys) -> None:
    code = await shared_clinic.claim_code()
    async with home_of(tmp_path, shared_clinic.url, code, body(1, rate_hz=25.0), speed=20, listens=False) as home:
        typed += WELL

        def interrupted(*_: object) -> int:
            raise KeyboardInterrupt

        monkeypatch.setattr(exercise, "follow", interrupted)
        assert await at_terminal(tmp_path / "gateway") == 0
        assert home.gateway.hub.snapshot.state is SessionState.FINISHED
        assert "over" in capsys.readouterr().out
