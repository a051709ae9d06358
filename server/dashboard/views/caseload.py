"""The patient list: those who need a look first, each with the reason in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from server.patients.words import PatientOverview

from ..wording import Tag, ago, counted, days_since, degrees, degrees_with_error, side_words
from .sparkline import Sparkline, sparkline

SILENT_DAYS = 5
"""Days without a session after which a program meant for most days has stalled."""

RECENT_POINTS = 14
"""Measurements in the small picture: about two weeks of a daily program."""


@dataclass(frozen=True)
class PatientRow:
    id: str
    name: str
    diagnosis: str
    day: str
    range_now: str
    goal: str
    to_go: str
    last_session: str
    reasons: tuple[Tag, ...]
    sparkline: Sparkline | None
    simulated: bool


@dataclass(frozen=True)
class Caseload:
    headline: str
    first: tuple[PatientRow, ...]
    others: tuple[PatientRow, ...]


def caseload(patients: Sequence[PatientOverview], *, tolerated_pain: int, today: date, zone: tzinfo) -> Caseload:
    """Sort by the gravest reason to look, then by how many there are; the rest by name.

    `tolerated_pain` is the safety envelope's: pain above it eases the program, so a clinician sees it first.
    """
    rows = [(_reasons(patient, tolerated_pain, today, zone), patient) for patient in patients]
    urgent = sorted((row for row in rows if row[0]), key=lambda row: (_urgency(row[0]), row[1].summary.name))
    calm = sorted((row for row in rows if not row[0]), key=lambda row: row[1].summary.name)
    first = tuple(_row(patient, reasons, today, zone) for reasons, patient in urgent)
    others = tuple(_row(patient, reasons, today, zone) for reasons, patient in calm)
    if not rows:
        headline = "Nobody is enrolled yet."
    elif not first:
        headline = f"{counted(len(rows), 'patient')}. Nobody needs you right now."
    else:
        needs = "needs" if len(first) == 1 else "need"
        headline = f"{counted(len(rows), 'patient')}. {len(first)} {needs} a look first."
    return Caseload(headline, first, others)


_GRAVITY = ("pain", "trend-down", "decision", "clock")
"""Icons of the reasons, gravest first: pain outranks a lost range, that a waiting decision, that silence."""


def _urgency(reasons: tuple[Tag, ...]) -> tuple[int, int]:
    return min(_GRAVITY.index(reason.icon) for reason in reasons), -len(reasons)


def _reasons(patient: PatientOverview, tolerated_pain: int, today: date, zone: tzinfo) -> tuple[Tag, ...]:
    reasons = []
    told = next((session for session in patient.sessions if session.pain is not None), None)
    if told is not None and told.pain is not None and told.pain > tolerated_pain:
        during = ", told during the session" if told.pain_told_during else ""
        reasons.append(Tag(f"Pain {told.pain} of 10{during}", "alert", "pain"))
    elif any(session.hurt_unrated for session in patient.sessions[:1]):
        reasons.append(Tag("Said to hurt, without a number", "watch", "pain"))
    if _below_forecast(patient):
        reasons.append(Tag("Below its forecast", "alert", "trend-down"))
    if patient.summary.proposal_waiting:
        reasons.append(Tag("Proposal", "accent", "decision"))
    last_session = patient.summary.last_session_at
    if last_session is None:
        reasons.append(Tag("No session yet", "watch", "clock"))
    elif (silent := days_since(last_session, today, zone)) >= SILENT_DAYS:
        reasons.append(Tag(f"No session for {silent} days", "watch", "clock"))
    return tuple(reasons)


def _below_forecast(patient: PatientOverview) -> bool:
    """Whether the latest measurement lies where the forecast expects one in twenty: below the 5 % edge of that day."""
    if not patient.course.points or patient.forecast is None:
        return False
    latest = patient.course.points[-1]
    near = min(patient.forecast.points, key=lambda point: abs(point.day - latest.day), default=None)
    return near is not None and latest.value < near.low


def _row(patient: PatientOverview, reasons: tuple[Tag, ...], today: date, zone: tzinfo) -> PatientRow:
    summary, points = patient.summary, patient.course.points
    latest, goal = summary.latest_range_deg, summary.goal_deg
    if latest is None:
        to_go = "not measured"
    elif latest >= goal:
        to_go = "goal reached"
    else:
        to_go = f"{degrees(goal - latest)} to go" if goal - latest >= 1 else "under 1° to go"
    return PatientRow(
        id=summary.id,
        name=summary.name,
        diagnosis=f"{side_words(summary.side)} · {summary.diagnosis}",
        day=f"Day {summary.day} · program {summary.program_version}",
        range_now=degrees_with_error(latest, points[-1].error) if points else degrees(latest),
        goal=f"goal {degrees(goal)}",
        to_go=to_go,
        last_session=ago(summary.last_session_at, today, zone),
        reasons=reasons,
        sparkline=sparkline([point.value for point in points[-RECENT_POINTS:]], goal),
        simulated=summary.simulated,
    )
