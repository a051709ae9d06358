"""Which one of the changes that the facts call for is put before a physiotherapist."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from analytics.adaptation.proposal import propose
from analytics.domain.base import uuid7
from analytics.domain.program import Prescription
from analytics.domain.recovery import Forecast, Proposal
from analytics.exercises import catalogue
from analytics.recovery.course import outcome_of
from server.programs import service as programs

from .history import outcomes
from .rejections import EASING, still_rejected


async def called_for(
    db: AsyncSession, patient_id: str, *, forecast: Forecast | None, rejection_holds: timedelta, now: datetime
) -> Proposal | None:
    """The most pressing change of any prescription in force, not stored; None where all should stay.

    One proposal waits at a time, so one that asks for less comes before one that asks for more, whichever exercise it
    is about; of equals, the one prescribed first. `now` is in the clinic's zone.
    """
    program = await programs.current_program(db, patient_id)
    found: list[Proposal] = []
    for prescription in program.prescriptions:
        if _is_a_test(prescription):
            continue
        history = await outcomes(db, patient_id, prescription)
        of_this = forecast if forecast is not None and forecast.outcome == outcome_of(prescription.exercise) else None
        made = propose(program, prescription, history, of_this, now=now, proposal_id=uuid7(int(now.timestamp() * 1000)))
        if made is not None and not await still_rejected(db, made, holds=rejection_holds, now=now):
            found.append(made)
    return min(found, key=lambda proposal: proposal.rule not in EASING, default=None)


def _is_a_test(prescription: Prescription) -> bool:
    """What a timed test asks for belongs to the test, whatever comes of it."""
    known = catalogue().get(prescription.exercise)
    return known is not None and known.test is not None
