"""A timed test: its result, what is known of other people, and how far it may be off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.domain.exercise import Exercise
from analytics.domain.session import TestResult
from analytics.domain.timed_test import Published, TimedTest, Unit
from analytics.motion.measures import Change

from ..wording import NO_VALUE
from .measures import figure, sentence


@dataclass(frozen=True)
class Reference:
    """One published figure, whom it was found in, what it says and who says it."""

    group: str
    figure: str
    means: str
    source: str


@dataclass(frozen=True)
class TimedTestCard:
    """`change`: since the session before, in a sentence; empty where there is nothing to compare with."""

    name: str
    result: str
    change: str
    notes: tuple[str, ...]
    references: tuple[Reference, ...]
    errors: tuple[Reference, ...]


_UNITS = {Unit.SECONDS: " s", Unit.REPETITIONS: "", Unit.DEGREES: "°"}


def timed_test_card(
    exercise: Exercise | None, result: TestResult | None, changed: Sequence[Change]
) -> TimedTestCard | None:
    """None for a session that was no test."""
    if result is None:
        return None
    measure = result.measure
    test = exercise.test if exercise is not None else None
    return TimedTestCard(
        name=exercise.name if exercise is not None else "Test",
        result=NO_VALUE if measure is None else figure(measure),
        change=next((sentence(one) for one in changed if measure is not None and one.after.code == measure.code), ""),
        notes=result.notes,
        references=() if test is None else tuple(_reference(one, test) for one in test.references),
        errors=() if test is None else tuple(_reference(one, test) for one in test.errors),
    )


def _reference(one: Published, test: TimedTest) -> Reference:
    return Reference(one.group, f"{one.value:g}{_UNITS[test.unit]}", one.means, one.source)
