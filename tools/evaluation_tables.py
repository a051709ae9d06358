"""Writes what `sinew evaluate` prints into docs/motion.md: python tools/evaluation_tables.py DATA (minutes)."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

from analytics.evaluation.command import main as evaluate

PAGE = Path(__file__).parents[1] / "docs" / "motion.md"
FOLDERS = {"orientation": "broad", "hinge": "", "rom": "", "repetitions": ""}
"""Which part of the folder each task is shown."""


def printed(task: str, data: Path) -> str:
    """The table of one task."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if evaluate([task, "--data", str(data)]) != 0:
            raise SystemExit(f"sinew evaluate {task} found nothing to measure in {data}.")
    return out.getvalue().rstrip()


def main(data: Path) -> None:
    """Replace each block between its two marks."""
    text = PAGE.read_text("utf-8")
    for task, folder in FOLDERS.items():
        begin = f"<!-- {task}: made by tools/evaluation_tables.py -->"
        block = f"{begin}\n```\n{printed(task, data / folder)}\n```\n<!-- end -->"
        pattern = rf"{re.escape(begin)}.*?<!-- end -->"
        text, found = re.subn(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"{PAGE.name} has {found} places for the table of {task}; it needs one.")
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
