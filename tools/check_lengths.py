"""Fails when a source file is longer than can be read in one sitting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LONGEST = 400
SUFFIXES = {".c", ".css", ".h", ".html", ".js", ".kv", ".py", ".sh"}


def too_long(root: Path) -> list[str]:
    """Return one sentence per tracked or new source file of more than `LONGEST` lines; vendored files do not count."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    paths = [root / name for name in listed if Path(name).suffix in SUFFIXES and "vendor" not in Path(name).parts]
    lengths = {path: path.read_text("utf-8").count("\n") for path in paths if path.exists()}
    return [
        f"{path.relative_to(root)} has {lines} lines; divide it so that no part passes {LONGEST}."
        for path, lines in sorted(lengths.items())
        if lines > LONGEST
    ]


if __name__ == "__main__":
    complaints = too_long(Path(__file__).parents[1])
    print("\n".join(complaints) or f"No source file passes {LONGEST} lines.")
    sys.exit(bool(complaints))
