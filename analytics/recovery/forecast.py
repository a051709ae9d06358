"""Where one patient is heading, how sure that is, and what a reader should beware of."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np

from analytics.domain.recovery import KNEE_RANGE, Course, Forecast, ForecastPoint
from analytics.signals.samples import FloatArray

from .course import Measurements, measurements
from .growth import Coefficients, GrowthModel

Z90 = 1.6448536269514722
"""Half the width of a normal distribution's central 90 %, in standard deviations."""

CEILING = {KNEE_RANGE: 95.0}
"""What can be measured at most: sitting at about 90° of flexion, a straight knee and a little more. Of a value that is
cut off at a ceiling the quantiles are those of the uncut value, cut off; so the forecast's are. A patient who has shown
more, sitting with the foot further back, has that as the ceiling."""

STALE_DAYS = 7.0
STRANGER = 13.8
"""χ² with two degrees of freedom passes this once in 1000 patients of the population."""

EXTRAPOLATION = 2.0
"""A horizon beyond this many times the latest day seen is an extrapolation worth saying."""


def forecast(
    model: GrowthModel, course: Course, *, goal: float, made_at: datetime, today: float, horizon_day: float
) -> Forecast:
    """Daily forecast from the first measurement to the horizon, or to today where that is later.

    `today` and `horizon_day` are days of the course, as in `CoursePoint.day`. Each point's mean is the patient's
    expected course; low and high are the 5 % and 95 % quantiles of what would be measured that day: posterior of the
    course, plus day-to-day variation, plus the error of a measurement like this patient's.

    `goal_day` is when the mean course reaches the goal. `goal_day_low` and `goal_day_high` are when the upper and the
    lower edge of the 90 % band of the course itself (posterior only, no measurement noise) reach it: by those days the
    patient's underlying course has reached the goal with a probability of 5 % and 95 %, since a course that rises has
    reached the goal by a day exactly if it is above it on that day. None where that does not happen by the horizon.

    Without a usable measurement there are no points and no goal day: nothing is known of this patient yet.
    """
    seen = measurements(course)
    warnings = _warnings(model, seen, today, horizon_day)
    points: tuple[ForecastPoint, ...] = ()
    goal_day = goal_day_low = goal_day_high = None
    if len(seen.day):
        patient = model.posterior(seen)
        first = math.floor(seen.day[0])
        days = np.arange(first, max(math.ceil(horizon_day), math.ceil(today), first + 1) + 1, dtype=float)
        mean, sd = patient.course(days)
        measured_sd = np.sqrt(sd**2 + model.session_sd**2 + float(np.median(seen.error)) ** 2)
        ceiling = max(CEILING.get(course.outcome, math.inf), float(seen.value.max()))
        points = _band(
            days, *(np.minimum(c, ceiling) for c in (mean, mean - Z90 * measured_sd, mean + Z90 * measured_sd))
        )
        goal_day = _first_day(days, mean, goal)
        goal_day_low = _first_day(days, mean + Z90 * sd, goal)
        goal_day_high = _first_day(days, mean - Z90 * sd, goal)
        warnings += _stranger(model, patient, seen)
    return Forecast(
        patient_id=course.patient_id,
        outcome=course.outcome,
        made_at=made_at,
        points=points,
        goal=goal,
        goal_day=goal_day,
        goal_day_low=goal_day_low,
        goal_day_high=goal_day_high,
        model=model.name,
        model_sha256=model.sha256,
        measurements_used=len(seen.day),
        warnings=warnings,
    )


def _band(days: FloatArray, mean: FloatArray, low: FloatArray, high: FloatArray) -> tuple[ForecastPoint, ...]:
    rows = np.round(np.stack([days, mean, low, high], axis=1), 2).tolist()
    return tuple(ForecastPoint(day=day, mean=m, low=lo, high=hi) for day, m, lo, hi in rows)


def _first_day(days: FloatArray, curve: FloatArray, goal: float) -> float | None:
    """First day at or above the goal, linear between days."""
    above = np.flatnonzero(curve >= goal)
    if not len(above):
        return None
    k = int(above[0])
    if k == 0:
        return float(days[0])
    part = (goal - curve[k - 1]) / (curve[k] - curve[k - 1])
    return round(float(days[k - 1] + part * (days[k] - days[k - 1])), 1)


def _warnings(model: GrowthModel, seen: Measurements, today: float, horizon_day: float) -> tuple[str, ...]:
    said = []
    if seen.unusable:
        said.append(f"{_count(seen.unusable)} could not be used: the value is impossible or before the surgery.")
    if not len(seen.day):
        return (*said, "No measurement yet, so there is no forecast.")
    if model.assumed:
        said.append("There are no comparable courses to learn from yet: the band rests on a weak assumption.")
    if len(seen.day) == 1:
        said.append("Only one measurement: the course is mostly that of comparable patients.")
    if (age := today - float(seen.day[-1])) >= STALE_DAYS:
        said.append(f"Last data {age:.0f} days old.")
    if not model.assumed and horizon_day > EXTRAPOLATION * model.last_day:
        said.append(f"After day {model.last_day:.0f} this rests on no patient's data.")
    return tuple(said)


def _stranger(model: GrowthModel, patient: Coefficients, seen: Measurements) -> tuple[str, ...]:
    if model.assumed:
        return ()
    if model.distance(patient) > STRANGER or seen.day[-1] > EXTRAPOLATION * model.last_day:
        return ("Outside what the model has seen: this course is unlike those it was learnt from.",)
    return ()


def _count(n: int) -> str:
    return "1 measurement" if n == 1 else f"{n} measurements"
