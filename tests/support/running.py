"""Runs the real commands in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SINEW = (sys.executable, "-m", "sinew")


@dataclass(frozen=True)
class Run:
    """What a command did."""

    code: int
    output: str
    errors: str

    @property
    def result(self) -> dict[str, Any]:
        """The JSON object that is the last line of the output."""
        assert self.code == 0, self.errors
        loaded: dict[str, Any] = json.loads(self.output.splitlines()[-1])
        return loaded


def run_sinew(*arguments: str | Path) -> Run:
    """Run `sinew …` to its end."""
    done = subprocess.run([*SINEW, *map(str, arguments)], capture_output=True, text=True, timeout=600, check=False)
    return Run(done.returncode, done.stdout, done.stderr)
