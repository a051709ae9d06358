"""`sinew gateway --update-firmware` as an operator runs it, and as the page about it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from firmware_maker import Maker

import sinew
from device_gateway.commands import firmware
from device_gateway.commands.firmware import main
from device_gateway.links.radio import Central, Radio
from firmware_interface.firmware_update import read_public_key
from firmware_interface.virtual.bootloader import Bootloader
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.updatable import UpdatableSensor

PAGE = (Path(__file__).parents[2] / "docs" / "firmware-update.md").read_text("utf-8")
UPDATE, REVERT = (shlex.split(line)[2:] for line in re.findall(r"^sinew gateway .*", PAGE, re.MULTILINE))
OUTPUT = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
ADDRESS = "C4:64:E3:00:00:01"
MAKER = Maker()
LOOKING = "Looking for the sensor …\n"


@pytest.fixture
def bootloader(tmp_path, monkeypatch):
    """What a sensor holds that is in the air whenever the command runs; the page's files stand in the folder."""
    monkeypatch.chdir(tmp_path)
    Path("sensor-1.4.0.signed.bin").write_bytes(MAKER.image("1.4.0", program_bytes=100_000))
    Path("maker.pem").write_bytes(MAKER.public_pem)
    bootloader = Bootloader(MAKER.image("1.3.2"), read_public_key(MAKER.public_pem))
    truly_run = firmware.run

    async def run(options, _):
        link = SoftwareLink(supervision_timeout_s=0.05)
        async with SoftwareRadio(link) as radio, UpdatableSensor(ADDRESS, bootloader, link, reset_delay_s=0.01):
            await truly_run(options, Central(Radio(radio.scanner_backend, radio.client_backend)))

    monkeypatch.setattr(firmware, "run", run)
    return bootloader


def running(bootloader):
    return next((state["version"], state["confirmed"]) for state in bootloader.states() if state["active"])


def fails_with(capsys, *arguments):
    assert main(list(arguments)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sinew gateway: ")
    return line


def test_the_page_says_what_happens(bootloader, capsys):
    assert main(UPDATE) == 0
    told = capsys.readouterr()
    assert told.out == OUTPUT
    assert told.err == ""
    assert running(bootloader) == ("1.4.0", True)


def test_a_trial_is_taken_back(bootloader, capsys):
    assert main([*UPDATE, "--trial"]) == 0
    assert "tries 1.4.0: its next restart takes it back" in capsys.readouterr().out
    assert running(bootloader) == ("1.4.0", False)
    assert main(REVERT) == 0
    assert capsys.readouterr().out == f"{2 * LOOKING}The sensor {ADDRESS} runs 1.3.2 again.\n"
    assert running(bootloader) == ("1.3.2", True)
    assert "nothing can be reverted" in fails_with(capsys, *REVERT)


def test_a_trial_is_kept_by_the_same_command(bootloader, capsys):
    assert main([*UPDATE, "--trial"]) == 0
    capsys.readouterr()
    assert main(UPDATE) == 0
    assert capsys.readouterr().out.endswith(f"{LOOKING}Confirmed.\nThe sensor {ADDRESS} runs 1.4.0.\n")


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (MAKER.image("1.4.0", signed=False), "not signed"),
        (MAKER.image("1.4.0")[:-1], "cut short"),
        (MAKER.image("1.3.1"), "is not newer"),
        (MAKER.image("1.3.2"), "runs 1.3.2 already"),
        (MAKER.image("1.4.0", program_bytes=16 << 20), "too large for firmware"),
    ],
    ids=["unsigned", "cut short", "older", "the same", "too large"],
)
def test_a_file_that_is_refused(bootloader, capsys, image, complaint):
    Path("sensor-1.4.0.signed.bin").write_bytes(image)
    assert complaint in fails_with(capsys, *UPDATE)
    assert bootloader.written_bytes == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--update-firmware", "nowhere.bin", *UPDATE[2:]], "nowhere.bin cannot be read (No such file or directory)"),
        ([*UPDATE[:4], "--public-key", "sensor-1.4.0.signed.bin"], "The public key cannot be read"),
        ([*UPDATE[:2], "--sensor", "left thigh", *UPDATE[4:]], "'left thigh' is no Bluetooth address"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(bootloader, capsys, arguments, complaint):
    assert complaint in fails_with(capsys, *arguments)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (UPDATE[:4], "give the maker's public key with --public-key FILE"),
        ([*REVERT, "--trial"], "--public-key and --trial go with --update-firmware only"),
        ([*REVERT, *UPDATE[4:]], "--public-key and --trial go with --update-firmware only"),
        ([*REVERT, *UPDATE[:2]], "not allowed with argument"),
        (["--update-firmware"], "expected one argument"),
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(capsys, arguments, complaint):
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("task", ["--update-firmware", "--revert-firmware"])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_front_door_gives_help(capsys, task, option):
    with pytest.raises(SystemExit) as over:
        sinew.main(["gateway", task, option])
    told = capsys.readouterr()
    assert (over.value.code, told.err) == (0, "")
    assert told.out.startswith("usage: sinew gateway --update-firmware FILE")


def test_no_bluetooth_is_one_sentence(bootloader, capsys, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert "Bluetooth cannot be used" in fails_with(capsys, *REVERT)


def test_ctrl_c_is_no_traceback(bootloader, capsys, monkeypatch):
    async def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(firmware, "run", interrupted)
    assert main(UPDATE) == 130
    assert "the same command goes on where it was" in capsys.readouterr().err
