"""Patients over HTTP."""

from __future__ import annotations

from server.access.api import CurrentCaller
from server.clinic import ThisClinic
from server.routing import api_router

from . import service
from .words import PatientOverview, PatientSummary

router = api_router("patients")


@router.get("/patients")
async def get_patients(caller: CurrentCaller, clinic: ThisClinic) -> list[PatientSummary]:
    """The patients whom the caller may see."""
    async with clinic.database.reading() as db:
        return await service.list_patients(db, caller, today=clinic.today())


@router.get("/patients/{patient_id}")
async def get_patient(patient_id: str, caller: CurrentCaller, clinic: ThisClinic) -> PatientOverview:
    """One patient: program, course, forecast, waiting proposal, sessions."""
    async with clinic.database.reading() as db:
        return await service.patient_overview(db, caller, patient_id, today=clinic.today(), exercises=clinic.exercises)
