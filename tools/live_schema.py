"""Writes docs/live-events.schema.json from the live channel's own words; --check only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from device_gateway.live.schema import live_schema

FILE = Path(__file__).parents[1] / "docs" / "live-events.schema.json"

if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        same = FILE.exists() and FILE.read_text("utf-8") == live_schema()
        sys.exit(0 if same else f"{FILE.name} is not what the gateway says: run python tools/live_schema.py")
    FILE.write_text(live_schema(), "utf-8")
