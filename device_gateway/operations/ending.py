"""Why the gateway could not run, kept in its home: systemd tries again for ever, and somebody may ask in between."""

from __future__ import annotations

import contextlib
from pathlib import Path

FILE = "ended.txt"


def keep_reason(home: Path, sentence: str) -> None:
    """Where that cannot be written, the journal has it alone."""
    with contextlib.suppress(OSError):
        (home / FILE).write_text(sentence, "utf-8")


def forget_reason(home: Path) -> None:
    """It runs."""
    with contextlib.suppress(OSError):
        (home / FILE).unlink(missing_ok=True)


def reason(home: Path) -> str | None:
    """One sentence, or None where it ended in order or was never started."""
    try:
        return (home / FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
