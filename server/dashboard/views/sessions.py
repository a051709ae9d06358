"""One line per session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, tzinfo

from server.patients.words import SessionSummary

from ..wording import NO_VALUE, ago, counted, degrees_with_error, moment_words


@dataclass(frozen=True)
class SessionRow:
    id: str
    date: str
    ago: str
    exercise: str
    repetitions: str
    range: str
    form: str
    form_rest: str
    pain: str
    effort: str
    stopped: str
    lost: str
    lost_any: bool
    simulated: bool


def session_row(session: SessionSummary, today: date, zone: tzinfo) -> SessionRow:
    """Form is told against what was judged; what was not judged is said beside it, never mixed in."""
    judged = session.repetitions - session.not_judged
    return SessionRow(
        id=str(session.id),
        date=moment_words(session.started_at, zone),
        ago=ago(session.started_at, today, zone),
        exercise=session.exercise_name,
        repetitions=str(session.repetitions),
        range=degrees_with_error(session.range_deg, session.range_error_deg),
        form=f"{session.correct} of {judged} correct" if judged else "none judged",
        form_rest=f"{session.not_judged} not judged" if session.not_judged and judged else "",
        pain=NO_VALUE if session.pain is None else str(session.pain),
        effort=NO_VALUE if session.effort is None else str(session.effort),
        stopped=session.stopped or "",
        lost=counted(session.samples_lost, "sample") if session.samples_lost else "none",
        lost_any=session.samples_lost > 0,
        simulated=session.simulated,
    )
