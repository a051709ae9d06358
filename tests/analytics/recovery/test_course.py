"""From a session's repetitions to one measurement, and from a course to arrays."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import numpy as np
import pytest

from analytics.domain.exercise import Side
from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint
from analytics.domain.session import Form, FormLabel, Repetition, SessionReport
from analytics.exercises import catalogue
from analytics.recovery.course import SPREAD_TO_ERROR, course_point, measurements, outcome_of, session_range

SURGERY = date(2025, 3, 1)


def repetition(number: int, excursion_deg: float | None, error_deg: float = 1.0) -> Repetition:
    return Repetition(
        number=number,
        start_s=number * 5.0,
        peak_s=number * 5.0 + 1.5,
        end_s=number * 5.0 + 3.0,
        excursion_deg=excursion_deg,
        excursion_error_deg=None if excursion_deg is None else error_deg,
        peak_flexion_deg=None if excursion_deg is None else 90 - excursion_deg,
        peak_velocity_deg_s=80,
        form=Form(label=FormLabel.NOT_JUDGED, reason="no model"),
    )


def report(
    *excursions_deg: float | None, started_at: datetime = datetime(2025, 3, 11, 12, tzinfo=UTC)
) -> SessionReport:
    return SessionReport(
        id=UUID(int=7),
        patient_id="p",
        program_version=1,
        exercise="knee.extension.seated",
        side=Side.LEFT,
        started_at=started_at,
        ended_at=started_at + timedelta(minutes=5),
        repetitions=tuple(repetition(k, e) for k, e in enumerate(excursions_deg, 1)),
        calibration=None,
        sensors=(),
        chunk_count=0,
        chunks_sha256="",
        simulated=True,
    )


def test_the_value_is_the_median_of_the_best_three_whatever_their_order() -> None:
    for order in ((50, 61, 64, 60, 20), (64, 20, 60, 50, 61)):
        point = course_point(report(*order), SURGERY)
        assert point is not None
        assert (point.value, point.day, point.session_id, point.simulated) == (61.0, 10.5, UUID(int=7), True)


def test_the_error_holds_the_sensors_error_whole_and_the_spread_of_the_best() -> None:
    alike = session_range([repetition(k, 60.0, 1.5) for k in (1, 2, 3)])
    assert alike is not None
    assert alike[1] == pytest.approx(1.5)
    spread = session_range([repetition(1, 58.0, 1.5), repetition(2, 60.0, 1.5), repetition(3, 62.0, 1.5)])
    assert spread is not None
    assert spread[1] == pytest.approx(math.hypot(1.5, 0.67 * 2.0))


def test_the_constant_is_the_spread_of_a_median_of_three() -> None:
    draws = np.median(np.random.default_rng(0).standard_normal((200_000, 3)), axis=1)
    assert draws.std() == pytest.approx(SPREAD_TO_ERROR, abs=0.005)


def test_a_session_is_never_surer_than_a_worn_sensor() -> None:
    measured = session_range([repetition(k, 60.0, 0.0) for k in (1, 2, 3)])
    assert measured == (60.0, 0.5)


def test_too_few_repetitions_or_a_day_before_surgery_is_no_measurement() -> None:
    assert course_point(report(60, 61), SURGERY) is None
    assert course_point(report(60, 61), SURGERY) is None
    assert course_point(report(60, 61, 62, started_at=datetime(2025, 2, 27, tzinfo=UTC)), SURGERY) is None
    assert course_point(report(60, 61, 62, started_at=datetime(2025, 3, 1, 18, tzinfo=UTC)), SURGERY) is not None


def test_repetitions_without_an_angle_are_no_part_of_a_range() -> None:
    assert course_point(report(None, None, None, None), SURGERY) is None
    assert course_point(report(60, None, 61, None), SURGERY) is None
    point = course_point(report(60, None, 61, 62), SURGERY)
    assert point is not None
    assert point.value == 61


def test_no_other_exercises_range_is_taken_for_the_knees() -> None:
    outcomes = {outcome_of(code) for code in catalogue()}
    assert len(outcomes) == len(catalogue())
    assert [code for code in catalogue() if outcome_of(code) == KNEE_RANGE] == ["knee.extension.seated"]


def test_the_day_is_that_of_the_patients_own_clock() -> None:
    tokyo = datetime(2025, 3, 2, 1, tzinfo=timezone(timedelta(hours=9)))
    point = course_point(report(60, 61, 62, started_at=tokyo), SURGERY)
    assert point is not None
    assert point.day == pytest.approx(25 / 24, abs=1e-3)


def course(*points: CoursePoint) -> Course:
    return Course(patient_id="p", outcome=KNEE_RANGE, points=points)


def test_a_session_sent_twice_counts_once_and_its_last_value_stands() -> None:
    first = CoursePoint(day=3, value=50, error=1, session_id=UUID(int=1))
    mended = first.model_copy(update={"value": 52})
    seen = measurements(course(first, first, CoursePoint(day=2, value=48, error=1), mended))
    assert seen.day.tolist() == [2, 3]
    assert seen.value.tolist() == [48, 52]
    assert seen.unusable == 0


def test_points_without_a_session_count_once_when_equal() -> None:
    point = CoursePoint(day=3, value=50, error=1)
    assert len(measurements(course(point, point)).day) == 1


@pytest.mark.parametrize(
    "bad",
    [
        CoursePoint(day=4, value=math.nan, error=1),
        CoursePoint(day=4, value=-3, error=1),
        CoursePoint(day=4, value=400, error=1),
        CoursePoint(day=4, value=111, error=1),  # of seated knee extension, whose straight knee is 90
        CoursePoint(day=-1, value=50, error=1),
        CoursePoint(day=math.inf, value=50, error=1),
        CoursePoint(day=4, value=50, error=math.inf),
    ],
)
def test_impossible_points_are_left_out_and_counted(bad: CoursePoint) -> None:
    seen = measurements(course(CoursePoint(day=3, value=50, error=1), bad))
    assert seen.value.tolist() == [50]
    assert seen.unusable == 1


def test_an_empty_course_is_empty_arrays() -> None:
    assert [len(a) for a in measurements(course())[:3]] == [0, 0, 0]
