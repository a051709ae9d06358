"""The clinician's page says what was measured, its examples run, and its numbers are the program's."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.exercises import exercise
from analytics.motion.measures import PUBLISHED_RETEST
from analytics.motion.measures.change import detectable_change
from analytics.motion.measures.method_error import METHOD_ERROR

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))
import measure_tables  # noqa: E402 - a tool is no package

PAGE = (ROOT / "docs" / "measures.md").read_text("utf-8")


def test_its_tables_are_what_is_measured(data_folder):
    command = [sys.executable, "tools/measure_tables.py", "--check", "--data", str(data_folder)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_its_example_runs():
    example = doctest.DocTestParser().get_doctest(PAGE, {}, "measures.md", "docs/measures.md", 0)
    assert len(example.examples) == 5
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize("kind", ["peak_velocity", "mean_velocity", "time", "sparc", "ldlj", "sparc.rate", "ldlj.rate"])
def test_two_measurements_in_three_lie_within_the_stated_error(data_folder, kind):
    """Of squats, and of lunges and steps, each by itself: no less, and not so many that the error is too large."""
    for group, pairs in measure_tables.differences(data_folder)[kind].items():
        within = sum(abs(one.value - truth) <= one.error for truth, one in pairs) / len(pairs)
        assert within >= 0.66, group
        assert within <= 0.97, group


def test_more_rest_about_real_knee_extensions_changes_little(data_folder):
    """Two extensions from rest to rest at 60 Hz, with 0.25 s and with 1 s of rest about them."""
    extensions = measure_tables.seated_extensions(data_folder)
    assert len(extensions) == 2
    for short, long in extensions:
        assert 103.0 < short["range"].value < 106.0
        for code, one in short.items():
            allowed = {"range": 1.0, "mean_velocity": 2.0}.get(code, 0.15 if code.endswith("ldlj") else 0.06)
            assert long[code].value == pytest.approx(one.value, abs=allowed), code


@pytest.mark.parametrize(
    ("row", "kind"),
    [("greatest speed", "peak_velocity"), ("mean speed", "mean_velocity"), ("SPARC", "sparc"), ("LDLJ", "ldlj")],
)
def test_the_errors_it_states_are_the_program_s(row, kind):
    error = METHOD_ERROR[kind]
    stated = next(line for line in PAGE.splitlines() if line.startswith("|") and row in line.split("|")[1])
    figure = f"{100 * error.share:.0f} %" if error.share else str(error.fixed)
    assert stated.split("|")[4].strip() == figure


def test_the_published_values_it_states_are_the_catalogue_s():
    five, thirty = (exercise(f"sit_to_stand.{code}").test.references for code in ("five", "thirty_seconds"))
    assert ", ".join(f"{one.value}" for one in five) in PAGE
    rows = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in PAGE.splitlines() if line.startswith("|")}
    for who in ("women", "men"):
        published = [f"{one.value:.0f}" for one in thirty if one.group.startswith(f"{who},")]
        assert [cell.strip() for cell in rows[f"{who} below"]] == published


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("range of the knee", "knee.range"),
        ("five times sit to stand", "sit_to_stand.five"),
        ("stands in 30 s", "sit_to_stand.thirty_seconds"),
    ],
)
def test_the_smallest_changes_it_states_are_the_program_s(row, code):
    sem, _, mdc95 = next(line for line in PAGE.splitlines() if line.startswith(f"| {row} ")).split("|")[2:-1]
    assert float(re.search(r"[\d.]+", sem)[0]) == pytest.approx(PUBLISHED_RETEST[code].sem, abs=0.06)
    assert float(re.search(r"[\d.]+", mdc95)[0]) == pytest.approx(
        detectable_change(PUBLISHED_RETEST[code].sem), abs=0.06
    )
