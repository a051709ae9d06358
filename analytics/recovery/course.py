"""From a session to one measurement, and from a course to arrays a model can use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from statistics import median, stdev
from typing import NamedTuple

import numpy as np

from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint
from analytics.domain.session import Repetition, SessionReport
from analytics.signals.samples import FloatArray

BEST = 3
SPREAD_TO_ERROR = 0.67
"""Standard deviation of the median of three normal values, in units of their own (its variance is 0.4487)."""

LEAST_ERROR_DEG = 0.5
"""A worn sensor is never surer than this, whatever one session's repetitions say."""

KNEE_RANGE_EXERCISE = "knee.extension.seated"

POSSIBLE = {KNEE_RANGE: (0.0, 110.0)}
"""What an outcome can be at all. Beyond it a value is a fault of the measurement, not of the patient.

Sitting with the knee at 90 degrees, 90 degrees of movement is the straight knee; ten more are a knee that extends
beyond straight, and another ten a chair that lets the shank hang back and the sensors' own error.
"""


def outcome_of(exercise: str) -> str:
    """What a session of it measures. Only one exercise shows `KNEE_RANGE`: in a squat the same knee moves otherwise,
    and another joint's range must not be taken for the knee's."""
    return KNEE_RANGE if exercise == KNEE_RANGE_EXERCISE else f"{exercise}.range_deg"


def session_range(repetitions: Sequence[Repetition]) -> tuple[float, float] | None:
    """Range of motion shown in a session and its standard deviation, degrees; None with fewer than three repetitions
    that have an angle.

    The median of the best three excursions: what the joint can do, but not on the strength of one lucky repetition.
    Errors of the sensors are shared by all repetitions of a session (same straps, same axis), so the mean of the three
    is kept whole and not divided by √3; the spread of the three adds what their median leaves uncertain.
    """
    measured = [
        (r.excursion_deg, r.excursion_error_deg)
        for r in repetitions
        if r.excursion_deg is not None and r.excursion_error_deg is not None
    ]
    valid = [one for one in measured if all(map(math.isfinite, one))]
    if len(valid) < BEST:
        return None
    best = sorted(valid, key=lambda one: one[0], reverse=True)[:BEST]
    excursions_deg = [excursion_deg for excursion_deg, _ in best]
    shared = sum(abs(error_deg) for _, error_deg in best) / BEST
    own = SPREAD_TO_ERROR * stdev(excursions_deg)
    return median(excursions_deg), max(math.hypot(shared, own), LEAST_ERROR_DEG)


def course_point(report: SessionReport, surgery_on: date) -> CoursePoint | None:
    """The measurement of `outcome_of` its exercise that a session gives, on the day since surgery (midnight is 0.0).

    None where there is nothing to go by: fewer than three repetitions with an angle, or a session before the surgery,
    which is no part of the recovery from it.
    """
    measured = session_range(report.repetitions)
    midnight = datetime.combine(surgery_on, time(), tzinfo=report.started_at.tzinfo)
    day = (report.started_at - midnight).total_seconds() / 86_400
    if measured is None or day < 0:
        return None
    value, error = measured
    return CoursePoint(
        day=round(day, 3),
        value=round(value, 2),
        error=round(error, 2),
        session_id=report.id,
        simulated=report.simulated,
    )


class Measurements(NamedTuple):
    """The usable points of a course. `day`, `value` and `error` are (n,), ordered by day."""

    day: FloatArray
    value: FloatArray
    error: FloatArray
    unusable: int


def measurements(course: Course) -> Measurements:
    """Points in order of day, each once, without impossible ones.

    A session counts once however often it was sent; the last of its points stands. A point without a session counts
    once per equal (day, value, error). Not usable: values that are not finite or outside `POSSIBLE`, days before 0.
    """
    once = {p.session_id or (p.day, p.value, p.error): p for p in course.points}
    low, high = POSSIBLE.get(course.outcome, (-math.inf, math.inf))
    usable = [
        (p.day, p.value, p.error)
        for p in once.values()
        if 0 <= p.day < math.inf and math.isfinite(p.value) and low <= p.value <= high and math.isfinite(p.error)
    ]
    table = np.array(sorted(usable), dtype=float).reshape(-1, 3)
    return Measurements(table[:, 0], table[:, 1], table[:, 2], len(once) - len(usable))
