"""Writes the table of sensor families in docs/sensors.md from the drivers themselves; --check only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from firmware_interface.drivers import DRIVERS, Family

PAGE = Path(__file__).parents[1] / "docs" / "sensors.md"
BEGIN, END = "<!-- families: made by tools/sensor_table.py -->", "<!-- end of families -->"
COLUMNS = (
    "sensor",
    "measures",
    "rates, Hz",
    "ranges",
    "timestamps",
    "sequence",
    "synchronisation",
    "what it cannot do",
)


def table() -> str:
    """The whole table, as Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(driver.family) for driver in DRIVERS)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(family: Family) -> tuple[str, ...]:
    return (
        f"**{family.name}** (`{family.code}`)",
        ", ".join(family.quantities),
        _numbers(family.rates_hz) or "its own",
        _ranges(family),
        family.timestamps or "none: samples are counted",
        family.sequence or "none",
        family.synchronisation or "by arrival times only",
        "; ".join(family.cannot) or "–",
    )


def _ranges(family: Family) -> str:
    parts = ((family.acc_ranges_g, "g"), (family.gyr_ranges_dps, "°/s"))
    return ", ".join(f"±{_numbers(values, '/')} {unit}" for values, unit in parts if values) or "not told"


def _numbers(values: tuple[float, ...], separator: str = ", ") -> str:
    return separator.join(f"{value:g}" for value in values)


def page_with_table(page: str) -> str:
    """The page with the table between its marks made anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    page = PAGE.read_text("utf-8")
    made = page_with_table(page)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if made == page else f"{PAGE.name} is not what the drivers say: run python tools/sensor_table.py")
    PAGE.write_text(made, "utf-8")
