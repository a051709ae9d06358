"""The key figures on top of the patient page, each with how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo

from server.patients.words import PatientOverview, SessionSummary

from ..wording import Reader, Tag, ago, counted, date_of_day, day_number, day_words, degree_error, degrees, percent

RECENT_SESSIONS = 5
"""Form and pain are told over the last few sessions: one alone is noise, ten hide a change."""

RECENT_DAYS = 14


@dataclass(frozen=True)
class Figure:
    """A value large, its uncertainty smaller beside it, and one line that says what it means."""

    label: str
    value: str
    uncertainty: str
    note: str
    tag: Tag | None = None


def key_figures(overview: PatientOverview, *, reader: Reader, today: date, zone: tzinfo) -> tuple[Figure, ...]:
    """Range, goal date, form, pain and sessions: what is asked first, in that order."""
    return (
        _range(overview, reader),
        _goal(overview, reader),
        _form(overview.sessions[:RECENT_SESSIONS], reader),
        _comfort(overview.sessions, reader),
        _activity(overview, reader, today, zone),
    )


def _range(overview: PatientOverview, reader: Reader) -> Figure:
    label = "How far your knee moves" if reader == "patient" else "Active knee range"
    points, goal = overview.course.points, overview.summary.goal_deg
    if not points:
        return Figure(label, "–", "", f"Not measured yet. Goal {degrees(goal)}.")
    last = points[-1]
    if last.value >= goal:
        return Figure(
            label,
            degrees(last.value),
            f"± {degree_error(last.error)}",
            f"Goal {degrees(goal)}",
            Tag("reached", "good", "check"),
        )
    return Figure(
        label,
        degrees(last.value),
        f"± {degree_error(last.error)}",
        f"{degrees(goal - last.value)} short of the {degrees(goal)} goal",
    )


def _goal(overview: PatientOverview, reader: Reader) -> Figure:
    forecast, surgery_on = overview.forecast, overview.summary.surgery_on
    label = f"You may reach {degrees(overview.summary.goal_deg)}" if reader == "patient" else "Goal date, expected"
    points = overview.course.points
    if points and points[-1].value >= overview.summary.goal_deg:
        return Figure(label, "Reached", "", f"Measured on {day_words(date_of_day(surgery_on, points[-1].day))}")
    if forecast is None or not forecast.points:
        return Figure(label, "–", "", "No forecast yet: it needs a first measured session.")

    def when(day: float, *, year: bool = False) -> str:
        return day_words(date_of_day(surgery_on, day), year=year)

    end = when(forecast.points[-1].day, year=True)
    low, high = forecast.goal_day_low, forecast.goal_day_high
    today = overview.summary.day
    earliest = "" if low is None else "perhaps already" if low < today else f"{when(low)} at the earliest"
    if forecast.goal_day is None:
        return Figure(label, "Not in sight", "", _sentence(f"not before {end} on the expected course", earliest))
    if forecast.goal_day < today:
        note = f"The expected course passed it on {when(forecast.goal_day)}, the last measurement is below it"
        return Figure(label, "About now", "", note)
    if low is not None and high is not None and low >= today:
        span = f"{when(low)} and {when(high, year=True)}"
        note = f"Most likely between {span}" if reader == "patient" else f"Between {span}, 90 % interval"
    else:
        latest = f"perhaps after {end}" if high is None else f"{when(high, year=True)} at the latest"
        note = _sentence(earliest, latest)
    return Figure(label, when(forecast.goal_day), f"day {day_number(forecast.goal_day)}", note)


def _sentence(*parts: str) -> str:
    words = ", ".join(part for part in parts if part)
    return words[:1].upper() + words[1:]


def _form(recent: tuple[SessionSummary, ...], reader: Reader) -> Figure:
    label = "Well done" if reader == "patient" else "Form"
    total = sum(session.repetitions for session in recent)
    not_judged = sum(session.not_judged for session in recent)
    judged = total - not_judged
    if not judged:
        return Figure(label, "–", "", "No repetition judged yet." if not total else f"{total} repetitions, none judged")
    correct = sum(session.correct for session in recent)
    note = f"of {counted(judged, 'repetition')} in the last {counted(len(recent), 'session')}"
    if not_judged:
        note += f"; {not_judged} not judged"
    return Figure(label, percent(correct / judged), "correct", note)


def _comfort(sessions: tuple[SessionSummary, ...], reader: Reader) -> Figure:
    label = "Pain you told us" if reader == "patient" else "Pain, last told"
    told = [session for session in sessions if session.pain is not None][:RECENT_SESSIONS]
    if not told:
        return Figure(label, "–", "", "Nothing told yet.")
    pains = [session.pain for session in told if session.pain is not None]
    note = f"Highest of the last {len(pains)}: {max(pains)}" if len(pains) > 1 else "First answer"
    if told[0].pain_told_during:
        note = f"Told during the session; {note[0].lower()}{note[1:]}"
    if told[0].effort is not None:
        note += f"; effort {told[0].effort} of 10"
    return Figure(label, str(pains[0]), "of 10", note)


def _activity(overview: PatientOverview, reader: Reader, today: date, zone: tzinfo) -> Figure:
    label = "Your sessions" if reader == "patient" else "Sessions"
    recent = [s for s in overview.sessions if (today - s.started_at.astimezone(zone).date()).days < RECENT_DAYS]
    note = f"Last one {ago(overview.summary.last_session_at, today, zone)}" if overview.sessions else "None so far"
    return Figure(label, str(len(recent)), f"in {RECENT_DAYS} days", note)
