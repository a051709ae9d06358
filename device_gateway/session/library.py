"""Where a session finds its exercise and what judges its form."""

from __future__ import annotations

from typing import Protocol

from analytics.domain.exercise import Exercise
from analytics.exercises.catalogue import exercise
from analytics.form.bundle import FormScorer
from device_gateway.uplink.release_checks import shipped_scorer


class Library(Protocol):
    """Exercises and models: those the program ships, or `uplink.releases.Releases`, which knows newer ones too."""

    def exercise(self, code: str) -> Exercise:
        """Raises UnknownExercise, which names the known ones."""
        ...

    def scorer(self, exercise_code: str) -> tuple[FormScorer | None, str]:
        """What judges the form of an exercise, or None and why: counting and recording do not depend on it."""
        ...


class ShippedLibrary:
    """What came with the program."""

    def exercise(self, code: str) -> Exercise:
        return exercise(code)

    def scorer(self, exercise_code: str) -> tuple[FormScorer | None, str]:
        return shipped_scorer(exercise_code)


SHIPPED = ShippedLibrary()
