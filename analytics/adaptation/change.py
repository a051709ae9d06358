"""The changes of dose there are: keep to a restriction, ease, or grow. Each says why, and why not something else.

A change is a candidate; `proposal.propose` holds it against the safety envelope before anybody sees it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.domain.program import Dose
from analytics.domain.recovery import Forecast
from analytics.safety.envelope import DoseBounds
from analytics.safety.rules import Rules
from analytics.safety.verdict import Verdict

from .history import SessionOutcome


@dataclass(frozen=True, slots=True)
class Change:
    """Another dose, the code of the rule that leads to it, a sentence of reason, and what was not chosen and why."""

    dose: Dose
    rule: str
    reason: str
    rejected: tuple[str, ...]


def keep_restriction(dose: Dose, restricted_deg: float) -> Change:
    """Down to the limit at once: a restriction is not approached in steps."""
    return Change(
        dose.model_copy(update={"target_excursion_deg": restricted_deg}),
        "restriction",
        f"The program restricts the movement to {restricted_deg:g}° at present, and the target asks for "
        f"{dose.target_excursion_deg:g}°: target lowered to {restricted_deg:g}°.",
        (f"Keep {dose.target_excursion_deg:g}°: not while the restriction is in force.",),
    )


def ease(dose: Dose, bounds: DoseBounds, seen: Verdict, rules: Rules) -> Change | None:
    """One step down: for pain range first, for effort repetitions first; None at the smallest useful dose."""
    step = rules.largest_step
    repetitions = max(dose.repetitions - step.repetitions, bounds.smallest_repetitions)
    options: list[tuple[str, float]] = [("repetitions", repetitions), ("sets", max(dose.sets - 1, 1))]
    painful = seen.rule == "ease_pain"
    if dose.target_excursion_deg is not None:
        target_deg = max(dose.target_excursion_deg - step.excursion_deg, bounds.smallest_excursion_deg or 0.0)
        options.insert(0 if painful else len(options), ("target_excursion_deg", target_deg))
    eased = [dose.model_copy(update={name: value}) for name, value in options if value < getattr(dose, name)]
    if not eased:
        return None
    rejected = [f"No change: {seen.because}."]
    if len(eased) > 1:
        rejected.append(f"Also {difference(dose, eased[1])}: kept for the next step, should this one not be enough.")
    if painful:
        rejected.append(
            "Stop the exercise: gentle movement within tolerated pain is kept up unless there is a sign these figures "
            "do not show (swelling, redness, fever, giving way)."
        )
    return Change(eased[0], seen.rule, _sentence(f"{seen.because}: {difference(dose, eased[0])}."), tuple(rejected))


def grow(
    dose: Dose,
    bounds: DoseBounds,
    seen: Verdict,
    *,
    recent: Sequence[SessionOutcome],
    forecast: Forecast | None,
    rules: Rules,
) -> Change | None:
    """One step up, more range before more repetitions; None where the present dose is not yet mastered or has no room.

    `recent` are the sessions on this dose, oldest first. The forecast can only hold the target back: it is not asked
    beyond what the forecast's band reaches.
    """
    last = recent[-rules.progress_range.target_reached_in_sessions :]
    if not _mastered(dose, last, rules):
        return None
    no_change = "No change: the present dose is mastered and well tolerated."
    more_repetitions = dose.model_copy(update={"repetitions": bounds.largest_repetitions})
    if dose.target_excursion_deg is None or bounds.largest_excursion_deg is None:
        why = f"What was asked for was done in the last {len(last)} sessions, with {seen.because}"
        return _more_repetitions(dose, more_repetitions, why, (no_change,))
    ranges = ", ".join(f"{s.range_deg:.0f}°" for s in last)
    why = f"The target of {dose.target_excursion_deg:g}° was reached in the last {len(last)} sessions ({ranges})"
    why += f", with {seen.because}"
    possible_deg = max((p.high for p in forecast.points), default=math.inf) if forecast else math.inf
    target_deg = float(math.floor(min(bounds.largest_excursion_deg, possible_deg)))
    more_range = dose.model_copy(update={"target_excursion_deg": target_deg})
    if target_deg > dose.target_excursion_deg:
        step_deg = target_deg - dose.target_excursion_deg
        rejected = [f"A step of more than {step_deg:g}°: how the joint takes this one should be seen first.", no_change]
        if more_repetitions != dose:
            rejected.insert(
                0, f"Also {difference(dose, more_repetitions)}: one change at a time, and range comes first."
            )
        return Change(more_range, "progress_range", f"{why}: {difference(dose, more_range)}.", tuple(rejected))
    full = possible_deg >= bounds.largest_excursion_deg
    limit = "the limit for this patient and exercise" if full else f"what the forecast reaches ({possible_deg:.0f}°)"
    larger = f"A larger target: {dose.target_excursion_deg:g}° is {limit}."
    return _more_repetitions(dose, more_repetitions, why, (larger, no_change))


def _more_repetitions(dose: Dose, more: Dose, why: str, rejected: tuple[str, ...]) -> Change | None:
    return None if more == dose else Change(more, "progress_repetitions", f"{why}: {difference(dose, more)}.", rejected)


def _mastered(dose: Dose, last: Sequence[SessionOutcome], rules: Rules) -> bool:
    need = rules.progress_range
    judged = [s.correct_fraction for s in last if s.correct_fraction is not None]
    prescribed = dose.sets * dose.repetitions
    return (
        len(last) >= need.target_reached_in_sessions
        and all(s.repetitions / prescribed >= need.smallest_share_of_repetitions for s in last)
        and all(_reached(dose, s, need.smallest_share_reaching_target) for s in last)
        and (not judged or sum(judged) / len(judged) >= need.smallest_share_correct)
    )


def _reached(dose: Dose, session: SessionOutcome, least_share: float) -> bool:
    """Whether the target was reached, by that share of what is prescribed; without one there is nothing to reach."""
    target_deg = dose.target_excursion_deg
    if target_deg is None:
        return True
    share = (session.reached or 0) / (dose.sets * dose.repetitions)
    return session.range_deg is not None and session.range_deg >= target_deg and share >= least_share


def difference(before: Dose, after: Dose) -> str:
    """What differs between two doses, in words: "target from 60° to 65°"."""
    said = []
    old_deg, new_deg = before.target_excursion_deg, after.target_excursion_deg
    if old_deg is not None and new_deg is not None and new_deg != old_deg:
        said.append(f"target from {old_deg:g}° to {new_deg:g}°")
    if after.repetitions != before.repetitions:
        said.append(f"repetitions per set from {before.repetitions} to {after.repetitions}")
    if after.sets != before.sets:
        said.append(f"sets from {before.sets} to {after.sets}")
    return ", ".join(said)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
