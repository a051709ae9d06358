"""What is allowed now: bounds of the next dose, and whether a change keeps to them and to what the sessions permit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from analytics.domain.program import Prescription, Restriction

from .rules import Rules
from .verdict import Felt, Leeway, verdict


@dataclass(frozen=True, slots=True)
class DoseBounds:
    """The doses one change may lead to. Easing is never bounded by a step, only by the smallest useful dose.

    Of excursions None where the dose has no target, because no angle is followed.
    """

    smallest_excursion_deg: float | None
    largest_excursion_deg: float | None
    smallest_repetitions: int
    largest_repetitions: int
    largest_sets: int


def restricted_to(prescription: Prescription, restrictions: Iterable[Restriction], today: date) -> float | None:
    """The tightest excursion limit in force today for the exercise; None without one."""
    found = tightest(prescription, restrictions, today)
    return None if found is None else found.largest_excursion_deg


def tightest(prescription: Prescription, restrictions: Iterable[Restriction], today: date) -> Restriction | None:
    """The excursion limit that `restricted_to` keeps to, for who also says until when and by whom.

    Of two that are equally tight it is the one that lasts longer.
    """
    holding = [
        (r.largest_excursion_deg, -(r.until or date.max).toordinal(), place, r)
        for place, r in enumerate(restrictions)
        if r.largest_excursion_deg is not None and r.exercise == prescription.exercise and r.in_force(today)
    ]
    return min(holding)[-1] if holding else None


def largest_allowed(
    prescription: Prescription, restrictions: Iterable[Restriction], rules: Rules, today: date
) -> DoseBounds:
    """How far one change may go from the prescribed dose.

    Upwards one step of `largest_step`, within the exercise's and the dose's own limits; where a physiotherapist has
    prescribed beyond those, the rules neither add to it nor take it back. A restriction is always kept, even below the
    smallest useful dose.
    """
    dose, step, limits = prescription.dose, rules.largest_step, rules.dose
    smallest_deg = largest_deg = None
    if (target_deg := dose.target_excursion_deg) is not None:
        limit_deg = max(rules.largest_excursion_deg.get(prescription.exercise, 0.0), target_deg)
        largest_deg = min(target_deg + step.excursion_deg, limit_deg)
        if (restricted := restricted_to(prescription, restrictions, today)) is not None:
            largest_deg = min(largest_deg, restricted)
        smallest_deg = min(limits.smallest_excursion_deg, target_deg, largest_deg)
    return DoseBounds(
        smallest_excursion_deg=smallest_deg,
        largest_excursion_deg=largest_deg,
        smallest_repetitions=min(limits.smallest_repetitions, dose.repetitions),
        largest_repetitions=min(dose.repetitions + step.repetitions, max(limits.largest_repetitions, dose.repetitions)),
        largest_sets=min(dose.sets + step.sets, 20),
    )


def respects(
    before: Prescription,
    after: Prescription,
    *,
    restrictions: Iterable[Restriction],
    history: Iterable[Felt],
    rules: Rules,
    now: datetime,
    elsewhere: Iterable[Felt] = (),
) -> list[str]:
    """What a change would break, one sentence each; an empty list is a change inside the envelope.

    `now` is in the clinic's zone: its date is the day on which restrictions are in force.
    """
    if (before.exercise, before.side) != (after.exercise, after.side):
        return ["The rules judge a change of dose; another exercise or side is a physiotherapist's decision."]
    bounds = largest_allowed(before, restrictions, rules, now.date())
    old, new = before.dose, after.dose
    broken = _beyond(new.target_excursion_deg, bounds)
    if not bounds.smallest_repetitions <= new.repetitions <= bounds.largest_repetitions:
        broken.append(f"Repetitions may be {bounds.smallest_repetitions} to {bounds.largest_repetitions} per set.")
    if new.sets > bounds.largest_sets:
        broken.append(f"There may be at most {bounds.largest_sets} sets.")
    if new.rest_s < old.rest_s:
        broken.append("Rest between sets is not shortened by rule.")
    grown = [
        (new.target_excursion_deg or 0.0) > (old.target_excursion_deg or 0.0),
        new.repetitions > old.repetitions,
        new.sets > old.sets,
    ]
    if sum(grown) > 1:
        broken.append("Only one thing may grow at a time.")
    if any(grown) and (seen := verdict(history, rules, now=now, elsewhere=elsewhere)).leeway is not Leeway.PROGRESS:
        broken.append(f"Nothing may grow now: {seen.because}.")
    return broken


def _beyond(target_deg: float | None, bounds: DoseBounds) -> list[str]:
    """What a target breaks; one that is there where none was, or gone, is none of the rules' business."""
    smallest_deg, largest_deg = bounds.smallest_excursion_deg, bounds.largest_excursion_deg
    if target_deg is None or smallest_deg is None or largest_deg is None:
        return [] if target_deg is largest_deg else ["A target belongs to an exercise that is followed by an angle."]
    if target_deg > largest_deg:
        return [f"The target may be at most {largest_deg:g}°, not {target_deg:g}°."]
    return [f"The target may not fall below {smallest_deg:g}°."] if target_deg < smallest_deg else []
