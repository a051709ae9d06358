"""One file, every key of it explained, read, and refused with a sentence where it is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from analytics.domain.exercise import Segment
from device_gateway.commands.config import main
from device_gateway.errors import GatewayError
from device_gateway.operations import configuration
from device_gateway.operations.configuration import (
    KEYS,
    OPTIONS,
    Configuration,
    commented_file,
    read_configuration,
)

ROOT = Path(__file__).parents[3]
OTHERS = {
    "home": "/srv/gateway",
    "server_url": "https://another.example",
    "claim_code": "ANOTHER-CODE",
    "name": "Upstairs",
    "host": "192.0.2.1",
    "port": 4711,
    "advertised_host": "gateway.example",
    "mdns_interfaces": ["192.0.2.1"],
    "adapter_slots": 3,
    "largest_store_bytes": 2**28,
    "least_free_bytes": 2**29,
    "health_host": "192.0.2.2",
    "health_port": 4712,
    "log_level": "error",
    "log_format": "json",
    "sensors": {"C4:64:E3:00:00:01": "left_thigh"},
}
"""Another value for each key than its default. A new key belongs here too."""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "gateway.toml"
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture(autouse=True)
def _no_file_of_this_computer(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(configuration, "FILE", tmp_path / "none.toml")


def plain(settings: Configuration) -> dict[str, object]:
    return settings.model_dump(mode="json", exclude={"simulated"})


def test_every_key_is_explained_with_its_unit_in_its_name() -> None:
    for name, field in KEYS.items():
        assert field.description, name
        assert len(field.description) >= 15, name
        measured = re.search(r"\b(seconds?|bytes|milliseconds?|degrees|per cent)\b", field.description)
        assert measured is None or re.search(r"_(s|ms|bytes|deg|percent)$", name), name


def test_the_page_says_what_the_model_says() -> None:
    command = [sys.executable, "tools/gateway_configuration.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pages_smallest_file_is_in_order(written) -> None:
    page = (ROOT / "docs" / "gateway-configuration.md").read_text("utf-8")
    example = re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1]
    assert read_configuration(written(example)).sensors["C4:64:E3:00:00:02"] is Segment.RIGHT_SHANK


def test_the_printed_file_changes_nothing(written) -> None:
    bare = read_configuration(None, {"server_url": "https://clinic.example"})
    assert read_configuration(written(commented_file({}))) == bare


def test_the_printed_file_is_complete_and_valid_where_its_comments_are_taken_away(written) -> None:
    text = re.sub(r'(?m)^# (?=[a-z_]+ = |\[|")', "", commented_file({}))
    assert set(tomllib.loads(text)) == set(KEYS)
    read_configuration(written(text))


def test_what_is_given_stands_in_the_printed_file(written) -> None:
    assert plain(read_configuration(written(commented_file(OTHERS)))) == OTHERS


def test_every_key_takes_another_value(written) -> None:
    assert set(OTHERS) == set(KEYS)
    ordinary = plain(read_configuration(None, {"server_url": "https://clinic.example"}))
    for name, value in OTHERS.items():
        changed = plain(read_configuration(written(commented_file({"server_url": "https://x.example", name: value}))))
        assert changed[name] == value != ordinary[name], name


def test_every_key_is_read_somewhere() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "device_gateway").rglob("*.py")]
    for name in KEYS:
        assert any(re.search(rf"(settings|configuration)\.{name}\b", source) for source in sources), f"{name} is dead"


def test_the_command_line_wins(written) -> None:
    path = written('server_url = "https://clinic.example"\nport = 1234\nname = "Downstairs"\n')
    assert read_configuration(path, {"port": 4321}).port == 4321
    assert read_configuration(path, {"port": 4321}).name == "Downstairs"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "server_url is missing: give the address of the clinic's server"),
        ('serer_url = "https://x"', "serer_url is no key of this file: did you mean server_url?"),
        ('server_url = "x"\nsimulated = true', "simulated is no key of this file"),
        ('server_url = "x"\nport = 70000', "port is 70000, but should be less than or equal to 65535"),
        ('server_url = "x"\nport = "any"', "port is 'any', but should be a valid integer"),
        ('server_url = "x"\nlog_level = "loud"', "should be 'debug', 'info', 'warning' or 'error'"),
        ('server_url = "x"\n[sensors]\n"C4:64" = "right_thigh"', "should be a Bluetooth address, as C4:64:E3:00:00:01"),
        ('server_url = "x"\n[sensors]\n"C4:64:E3:00:00:01" = "knee"', "is 'knee', but should be"),
        ('server_url = "x', "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_file_and_key(written, capsys, text: str, sentence: str) -> None:
    path = written(text)
    assert main(["--check", str(path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line
    assert str(path) in line


def test_a_wrong_option_is_named_as_an_option() -> None:
    with pytest.raises(GatewayError, match=r"^--health-port is 99999, but should be less than or equal to 65535"):
        read_configuration(None, {"server_url": "x", "health_port": 99999})


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="cannot be read"):
        read_configuration(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(GatewayError, match="not valid TOML"):
        read_configuration(tmp_path / "gateway.toml")


def test_every_option_is_an_option() -> None:
    assert set(OPTIONS) <= set(KEYS)
