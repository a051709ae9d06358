"""docs/gateway-operator.md says what is so: its commands are run, and every condition stands on it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import sinew
from device_gateway.command import WORDS
from device_gateway.conditions import Trouble
from device_gateway.operations import configuration

PAGE = (Path(__file__).parents[3] / "docs" / "gateway-operator.md").read_text("utf-8")
COMMANDS = re.findall(r"^(?:\$ |sudo )sinew (gateway .*)$", PAGE, re.MULTILINE)


def test_every_condition_stands_on_the_page_once_and_in_order() -> None:
    assert re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PAGE, re.MULTILINE) == [trouble.value for trouble in Trouble]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_is_understood(command: str, tmp_path: Path, capsys, monkeypatch) -> None:
    """Run as it stands, on a computer that has no gateway, or as a dry run where it would change this computer."""
    monkeypatch.setattr(configuration, "FILE", tmp_path / "none.toml")
    monkeypatch.setattr(configuration.Configuration.model_fields["home"], "default", tmp_path)
    words = shlex.split(command)
    if words[1] == "install" and "--remove" not in words:
        words += [] if "--dry-run" in words else ["--dry-run"]
        assert sinew.main(words) == 0
        assert "[Service]" in capsys.readouterr().out
    else:
        assert words[1] in WORDS
        words += ["--root", str(tmp_path)] if words[1] == "install" else ["--home", str(tmp_path)]
        assert sinew.main(words) in {0, 1, 2}
        told = capsys.readouterr()
        assert "usage" not in told.err
        assert len((told.out + told.err).splitlines()) == 1


def test_the_page_shows_commands() -> None:
    assert len(COMMANDS) >= 7
