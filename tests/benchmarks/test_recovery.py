"""Speed of the recovery room: a patient's update, a forecast, the population fit, the simulated clinic."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint
from analytics.recovery.course import measurements
from analytics.recovery.forecast import forecast
from analytics.recovery.growth import GrowthModel
from analytics.simulation.patient import simulate_clinic


@pytest.fixture(scope="module")
def courses() -> list[Course]:
    rng = np.random.default_rng(0)
    made = []
    for k in range(30):
        start, asymptote, day = rng.normal(40, 9), rng.normal(82, 6), np.sort(rng.uniform(3, 56, 25))
        value = asymptote + (start - asymptote) * np.exp(-day / 21) + rng.normal(0, 3, 25)
        points = [CoursePoint(day=d, value=v, error=1.3) for d, v in zip(day.tolist(), value.tolist(), strict=True)]
        made.append(Course(patient_id=str(k), outcome=KNEE_RANGE, points=tuple(points)))
    return made


def median_s(benchmark: BenchmarkFixture) -> float:
    stats = benchmark.stats
    assert stats is not None
    return float(stats.stats.median)


def test_update_of_one_patient_with_25_visits(benchmark: BenchmarkFixture, courses: list[Course]) -> None:
    model = GrowthModel.fit(courses)
    seen = measurements(courses[0])
    benchmark(model.posterior, seen)
    assert median_s(benchmark) <= 1e-4


def test_forecast_of_84_days(benchmark: BenchmarkFixture, courses: list[Course]) -> None:
    model = GrowthModel.fit(courses)
    made_at = datetime(2025, 5, 1, tzinfo=UTC)
    made = benchmark(forecast, model, courses[0], goal=75, made_at=made_at, today=56, horizon_day=84)
    assert len(made.points) > 60


def test_population_fit_of_30_patients(benchmark: BenchmarkFixture, courses: list[Course]) -> None:
    assert benchmark(GrowthModel.fit, courses).courses == 30


def test_simulated_clinic_of_30_patients(benchmark: BenchmarkFixture) -> None:
    clinic = benchmark.pedantic(simulate_clinic, args=(30, 8, date(2025, 6, 2), 1), rounds=3)
    assert len(clinic) == 30
    assert median_s(benchmark) <= 3.0
