"""Sets are counted, may become smaller in the middle, and say how long was rested."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.measure import Measure, Unit
from analytics.domain.program import Dose
from analytics.domain.session import Form, FormLabel, Repetition, SetReport
from analytics.motion.events import RepetitionMotion
from device_gateway.session.sets import Progress, SetCounter


def done(number: int, start_s: float) -> Repetition:
    return Repetition(
        number=number, start_s=start_s, peak_s=start_s + 1, end_s=start_s + 3, excursion_deg=60, excursion_error_deg=2,
        peak_flexion_deg=30, peak_velocity_deg_s=80, form=Form(label=FormLabel.CORRECT),
    )  # fmt: skip


def test_nothing_done_is_no_set() -> None:
    assert SetCounter(Dose(sets=2, repetitions=2, target_excursion_deg=60)).reports() == ()


def test_sets_rests_and_what_is_done_beyond_the_dose() -> None:
    sets = SetCounter(Dose(sets=2, repetitions=2, target_excursion_deg=60))
    told = []
    for number, start_s in enumerate((0.0, 4.0, 30.0, 34.0, 38.0), 1):
        sets.add(done(number, start_s))
        told.append(sets.progress())
        if told[-1] is Progress.SET_DONE:
            sets.next_set()
    assert told == [Progress.GOING_ON, Progress.SET_DONE, Progress.GOING_ON, Progress.ALL_DONE, Progress.GOING_ON]
    assert sets.reports() == (
        SetReport(number=1, start_s=0, end_s=7, repetitions=2, rest_s=23),
        SetReport(number=2, start_s=30, end_s=41, repetitions=3, rest_s=None),
    )


def test_a_dose_that_becomes_smaller_may_be_complete_at_once() -> None:
    sets = SetCounter(Dose(sets=1, repetitions=10, target_excursion_deg=60))
    for number in range(1, 9):
        sets.add(done(number, 4.0 * number))
    assert sets.progress() is Progress.GOING_ON
    sets.dose = Dose(sets=1, repetitions=7, target_excursion_deg=50)
    assert [sets.progress(), sets.progress()] == [Progress.ALL_DONE, Progress.GOING_ON]


def test_a_set_that_was_left_empty_is_not_reported() -> None:
    sets = SetCounter(Dose(sets=3, repetitions=2, target_excursion_deg=60))
    sets.add(done(1, 0.0))
    sets.next_set()
    sets.next_set()
    sets.add(done(2, 20.0))
    assert [(s.number, s.rest_s) for s in sets.reports()] == [(1, 17.0), (3, None)]


def test_a_set_tells_the_usual_repetition_and_how_alike_they_were() -> None:
    sets = SetCounter(Dose(sets=2, repetitions=3, target_excursion_deg=60))
    time_s = np.linspace(0, 3, 151)
    curve = RepetitionMotion(time_s, 90 - 60 * np.sin(np.pi * time_s / 3) ** 2)
    for number, range_deg in enumerate((58.0, 60.0, 62.0), 1):
        moved = Measure(code="range", name="Range moved", value=range_deg, unit=Unit.DEGREE, error=2.0)
        sets.add(done(number, 4.0 * number).model_copy(update={"measures": (moved,)}), curve)
    sets.next_set()
    sets.add(done(4, 20.0), curve)
    first, unmeasured = sets.reports()
    measures = {measure.code: measure for measure in first.measures}
    assert measures["range"].value == 60.0
    assert measures["range_variation"].value == pytest.approx(100 * 2 / 60)
    assert measures["shape_likeness"].value == pytest.approx(100)
    assert unmeasured.measures == ()
