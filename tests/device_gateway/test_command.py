"""`sinew gateway` as a person uses it: its words, and one sentence and exit code 1 where it cannot run."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from analytics.domain.exercise import Segment
from device_gateway import command
from device_gateway.app import Gateway
from device_gateway.command import WORDS, main
from device_gateway.commands import run
from device_gateway.errors import GatewayError
from device_gateway.links.radio import Radio
from device_gateway.operations import configuration
from device_gateway.operations.status import GatewayStatus, Verdict
from device_gateway.settings import GatewaySettings, parse_sensor
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio

pytestmark = pytest.mark.usefixtures("logging_as_before")


@pytest.fixture(autouse=True)
def _no_file_of_this_computer(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(configuration, "FILE", tmp_path / "none.toml")


def fails_with(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command, which must fail, and return its one line of complaint."""
    assert main(list(arguments)) == 1
    told = capsys.readouterr()
    assert told.out == ""
    line = told.err.splitlines()[-1]
    assert line.startswith("sinew gateway: ")
    return line


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


@pytest.fixture
def service_manager(monkeypatch, tmp_path: Path) -> Iterator[socket.socket]:
    """The end of NOTIFY_SOCKET that hears what the gateway says of itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(str(tmp_path / "notify"))
        hearing.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield hearing


@pytest.fixture
def while_it_runs(tmp_path: Path, shared_clinic, claim_code, monkeypatch, service_manager):
    """Run the gateway; once it is ready, do something in another thread; then end it as systemd does."""
    monkeypatch.setattr(run, "Gateway", OnSoftwareRadio)

    def do(act: Callable[[Path], None], *options: str) -> int:
        home = tmp_path / "home"

        def watch() -> None:
            said = service_manager.recv(4096)
            if said.startswith(b"READY=1\nSTATUS="):  # else it has ended, and nobody would take the signal
                try:
                    act(home)
                finally:
                    os.kill(os.getpid(), signal.SIGTERM)

        watching = threading.Thread(target=watch)
        watching.start()
        ordinary = ["--server", shared_clinic.url, "--home", str(home), "--claim", claim_code, "--host", "127.0.0.1"]
        code = main(["run", *ordinary, "--health-port", "0", *options])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"It is over.", service_manager.getsockname())
        watching.join()
        if code == 0:
            assert service_manager.recv(4096) == b"STOPPING=1"
        return code

    return do


def test_it_says_where_it_is_and_ends_in_order(while_it_runs, capsys) -> None:
    assert while_it_runs(lambda home: None) == 0
    live, certificate, _ = capsys.readouterr().out.splitlines()
    assert live.startswith("Live channel: wss://127.0.0.1:")
    assert len(certificate.split(": ")[1]) == 64


def test_status_asks_the_gateway_that_runs_and_reads_the_file_of_one_that_does_not(while_it_runs, capsys) -> None:
    said: dict[str, str] = {}

    def ask(home: Path) -> None:
        capsys.readouterr()
        said["code"] = str(main(["status", "--home", str(home), "--json"]))
        said["running"] = capsys.readouterr().out
        said["home"] = str(home)

    assert while_it_runs(ask, "--sensor", "C4:64:E3:00:00:01=right_thigh") == 0
    status = GatewayStatus.model_validate_json(said["running"])
    assert int(said["code"]) == status.verdict
    assert status.running_s is not None
    assert [sensor.segment for sensor in status.sensors] == [Segment.RIGHT_THIGH]
    assert status.stored.sessions_waiting == 0
    capsys.readouterr()
    assert main(["status", "--home", said["home"]]) == Verdict.NOT_RUNNING
    assert "not running" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--server", "http://127.0.0.1:1", "--port", "99999"),
            "--port is 99999, but should be less than or equal to 65535",
        ),
        (("--claim", "ANY"), "or with --server"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(
    tmp_path: Path, capsys, monkeypatch, options: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.setattr(run, "Gateway", OnSoftwareRadio)
    assert sentence in fails_with(capsys, *options, "--home", str(tmp_path), "--host", "127.0.0.1")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--claim", "WRONG-CODE1"), "does not accept the claim code WRONG-CODE1"),
        (("--server", "http://127.0.0.1:1"), "does not answer"),
        (("--claim", ""), "--claim CODE"),
    ],
)
def test_a_gateway_that_is_nobodys_yet_runs_and_says_so_at_the_keyboard_and_in_status(
    while_it_runs, capsys, options: tuple[str, ...], sentence: str
) -> None:
    told: list[str] = []

    def look(home: Path) -> None:
        told.append(capsys.readouterr().err)
        assert main(["status", "--home", str(home)]) == Verdict.SOMETHING_TO_DO
        told.append(capsys.readouterr().out)

    assert while_it_runs(look, *options, "--log-format", "text") == 0
    at_the_keyboard, in_status = told
    assert sentence in at_the_keyboard
    assert sentence in in_status


def test_why_it_ended_is_told_by_status(claimed_home: Path, capsys) -> None:
    fails_with(capsys, "--server", "https://other.example", "--home", str(claimed_home), "--host", "127.0.0.1")
    assert main(["status", "--home", str(claimed_home)]) == Verdict.NOT_RUNNING
    assert "belongs to a gateway of" in capsys.readouterr().out.splitlines()[-1]


def test_the_reason_is_forgotten_once_it_runs(while_it_runs, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "ended.txt").write_text("It could not.")
    assert while_it_runs(lambda home: None) == 0
    assert not (tmp_path / "home" / "ended.txt").exists()


@pytest.fixture
def claimed_home(tmp_path: Path, shared_clinic, claim_code, monkeypatch) -> Path:
    """Of a gateway that was a patient's once, and stands still."""
    monkeypatch.setattr(run, "Gateway", OnSoftwareRadio)

    async def claim_once() -> None:
        settings = GatewaySettings(home=tmp_path, server_url=shared_clinic.url, claim_code=claim_code)
        gateway = OnSoftwareRadio(settings, sensors={})
        await gateway.start()
        await gateway.close()

    asyncio.run(claim_once())
    return tmp_path


def test_a_home_belongs_to_one_clinic(claimed_home: Path, shared_clinic, capsys) -> None:
    line = fails_with(capsys, "--server", "https://other.example", "--home", str(claimed_home), "--host", "127.0.0.1")
    assert f"belongs to a gateway of {shared_clinic.url}" in line


@pytest.mark.parametrize("word", WORDS)
def test_every_word_gives_help(word: str, capsys) -> None:
    with pytest.raises(SystemExit) as over:
        main([word, "--help"])
    told = capsys.readouterr()
    assert (over.value.code, told.err) == (0, "")
    assert told.out.startswith(f"usage: sinew gateway {word}")


def test_help_names_every_word(capsys) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"  {word} " in told for word in WORDS)
    assert "--simulate" in told


def test_a_word_that_is_none_is_a_usage_error(capsys) -> None:
    assert main(["stauts"]) == 2
    assert "there is no word 'stauts'" in capsys.readouterr().err


def test_a_32_bit_computer_is_told_so(capsys, monkeypatch) -> None:
    monkeypatch.setattr(command.sys, "maxsize", 2**31 - 1)
    assert main(["status"]) == 1
    assert "32-bit" in capsys.readouterr().err
