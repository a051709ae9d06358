"""What is allowed now: bounds of the next dose, what the last sessions permit, and whether a change keeps to both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from analytics.domain.program import Prescription, Restriction

from .rules import Rules


class Felt(Protocol):
    """A session as the patient felt it, 0-10; None where the patient did not say."""

    @property
    def pain(self) -> int | None: ...
    @property
    def effort(self) -> int | None: ...


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


@dataclass(frozen=True, slots=True)
class DoseBounds:
    """The doses one change may lead to. Easing is never bounded by a step, only by the smallest useful dose."""

    smallest_excursion_deg: float
    largest_excursion_deg: float
    smallest_repetitions: int
    largest_repetitions: int
    largest_sets: int


def restricted_to(prescription: Prescription, restrictions: Iterable[Restriction], today: date) -> float | None:
    """The tightest excursion limit in force today for the exercise; None without one."""
    found = tightest(prescription, restrictions, today)
    return None if found is None else found.largest_excursion_deg


def tightest(prescription: Prescription, restrictions: Iterable[Restriction], today: date) -> Restriction | None:
    """The restriction that `restricted_to` keeps to, for who also says until when and by whom.

    Of two that are equally tight it is the one that lasts longer.
    """
    holding = [r for r in restrictions if r.exercise == prescription.exercise and r.in_force(today)]
    return min(holding, key=lambda r: (r.largest_excursion_deg, -(r.until or date.max).toordinal()), default=None)


def largest_allowed(
    prescription: Prescription, restrictions: Iterable[Restriction], rules: Rules, today: date
) -> DoseBounds:
    """How far one change may go from the prescribed dose.

    Upwards one step of `largest_step`, within the exercise's and the dose's own limits; where a physiotherapist has
    prescribed beyond those, the rules neither add to it nor take it back. A restriction is always kept, even below the
    smallest useful dose.
    """
    dose, step, limits = prescription.dose, rules.largest_step, rules.dose
    limit_deg = max(rules.largest_excursion_deg.get(prescription.exercise, 0.0), dose.target_excursion_deg)
    largest_deg = min(dose.target_excursion_deg + step.excursion_deg, limit_deg)
    if (restricted := restricted_to(prescription, restrictions, today)) is not None:
        largest_deg = min(largest_deg, restricted)
    return DoseBounds(
        smallest_excursion_deg=min(limits.smallest_excursion_deg, dose.target_excursion_deg, largest_deg),
        largest_excursion_deg=largest_deg,
        smallest_repetitions=min(limits.smallest_repetitions, dose.repetitions),
        largest_repetitions=min(dose.repetitions + step.repetitions, max(limits.largest_repetitions, dose.repetitions)),
        largest_sets=min(dose.sets + step.sets, 20),
    )


def verdict(history: Sequence[Felt], rules: Rules) -> Verdict:
    """What the sessions on the present dose permit, oldest first.

    Sessions the patient said nothing about are neither for nor against: they are left out, and do not count towards the
    sessions a progression needs.
    """
    pains = [s.pain for s in history if s.pain is not None]
    efforts = [s.effort for s in history if s.effort is not None]
    if pains and pains[-1] > (tolerated := rules.ease_pain.largest_tolerated_pain):
        return Verdict(
            Leeway.EASE, "ease_pain", f"pain {pains[-1]}/10 at the last report, above the tolerated {tolerated}/10"
        )
    hard = rules.ease_effort
    latest = efforts[-hard.sessions :]
    if len(latest) == hard.sessions and min(latest) > hard.largest_tolerated_effort:
        felt = " and ".join(f"{effort}/10" for effort in latest)
        return Verdict(Leeway.EASE, "ease_effort", f"effort {felt} at the last {hard.sessions} reports")
    return _growth_permitted(history, rules)


def _growth_permitted(history: Sequence[Felt], rules: Rules) -> Verdict:
    need = rules.progress
    answered = [(s.pain, s.effort) for s in history if s.pain is not None and s.effort is not None]
    recent = answered[-need.fewest_sessions :]
    if len(recent) < need.fewest_sessions:
        because = f"{len(recent)} of the {need.fewest_sessions} sessions with feedback that a progression needs"
        return Verdict(Leeway.HOLD, "progress", because)
    pains, efforts = [p for p, _ in recent], [e for _, e in recent]
    if max(pains) > need.largest_pain:
        return Verdict(Leeway.HOLD, "progress", f"pain up to {max(pains)}/10 at the last {len(pains)} reports")
    if pains[-1] - pains[0] > need.largest_pain_rise:
        return Verdict(Leeway.HOLD, "progress", f"pain rising from {pains[0]}/10 to {pains[-1]}/10")
    if max(efforts) > need.largest_effort:
        return Verdict(Leeway.HOLD, "progress", f"effort up to {max(efforts)}/10 at the last {len(efforts)} reports")
    because = f"pain up to {max(pains)}/10 and effort up to {max(efforts)}/10 at the last {len(pains)} reports"
    return Verdict(Leeway.PROGRESS, "progress", because)


def respects(
    before: Prescription,
    after: Prescription,
    *,
    restrictions: Iterable[Restriction],
    history: Sequence[Felt],
    rules: Rules,
    today: date,
) -> list[str]:
    """What a change would break, one sentence each; an empty list is a change inside the envelope."""
    if (before.exercise, before.side) != (after.exercise, after.side):
        return ["The rules judge a change of dose; another exercise or side is a physiotherapist's decision."]
    bounds = largest_allowed(before, restrictions, rules, today)
    old, new = before.dose, after.dose
    broken = []
    if new.target_excursion_deg > bounds.largest_excursion_deg:
        broken.append(
            f"The target may be at most {bounds.largest_excursion_deg:g}°, not {new.target_excursion_deg:g}°."
        )
    if new.target_excursion_deg < bounds.smallest_excursion_deg:
        broken.append(f"The target may not fall below {bounds.smallest_excursion_deg:g}°.")
    if not bounds.smallest_repetitions <= new.repetitions <= bounds.largest_repetitions:
        broken.append(f"Repetitions may be {bounds.smallest_repetitions} to {bounds.largest_repetitions} per set.")
    if new.sets > bounds.largest_sets:
        broken.append(f"There may be at most {bounds.largest_sets} sets.")
    if new.rest_s < old.rest_s:
        broken.append("Rest between sets is not shortened by rule.")
    grown = [
        new.target_excursion_deg > old.target_excursion_deg,
        new.repetitions > old.repetitions,
        new.sets > old.sets,
    ]
    if sum(grown) > 1:
        broken.append("Only one thing may grow at a time.")
    if any(grown) and (seen := verdict(history, rules)).leeway is not Leeway.PROGRESS:
        broken.append(f"Nothing may grow now: {seen.because}.")
    return broken
