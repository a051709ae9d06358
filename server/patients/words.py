"""What the server says about patients: to the dashboard's pages and, as the same JSON, through the API."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from analytics.domain.base import Word
from analytics.domain.exercise import Side
from analytics.domain.program import Program
from analytics.domain.recovery import Course, Forecast, Proposal
from analytics.domain.session import Feedback, SessionReport


class PatientName(Word):
    """Who a patient is and nothing of how they are, for who only has to choose one."""

    id: str
    name: str


class PatientSummary(Word):
    id: str
    name: str
    diagnosis: str
    side: Side
    surgery_on: date
    day: int
    program_version: int
    last_session_at: datetime | None
    latest_range_deg: float | None
    goal_deg: float
    proposal_waiting: bool
    simulated: bool


class SessionSummary(Word):
    """`pain` is the worst of what was said during the session and afterwards; `pain_told_during`: it was during it.

    `hurt_unrated`: it was said during the session that it hurts, without a number. `stopped`: why a rule of safety
    ended the session, or refused it.
    """

    id: UUID
    started_at: datetime
    exercise: str
    exercise_name: str
    repetitions: int
    range_deg: float | None
    range_error_deg: float | None
    correct: int
    not_judged: int
    pain: int | None
    pain_told_during: bool
    hurt_unrated: bool
    effort: int | None
    stopped: str | None = None
    samples_lost: int
    simulated: bool


class PatientOverview(Word):
    summary: PatientSummary
    program: Program
    course: Course
    forecast: Forecast | None
    proposal: Proposal | None
    sessions: tuple[SessionSummary, ...]


class SessionView(Word):
    patient: PatientSummary
    exercise_name: str
    report: SessionReport
    feedback: Feedback | None
    samples_stored: int
