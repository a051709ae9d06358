"""What a prescription asks for today: never more than what is allowed today."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from analytics.domain.program import Dose, Prescription, Restriction

from .envelope import restricted_to


def dose_today(prescription: Prescription, restrictions: Iterable[Restriction], today: date) -> Dose:
    """The prescribed dose, its target no further than the tightest restriction in force.

    A program may hold a target beyond its own restriction until a physiotherapist has decided on the proposal that
    brings them together; a gateway without network holds it longer. Nobody is to be coached past a limit meanwhile.
    """
    limit_deg = restricted_to(prescription, restrictions, today)
    dose = prescription.dose
    if limit_deg is None or dose.target_excursion_deg is None or dose.target_excursion_deg <= limit_deg:
        return dose
    return dose.model_copy(update={"target_excursion_deg": limit_deg})
