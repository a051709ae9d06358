"""Consents over HTTP."""

from __future__ import annotations

from server.access.api import CurrentCaller
from server.clinic import ThisClinic
from server.routing import api_router

from . import service
from .words import Consent, Subject

router = api_router("consents")


@router.get("/me/consents/{subject}")
async def get_consent(subject: Subject, caller: CurrentCaller, clinic: ThisClinic) -> Consent:
    """Whether the patient agrees to this now."""
    async with clinic.database.reading() as db:
        return await service.own_consent(db, caller, subject)


@router.put("/me/consents/{subject}")
async def put_consent(subject: Subject, consent: Consent, caller: CurrentCaller, clinic: ThisClinic) -> Consent:
    """Agree, or withdraw, which has its effect at once."""
    async with clinic.database.writing() as db:
        patient_id = await service.decide(db, caller, subject, consent, now=clinic.now())
    if subject is Subject.LIVE_VIEW and not consent.given:
        clinic.live.end(patient_id)
    return consent
