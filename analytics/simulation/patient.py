"""A clinic of simulated patients over weeks of recovery, with the truth behind each course kept.

For the demonstration and for tests. The parameters are chosen to look like seated knee extension after surgery; they
are not fitted to patients, and nothing measured on them says anything about real people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from analytics.domain.base import uuid7
from analytics.domain.exercise import Side
from analytics.domain.program import Program
from analytics.domain.session import Feedback, SessionReport

from .cast import DIAGNOSES, FIRST_NAMES, LAST_NAMES
from .patient_program import first_program, moment, review
from .patient_session import simulate_session

FIRST_SESSION_DAY = 3
YOUNGEST_DAY = 10
SESSION_SD_DEG = 3.0
SETBACK_PROBABILITY = 0.02
ANSWERED = 0.85
REVIEW_DAYS = 7
PAIN_FLARE_DAYS = 9
NEVER = math.inf


@dataclass(frozen=True, slots=True)
class TrueRecovery:
    """The underlying course: exponential from start to asymptote, standing still from `stalls_on`."""

    start_deg: float
    asymptote_deg: float
    tau_days: float
    stalls_on: float = NEVER

    def range_deg(self, day: float) -> float:
        left = math.exp(-min(day, self.stalls_on) / self.tau_days)
        return self.asymptote_deg + (self.start_deg - self.asymptote_deg) * left


@dataclass(frozen=True, slots=True)
class SimulatedPatient:
    """A patient's file, oldest first: program versions, session reports, feedback on most of them; and the truth."""

    id: str
    name: str
    diagnosis: str
    side: Side
    surgery_on: date
    goal_deg: float
    programs: tuple[Program, ...]
    reports: tuple[SessionReport, ...]
    feedbacks: tuple[Feedback, ...]
    truth: TrueRecovery


@dataclass(frozen=True, slots=True)
class _Habits:
    """How a patient goes about it. Days count from surgery; `flares_on` starts pain, `stops_on` ends exercising."""

    adherence: float
    skill: float
    first_pain: float
    flares_on: float
    stops_on: float


def simulate_clinic(patients: int, weeks: int, today: date, seed: int) -> list[SimulatedPatient]:
    """`patients` people whose surgery was 10 days to `weeks` weeks before `today`; their sessions end the day before.

    About one in eight has stalled, one in eight has pain of late, one in ten has stopped exercising. The same arguments
    give the same clinic, identifiers included. Raises ValueError for fewer than one patient or two weeks.
    """
    names = len(FIRST_NAMES) * len(LAST_NAMES)
    if not 1 <= patients <= names or weeks < 2:
        raise ValueError(f"A simulated clinic has 1 to {names} patients over at least 2 weeks.")
    rng = np.random.default_rng(seed)
    first, last = rng.permutation(FIRST_NAMES).tolist(), rng.permutation(LAST_NAMES).tolist()
    days = np.round(np.linspace(YOUNGEST_DAY, 7 * weeks, patients)).astype(int)
    fates = rng.permutation(patients) / patients
    return [
        _patient(
            np.random.default_rng([seed, k]),
            identifier=f"sim-{k + 1:02d}",
            name=f"{first[k % len(first)]} {last[(k + k // len(first)) % len(last)]}",
            surgery_on=today - timedelta(days=day),
            days=day,
            fate=float(fates[k]),
        )
        for k, day in enumerate(rng.permutation(days).tolist())
    ]


def _patient(
    rng: np.random.Generator, *, identifier: str, name: str, surgery_on: date, days: int, fate: float
) -> SimulatedPatient:
    diagnosis = DIAGNOSES[rng.choice(len(DIAGNOSES), p=[d.share for d in DIAGNOSES])]
    truth, habits = _course_and_habits(rng, days, fate)
    side = Side.LEFT if rng.random() < 0.5 else Side.RIGHT
    early_deg = truth.range_deg(FIRST_SESSION_DAY)
    programs = [
        first_program(identifier, diagnosis, side, surgery_on=surgery_on, day=FIRST_SESSION_DAY, range_deg=early_deg)
    ]
    reports: list[SessionReport] = []
    feedbacks: list[Feedback] = []
    on_dose: list[tuple[SessionReport, Feedback | None]] = []
    next_review = FIRST_SESSION_DAY + REVIEW_DAYS
    for day in _session_days(rng, days, habits):
        while day >= next_review:
            if harder := review(programs[-1], on_dose, surgery_on=surgery_on, day=next_review):
                programs.append(harder)
                on_dose.clear()
            next_review += REVIEW_DAYS
        seconds = int(rng.integers(7 * 3600, 19 * 3600))
        level = truth.range_deg(day + seconds / 86_400) + rng.normal(0, SESSION_SD_DEG)
        if rng.random() < SETBACK_PROBABILITY:
            level -= rng.uniform(10, 20)
        hurting = day >= habits.flares_on
        report = simulate_session(
            rng,
            programs[-1],
            moment(surgery_on, day, seconds=seconds),
            level_deg=float(np.clip(level, 12, 90)),
            skill=habits.skill,
            stamina=float(rng.uniform(0.6, 0.9)) if hurting or rng.random() < 0.1 else 1.0,
        )
        feedback = _feedback(rng, report, day, habits) if rng.random() < ANSWERED else None
        reports.append(report)
        feedbacks += [feedback] if feedback else []
        on_dose.append((report, feedback))
    return SimulatedPatient(
        identifier, name, diagnosis.name, side, surgery_on, diagnosis.goal_deg,
        tuple(programs), tuple(reports), tuple(feedbacks), truth,
    )  # fmt: skip


def _course_and_habits(rng: np.random.Generator, days: int, fate: float) -> tuple[TrueRecovery, _Habits]:
    """`fate`, 0 to 1, says who stalls, who flares up, and who stops."""
    truth = TrueRecovery(
        start_deg=float(rng.normal(40, 9)),
        asymptote_deg=float(rng.normal(82, 6)),
        tau_days=float(21 * rng.lognormal(0, 0.25)),
        stalls_on=days / 3 if fate < 1 / 8 else NEVER,
    )
    habits = _Habits(
        adherence=float(rng.beta(8, 1.5)),
        skill=float(rng.uniform(0.75, 0.95)),
        first_pain=float(rng.uniform(2.5, 4.5)),
        flares_on=days - PAIN_FLARE_DAYS if 1 / 8 <= fate < 1 / 4 else NEVER,
        stops_on=days - rng.uniform(8, 13) if 1 / 4 <= fate < 0.35 and days > 21 else NEVER,
    )
    return truth, habits


def _session_days(rng: np.random.Generator, days: int, habits: _Habits) -> list[int]:
    """Three to five days a week are planned, adherence decides which of them happen; none today."""
    happened: list[int] = []
    for week in range(FIRST_SESSION_DAY, days, 7):
        planned = week + np.sort(rng.choice(7, size=int(rng.integers(3, 6)), replace=False))
        kept = rng.random(len(planned)) < habits.adherence
        happened += [d for d in planned[kept].tolist() if d < min(days, habits.stops_on)]
    return happened


def _feedback(rng: np.random.Generator, report: SessionReport, day: int, habits: _Habits) -> Feedback:
    """Pain fades over weeks unless it flares; effort follows pain a little."""
    pain = habits.first_pain * math.exp(-day / 28) + rng.normal(0, 0.7)
    if day >= habits.flares_on:
        pain = rng.normal(6.4, 0.7)
    given_at = report.ended_at + timedelta(seconds=int(rng.integers(40, 900)))
    return Feedback(
        id=uuid7(int(given_at.timestamp() * 1000), rng.bytes(10)),
        session_id=report.id,
        pain=round(min(max(pain, 0), 10)),
        effort=round(min(max(3.5 + 0.4 * pain + rng.normal(0, 0.7), 1), 10)),
        given_at=given_at,
    )
