"""The EM climbs, adds up, and is maximal; its likelihood is that of the joint normal distribution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.domain.recovery import KNEE_RANGE, Course
from analytics.recovery.cohort import (
    ASSUMPTIONS,
    Cohort,
    Population,
    basis,
    climb,
    expectation,
    log_prior,
    maximisation,
)
from analytics.recovery.course import Measurements, measurements

ASSUMPTION = ASSUMPTIONS[KNEE_RANGE]
POPULATION = Population(17.0, np.array([80.0, -42.0]), np.array([[40.0, -35.0], [-35.0, 120.0]]), 9.5)


@pytest.fixture
def patients(make_courses: Callable[..., list[Course]]) -> list[Measurements]:
    """Twelve of unequal length, so that padding is exercised."""
    made = [measurements(course) for course in make_courses(12, seed=4)]
    return [Measurements(m.day[: k + 1], m.value[: k + 1], m.error[: k + 1], 0) for k, m in enumerate(made)]


def test_the_likelihood_is_the_joint_normal_density(patients: list[Measurements]) -> None:
    expected = 0.0
    for m in patients:
        b = basis(m.day, POPULATION.tau_days)
        covariance = b @ POPULATION.covariance @ b.T + np.diag(POPULATION.session_variance + m.error**2)
        residual = m.value - b @ POPULATION.mean
        expected -= 0.5 * float(residual @ np.linalg.solve(covariance, residual))
        expected -= 0.5 * float(np.linalg.slogdet(2 * np.pi * covariance)[1])
    assert expectation(Cohort.of(patients), POPULATION).log_likelihood == pytest.approx(expected, rel=1e-12)


def test_sums_of_parts_are_the_sum_of_the_whole(patients: list[Measurements]) -> None:
    whole = expectation(Cohort.of(patients), POPULATION)
    parts = expectation(Cohort.of(patients[:5]), POPULATION) + expectation(Cohort.of(patients[5:]), POPULATION)
    for name in ("patients", "points", "coefficients", "squares", "session_squares", "log_likelihood"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)


def test_every_step_climbs_and_the_top_is_flat(patients: list[Measurements]) -> None:
    cohort = Cohort.of(patients)
    heights, population = [], POPULATION
    for _ in range(25):
        heights.append(height_of(cohort, population))
        population = maximisation(expectation(cohort, population), population.tau_days, ASSUMPTION)
    assert np.all(np.diff(heights) > -1e-9)

    top, height = climb(cohort, POPULATION, ASSUMPTION)
    for nudged in (
        Population(top.tau_days, top.mean + np.array([2.0, 0.0]), top.covariance, top.session_variance),
        Population(top.tau_days, top.mean - np.array([0.0, 3.0]), top.covariance, top.session_variance),
        Population(top.tau_days, top.mean, top.covariance * 1.3, top.session_variance),
        Population(top.tau_days, top.mean, top.covariance, top.session_variance * 0.8),
    ):
        assert height_of(cohort, nudged) < height


def height_of(cohort: Cohort, population: Population) -> float:
    return expectation(cohort, population).log_likelihood + log_prior(population, ASSUMPTION)
