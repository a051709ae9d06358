"""Boots the virtual machine once, and hands every test what its scenarios brought."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import machine
from debian_packages import UnavailableError, unpacked
from figures import table
from stage import stage

FOLDER = machine.PROJECT / ".sinew" / "bluez"
TIMEOUT_S = 330.0


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Progress, past pytest's capture: the whole takes minutes."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"  {text}", flush=True)

    return line


@pytest.fixture(scope="session")
def results(say: Callable[[str], None]) -> dict[str, Any]:
    """What the guest's scenarios wrote, by scenario. Skips where the packages cannot be had."""
    try:
        root = unpacked(FOLDER, say)
    except UnavailableError as reason:
        pytest.skip(f"no virtual machine with BlueZ: {reason}")
    out = FOLDER / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    say(f"booting Debian's kernel in QEMU; logs go to {out}")
    asyncio.run(_perform(root, out, say))
    written = out / "results.json"
    assert written.exists(), "the guest wrote no results; the lines above say why"
    figures: dict[str, Any] = json.loads(written.read_text())
    for line in table(figures):
        say(line)
    return figures


async def _perform(root: Path, out: Path, say: Callable[[str], None]) -> None:
    async with stage() as ports:
        await machine.run(root, out, ports, say, TIMEOUT_S)
