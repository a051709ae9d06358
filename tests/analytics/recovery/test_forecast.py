"""The band is what will be measured, the goal day is what its docstring says, and doubts are said."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest

from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint
from analytics.recovery.cohort import basis
from analytics.recovery.course import measurements
from analytics.recovery.forecast import forecast
from analytics.recovery.growth import GrowthModel

MakeCourses = Callable[..., list[Course]]


@pytest.fixture
def model(make_courses: MakeCourses) -> GrowthModel:
    return GrowthModel.fit(make_courses(60, seed=11))


def of(*points: tuple[float, float]) -> Course:
    made = tuple(CoursePoint(day=day, value=value, error=1.3) for day, value in points)
    return Course(patient_id="p", outcome=KNEE_RANGE, points=made)


USUAL = of((4, 47.0), (6, 50.0), (8, 55.0), (11, 56.0))


def test_the_band_is_the_ninety_percent_of_what_will_be_measured(model: GrowthModel, made_at: datetime) -> None:
    made = forecast(model, USUAL, goal=75, made_at=made_at, today=12, horizon_day=60)
    patient = model.posterior(measurements(USUAL))
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(patient.mean, patient.covariance, 200_000)
    for point in (made.points[0], made.points[20], made.points[-1]):
        course = drawn @ basis(np.array([point.day]), model.tau_days)[0]
        value = course + rng.normal(0, model.session_sd, len(course)) + rng.normal(0, 1.3, len(course))
        low, high = np.quantile(np.minimum(value, 95.0), [0.05, 0.95])
        assert (point.low, point.mean, point.high) == pytest.approx((low, course.mean(), high), abs=0.12)
    assert [p.day for p in made.points] == list(range(4, 61))
    assert made.measurements_used == 4
    assert (made.model, made.model_sha256) == (model.name, model.sha256)
    assert made.warnings == ()


def test_the_goal_interval_is_when_the_course_has_reached_it_with_5_and_95_percent(
    model: GrowthModel, made_at: datetime
) -> None:
    made = forecast(model, USUAL, goal=68, made_at=made_at, today=12, horizon_day=200)
    assert made.goal_day is not None
    assert made.goal_day_low is not None
    assert made.goal_day_high is not None
    patient = model.posterior(measurements(USUAL))
    drawn = np.random.default_rng(0).multivariate_normal(patient.mean, patient.covariance, 100_000)
    days = np.arange(4, 201, 0.5)
    reached = np.array([np.mean(drawn @ b >= 68) for b in basis(days, model.tau_days)])
    shares = np.interp([made.goal_day_low, made.goal_day, made.goal_day_high], days, reached)
    assert shares.tolist() == pytest.approx([0.05, 0.5, 0.95], abs=0.02)


def test_a_goal_out_of_reach_has_no_day_and_one_already_reached_has_its_past_day(
    model: GrowthModel, made_at: datetime
) -> None:
    far = forecast(model, USUAL, goal=120, made_at=made_at, today=12, horizon_day=84)
    assert (far.goal_day, far.goal_day_low, far.goal_day_high) == (None, None, None)
    near = forecast(model, USUAL, goal=40, made_at=made_at, today=12, horizon_day=84)
    assert near.goal_day == 4


def test_more_measurements_narrow_the_band(model: GrowthModel, made_at: datetime) -> None:
    one = forecast(model, of((4, 47.0)), goal=75, made_at=made_at, today=12, horizon_day=60).points[-1]
    four = forecast(model, USUAL, goal=75, made_at=made_at, today=12, horizon_day=60).points[-1]
    assert four.high - four.low < one.high - one.low


def test_without_a_measurement_there_is_no_line(model: GrowthModel, made_at: datetime) -> None:
    for course in (of(), of((5, math.nan))):
        made = forecast(model, course, goal=75, made_at=made_at, today=12, horizon_day=60)
        assert made.points == ()
        assert made.goal_day is None
        assert "No measurement yet, so there is no forecast." in made.warnings


def said(model: GrowthModel, course: Course, made_at: datetime, *, today: float = 12, horizon_day: float = 60) -> str:
    return " ".join(forecast(model, course, goal=75, made_at=made_at, today=today, horizon_day=horizon_day).warnings)


def test_doubts_are_said(model: GrowthModel, made_at: datetime) -> None:
    assert "Only one measurement" in said(model, of((4, 47.0)), made_at)
    assert "Last data 12 days old." in said(model, USUAL, made_at, today=23)
    assert "days old" not in said(model, USUAL, made_at, today=17)
    assert "1 measurement could not be used" in said(model, of((4, 47.0), (5, 300.0), (6, 50.0)), made_at)
    assert "rests on no patient's data" in said(model, USUAL, made_at, horizon_day=150)
    assert "weak assumption" in said(GrowthModel.fit([]), USUAL, made_at)


def test_a_patient_unlike_the_population_is_called_so(model: GrowthModel, made_at: datetime) -> None:
    unlike = of((4, 85.0), (8, 60.0), (12, 40.0), (16, 25.0), (20, 15.0))
    assert "Outside what the model has seen" in said(model, unlike, made_at, today=21)
    late = of((200, 80.0), (210, 81.0))
    assert "Outside what the model has seen" in said(model, late, made_at, today=211)


def test_few_of_the_populations_own_are_called_unlike(
    model: GrowthModel, make_courses: MakeCourses, made_at: datetime
) -> None:
    called = ["Outside" in said(model, course, made_at, today=57) for course in make_courses(300, seed=12)]
    assert np.mean(called) < 0.02


def test_the_band_does_not_pass_a_straight_knee_unless_the_patient_has(model: GrowthModel, made_at: datetime) -> None:
    quick = of((4, 70.0), (8, 82.0), (12, 88.0))
    made = forecast(model, quick, goal=80, made_at=made_at, today=13, horizon_day=60)
    assert max(p.high for p in made.points) == 95.0
    beyond = of((4, 70.0), (8, 82.0), (12, 99.0))
    made = forecast(model, beyond, goal=80, made_at=made_at, today=13, horizon_day=60)
    assert max(p.high for p in made.points) == 99.0


def test_a_horizon_in_the_past_still_reaches_today(model: GrowthModel, made_at: datetime) -> None:
    made = forecast(model, USUAL, goal=75, made_at=made_at, today=12.4, horizon_day=2)
    assert made.points[-1].day == 13
