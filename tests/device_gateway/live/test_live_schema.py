"""The published schema and page are what the gateway says, and the page's example runs."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

from analytics.domain.live import FinishedEvent, RepetitionEvent
from analytics.domain.session import Form, FormLabel, Repetition
from device_gateway.live.schema import live_schema

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "gateway-live-channel.md").read_text("utf-8")


def test_the_file_in_the_docs_is_the_schema() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/live_schema.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_page_names_every_event_and_every_command() -> None:
    words = json.loads(live_schema())["$defs"]
    kinds = set(words["LiveEvent"]["discriminator"]["mapping"])
    table = PAGE.partition("## Events")[2].partition("## Commands")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.M)) - {"kind"} == kinds
    commands = PAGE.partition("## Commands")[2].partition("the schema says")[0].partition("The commands are")[2]
    assert set(re.findall(r"`(\w+)`", commands)) == set(words["Command"]["properties"]["command"]["enum"])


async def test_the_room_display_of_the_page_prints_repetitions(served, invented, until, tmp_path: Path) -> None:
    program = tmp_path / "display.py"
    program.write_text(PAGE.partition("```python\n")[2].partition("```")[0], "utf-8")
    token = await served.phones.pair("Kitchen display")
    display = await asyncio.create_subprocess_exec(
        sys.executable, program, f"wss://127.0.0.1:{served.port}/live", served.certificate_sha256, token,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await until(lambda: served.hub.listeners == 1)
    for number in (1, 2):
        done = Repetition(
            number=number, start_s=1, peak_s=2, end_s=3, excursion_deg=61.4, excursion_error_deg=2,
            peak_flexion_deg=20, peak_velocity_deg_s=60, form=Form(label=FormLabel.CORRECT, probability=0.9),
        )  # fmt: skip
        served.hub.publish(RepetitionEvent(set_number=1, count_in_set=number, repetition=done))
    served.hub.publish(FinishedEvent(report=invented.report(invented.opening(), [])))
    printed, complaints = await asyncio.wait_for(display.communicate(), 20)
    assert complaints == b""
    assert printed.decode() == "No exercise: 0 so far\nRepetition 1: 61°\nRepetition 2: 61°\n"


async def test_the_room_display_of_the_page_tells_a_strange_gateway_nothing(served, tmp_path: Path) -> None:
    program = tmp_path / "display.py"
    program.write_text(PAGE.partition("```python\n")[2].partition("```")[0], "utf-8")
    display = await asyncio.create_subprocess_exec(
        sys.executable, program, f"wss://127.0.0.1:{served.port}/live", "0" * 64, served.phones.clinic_token,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaints = await asyncio.wait_for(display.communicate(), 20)
    assert b"not our gateway" in complaints
    assert served.hub.listeners == 0
