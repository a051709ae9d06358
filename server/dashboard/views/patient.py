"""The patient page: where this knee is, where it is heading and how sure that is, and what to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from markupsafe import Markup

from analytics.domain.program import Prescription, Program
from analytics.safety.envelope import tightest
from server.exercises import Exercises
from server.patients.words import PatientOverview

from ..wording import Reader, day_words, degrees, moment_words, side_words
from .course import CourseChart, course_chart
from .exercise_words import limb_words, picture
from .figures import Figure, key_figures
from .proposal import ProposalCard, proposal_card
from .sessions import SessionRow, session_row

NEWEST = 10
"""Sessions shown at once: about two weeks; the rest is one click away."""


@dataclass(frozen=True)
class Exercise:
    """`target` and `hold` are empty where there is none."""

    name: str
    side: str
    picture: Markup
    sets: str
    target: str
    hold: str
    rest: str
    limit: str | None


@dataclass(frozen=True)
class ProgramCard:
    version: str
    phase: str
    exercises: tuple[Exercise, ...]
    approved: str
    reason: str


@dataclass(frozen=True)
class PatientPage:
    reader: Reader
    id: str
    name: str
    heading: str
    facts: tuple[str, ...]
    simulated: bool
    figures: tuple[Figure, ...]
    chart: CourseChart | None
    stopped: str
    proposal: ProposalCard | None
    program: ProgramCard
    sessions: tuple[SessionRow, ...]
    earlier: tuple[SessionRow, ...]


def patient_page(
    overview: PatientOverview, exercises: Exercises, *, reader: Reader, today: date, zone: tzinfo
) -> PatientPage:
    """The same page for both readers; a patient's says less and says it plainly."""
    summary, own = overview.summary, reader == "patient"
    facts = (
        f"{side_words(summary.side)} · {summary.diagnosis}",
        f"Day {summary.day} after surgery on {day_words(summary.surgery_on)}",
        f"Program version {summary.program_version}",
    )
    proposal = overview.proposal
    rows = tuple(session_row(session, today, zone) for session in overview.sessions)
    return PatientPage(
        reader=reader,
        id=summary.id,
        name=summary.name,
        heading="Your recovery" if own else summary.name,
        facts=facts,
        simulated=summary.simulated,
        figures=key_figures(overview, reader=reader, today=today, zone=zone),
        chart=course_chart(overview),
        stopped="" if own else _stopped(rows),
        proposal=proposal_card(proposal, exercises, zone) if proposal else None,
        program=_program_card(overview.program, exercises, today, zone),
        sessions=rows[:NEWEST],
        earlier=rows[NEWEST:],
    )


def _stopped(rows: Sequence[SessionRow]) -> str:
    """The newest session, where a rule of safety ended or refused it: one line, on top."""
    newest = rows[0] if rows else None
    return f"{newest.stopped}. {newest.date}, {newest.ago}." if newest is not None and newest.stopped else ""


def _program_card(program: Program, exercises: Exercises, today: date, zone: tzinfo) -> ProgramCard:
    return ProgramCard(
        version=f"Version {program.version}",
        phase=program.phase,
        exercises=tuple(_exercise(one, program, exercises, today) for one in program.prescriptions),
        approved=f"{program.approved_by}, {moment_words(program.approved_at, zone)}",
        reason=program.reason,
    )


def _exercise(prescription: Prescription, program: Program, exercises: Exercises, today: date) -> Exercise:
    dose, known = prescription.dose, exercises.find(prescription.exercise)
    hold_s = known.repetition.hold_s if known is not None else 0
    return Exercise(
        name=exercises.name(prescription.exercise),
        side=limb_words(known, prescription.side),
        picture=picture(known, prescription.side),
        sets=f"{dose.sets} × {dose.repetitions}",
        target="" if dose.target_excursion_deg is None else degrees(dose.target_excursion_deg),
        hold=f"{hold_s:g} s" if hold_s else "",
        rest=f"{dose.rest_s:.0f} s",
        limit=_limit(prescription, program, today),
    )


def _limit(prescription: Prescription, program: Program, today: date) -> str | None:
    """The restriction that the safety envelope keeps to."""
    found = tightest(prescription, program.restrictions, today)
    if found is None or found.largest_excursion_deg is None:
        return None
    until = f" until {day_words(found.until)}" if found.until else ""
    return f"Not beyond {degrees(found.largest_excursion_deg)}{until}, set by {found.set_by}"
