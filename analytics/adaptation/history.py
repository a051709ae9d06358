"""What a session says to whoever decides on the next: how far, how much, how well, and how it felt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analytics.domain.session import Feedback, FormLabel, SessionReport
from analytics.recovery.course import session_range


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """One session in six figures; None where there is no figure.

    `range_deg` as in `KNEE_RANGE`; `correct_fraction` of the repetitions that were judged; pain and effort 0-10 as the
    patient said afterwards.
    """

    started_at: datetime
    repetitions: int
    range_deg: float | None
    correct_fraction: float | None
    pain: int | None
    effort: int | None


def session_outcome(report: SessionReport, feedback: Feedback | None) -> SessionOutcome:
    """The outcome of a reported session, with the patient's feedback where it has come."""
    measured = session_range(report.repetitions)
    judged = [r.form.label for r in report.repetitions if r.form.label is not FormLabel.NOT_JUDGED]
    return SessionOutcome(
        started_at=report.started_at,
        repetitions=len(report.repetitions),
        range_deg=measured[0] if measured else None,
        correct_fraction=judged.count(FormLabel.CORRECT) / len(judged) if judged else None,
        pain=feedback.pain if feedback else None,
        effort=feedback.effort if feedback else None,
    )
