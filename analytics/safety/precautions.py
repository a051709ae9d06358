"""What must not happen today, in words: said before every session, by phone and gateway alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from math import floor

from analytics.domain.program import Prescription, Restriction, WeightBearing

WEIGHT = {
    WeightBearing.NONE: "Put no weight on the leg",
    WeightBearing.TOUCH: "Only touch the floor with the foot, for balance",
    WeightBearing.PARTIAL: "Put only part of your weight on the leg, as you were shown",
    WeightBearing.AS_TOLERATED: "Put as much weight on the leg as is comfortable",
}


def precautions(prescription: Prescription, restrictions: Iterable[Restriction], today: date) -> tuple[str, ...]:
    """A sentence for each restriction of this exercise that is in force."""
    return tuple(precaution(r) for r in restrictions if r.exercise == prescription.exercise and r.in_force(today))


def precaution(restriction: Restriction) -> str:
    """All that one restriction asks for: what, until when, set by whom."""
    said = []
    if restriction.largest_excursion_deg is not None:
        said.append(f"Do not move further than {floor(restriction.largest_excursion_deg)}°")
    if restriction.weight_bearing is not None:
        said.append(WEIGHT[restriction.weight_bearing])
    if (brace := restriction.brace) is not None:
        locked = "" if brace.locked_deg is None else f", locked at {round(brace.locked_deg)}°"
        said.append(f"Wear your {brace.name}{locked}")
    until = "" if restriction.until is None else f" until {restriction.until.day} {restriction.until:%B}"
    return f"{'. '.join(said)}{until}. Set by {restriction.set_by}."
