"""`sinew demo` as a newcomer runs it: pages that answer, logins that work, and an orderly end."""

import json
import re
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from running import SINEW


class Demo:
    """A demo that runs in a process of its own, with what it printed."""

    def __init__(self, home: Path) -> None:
        command = [*SINEW, "demo", "--speed", "20", "--port", "0", "--home", str(home)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.printed = ""
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl+C" in line:
                break
        # Progress goes on as long as the demo does; somebody has to read it.
        self.progress: list[str] = []
        threading.Thread(target=lambda: self.progress.extend(self.process.stderr or ()), daemon=True).start()
        self.url = re.findall(r"http://127\.0\.0\.1:\d+", self.printed)[0]

    def login(self, role: str) -> dict[str, str]:
        login, password = re.findall(rf"{role}\s+(\S+)\s+(\S+)", self.printed)[0]
        return {"login": login, "password": password}

    def ask(self, path: str, token: str | None = None, body: dict[str, str] | None = None) -> dict[str, object]:
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", headers={"Content-Type": "application/json"})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, json.dumps(body).encode() if body else None) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("served"))
    yield running
    running.process.kill()
    running.process.wait()
    for stream in (running.process.stdout, running.process.stderr):
        if stream is not None:
            stream.close()


def test_three_people_can_sign_in(demo: Demo) -> None:
    for role in ("patient", "physiotherapist", "administrator"):
        assert demo.ask("sign-in", body=demo.login(role))["role"] == role


def test_thirty_patients_and_the_live_one(demo: Demo) -> None:
    token = str(demo.ask("sign-in", body=demo.login("physiotherapist"))["token"])
    patients = demo.ask("patients", token)
    assert len(patients) == 31
    assert all(patient["simulated"] for patient in patients)  # type: ignore[index]


def test_the_live_patient_exercises(demo: Demo) -> None:
    token = str(demo.ask("sign-in", body=demo.login("patient"))["token"])
    gateway = demo.ask("me/gateway", token)
    assert str(gateway["live_url"]).startswith("wss://127.0.0.1:")
    deadline = time.monotonic() + 60
    while not any("at the clinic" in line for line in demo.progress):
        assert time.monotonic() < deadline, demo.progress
        time.sleep(0.2)


def test_it_ends_when_told_and_takes_its_server_along(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    children = psutil.Process(demo.process.pid).children(recursive=True)
    assert children
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(30) == 0
    _gone, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    for stream in (demo.process.stdout, demo.process.stderr):
        if stream is not None:
            stream.close()
