"""What a person may get wrong: one clear sentence, an exit code that is not 0, and nothing stored is touched."""

import asyncio
import dataclasses
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from running import Run, run_sinew
from small_disk import run_sinew_on, why_no_small_disk

from demo.clinic import prepare_clinic
from demo.clinic_notes import remember
from demo.ports import require_free_port
from demo.server_process import ServerProcess


def refused(run: Run, *words: str) -> None:
    assert run.code == 1
    assert run.output == ""
    lines = run.errors.strip().splitlines()
    assert len(lines) == 1, run.errors
    assert all(word in lines[0] for word in words), lines[0]


@pytest.fixture
def replay(tmp_path: Path) -> Callable[[Path], Run]:
    return lambda path: run_sinew("demo", "--headless", "--recording", path, "--port", "0", "--home", tmp_path / "home")


def test_missing(replay: Callable[[Path], Run], tmp_path: Path) -> None:
    refused(replay(tmp_path / "none.npz"), "none.npz")
    assert not (tmp_path / "home").exists()


def test_truncated(replay: Callable[[Path], Run], knee_extensions: Path, tmp_path: Path) -> None:
    path = tmp_path / "truncated.npz"
    path.write_bytes(knee_extensions.read_bytes()[:100_000])
    refused(replay(path), "truncated.npz")


def test_unknown_form(replay: Callable[[Path], Run], tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, temperature=np.arange(10.0))
    refused(replay(path), "other.npz")


def test_sensors_elsewhere(replay: Callable[[Path], Run], data_folder: Path) -> None:
    refused(replay(data_folder / "uci_physical_therapy" / "s1_e2_test.npz"), "thigh", "shank")


def test_not_a_number(replay: Callable[[Path], Run], altered: Callable[..., Path], knee_extensions: Path) -> None:
    with np.load(knee_extensions) as recording:
        gyr = recording["gyr"].copy()
    gyr[1000, 1, 2] = np.nan
    refused(replay(altered(gyr=gyr)), "NaN")


def test_time_going_backwards(
    replay: Callable[[Path], Run], altered: Callable[..., Path], knee_extensions: Path
) -> None:
    with np.load(knee_extensions) as recording:
        t = recording["t"].copy()
    t[2000:] -= 40
    refused(replay(altered(t=t)), "back")


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(run_sinew("demo", "--headless", "--port", port, "--home", tmp_path / "home"), port, "--port")
        refused(run_sinew("server", "--port", port, "--home", tmp_path / "server"), port, "--port")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_port_that_does_not_exist(port: str, tmp_path: Path) -> None:
    home = ("--port", port, "--home", tmp_path / "home")
    refused(run_sinew("demo", "--headless", *home), port, "--port")
    refused(run_sinew("server", *home), port, "--port")
    refused(run_sinew("gateway", "--simulate", "--server", "http://127.0.0.1:9", *home), port, "--port")


@pytest.mark.parametrize("size", ["300k", "7M"])
def test_a_full_disk(size: str, tmp_path: Path) -> None:
    if reason := why_no_small_disk():
        pytest.skip(reason)
    refused(run_sinew_on(tmp_path, size, "demo", "--headless", "--port", "0", "--home", tmp_path), "disk", "--home")
    refused(run_sinew_on(tmp_path, size, "server", "--port", "0", "--home", tmp_path / "server"), "disk", "--home")


def test_a_folder_for_a_recording(replay: Callable[[Path], Run], tmp_path: Path) -> None:
    refused(replay(tmp_path), str(tmp_path), "folder")


def test_readings_in_other_units(
    replay: Callable[[Path], Run], altered: Callable[..., Path], knee_extensions: Path
) -> None:
    with np.load(knee_extensions) as recording:
        acc = recording["acc"] * 1e6
    refused(replay(altered(acc=acc)), "m/s²")


async def test_a_wrong_login(tmp_path: Path) -> None:
    """The demo's own, as when somebody changed the password; and a person's at the sign-in."""
    clinic, _code = await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    logins = tuple(dataclasses.replace(login, password="not the password") for login in clinic.logins)
    remember(tmp_path / "server", dataclasses.replace(clinic, logins=logins))
    run = await asyncio.to_thread(run_sinew, "demo", "--headless", "--port", "0", "--home", tmp_path)
    refused(run, "login", "--home")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("kept")
    refused(run_sinew("demo", "--headless", "--port", "0", "--home", blocked / "home"), "--home")
    assert blocked.read_text() == "kept"


def test_a_speed_that_is_none(tmp_path: Path) -> None:
    run = run_sinew("demo", "--headless", "--speed", "0", "--home", tmp_path)
    assert run.code == 2
    assert "not a speed" in run.errors


def test_a_clinic_that_does_not_answer(tmp_path: Path) -> None:
    run = run_sinew(
        *("gateway", "--simulate", "--server", "http://127.0.0.1:9", "--claim", "AAAAA-AAAAA", "--home", tmp_path)
    )
    refused(run, "127.0.0.1:9")


async def test_a_gateway_the_clinic_does_not_know(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "server", require_free_port(0))
    await server.start()
    try:
        run = await asyncio.to_thread(
            run_sinew,
            *("gateway", "--simulate", "--server", server.url, "--claim", "AAAAA-AAAAA"),
            *("--home", tmp_path / "gateway"),
        )
    finally:
        await server.stop()
    refused(run, "AAAAA-AAAAA", "claim code")
