"""The service as systemd's own tools judge it, written into the image of a system and taken away again."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from device_gateway.commands.install import main
from device_gateway.operations import installation
from device_gateway.operations.configuration import read_configuration
from device_gateway.operations.installation import HIDDEN, Installation
from device_gateway.operations.unit import unit

MOST_EXPOSURE = 1.5
"""`systemd-analyze security` gave 1.3 of 10 (systemd 252); what is left is the network, D-Bus and a group."""

systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd's tools are not on this computer")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The least of a Debian image that the gateway can be installed in."""
    (tmp_path / "usr/share/dbus-1/system-services").mkdir(parents=True)
    (tmp_path / "usr/share/dbus-1/system-services/org.bluez.service").touch()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/group").write_text("root:x:0:\nbluetooth:x:110:\n")
    return tmp_path


@pytest.fixture
def unit_file(tmp_path: Path) -> Path:
    path = tmp_path / "sinew-gateway.service"
    path.write_text(unit(Path(sys.executable), bluetooth_group=True))
    return path


@systemd
def test_systemd_understands_every_line(unit_file: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", unit_file], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if unit_file.name in line]
    assert (done.returncode, told) == (0, [])


@systemd
def test_it_is_shut_in(unit_file: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", unit_file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[1])
    assert exposure <= MOST_EXPOSURE


def test_it_comes_back_for_ever_and_is_watched(unit_file: Path) -> None:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read(unit_file)
    service = parsed["Service"]
    assert parsed["Unit"]["StartLimitIntervalSec"] == "0"
    assert (service["Type"], service["Restart"], service["WatchdogSec"]) == ("notify", "always", "60")
    assert service["ExecStart"] == f"{sys.executable} -m sinew gateway run --config /etc/sinew/gateway.toml"


def test_the_group_is_named_only_where_there_is_one() -> None:
    assert "SupplementaryGroups=bluetooth\n" in unit(Path("/opt/python"), bluetooth_group=True)
    assert "SupplementaryGroups" not in unit(Path("/opt/python"), bluetooth_group=False)


@systemd
def test_a_path_with_signs_that_systemd_reads_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "100% $HOME"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    path = tmp_path / "sinew-gateway.service"
    path.write_text(unit(folder / "python", bluetooth_group=False))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if path.name in line] == []


@pytest.mark.skipif(not shutil.which("systemctl"), reason="systemd's tools are not on this computer")
def test_it_is_installed_twice_and_removed_twice(image: Path, capsys) -> None:
    wants = image / "etc/systemd/system/multi-user.target.wants/sinew-gateway.service"
    unit_path, settings = image / "etc/systemd/system/sinew-gateway.service", image / "etc/sinew/gateway.toml"
    options = ["--root", str(image)]
    assert main([*options, "--server", "https://clinic.example", "--sensor", "C4:64:E3:00:00:01=right_thigh"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{settings} is written: name the sensors in it.",
        f"{unit_path} is written.",
    ]
    assert read_configuration(settings).server_url == "https://clinic.example"
    assert wants.is_symlink()
    settings.write_text('server_url = "https://mended.example"\n')
    first = unit_path.read_text()
    assert main(options) == 0
    assert f"{settings} stays as it is." in capsys.readouterr().out
    assert unit_path.read_text() == first
    for _ in range(2):
        assert main([*options, "--remove"]) == 0
        assert not unit_path.exists()
        assert not wants.is_symlink()
    assert settings.read_text() == 'server_url = "https://mended.example"\n'


def test_a_dry_run_prints_both_files_and_writes_neither(image: Path, capsys) -> None:
    before = sorted(image.rglob("*"))
    assert main(["--root", str(image), "--dry-run", "--server", "https://clinic.example"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert 'server_url = "https://clinic.example"' in told.out
    assert told.out.endswith(unit(Path(sys.executable), bluetooth_group=True))
    assert sorted(image.rglob("*")) == before


def fails_with(capsys, *options: str) -> str:
    assert main(list(options)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sinew gateway: ")
    return line


def test_without_bluez_it_is_refused(image: Path, capsys) -> None:
    (image / "usr/share/dbus-1/system-services/org.bluez.service").unlink()
    assert "sudo apt install bluez" in fails_with(capsys, "--root", str(image), "--server", "https://clinic.example")


def test_without_a_clinic_it_is_refused(image: Path, capsys) -> None:
    assert "with --server" in fails_with(capsys, "--root", str(image))


def test_a_settings_file_that_is_wrong_is_refused_before_anything_is_changed(image: Path, capsys) -> None:
    (image / "etc/sinew").mkdir()
    (image / "etc/sinew/gateway.toml").write_text("sever_url = 1")
    assert "did you mean server_url?" in fails_with(capsys, "--root", str(image))
    assert not (image / "etc/systemd").exists()


def test_what_does_not_run_here_is_refused(image: Path, monkeypatch) -> None:
    wanted = Installation(image, {"server_url": "https://clinic.example"})
    assert list(wanted.hindrances()) == []
    monkeypatch.setattr(installation.sys, "maxsize", 2**31 - 1)
    assert "64-bit" in next(wanted.hindrances())
    monkeypatch.undo()
    monkeypatch.setattr(installation.sys, "version_info", (3, 14, 0))
    assert "3.11, 3.12 or 3.13" in next(wanted.hindrances())


def test_what_the_service_could_not_see_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(installation.sys, "executable", str(HIDDEN[0] / "pi/.venv/bin/python"))
    told = list(Installation(Path("/"), {"server_url": "https://clinic.example"}).hindrances())
    assert any("install Sinew in /opt/sinew" in sentence for sentence in told)


@pytest.mark.parametrize("task", [["--server", "https://clinic.example"], ["--remove"]])
def test_only_root_may(capsys, monkeypatch, task: list[str]) -> None:
    monkeypatch.setattr(installation.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(installation, "HIDDEN", ())
    told = list(Installation(Path("/"), {"server_url": "https://clinic.example"}).hindrances())
    assert any("with sudo" in sentence for sentence in told)
    assert main(task) == 1
    assert "sinew gateway: " in capsys.readouterr().err


@pytest.mark.skipif(
    not shutil.which("systemctl") or Path("/run/systemd/system").exists(), reason="systemd runs here, or is not there"
)
def test_where_systemd_does_not_run_it_is_one_sentence(image: Path) -> None:
    with pytest.raises(installation.GatewayError, match="systemd does not daemon-reload the gateway"):
        Installation()._systemctl("daemon-reload")
