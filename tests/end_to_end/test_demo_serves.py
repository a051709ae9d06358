"""`sinew demo` as a newcomer runs it: pages that answer, logins that work, and an orderly end."""

import json
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from served_demo import ServedDemo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDemo]:
    with ServedDemo(tmp_path_factory.mktemp("served")) as running:
        yield running


def ask(demo: ServedDemo, path: str, token: str | None = None, body: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(f"{demo.url}/api/v1/{path}", headers={"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, json.dumps(body).encode() if body else None) as answer:
        return json.loads(answer.read())


def test_three_people_can_sign_in(demo: ServedDemo) -> None:
    for role in ("patient", "physiotherapist", "administrator"):
        assert ask(demo, "sign-in", body=demo.login(role))["role"] == role


def test_nobody_signs_in_with_a_wrong_password(demo: ServedDemo) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(demo, "sign-in", body=demo.login("physiotherapist") | {"password": "not the password"})
    with refused.value as answer:
        assert answer.code == 401
        assert json.loads(answer.read())["detail"].endswith(".")


def test_thirty_patients_and_the_live_one(demo: ServedDemo) -> None:
    token = ask(demo, "sign-in", body=demo.login("physiotherapist"))["token"]
    patients = ask(demo, "patients", token)
    assert len(patients) == 31
    assert all(patient["simulated"] for patient in patients)


def test_the_live_patient_exercises(demo: ServedDemo) -> None:
    assert "24 repetitions" in demo.await_progress("at the clinic")
    token = ask(demo, "sign-in", body=demo.login("patient"))["token"]
    assert ask(demo, "me/gateway", token)["live_url"].startswith("wss://127.0.0.1:")


def test_it_ends_when_told_and_takes_its_server_along(tmp_path: Path) -> None:
    with ServedDemo(tmp_path) as demo:
        children = psutil.Process(demo.process.pid).children(recursive=True)
        assert children
        demo.process.send_signal(signal.SIGTERM)
        assert demo.process.wait(30) == 0
        _gone, alive = psutil.wait_procs(children, timeout=5)
        assert not alive
