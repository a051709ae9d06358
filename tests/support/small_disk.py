"""A command that finds itself on a disk of a given size: a tmpfs in a mount namespace that ends with the command."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

from running import SINEW, Run

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
SCRIPT = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


def _on(folder: Path, size: str, *command: str) -> Run:
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", SCRIPT, "sh", size, str(folder), *command],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, done.stderr)


@functools.cache
def why_no_small_disk() -> str | None:
    """One sentence for a skipped test; None where a disk can be made small."""
    try:
        made = _on(Path("/mnt"), "1M", "true").code == 0
    except FileNotFoundError:
        made = False
    return None if made else "this system lets nobody mount a small disk of their own (unshare --user --mount)"


def run_sinew_on(folder: Path, size: str, *arguments: str | Path) -> Run:
    """Run `sinew …` to its end while `folder` is an empty disk of `size`, such as 7M."""
    return _on(folder, size, *SINEW, *map(str, arguments))


def run_python_on(folder: Path, size: str, program: str, *arguments: str | Path) -> Run:
    """Run the text of a Python program to its end while `folder` is an empty disk of `size`."""
    return _on(folder, size, sys.executable, "-c", program, *map(str, arguments))
