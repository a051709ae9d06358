"""Writes the table of keys in docs/gateway-configuration.md from the model itself; --check only compares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

from pydantic.fields import FieldInfo

from device_gateway.operations.configuration import KEYS, OPTIONS, toml_value

PAGE = Path(__file__).parents[1] / "docs" / "gateway-configuration.md"
BEGIN, END = "<!-- keys: made by tools/gateway_configuration.py -->", "<!-- end of keys -->"
COLUMNS = ("key", "what it is", "where it is not given", "option of `run`")


def table() -> str:
    """The whole table, as Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(name, field) for name, field in KEYS.items())]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(name: str, field: FieldInfo) -> tuple[str, ...]:
    default = "it must be given" if field.is_required() else field.get_default(call_default_factory=True)
    shown = "–" if default is None or default == {} else f"`{toml_value(default)}`"
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    meaning = (field.description or "") + (f" (one of {', '.join(choices)})" if choices else "")
    return (
        f"`{name}`",
        meaning,
        str(default) if field.is_required() else shown,
        f"`--{OPTIONS[name]}`" if name in OPTIONS else "–",
    )


def page_with_table(page: str) -> str:
    """The page with the table between its marks made anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    page = PAGE.read_text("utf-8")
    made = page_with_table(page)
    if "--check" in sys.argv[1:]:
        stale = f"{PAGE.name} is not what the model says: run python tools/gateway_configuration.py"
        sys.exit(0 if made == page else stale)
    PAGE.write_text(made, "utf-8")
