"""Makes what must agree with the open profile's definition.toml: constants in Python and C, tables in the docs.

`python tools/open_profile.py` writes them; with `--check` it writes nothing, and fails where one of them is stale.
"""

from __future__ import annotations

import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DEFINITION = Path("firmware_interface/open_profile/definition.toml")
PYTHON = Path("firmware_interface/open_profile/constants.py")
C_HEADER = Path("firmware_interface/open_profile/c/sinew_imu_profile.h")
DOCUMENT = Path("docs/firmware-open-profile.md")
MADE = "made by tools/open_profile.py from definition.toml: change them there"

SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}
STRUCT_LETTERS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q"}

Table = dict[str, Any]


def made(root: Path) -> dict[Path, str]:
    """The text that each made file should have, by its path below `root`."""
    profile = tomllib.loads((root / DEFINITION).read_text("utf-8"))
    document = (root / DOCUMENT).read_text("utf-8")
    return {PYTHON: python_constants(profile), C_HEADER: c_header(profile), DOCUMENT: with_tables(document, profile)}


def stale(root: Path) -> list[Path]:
    """Which of the made files differ from what the definition says."""
    return [
        path
        for path, text in made(root).items()
        if not (root / path).exists() or (root / path).read_text("utf-8") != text
    ]


def _members(profile: Table) -> dict[str, list[tuple[str, int, str]]]:
    """Name, value and meaning of the members of each enumeration."""
    return {
        "flag": [(flag["name"], 1 << flag["bit"], flag["meaning"]) for flag in profile["flags"]],
        "opcode": [(command["name"], command["opcode"], command["meaning"]) for command in profile["commands"]],
        "status": [(status["name"], status["code"], status["meaning"]) for status in profile["statuses"]],
    }


def _size(fields: list[Table]) -> int:
    return sum(SIZES[field["type"]] for field in fields)


# ------------------------------------------------------------------------------------------------------------- Python


def python_constants(profile: Table) -> str:
    """The module of constants, formatted as ruff does."""
    members = {
        kind: "\n".join(f"    {name} = {value:#04x}  # {meaning}" for name, value, meaning in found)
        for kind, found in _members(profile).items()
    }
    forms = {
        key: "\n".join(f"    Opcode.{command['name']}: {_forms(command[key])}," for command in profile["commands"])
        for key in ("fields", "answer")
    }
    uuids = "\n".join(f'{name.upper()}_UUID = "{value}"' for name, value in profile["uuids"].items())
    return f'''"""Constants of the open Sinew profile, {MADE}."""

from __future__ import annotations

from enum import IntEnum

{uuids}

VERSION = {profile["version"]}
ACC_RANGES_G = {tuple(profile["acc_ranges_g"])}
GYR_RANGES_DPS = {tuple(profile["gyr_ranges_dps"])}
NO_MAG_READING = {profile["no_mag_reading"]}


class Flag(IntEnum):
    """In the high four bits of a packet's first byte."""

{members["flag"]}


class Opcode(IntEnum):
    """What a gateway may ask."""

{members["opcode"]}


class Status(IntEnum):
    """How a sensor answers."""

{members["status"]}


# Fields in letters of the struct module. Where one may be left out, a second form has it.
PACKET_FIELDS = "{_letters(profile["packet"]["fields"])}"
COMMAND_FIELDS: dict[int, tuple[str, ...]] = {{
{forms["fields"]}
}}
ANSWER_FIELDS: dict[int, tuple[str, ...]] = {{
{forms["answer"]}
}}
'''


def _forms(fields: list[Table]) -> str:
    """A Python tuple of the forms that these fields may take."""
    required = [field for field in fields if not field.get("optional")]
    if len(required) == len(fields):
        return f'("{_letters(fields)}",)'
    return f'("{_letters(required)}", "{_letters(fields)}")'


def _letters(fields: list[Table]) -> str:
    return "".join(STRUCT_LETTERS[field["type"]] for field in fields)


# ------------------------------------------------------------------------------------------------------------------ C


def c_header(profile: Table) -> str:
    """The header of constants."""
    uuids = "\n".join(_c_uuid(name, value) for name, value in profile["uuids"].items())
    enums = "\n\n".join(_c_enum(kind, members) for kind, members in _members(profile).items())
    return f"""/* Constants of the open Sinew profile, {MADE}.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SINEW_IMU_PROFILE_H
#define SINEW_IMU_PROFILE_H

/* Initialisers of the 128-bit UUIDs, least significant byte first, as Bluetooth stacks take them. */
{uuids}

#define SINEW_IMU_VERSION {profile["version"]}
#define SINEW_IMU_ATT_HEADER_BYTES 3 /* of a notification or indication; the rest of the MTU is the profile's */
#define SINEW_IMU_PACKET_HEADER_BYTES {_size(profile["packet"]["fields"])}
#define SINEW_IMU_LONGEST_COMMAND_BYTES {1 + max(_size(command["fields"]) for command in profile["commands"])}
#define SINEW_IMU_LONGEST_ANSWER_BYTES {2 + max(_size(command["answer"]) for command in profile["commands"])}
#define SINEW_IMU_NO_MAG_READING ({profile["no_mag_reading"]}) /* on x, y and z: the magnetometer had no new one */

{enums}

#endif
"""


def _c_uuid(name: str, value: str) -> str:
    numbers = [f"0x{byte:02x}" for byte in reversed(uuid.UUID(value).bytes)]
    halves = ", ".join(numbers[:8]), ", ".join(numbers[8:])
    return f"#define SINEW_IMU_{name.upper()}_UUID \\\n    {{ {halves[0]}, \\\n      {halves[1]} }}"


def _c_enum(kind: str, members: list[tuple[str, int, str]]) -> str:
    lines = [
        f"    SINEW_IMU_{kind.upper()}_{name} = 0x{value:02x}, /* {meaning} */" for name, value, meaning in members
    ]
    return "\n".join([f"enum sinew_imu_{kind} {{", *lines, "};"])


# ------------------------------------------------------------------------------------------------------------ the docs


def with_tables(document: str, profile: Table) -> str:
    """The document with the table between each pair of markers made anew."""
    commands = profile["commands"]
    tables = {
        "packet": _table(("offset", "type", "field"), _packet_rows(profile["packet"])),
        "flags": _table(
            ("bit of byte 0", "flag", "where it is 1"),
            ((flag["bit"], flag["name"], flag["meaning"]) for flag in profile["flags"]),
        ),
        "commands": _table(("byte 0", "offset", "type", "field"), _command_rows(commands)),
        "answers": _table(("bytes 0 and 1", "offset", "type", "field"), _answer_rows(commands)),
        "statuses": _table(
            ("status", "name", "meaning"),
            ((f"{status['code']:02X}", status["name"], status["meaning"]) for status in profile["statuses"]),
        ),
        "examples": _table(
            ("what", "bytes"), ((example["name"], f"`{example['hex']}`") for example in profile["examples"])
        ),
    }
    markers = re.compile(r"(<!-- table (\w+): [^>]*-->\n).*?(<!-- end -->)", re.DOTALL)
    return markers.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", document)


def _packet_rows(packet: Table) -> Iterator[tuple[object, ...]]:
    yield from _field_rows(packet["fields"], 0)
    end = _size(packet["fields"])
    yield end, "n × 6 × i16", f"per sample {packet['axes']}"
    yield end, "or n × 9 × i16", f"per sample {packet['nine_axes']}"


def _command_rows(commands: list[Table]) -> Iterator[tuple[object, ...]]:
    for command in commands:
        yield f"**{command['opcode']:02X}** {command['name']}", "", "", command["meaning"]
        yield from (("", *row) for row in _field_rows(command["fields"], 1))


def _answer_rows(commands: list[Table]) -> Iterator[tuple[object, ...]]:
    for command in commands:
        yield f"**{command['opcode'] | 0x80:02X} 00** {command['name']}", "", "", "" if command["answer"] else "no more"
        yield from (("", *row) for row in _field_rows(command["answer"], 2))


def _field_rows(fields: list[Table], offset: int) -> Iterator[tuple[object, ...]]:
    for field in fields:
        unit = f" in {field['unit']}" if "unit" in field else ""
        yield offset, field["type"], f"{field['name'].replace('_', ' ')}{unit}: {field['meaning']}"
        offset += SIZES[field["type"]]


def _table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (heads, *rows)]
    lines.insert(1, "|---" * len(heads) + "|")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Write or check; the exit status is 1 where a check finds something stale."""
    paths = stale(ROOT)
    if "--check" in arguments:
        for path in paths:
            print(f"{path} does not say what {DEFINITION} says; run `python tools/open_profile.py`.")
        return int(bool(paths))
    wanted = made(ROOT)
    for path in paths:
        (ROOT / path).write_text(wanted[path], "utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
