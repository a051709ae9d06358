"""The very command of the unit's ExecStart, as systemd starts it, on a computer that may have no Bluetooth at all."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from device_gateway.commands.run import _serve_health
from device_gateway.commands.status import main
from device_gateway.live import control
from device_gateway.operations.configuration import Configuration, commented_file
from device_gateway.operations.health import Health
from device_gateway.operations.status import GatewayStatus, Verdict
from device_gateway.operations.unit import unit

PERIOD_S = 3.0


@dataclass
class Service:
    process: subprocess.Popen[str]
    notifications: socket.socket
    home: Path
    health_port: int

    def heard(self) -> list[str]:
        return self.notifications.recv(4096).decode().splitlines()

    def sinew(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sinew", "gateway", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path, shared_clinic, free_tcp_port: int) -> Iterator[Service]:
    home, settings = tmp_path / "home", tmp_path / "gateway.toml"
    given = {
        "home": home, "server_url": shared_clinic.url, "claim_code": asyncio.run(shared_clinic.claim_code()),
        "host": "127.0.0.1", "health_port": free_tcp_port, "sensors": {"C4:64:E3:00:00:01": "right_thigh"},
    }  # fmt: skip
    settings.write_text(commented_file(given))
    text = unit(Path(sys.executable), bluetooth_group=False, config=settings)
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notifications.bind(str(tmp_path / "notify"))
    notifications.settimeout(60)
    environment = os.environ | {
        "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": str(int(PERIOD_S * 1e6)), "JOURNAL_STREAM": "8:1",
        "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus",
    }  # fmt: skip
    process = subprocess.Popen(
        shlex.split(line.removeprefix("ExecStart=")), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd="/",
    )  # fmt: skip
    yield Service(process, notifications, home, free_tcp_port)
    process.kill()
    process.communicate()
    notifications.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
def test_another_user_is_told_to_ask_with_sudo(service: Service, capsys) -> None:
    service.heard()
    os.seteuid(65534)
    try:
        code = main(["--home", str(service.home)])
    finally:
        os.seteuid(0)
    assert code == Verdict.NOT_RUNNING
    assert "ask again with sudo" in capsys.readouterr().err


def test_a_gateway_that_hangs_is_not_said_to_have_ended(service: Service, capsys, monkeypatch) -> None:
    monkeypatch.setattr(control, "TIMEOUT_S", 0.5)
    service.heard()
    service.process.send_signal(signal.SIGSTOP)
    assert main(["--home", str(service.home)]) == Verdict.NOT_RUNNING
    service.process.send_signal(signal.SIGCONT)
    told = capsys.readouterr()
    assert told.out == ""
    assert "does not answer: start it again" in told.err


async def test_a_monitors_port_that_is_taken_keeps_nobody_from_exercising(caplog) -> None:
    async def status() -> GatewayStatus:
        raise AssertionError

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        health = Health(status)
        await _serve_health(health, Configuration(server_url="x", health_port=taken.getsockname()[1]))
        await health.close()
    assert "choose another with --health-port" in caplog.text


def test_without_bluetooth_it_is_ready_says_so_is_watched_and_ends_in_order(service: Service) -> None:
    ready, line = service.heard()
    assert ready == "READY=1"
    for _ in range(2):
        ping, line = service.heard()
        assert ping == "WATCHDOG=1"
    assert "Bluetooth" in line

    told = service.sinew("status", "--home", str(service.home), "--json")
    assert told.returncode == Verdict.SOMETHING_TO_DO
    status = GatewayStatus.model_validate_json(told.stdout)
    assert f"STATUS={status.conditions[0].sentence}" == line
    assert status.conditions[0].code.startswith("bluetooth.")
    assert status.stored.program_version is None

    with httpx2.Client(trust_env=False) as client:
        health = client.get(f"http://127.0.0.1:{service.health_port}/healthz")
        assert health.status_code == 503
        assert health.json()["conditions"][0]["code"] == status.conditions[0].code
        metrics = client.get(f"http://127.0.0.1:{service.health_port}/metrics").text
        assert f'sinew_condition{{code="{status.conditions[0].code}"}} 1.0' in metrics

    service.process.send_signal(signal.SIGTERM)
    out, err = service.process.communicate(timeout=30)
    assert service.process.returncode == 0
    assert out.startswith("Live channel: wss://127.0.0.1:")
    assert all(line.startswith('{"time": ') for line in err.splitlines())
    last = [service.heard()]
    while last[-1] != ["STOPPING=1"]:
        last.append(service.heard())

    told = service.sinew("status", "--home", str(service.home))
    assert (told.returncode, told.stderr) == (Verdict.NOT_RUNNING, "")
    assert len(told.stdout.splitlines()) == 10
