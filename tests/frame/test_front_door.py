"""The one command dispatches, and says in a sentence what is wrong."""

from collections.abc import Mapping, Sequence

import pytest

import sinew


@pytest.mark.parametrize("argument", ["-h", "--help"])
def test_help_names_every_command(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sinew.main([argument]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in sinew.ROOMS)


def test_an_unknown_command_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert sinew.main(["fly"]) == 2
    assert "no command 'fly'" in capsys.readouterr().err


@pytest.mark.parametrize("command", sorted(sinew.ROOMS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = sinew.main([command, "--help"])
    except SystemExit as ended:  # as argparse does
        code = ended.code
    assert code == 0
    assert f"sinew {command}" in capsys.readouterr().out


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def without_fastapi(name: str, *_: Mapping[str, object] | Sequence[str] | int | None) -> object:
        raise ModuleNotFoundError("No module named 'fastapi'", name="fastapi")

    monkeypatch.setattr(sinew.importlib, "import_module", without_fastapi)
    assert sinew.main(["server"]) == 1
    assert "pip install 'sinew[server]'" in capsys.readouterr().err
