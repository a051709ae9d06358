"""What a session says to whoever decides on the next: how far, how much, how well, and how it felt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """One session in figures, and the version of the program it was done on; None where there is no figure.

    `reached` counts the repetitions that came to the target of that version; `range_deg` is the excursion of the best
    three; both are None where no angle was followed;
    `correct_fraction` of the repetitions that were judged; effort 0-10 as the patient said afterwards, pain 0-10 the
    worst of what was said then and during the session. `hurt_unrated`: said during the session that it hurts, without a
    number. `known_at`: when the clinic heard the last of this, which may be days after the session where a gateway or a
    phone had no network.
    """

    program_version: int
    started_at: datetime
    repetitions: int
    reached: int | None
    range_deg: float | None
    correct_fraction: float | None
    pain: int | None
    effort: int | None
    hurt_unrated: bool
    known_at: datetime
