"""What the last sessions permit: to ease, to hold, or to let one thing grow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from .rules import Rules


class Felt(Protocol):
    """A session as the patient felt it, 0-10; None where the patient did not say.

    `hurt_unrated` is true where the patient said that it hurts and gave no number: no figure, but no silence either.
    """

    @property
    def started_at(self) -> datetime: ...
    @property
    def hurt_unrated(self) -> bool: ...
    @property
    def pain(self) -> int | None: ...
    @property
    def effort(self) -> int | None: ...


F = TypeVar("F", bound=Felt)


class Leeway(StrEnum):
    """What the last sessions permit."""

    EASE = "ease"
    HOLD = "hold"
    PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` is the code of the rule that decided; `because` says with figures what was seen."""

    leeway: Leeway
    rule: str
    because: str


def recent(history: Iterable[F], rules: Rules, now: datetime) -> list[F]:
    """The sessions that still say how the patient is, oldest first: none of them is older than the longest break.

    No two of these lie further apart than that, so none is from before a break either.
    """
    longest = timedelta(days=rules.progress.longest_break_days)
    return sorted((s for s in history if now - s.started_at <= longest), key=lambda s: s.started_at)


def verdict(history: Iterable[Felt], rules: Rules, *, now: datetime, elsewhere: Iterable[Felt] = ()) -> Verdict:
    """What the recent sessions on the present dose permit; `elsewhere` are sessions on another dose that came to light.

    Those may ease or hold and never justify growth. Sessions the patient said nothing about are neither for nor
    against: they are left out, and do not count towards the sessions a progression needs.
    """
    on_dose = recent(history, rules, now)
    heard = recent([*on_dose, *elsewhere], rules, now)
    pains = [s.pain for s in heard if s.pain is not None]
    efforts = [s.effort for s in heard if s.effort is not None]
    if pains and pains[-1] > (tolerated := rules.ease_pain.largest_tolerated_pain):
        return Verdict(
            Leeway.EASE, "ease_pain", f"pain {pains[-1]}/10 at the last report, above the tolerated {tolerated}/10"
        )
    hard = rules.ease_effort
    latest = efforts[-hard.sessions :]
    if len(latest) == hard.sessions and min(latest) > hard.largest_tolerated_effort:
        felt = " and ".join(f"{effort}/10" for effort in latest)
        return Verdict(Leeway.EASE, "ease_effort", f"effort {felt} at the last {hard.sessions} reports")
    return _growth_permitted(on_dose, heard, rules)


def _growth_permitted(on_dose: Sequence[Felt], heard: Sequence[Felt], rules: Rules) -> Verdict:
    need = rules.progress
    answered = [s for s in on_dose if s.pain is not None and s.effort is not None][-need.fewest_sessions :]
    if len(answered) < need.fewest_sessions:
        because = (
            f"{len(answered)} of the {need.fewest_sessions} sessions with feedback in the last "
            f"{need.longest_break_days} days that a progression needs"
        )
        return Verdict(Leeway.HOLD, "progress", because)
    # Everything since the first of them counts against growth, whether or not the closing questions were answered.
    since = [s for s in heard if s.started_at >= answered[0].started_at]
    pains, efforts = [s.pain for s in since if s.pain is not None], [s.effort for s in since if s.effort is not None]
    if unrated := sum(s.hurt_unrated for s in since):
        because = f"{unrated} of the last {len(since)} sessions hurt, without a number being told"
        return Verdict(Leeway.HOLD, "progress", because)
    if max(pains) > need.largest_pain:
        return Verdict(Leeway.HOLD, "progress", f"pain up to {max(pains)}/10 at the last {len(pains)} reports")
    first, last = answered[0].pain or 0, max(answered[-1].pain or 0, pains[-1])
    if last - first > need.largest_pain_rise:
        return Verdict(Leeway.HOLD, "progress", f"pain rising from {first}/10 to {last}/10")
    if max(efforts) > need.largest_effort:
        return Verdict(Leeway.HOLD, "progress", f"effort up to {max(efforts)}/10 at the last {len(efforts)} reports")
    because = f"pain up to {max(pains)}/10 and effort up to {max(efforts)}/10 at the last {len(pains)} reports"
    return Verdict(Leeway.PROGRESS, "progress", because)
