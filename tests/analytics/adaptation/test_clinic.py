"""The whole way through on a simulated clinic: sessions to courses, to a model, to forecasts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from analytics.domain.recovery import KNEE_RANGE, Course
from analytics.recovery.course import course_point
from analytics.recovery.forecast import forecast
from analytics.recovery.growth import GrowthModel
from analytics.simulation.patient import SimulatedPatient, simulate_clinic

TODAY = date(2025, 6, 2)
NOW = datetime(2025, 6, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def clinic() -> list[SimulatedPatient]:
    return simulate_clinic(30, 8, TODAY, seed=1)


def course_of(patient: SimulatedPatient) -> Course:
    points = [course_point(report, patient.surgery_on) for report in patient.reports]
    return Course(patient_id=patient.id, outcome=KNEE_RANGE, points=tuple(p for p in points if p))


def test_the_true_course_lies_in_nine_of_ten_bands_of_steady_patients(clinic: list[SimulatedPatient]) -> None:
    """Three weeks ahead of today, judged by the truth that the simulation keeps; the model was never told it."""
    model = GrowthModel.fit([course_of(p) for p in clinic])
    inside = []
    for p in clinic:
        if p.truth.stalls_on < 99:
            continue
        day = (TODAY - p.surgery_on).days
        made = forecast(model, course_of(p), goal=p.goal_deg, made_at=NOW, today=day, horizon_day=day + 21)
        last = made.points[-1]
        inside.append(last.low <= min(p.truth.range_deg(last.day), 95.0) <= last.high)
    assert len(inside) >= 20
    assert np.mean(inside) >= 0.9
