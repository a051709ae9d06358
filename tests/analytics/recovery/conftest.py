"""Recoveries drawn from the growth model itself, or from patients whose time constants differ as the clinic's do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint

START = (40.0, 9.0)
ASYMPTOTE = (82.0, 6.0)
TAU_DAYS = 21.0
SESSION_SD = 3.0
ERROR = 1.3

MakeCourses = Callable[..., list[Course]]


def draw_courses(
    count: int, seed: int, *, visits: int = 16, log_tau_sd: float = 0.0, setbacks: float = 0.0
) -> list[Course]:
    rng = np.random.default_rng(seed)
    courses = []
    for k in range(count):
        start, asymptote = rng.normal(*START), rng.normal(*ASYMPTOTE)
        tau = TAU_DAYS * rng.lognormal(0, log_tau_sd)
        day = np.sort(rng.uniform(3, 56, visits))
        value = asymptote + (start - asymptote) * np.exp(-day / tau)
        value += rng.normal(0, SESSION_SD, visits) + rng.normal(0, ERROR, visits)
        value -= (rng.random(visits) < setbacks) * rng.uniform(10, 20, visits)
        points = tuple(
            CoursePoint(day=d, value=v, error=ERROR) for d, v in zip(day.tolist(), value.tolist(), strict=True)
        )
        courses.append(Course(patient_id=f"p{k}", outcome=KNEE_RANGE, points=points))
    return courses


@pytest.fixture
def made_at() -> datetime:
    return datetime(2025, 5, 1, 9, tzinfo=UTC)


@pytest.fixture
def make_courses() -> MakeCourses:
    return draw_courses
