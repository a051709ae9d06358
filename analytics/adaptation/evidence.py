"""The measurements a proposal rests on, in words with figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analytics.domain.program import Dose
from analytics.domain.recovery import Forecast

from .history import SessionOutcome

SHOWN = 3
"""Sessions that are listed one by one; more would not be read."""


def evidence(
    dose: Dose, on_dose: Sequence[SessionOutcome], late: Sequence[SessionOutcome], forecast: Forecast | None
) -> tuple[str, ...]:
    """What was measured and said in the last sessions on this dose, oldest first, and what the forecast adds.

    `late` are sessions on another version that were heard of after this one had been approved.
    """
    last = on_dose[-SHOWN:]
    said = []
    if last:
        said += [
            f"{len(on_dose)} {'session' if len(on_dose) == 1 else 'sessions'} on this dose; last on {_day(last[-1])}.",
            *_range(dose, last),
            _form(last),
            f"Pain {_row((s.pain for s in last), 'd', '/10')}; effort {_row((s.effort for s in last), 'd', '/10')}.",
        ]
    said += [f"Said to hurt on {_day(s)}, without a number." for s in last if s.hurt_unrated]
    said += [_from_elsewhere(s) for s in late[-SHOWN:]]
    if forecast and forecast.points:
        said += [_outlook(forecast), *(f"Forecast: {warning}" for warning in forecast.warnings)]
    return tuple(said)


def _range(dose: Dose, last: Sequence[SessionOutcome]) -> tuple[str, ...]:
    done = f"Repetitions {_row((s.repetitions for s in last), 'd')} of {dose.sets * dose.repetitions}"
    if dose.target_excursion_deg is None:
        return (f"{done}, counted by their pattern: no angle was followed.",)
    return (
        f"Range {_row((s.range_deg for s in last), '.0f', '°')}; target {dose.target_excursion_deg:g}°.",
        f"{done}; reaching the target {_row((s.reached for s in last), 'd')}.",
    )


def _day(session: SessionOutcome) -> str:
    return f"{session.started_at.day} {session.started_at:%B}"


def _from_elsewhere(session: SessionOutcome) -> str:
    felt = f"pain {_row([session.pain], 'd', '/10')}, effort {_row([session.effort], 'd', '/10')}"
    hurt = ", said to hurt without a number" if session.hurt_unrated else ""
    return f"Heard of later: {_day(session)} on program version {session.program_version}, {felt}{hurt}."


def _form(last: Sequence[SessionOutcome]) -> str:
    if all(s.correct_fraction is None for s in last):
        return "Form was not judged."
    return f"Judged correct {_row((s.correct_fraction for s in last), '.0%')}."


def _row(figures: Iterable[float | None], form: str, unit: str = "") -> str:
    return ", ".join("unknown" if figure is None else f"{figure:{form}}{unit}" for figure in figures)


def _outlook(forecast: Forecast) -> str:
    end = forecast.points[-1]
    band = f"{end.mean:.0f}° on day {end.day:.0f} (90 % of measurements {end.low:.0f}–{end.high:.0f}°)"
    if forecast.goal_day is None:
        return f"Forecast: {band}; the goal of {forecast.goal:g}° is not expected by then."
    low = "earlier" if forecast.goal_day_low is None else f"day {forecast.goal_day_low:.0f}"
    high = "later than the forecast reaches" if forecast.goal_day_high is None else f"day {forecast.goal_day_high:.0f}"
    return f"Forecast: {band}; goal of {forecast.goal:g}° on day {forecast.goal_day:.0f} ({low} to {high})."
