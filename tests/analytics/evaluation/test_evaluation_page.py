"""docs/motion.md says what was measured, and what it says of the bars follows from its own tables."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.evaluation.command import TASKS

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))
import evaluation_tables as tool  # noqa: E402 - a tool is no package

PAGE = tool.PAGE.read_text("utf-8")
TABLES = tool.blocks(PAGE)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_its_tables_are_what_is_measured(data_folder):
    command = [sys.executable, "tools/evaluation_tables.py", "--check", "--data", str(data_folder)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_task_has_its_table_and_every_table_its_task():
    assert set(tool.FOLDERS) == set(TASKS)
    assert sorted(re.findall(r"made by tools/evaluation_tables", PAGE)) == ["made by tools/evaluation_tables"] * 5
    assert set(TABLES) == {*TASKS, tool.BARS}


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_of_ours_has_a_bar_and_every_bar_its_figure(task):
    measured = {metric for metric, _ in tool.figures(TABLES[task])}
    assert measured
    assert measured == {bar.metric for bar in tool.MUST_REACH} & measured


def test_the_table_of_bars_follows_from_the_others():
    assert TABLES[tool.BARS] == tool.bars_table(TABLES)


def test_no_bar_is_missed():
    assert re.findall("aim reached|bar held|missed", TABLES[tool.BARS]).count("missed") == 0
    assert len(TABLES[tool.BARS].splitlines()) == 1 + len(tool.MUST_REACH)


def test_a_missed_bar_is_said():
    worse = dict(TABLES)
    worse["rom"] = re.sub(r"(?m)^(rom_mae_deg +)\d+\.\d+", r"\g<1>4.001", worse["rom"])
    assert re.search(r"excursion .* 4\.001 .* missed", tool.bars_table(worse))
    few = dict(TABLES)
    few["repetitions"] = re.sub(r"(?m)^(sets_within_one +)\d+\.\d+", r"\g<1>0.949", few["repetitions"])
    assert re.search(r"sets counted .* 0\.949 .* missed", tool.bars_table(few))


@pytest.mark.parametrize(
    ("measured", "same"),
    [
        ("knee  4.11   66", True),
        ("knee    4.12   66", True),
        ("knee  4.10  66", True),
        ("knee  4.13  66", False),
        ("knee  4.1  66", False),
        ("knee  4.11  65", False),
        ("hip   4.11  66", False),
        ("knee  –  66", False),
        ("knee  -4.11  66", False),
    ],
)
def test_only_the_last_printed_place_may_differ_by_one(measured, same):
    assert tool.alike("knee  4.11  66", measured) is same
