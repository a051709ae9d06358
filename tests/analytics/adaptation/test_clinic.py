"""The whole way through on a simulated clinic: sessions to courses, to a model, to forecasts, to proposals."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import pytest

from analytics.adaptation.history import session_outcome
from analytics.adaptation.proposal import propose
from analytics.domain.recovery import KNEE_RANGE, Course
from analytics.domain.session import FormLabel
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


def test_a_session_becomes_an_outcome(clinic: list[SimulatedPatient]) -> None:
    report = clinic[0].reports[-1]
    feedback = clinic[0].feedbacks[-1]
    outcome = session_outcome(report, feedback)
    judged = [r for r in report.repetitions if r.form.label is not FormLabel.NOT_JUDGED]
    correct = [r for r in judged if r.form.label is FormLabel.CORRECT]
    point = course_point(report, clinic[0].surgery_on)
    assert point is not None
    assert outcome.range_deg == pytest.approx(point.value, abs=0.01)
    assert outcome.correct_fraction == pytest.approx(len(correct) / len(judged))
    assert (outcome.repetitions, outcome.started_at) == (len(report.repetitions), report.started_at)
    assert (outcome.pain, outcome.effort) == (feedback.pain, feedback.effort)


def test_a_session_that_says_little_is_an_outcome_without_figures(clinic: list[SimulatedPatient]) -> None:
    report = clinic[0].reports[-1].model_copy(update={"repetitions": ()})
    outcome = session_outcome(report, None)
    assert (outcome.range_deg, outcome.correct_fraction, outcome.pain, outcome.effort) == (None, None, None, None)


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


def test_some_patients_get_a_step_up_some_a_step_down_and_most_stay(clinic: list[SimulatedPatient]) -> None:
    rules: Counter[str] = Counter()
    for p in clinic:
        feedback = {f.session_id: f for f in p.feedbacks}
        history = [session_outcome(report, feedback.get(report.id)) for report in p.reports]
        program = p.programs[-1]
        made = propose(program, program.prescriptions[0], history, None, now=NOW, proposal_id=UUID(int=1))
        rules[made.rule if made else "none"] += 1
    assert rules["progress_range"] >= 3
    assert rules["ease_pain"] >= 2
    assert rules["none"] >= 10
