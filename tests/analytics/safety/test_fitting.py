"""A target in degrees belongs to an exercise that is followed by an angle, and to no other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription
from analytics.exercises import catalogue
from analytics.safety.envelope import respects
from analytics.safety.fitting import misfit
from analytics.safety.rules import load_rules


def prescribed(exercise: str, target_deg: float | None) -> Prescription:
    return Prescription(
        exercise=exercise, side=Side.RIGHT, dose=Dose(sets=3, repetitions=8, target_excursion_deg=target_deg)
    )


@pytest.mark.parametrize("code", catalogue())
def test_what_the_catalogue_proposes_fits_and_the_contrary_does_not(code: str) -> None:
    exercise = catalogue()[code]
    assert misfit(prescribed(code, exercise.dose.target_excursion_deg), exercise) is None
    contrary = misfit(prescribed(code, 20 if exercise.angle is None else None), exercise)
    assert contrary is not None
    assert contrary.startswith(exercise.name)


@pytest.mark.parametrize(("before", "after"), [(None, 20.0), (20.0, None)])
def test_the_rules_neither_give_nor_take_a_target(before: float | None, after: float | None) -> None:
    (broken,) = respects(
        prescribed("shoulder.pendulum", before), prescribed("shoulder.pendulum", after),
        restrictions=(), history=(), rules=load_rules(), now=datetime(2026, 11, 24, tzinfo=UTC),
    )[:1]  # fmt: skip
    assert broken == "A target belongs to an exercise that is followed by an angle."
