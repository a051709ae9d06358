"""What is asked for today keeps to what is allowed today."""

from __future__ import annotations

from datetime import date

import pytest

from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Restriction
from analytics.safety.today import dose_today

TODAY = date(2026, 3, 10)
PRESCRIPTION = Prescription(
    exercise="knee.extension.seated", side=Side.LEFT, dose=Dose(sets=3, repetitions=8, target_excursion_deg=65)
)


def restriction(deg: float, until: date | None = None) -> Restriction:
    return Restriction(exercise=PRESCRIPTION.exercise, largest_excursion_deg=deg, until=until, set_by="Surgeon")


@pytest.mark.parametrize(
    ("restrictions", "target_deg"),
    [
        ((), 65),
        ((restriction(70),), 65),
        ((restriction(50),), 50),
        ((restriction(50), restriction(40, TODAY)), 40),
        ((restriction(50), restriction(40, date(2026, 3, 9))), 50),
    ],
)
def test_the_target_is_never_beyond_the_limit_of_the_day(restrictions, target_deg) -> None:
    dose = dose_today(PRESCRIPTION, restrictions, TODAY)
    assert dose == PRESCRIPTION.dose.model_copy(update={"target_excursion_deg": target_deg})
