"""The one definition of the open profile, what is made from it, and its examples."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from firmware_interface import open_profile as profile

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))

from open_profile import C_HEADER, DEFINITION, DOCUMENT, PYTHON, SIZES, made, stale  # noqa: E402

DEFINED = tomllib.loads((ROOT / DEFINITION).read_text("utf-8"))
COMMANDS = {command["name"]: command for command in DEFINED["commands"]}
EXAMPLES = {found["name"]: found for found in DEFINED["examples"]}

OK, START, STOP = profile.Status.OK, profile.Opcode.START, profile.Opcode.STOP
STARTED = profile.Started(rate_hz=100.0, acc_range_g=8, gyr_range_dps=1000, stream=1, time_us=5_000_000)
STARTED_NINE = profile.Started(100.0, 8, 1000, 1, 5_000_000, mag_range_ut=4915)
TWO_SAMPLES = np.array([[0, 0, 4096, 0, 0, 0], [1, -1, 4096, 100, -100, 0]], np.int16)
NINE_AXES = np.array([[0, 0, 4096, 0, 0, 0, 133, 0, -267]], np.int16)


def test_nothing_made_from_the_definition_is_stale():
    check = [sys.executable, ROOT / "tools" / "open_profile.py", "--check"]
    checked = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_check_finds_what_is_stale(tmp_path):
    paths = [PYTHON, C_HEADER, DOCUMENT]
    for path in [DEFINITION, *paths]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    assert stale(tmp_path) == []
    changed = (tmp_path / DEFINITION).read_text("utf-8").replace('meaning = "worked"', 'meaning = "it worked"')
    (tmp_path / DEFINITION).write_text(changed, "utf-8")
    assert stale(tmp_path) == paths
    (tmp_path / C_HEADER).write_text(made(tmp_path)[C_HEADER], "utf-8")
    (tmp_path / PYTHON).unlink()
    assert stale(tmp_path) == [PYTHON, DOCUMENT]


def packed(fields, values):
    """The values by the definition's tables alone."""
    assert set(values) <= {field["name"] for field in fields}
    assert {field["name"] for field in fields if not field.get("optional")} <= set(values)
    present = [field for field in fields if field["name"] in values]
    return b"".join(values[field["name"]].to_bytes(SIZES[field["type"]], "little") for field in present)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_an_example_is_what_the_tables_say(example):
    if "command" in example:
        command = COMMANDS[example["command"]]
        data = bytes([command["opcode"]]) + packed(command["fields"], example["values"])
    elif "answer" in example:
        statuses = {status["name"]: status["code"] for status in DEFINED["statuses"]}
        command = COMMANDS.get(example["answer"], {"opcode": example["answer"]})
        data = bytes([0x80 | command["opcode"], statuses[example["status"]]])
        data += packed(command["answer"], example["values"]) if example["status"] == "OK" else b""
    else:
        bits = {flag["name"]: flag["bit"] for flag in DEFINED["flags"]}
        kind = DEFINED["version"] + sum(1 << bits[flag] for flag in example["flags"])
        data = packed(DEFINED["packet"]["fields"], {"kind": kind, "count": len(example["samples"])} | example["values"])
        data += np.array(example["samples"], "<i2").tobytes()
    assert data.hex(" ") == example["hex"]


def test_an_example_is_what_the_codec_makes():
    assert {name: bytes.fromhex(example["hex"]) for name, example in EXAMPLES.items()} == {
        "START at 100 Hz, 5 samples to a packet": profile.encode_start(100.0, 5),
        "START at the sensor's own rate, 1 sample to a packet": profile.encode_start(0, 1),
        "START at 100 Hz, 5 samples to a packet, nine axes": profile.encode_start(100.0, 5, axes=9),
        "START worked: 100 Hz, 8 g, 1000 °/s, stream 1, clock 5 s": profile.encode_started(STARTED),
        "START worked: the same with nine axes, 4915 µT": profile.encode_started(STARTED_NINE),
        "START refused, data is not subscribed": profile.encode_reply(START, profile.Status.NOT_SUBSCRIBED),
        "STOP": profile.encode_stop(),
        "STOP worked": profile.encode_reply(STOP, OK),
        "RANGES of 8 g and 1000 °/s": profile.encode_ranges(8, 1000),
        "RANGES worked: 8 g and 1147 °/s": profile.encode_ranges_set(profile.RangesSet(8, 1147)),
        "RANGES refused in a stream": profile.encode_reply(profile.Opcode.RANGES, profile.Status.BUSY),
        "IDENTIFY for 10 s": profile.encode_identify(10),
        "IDENTIFY worked": profile.encode_reply(profile.Opcode.IDENTIFY, OK),
        "TIME with the token 0x12345678": profile.encode_time(0x12345678),
        "TIME worked: clock 5 s, held 250 µs": profile.encode_time_told(profile.TimeTold(0x12345678, 5_000_000, 250)),
        "RESEND samples 65533 to 2": profile.encode_resend(65533, 6),
        "RESEND worked: samples 65535 and 0 will come": profile.encode_resending(
            profile.resendable(profile.ResendCommand(65533, 6), next_sequence=1, held=2)
        ),
        "RESEND worked, but none is left": profile.encode_resending(
            profile.resendable(profile.ResendCommand(65533, 6), next_sequence=3, held=0)
        ),
        "Opcode 0x7F refused, unknown": profile.encode_reply(0x7F, profile.Status.UNKNOWN_OPCODE),
        "Samples 65535 and 0, taken at 5.000000 s": profile.encode_packet(65535, 5_000_000, TWO_SAMPLES),
        "Sample 0 again, taken at 5.010000 s": profile.encode_packet(65536, 5_010_000, TWO_SAMPLES[1:], resent=True),
        "Sample 1 of nine axes, taken at 5.020000 s: 20 µT along x, 40 µT down": profile.encode_packet(
            65537, 5_020_000, NINE_AXES
        ),
    }


def test_the_document_names_every_part_of_the_definition():
    text = (ROOT / DOCUMENT).read_text("utf-8")
    names = [entry["name"] for kind in ("flags", "commands", "statuses", "examples") for entry in DEFINED[kind]]
    hexes = [f"`{example['hex']}`" for example in DEFINED["examples"]]
    assert [word for word in [*names, *hexes, *DEFINED["uuids"].values()] if word not in text] == []
