"""Writes what `sinew evaluate` prints into docs/motion.md; --check only compares.

python tools/evaluation_tables.py [--check] [--data DIR] (minutes): DIR holds the recordings of
../shared/data/README.md, and is that folder, or what SINEW_DATA says, unless named. Other machines round otherwise, so
--check lets the last printed place of a figure differ by one. The table of bars is made of the figures in the others.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analytics.evaluation.command import main as evaluate
from analytics.evaluation.hinge import RATIO

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "motion.md"
FOLDERS = {"orientation": "broad", "hinge": "", "rom": "", "repetitions": ""}
"""Which part of the folder each task is shown."""
BARS = "bars"
OURS = "Sinew"
BLOCK = "<!-- {name}: made by tools/evaluation_tables.py -->\n```\n{text}\n```\n<!-- end -->"
FIGURE = re.compile(r"-?\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach, and what it aims at. column: of the table that `metric` stands in."""

    what: str
    metric: str
    bar: float
    aim: float | None
    column: str = OURS
    more_is_better: bool = False

    def judged(self, value: float) -> str:
        """In words."""
        if self.aim is not None and self._reached(value, self.aim):
            return "aim reached"
        return "bar held" if self._reached(value, self.bar) else "missed"

    def _reached(self, value: float, wanted: float) -> bool:
        return value >= wanted if self.more_is_better else value <= wanted


MUST_REACH = (
    Bar("inclination, online [°]", "inclination_rmse_deg", 0.74, 0.60),
    Bar("inclination, after the session [°]", "inclination_rmse_offline_deg", 0.51, 0.45),
    Bar("hinge, rigid, to qmt given the true axis", "rigid_rmse_deg", 1.0, 0.8, RATIO),
    Bar("hinge, on foam, the same", "foam_rmse_deg", 1.0, 0.8, RATIO),
    Bar("hinge over a minute, robot [°]", "robot_rmse_deg", 2.0, None),
    Bar("knee flexion, vendor's quaternions [°]", "knee_flexion_rmse_deg", 4.3, 3.0),
    Bar("knee flexion, raw samples [°]", "knee_flexion_rmse_raw_deg", 6.0, 4.0),
    Bar("excursion of the knee per repetition [°]", "rom_mae_deg", 4.0, 2.5),
    Bar("sets counted within one", "sets_within_one", 0.95, 1.0, more_is_better=True),
    Bar("false repetitions a minute", "false_per_minute", 0.2, 0.0),
)


def printed(task: str, data: Path) -> str:
    """The table of one task, as the command prints it."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if evaluate([task, "--data", str(data)]) != 0:
            raise SystemExit(f"sinew evaluate {task} found nothing to measure in {data}.")
    return out.getvalue().rstrip()


def blocks(page: str) -> dict[str, str]:
    """The tables that stand in the page, by name."""
    name, text = r"(?P<name>\w+)", r"(?P<text>.*?)"
    marks = re.escape(BLOCK).replace(r"\{name\}", name).replace(r"\{text\}", text)
    return {one["name"]: one["text"] for one in re.finditer(marks, page, re.DOTALL)}


def figures(table: str) -> dict[tuple[str, str], float]:
    """What a printed table says, by metric and column: everything between its line of names and the next empty line."""
    found: dict[tuple[str, str], float] = {}
    names: list[str] = []
    for line in table.splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if OURS in cells and cells[-2:] == ["unit", "n"]:
            names = cells
        elif not line:
            names = []
        elif names:
            metric, *values = cells
            found |= {(metric, name): float(v) for name, v in zip(names, values, strict=True) if FIGURE.fullmatch(v)}
    return found


def bars_table(tables: Mapping[str, str]) -> str:
    """How the figures of the tasks stand to what must be reached."""
    said = {key: value for task in FOLDERS for key, value in figures(tables[task]).items()}
    lines = [f"{'':42}{'measured':>9}{'bar':>7}{'aim':>7}"]
    for one in MUST_REACH:
        value = said[one.metric, one.column]
        aim = "–" if one.aim is None else f"{one.aim:.2f}"
        lines.append(f"{one.what:42}{value:9.3f}{one.bar:7.2f}{aim:>7}  {one.judged(value)}")
    return "\n".join(lines)


def alike(one: str, other: str) -> bool:
    """Whether two tables say the same, but for one in the last place of figures, and for how columns are spaced."""
    one, other = (re.sub(r" +", " ", text) for text in (one, other))
    if FIGURE.split(one) != FIGURE.split(other):
        return False
    return all(
        len(a) == len(b) and abs(float(a) - float(b)) < 1.5 * 0.1 ** len(a.partition(".")[2])
        for a, b in zip(FIGURE.findall(one), FIGURE.findall(other), strict=True)
    )


def main(argv: list[str]) -> int:
    """Answers the exit code: 1 where the page is not what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--data", type=Path, default=os.environ.get("SINEW_DATA") or ROOT.parent / "shared" / "data")
    options = parser.parse_args(argv)
    made = {task: printed(task, options.data / folder) for task, folder in FOLDERS.items()}
    made[BARS] = bars_table(made)
    page = PAGE.read_text("utf-8")  # not before: people write in it meanwhile
    there = blocks(page)
    if missing := made.keys() - there.keys():
        raise SystemExit(f"{PAGE.name} has no place for the table of {', '.join(sorted(missing))}.")
    if options.check:
        stale = [name for name in made if not alike(there[name], made[name])]
        if stale:
            print(f"docs/motion.md is not what was measured ({', '.join(stale)}); run {__file__}.", file=sys.stderr)
        return int(bool(stale))
    for name, text in made.items():
        page = page.replace(BLOCK.format(name=name, text=there[name]), BLOCK.format(name=name, text=text))
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
