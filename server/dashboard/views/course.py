"""The range-of-motion course with its forecast: the picture, the words and the table, all from the same points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.domain.recovery import CoursePoint, Forecast, ForecastPoint
from server.patients.words import PatientOverview

from ..wording import date_of_day, day_number, day_words, degrees, degrees_with_error


@dataclass(frozen=True)
class MeasuredRow:
    day: str
    date: str
    measured: str
    expected: str


@dataclass(frozen=True)
class ForecastRow:
    day: str
    date: str
    mean: str
    band: str


@dataclass(frozen=True)
class CourseChart:
    data: dict[str, Any]
    words: str
    measured: tuple[MeasuredRow, ...]
    forecast: tuple[ForecastRow, ...]
    model: str
    warnings: tuple[str, ...]


def course_chart(overview: PatientOverview) -> CourseChart | None:
    """None where nothing was measured and nothing forecast: there is nothing to draw."""
    points, forecast = overview.course.points, overview.forecast
    expected = forecast.points if forecast else ()
    if not points and not expected:
        return None
    surgery_on = overview.summary.surgery_on
    return CourseChart(
        data=_data(overview, points, expected),
        words=_words(overview),
        measured=tuple(_measured_row(point, expected, surgery_on) for point in reversed(points)),
        forecast=tuple(_forecast_row(point, surgery_on) for point in _weekly(expected, overview.summary.day)),
        model=_model_words(forecast),
        warnings=forecast.warnings if forecast else (),
    )


def _data(
    overview: PatientOverview, points: Sequence[CoursePoint], expected: Sequence[ForecastPoint]
) -> dict[str, Any]:
    """Columns over one shared axis of days, as the chart wants them; None where a column has no value there."""
    rows: list[tuple[float, tuple[float | None, ...]]] = [(p.day, (None, None, None, p.value, p.error)) for p in points]
    rows += [(p.day, (p.low, p.mean, p.high, None, None)) for p in expected]
    rows.sort(key=lambda row: row[0])
    low, mean, high, measured, error = ([_tenth(row[1][column]) for row in rows] for column in range(5))
    return {
        "day": [round(row[0], 3) for row in rows],
        "low": low,
        "mean": mean,
        "high": high,
        "measured": measured,
        "error": error,
        "goal": overview.summary.goal_deg,
        "today": overview.summary.day,
        "surgery_on": overview.summary.surgery_on.isoformat(),
    }


def _tenth(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _words(overview: PatientOverview) -> str:
    """What the picture shows, for those who do not see it."""
    points, forecast, goal = overview.course.points, overview.forecast, overview.summary.goal_deg
    said = []
    if len(points) > 1:
        first, last = points[0], points[-1]
        said.append(
            f"{len(points)} measurements: from {degrees(first.value)} on day {day_number(first.day)} "
            f"to {degrees_with_error(last.value, last.error)} on day {day_number(last.day)}."
        )
    elif points:
        only = points[0]
        said.append(f"One measurement: {degrees_with_error(only.value, only.error)} on day {day_number(only.day)}.")
    else:
        said.append("No measurement yet.")
    if forecast and forecast.points:
        end = forecast.points[-1]
        said.append(
            f"The forecast expects {degrees(end.mean)} on day {day_number(end.day)}, "
            f"with 90 % of measurements between {degrees(end.low)} and {degrees(end.high)}."
        )
    said.append(f"The goal is {degrees(goal)}.")
    return " ".join(said)


def _measured_row(point: CoursePoint, expected: Sequence[ForecastPoint], surgery_on: date) -> MeasuredRow:
    near = min(expected, key=lambda p: abs(p.day - point.day), default=None)
    known = near is not None and abs(near.day - point.day) <= 1.0
    return MeasuredRow(
        day=day_number(point.day),
        date=day_words(date_of_day(surgery_on, point.day)),
        measured=degrees_with_error(point.value, point.error),
        expected=f"{degrees(near.low)} to {degrees(near.high)}" if near and known else "–",
    )


def _weekly(expected: Sequence[ForecastPoint], today: float) -> list[ForecastPoint]:
    """One point a week from today on, and the last: enough to read, few enough to be read."""
    kept: list[ForecastPoint] = []
    for point in expected:
        if point.day >= today and (not kept or point.day - kept[-1].day >= 7):
            kept.append(point)
    if expected and expected[-1].day >= today and kept[-1] is not expected[-1]:
        kept.append(expected[-1])
    return kept


def _forecast_row(point: ForecastPoint, surgery_on: date) -> ForecastRow:
    return ForecastRow(
        day=day_number(point.day),
        date=day_words(date_of_day(surgery_on, point.day)),
        mean=degrees(point.mean),
        band=f"{degrees(point.low)} to {degrees(point.high)}",
    )


def _model_words(forecast: Forecast | None) -> str:
    if forecast is None:
        return ""
    used = forecast.measurements_used
    return (
        f"{forecast.model} ({forecast.model_sha256[:12]}), {used} measurement{'' if used == 1 else 's'} of this patient"
    )
