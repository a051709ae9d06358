"""Whether what is asked for fits the exercise that it is asked of."""

from __future__ import annotations

from analytics.domain.exercise import Exercise
from analytics.domain.program import Prescription


def misfit(prescription: Prescription, exercise: Exercise) -> str | None:
    """What does not fit and what to do about it, in a sentence; None where all fits."""
    target_deg = prescription.dose.target_excursion_deg
    if exercise.angle is None and target_deg is not None:
        return (
            f"{exercise.name} is followed by its pattern and has no angle, so the program cannot ask for "
            f"{target_deg:g}° of it: take that target out."
        )
    if exercise.angle is not None and target_deg is None:
        return f"{exercise.name} is followed by an angle, so the program must say how far to move: add a target."
    return None
