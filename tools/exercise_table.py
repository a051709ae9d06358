"""Writes the table of the catalogue in docs/exercises.md from the exercises themselves; --check only compares."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from analytics.domain.exercise import Exercise
from analytics.exercises import catalogue

PAGE = Path(__file__).parents[1] / "docs" / "exercises.md"
BEGIN, END = "<!-- catalogue: made by tools/exercise_table.py -->", "<!-- end of the catalogue -->"
COLUMNS = ("code", "exercise", "posture", "sensors", "what is followed", "target", "dose")


def table() -> str:
    """One table for each group of codes, as Markdown."""
    groups = groupby(catalogue().values(), key=lambda exercise: exercise.code.split(".")[0])
    return "\n".join(_group(name, list(exercises)) for name, exercises in groups)


def _group(name: str, exercises: list[Exercise]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(exercise) for exercise in exercises)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"\n### {name.replace('_', ' ').capitalize()}\n", *lines])


def _row(exercise: Exercise) -> tuple[str, ...]:
    dose = exercise.dose
    follows = f"{exercise.joint} {_words(exercise.direction)}" if exercise.angle else "a demonstration"
    target = "–" if dose.target_excursion_deg is None else f"{dose.target_excursion_deg:g}°"
    return (
        f"`{exercise.code}`",
        exercise.name,
        _words(exercise.posture),
        ", ".join(_words(part) for part in exercise.sensors.required),
        follows,
        target,
        f"{dose.sets} × {dose.repetitions}" if exercise.test is None else "a test",
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def page_with_table(page: str) -> str:
    """The page with the tables between its marks made anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n\n{END}{after}"


if __name__ == "__main__":
    page = PAGE.read_text("utf-8")
    made = page_with_table(page)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if made == page else f"{PAGE.name} is not what the catalogue says: run tools/exercise_table.py")
    PAGE.write_text(made, "utf-8")
