"""How the demo's commands end: a sentence and an exit code that a script can go by."""

import asyncio
import errno
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from demo.clinic import prepare_clinic
from demo.command_line import run_to_the_end
from server.command import StartError
from server.problems import StorageBusy, StorageFull

HOME = Path("/somewhere")


def ended(trouble: BaseException) -> int:
    async def work() -> int:
        raise trouble

    return run_to_the_end("sinew demo", work, HOME)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (StorageFull("The server's disk is full."), "The disk of /somewhere is full"),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk of /somewhere is full"),
        (ExceptionGroup("tasks", [OSError(errno.ENOSPC, "No space")]), "The disk of /somewhere is full"),
        (StorageBusy("The server is busy."), "Another program uses the database in /somewhere"),
        (OperationalError("", {}, sqlite3.OperationalError("readonly")), "cannot be used (readonly)"),
        (PermissionError(errno.EACCES, "Permission denied", "/somewhere/x"), "cannot be used (Permission denied)"),
        (StartError("There is no room."), "There is no room."),
    ],
)
def test_one_sentence(trouble: Exception, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(trouble) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_what_nobody_can_mend_is_shown_whole() -> None:
    with pytest.raises(ZeroDivisionError):
        ended(ZeroDivisionError())


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_cut_short_is_no_success(interruption: BaseException) -> None:
    assert ended(interruption) == 130


async def test_a_disk_without_room_is_known_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 7 * 1024**2}))
    with pytest.raises(StartError, match="less than 64 MiB left"):
        await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    assert list((tmp_path / "server").iterdir()) == []
