"""`sinew gateway` as a person starts it: one sentence and exit code 1 where it cannot run."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from analytics.domain.exercise import Segment
from device_gateway import command
from device_gateway.app import Gateway
from device_gateway.command import main
from device_gateway.errors import GatewayError
from device_gateway.links.radio import Radio
from device_gateway.settings import GatewaySettings, parse_sensor
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio


def fails_with(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, which must fail, and return its one line of complaint."""
    assert main(list(arguments)) == 1
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("sinew gateway: ")
    return line


def test_no_bluetooth_is_one_sentence(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    line = fails_with(capsys, "--server", "http://127.0.0.1:1", "--home", str(tmp_path), "--claim", "X")
    assert "Bluetooth cannot be used" in line
    assert "apt install bluez" in line


def test_a_wrong_sensor_is_one_sentence(tmp_path: Path, capsys) -> None:
    line = fails_with(capsys, "--server", "http://any", "--home", str(tmp_path), "--sensor", "C1:00=right_thigh")
    assert "C4:64:E3:00:00:01=right_thigh" in line


@pytest.mark.parametrize("text", ["", "right_thigh", "C4:64:E3:00:00:01", "C4:64:E3:00:00:01=knee", "x=right_thigh"])
def test_what_names_no_sensor_is_refused(text: str) -> None:
    with pytest.raises(GatewayError):
        parse_sensor(text)


def test_a_sensor_is_an_address_and_a_place() -> None:
    assert parse_sensor(" c4:64:e3:00:00:01=Right_Thigh ") == ("C4:64:E3:00:00:01", Segment.RIGHT_THIGH)


class OnSoftwareRadio(Gateway):
    """The gateway as the command makes it, on a radio that every computer has."""

    def __init__(self, settings: GatewaySettings, *, sensors: Mapping[str, Segment]) -> None:
        self.software_radio = SoftwareRadio(SoftwareLink())
        radio = Radio(self.software_radio.scanner_backend, self.software_radio.client_backend)
        super().__init__(settings, sensors=sensors, radio=radio)

    async def start(self) -> None:
        await self.software_radio.start()
        await super().start()

    async def close(self) -> None:
        await super().close()
        await self.software_radio.stop()


@pytest.fixture
def claim_code(shared_clinic) -> str:
    return asyncio.run(shared_clinic.claim_code())


def test_it_says_where_it_is_and_ends_in_order(tmp_path: Path, shared_clinic, claim_code, capsys, monkeypatch) -> None:
    monkeypatch.setattr(command, "Gateway", OnSoftwareRadio)
    ending = threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGTERM))
    ending.start()
    options = ["--server", shared_clinic.url, "--home", str(tmp_path), "--claim", claim_code, "--host", "127.0.0.1"]
    assert main(options) == 0
    ending.join()
    told = capsys.readouterr()
    live, certificate, _ = told.out.splitlines()
    assert live.startswith("Live channel: wss://127.0.0.1:")
    assert len(certificate.split(": ")[1]) == 64
    assert told.err == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--server", "CLINIC", "--claim", "WRONG-CODE1"), "does not accept the claim code WRONG-CODE1"),
        (("--server", "http://127.0.0.1:1", "--claim", "ANY"), "does not answer"),
        (("--server", "CLINIC"), "--claim CODE"),
        (("--server", "CLINIC", "--port", "PORT"), "choose another with --port"),
        (("--server", "CLINIC", "--port", "99999"), "choose another with --port"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(
    tmp_path: Path, shared_clinic, capsys, monkeypatch, options: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.setattr(command, "Gateway", OnSoftwareRadio)
    meant = {"CLINIC": shared_clinic.url, "PORT": str(shared_clinic.port)}
    given = [meant.get(option, option) for option in options]
    assert sentence in fails_with(capsys, *given, "--home", str(tmp_path), "--host", "127.0.0.1")


def test_a_home_belongs_to_one_clinic(tmp_path: Path, shared_clinic, claim_code, capsys, monkeypatch) -> None:
    monkeypatch.setattr(command, "Gateway", OnSoftwareRadio)

    async def claim_once() -> None:
        settings = GatewaySettings(home=tmp_path, server_url=shared_clinic.url, claim_code=claim_code)
        gateway = OnSoftwareRadio(settings, sensors={})
        await gateway.start()
        await gateway.close()

    asyncio.run(claim_once())
    line = fails_with(capsys, "--server", "https://other.example", "--home", str(tmp_path), "--host", "127.0.0.1")
    assert f"belongs to a gateway of {shared_clinic.url}" in line
