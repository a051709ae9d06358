"""The growth model finds what was put in, conditions exactly, and survives being written down."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint
from analytics.recovery.cohort import ASSUMPTIONS, basis
from analytics.recovery.course import Measurements, measurements
from analytics.recovery.growth import GrowthModel, GrowthModelError

MakeCourses = Callable[..., list[Course]]


def test_known_parameters_are_found_again(make_courses: MakeCourses) -> None:
    model = GrowthModel.fit(make_courses(400, seed=1))
    assert model.tau_days == pytest.approx(21.0, rel=0.12)
    assert model.mean == pytest.approx((82.0, -42.0), abs=2.0)
    (a, b), (_, d) = model.covariance
    assert np.sqrt(a) == pytest.approx(6.0, rel=0.15)
    assert np.sqrt(d) == pytest.approx(np.hypot(6.0, 9.0), rel=0.15)
    assert b == pytest.approx(-36.0, rel=0.35)
    assert model.session_sd == pytest.approx(3.0, rel=0.06)
    assert (model.courses, model.measurements, model.assumed) == (400, 6400, False)
    assert model.typical_error == pytest.approx(1.3)


def test_measurement_error_is_not_taken_for_variation_of_the_patient(make_courses: MakeCourses) -> None:
    """The same values, said to be less exact, leave less to the patient's own days."""
    exact = make_courses(60, seed=2)
    rough = [
        c.model_copy(update={"points": tuple(p.model_copy(update={"error": 2.5}) for p in c.points)}) for c in exact
    ]
    assert GrowthModel.fit(rough).session_sd < GrowthModel.fit(exact).session_sd - 0.5


@pytest.mark.parametrize("visits_known", [1, 2, 4, 8])
def test_ninety_percent_of_later_measurements_of_patients_not_fitted_fall_in_the_band(
    make_courses: MakeCourses, visits_known: int
) -> None:
    """Over six fits to 40 patients each, on 100 others; time constants differ between patients and 2 % are setbacks."""
    inside = []
    for seed in range(6):
        model = GrowthModel.fit(make_courses(40, seed=seed, log_tau_sd=0.25, setbacks=0.02))
        for held_out in make_courses(100, seed=1000 + seed, log_tau_sd=0.25, setbacks=0.02):
            m = measurements(held_out)
            k = visits_known
            mean, sd = model.posterior(Measurements(m.day[:k], m.value[:k], m.error[:k], 0)).course(m.day[k:])
            band = 1.645 * np.sqrt(sd**2 + model.session_sd**2 + m.error[k:] ** 2)
            inside += (np.abs(m.value[k:] - mean) <= band).tolist()
    assert 0.86 <= np.mean(inside) <= 0.94


@settings(max_examples=60, deadline=None)
@given(
    days=st.lists(st.floats(0, 120), min_size=1, max_size=12),
    seed=st.integers(0, 10_000),
)
def test_the_closed_form_is_conditioning_of_the_joint_normal_distribution(days: list[float], seed: int) -> None:
    """Gaussian process with kernel b(s)·Σ·b(t), values conditioned on values (Rasmussen 2006, eq. 2.23, 2.24)."""
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 8, (2, 2))
    covariance = root @ root.T + np.eye(2) * 4
    model = GrowthModel(
        outcome=KNEE_RANGE,
        tau_days=float(rng.uniform(5, 60)),
        mean=(80.0, -40.0),
        covariance=((covariance[0, 0], covariance[0, 1]), (covariance[1, 0], covariance[1, 1])),
        session_sd=float(rng.uniform(1, 5)),
        typical_error=1.3,
        courses=9,
        measurements=99,
        last_day=56,
        assumed=False,
    )
    day, error = np.sort(days), rng.uniform(0.5, 3, len(days))
    value = rng.uniform(20, 95, len(days))
    ahead = np.array([0.0, 10.0, 56.0, 84.0])

    b, b_ahead = basis(day, model.tau_days), basis(ahead, model.tau_days)
    among = b @ covariance @ b.T + np.diag(model.session_sd**2 + error**2)
    gain = np.linalg.solve(among, b @ covariance @ b_ahead.T).T
    expected_mean = b_ahead @ np.array(model.mean) + gain @ (value - b @ np.array(model.mean))
    expected_variance = np.diag(b_ahead @ covariance @ b_ahead.T - gain @ b @ covariance @ b_ahead.T)

    mean, sd = model.posterior(Measurements(day, value, error, 0)).course(ahead)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(sd**2, expected_variance, rtol=1e-6, atol=1e-7)


def test_order_of_visits_patients_and_repeats_do_not_matter(make_courses: MakeCourses) -> None:
    courses = make_courses(20, seed=3)
    shuffled = [c.model_copy(update={"points": (*reversed(c.points), *c.points[:4])}) for c in courses]
    assert GrowthModel.fit(shuffled) == GrowthModel.fit(courses)
    other_way = GrowthModel.fit(courses[::-1])
    assert other_way.mean == pytest.approx(GrowthModel.fit(courses).mean, rel=1e-6)


def test_nothing_measured_is_the_population(make_courses: MakeCourses) -> None:
    model = GrowthModel.fit(make_courses(20, seed=3))
    nobody = model.posterior(measurements(Course(patient_id="n", outcome=KNEE_RANGE, points=())))
    np.testing.assert_allclose(nobody.mean, model.mean)
    np.testing.assert_allclose(nobody.covariance, model.covariance)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_courses_leave_the_weak_assumption(make_courses: MakeCourses, count: int) -> None:
    model = GrowthModel.fit(make_courses(count, seed=5))
    assumed = ASSUMPTIONS[KNEE_RANGE].population
    assert model.assumed
    assert model.mean == pytest.approx(tuple(assumed.mean))
    assert model.session_sd**2 == pytest.approx(assumed.session_variance)


def test_the_assumption_is_what_its_comment_says() -> None:
    mean, sd = (
        GrowthModel.fit([])
        .posterior(measurements(Course(patient_id="n", outcome=KNEE_RANGE, points=())))
        .course(np.array([0.0, 1e6]))
    )
    assert mean.tolist() == pytest.approx([45.0, 80.0])
    assert sd.tolist() == pytest.approx([20.0, 12.0])


def test_two_short_courses_are_enough_to_fit_and_stay_near_the_assumption() -> None:
    courses = [
        Course(patient_id=str(k), outcome=KNEE_RANGE, points=(CoursePoint(day=5, value=45 + k, error=1.3),))
        for k in range(2)
    ]
    model = GrowthModel.fit(courses)
    assert not model.assumed
    assert 60 < model.mean[0] < 95
    assert np.linalg.eigvalsh(np.array(model.covariance)).min() > 10


def test_json_round_trip_keeps_every_bit_and_the_digest(make_courses: MakeCourses) -> None:
    model = GrowthModel.fit(make_courses(20, seed=6))
    again = GrowthModel.from_json(model.to_json())
    assert again == model
    assert again.sha256 == model.sha256
    assert len(model.sha256) == 64
    assert GrowthModel.fit(make_courses(20, seed=7)).sha256 != model.sha256


def changed(**entries: object) -> str:
    return json.dumps({**json.loads(GrowthModel.fit([]).to_json()), **entries})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a growth model"),
        ("[]", "not a growth model"),
        ('{"form": "growth.exponential 1"}', "not a growth model"),
        (changed(form="growth.spline 4"), "another form"),
        (changed(surprise=1), "not a growth model"),
        (changed(tau_days=-3.0), "impossible numbers"),
        (changed(covariance=[[1.0, 2.0], [2.0, 1.0]]), "impossible numbers"),
        (changed(mean=[float("nan"), 1.0]), "impossible numbers"),
    ],
)
def test_what_is_no_model_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(GrowthModelError, match=words):
        GrowthModel.from_json(text)


def test_outcomes_are_not_mixed() -> None:
    with pytest.raises(GrowthModelError, match="no growth model for 'mood'"):
        GrowthModel.fit([], outcome="mood")
    with pytest.raises(GrowthModelError, match="cannot learn from courses of mood"):
        GrowthModel.fit([Course(patient_id="p", outcome="mood", points=())])
