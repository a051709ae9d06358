"""What earlier sessions say about the next one: which exercises are done today, and whether a red flag stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from analytics.domain.base import Word
from analytics.domain.check_in import CheckIn
from analytics.domain.exercise import Side
from analytics.domain.program import Prescription, Program
from analytics.domain.session import SessionReport
from analytics.safety.rules import Rules
from analytics.safety.session import before_session

STANDS = timedelta(hours=24)
"""A red flag is known for so long, or until the questions are answered without one."""


class EarlierSessions(Word):
    """`done` holds exercise and side of what was done on `day`, `check_in` the last answers and `told_at` when."""

    day: date | None = None
    done: tuple[tuple[str, Side], ...] = ()
    check_in: CheckIn | None = None
    told_at: datetime | None = None

    def and_then(self, report: SessionReport) -> EarlierSessions:
        """These and one more; without a repetition it does not count as done."""
        day = report.started_at.astimezone().date()
        done = self.done_on(day)
        if report.repetitions and (report.exercise, report.side) not in done:
            done = (*done, (report.exercise, report.side))
        news: dict[str, object] = {"day": day, "done": done}
        if report.check_in is not None:
            news |= {"check_in": report.check_in, "told_at": report.started_at}
        return self.model_copy(update=news)

    def done_on(self, day: date) -> tuple[tuple[str, Side], ...]:
        return self.done if self.day == day else ()

    def due(self, program: Program, day: date) -> Prescription:
        """The first exercise that is not done yet; the first of all where every one is."""
        done = self.done_on(day)
        return next((p for p in program.prescriptions if (p.exercise, p.side) not in done), program.prescriptions[0])

    def warning(self, now: datetime, rules: Rules) -> str | None:
        """What to do about a red flag that stands."""
        if self.check_in is None or self.told_at is None or not self.check_in.red_flags or now - self.told_at > STANDS:
            return None
        advice = before_session(self.check_in, rules)
        return None if advice is None else advice.reason
