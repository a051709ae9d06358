"""What a session says to whoever decides on the next: how far, how much, how well, and how it felt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """One session in six figures, and the version of the program it was done on; None where there is no figure.

    `range_deg` as in `KNEE_RANGE`; `correct_fraction` of the repetitions that were judged; pain and effort 0-10 as the
    patient said afterwards.
    """

    program_version: int
    started_at: datetime
    repetitions: int
    range_deg: float | None
    correct_fraction: float | None
    pain: int | None
    effort: int | None
