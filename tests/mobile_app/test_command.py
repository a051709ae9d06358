"""`sinew app` starts, says what is wrong in a sentence, and stops without a fuss."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mobile_app.command import main


@pytest.fixture(autouse=True)
def _same_umask():
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


def test_an_address_that_is_none_is_said(tmp_path, capsys):
    assert main(["--server", "clinic", "--home", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("sinew app: 'clinic' is not a clinic's address")


def test_a_home_that_cannot_be_used_is_said(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--server", "http://127.0.0.1:9", "--home", str(tmp_path / "file")]) == 1
    assert "sinew app: " in capsys.readouterr().err


@pytest.mark.parametrize("scale", ["0.5", "2", "big"])
def test_a_text_size_that_does_not_fit_is_refused(scale, capsys):
    with pytest.raises(SystemExit):
        main(["--server", "http://127.0.0.1:9", "--text-scale", scale])
    assert "--text-scale" in capsys.readouterr().err


def run_app(home, **environment):
    command = [sys.executable, "-m", "mobile_app.command", "--server", "http://127.0.0.1:9", "--home", str(home)]
    as_at_home = {name: value for name, value in os.environ.items() if not name.startswith("KIVY_")}
    return subprocess.Popen(
        command, env=as_at_home | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_it_runs_until_it_is_interrupted(tmp_path, phone_window):
    with run_app(tmp_path) as app:
        deadline = time.monotonic() + 20
        while not (tmp_path / "sinew.db").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)
        assert app.poll() is None
        app.send_signal(signal.SIGINT)
        output, errors = app.communicate(timeout=10)
    assert (app.returncode, output, errors) == (130, "", "")
    assert (tmp_path / "sinew.db").stat().st_mode & 0o077 == 0
    assert not list(tmp_path.glob("kivy/logs/*"))  # nothing of a session is ever logged to disk


def test_without_a_screen_it_says_so(tmp_path):
    with run_app(tmp_path, SDL_VIDEODRIVER="dummy") as app:
        _, errors = app.communicate(timeout=20)
    assert app.returncode == 1
    assert "there is no screen to draw on" in errors
    assert "Traceback" not in errors
