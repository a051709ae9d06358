"""A clinic with simulated patients in the server's own database, so that no page is empty."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from analytics.simulation.patient import NEVER, SimulatedPatient, simulate_clinic
from demo.clinic_notes import DemoClinic, Login, recall, remember
from server.access.service import create_account
from server.access.words import Role
from server.command import check_disk
from server.database import Database
from server.devices.service import make_claim_code
from server.patients.records import PatientRecord
from server.patients.service import add_patient
from server.programs.service import add_version
from server.sessions.closing import follow, store_history
from server.settings import Settings

PATIENTS = 30
WEEKS = 8
SEED = 8
FAR_DEG = 15.0
CODE_LIFETIME = timedelta(hours=1)


async def prepare_clinic(home: Path, now: datetime, progress: Callable[[str], None]) -> tuple[DemoClinic, str]:
    """The demo's clinic, made the first time, and a claim code that lets a gateway in for its live patient.

    Call it before the server is started on `home`: the database has one writer.
    """
    settings = Settings(home=home)
    await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True, mode=0o700)
    check_disk(settings)
    clinic = recall(home)
    async with Database(settings.database_path) as database, database.writing() as db:
        if clinic is None or await db.get(PatientRecord, clinic.live_patient_id) is None:
            clinic = await _make(db, home, now, progress)
        code = await make_claim_code(db, clinic.live_patient_id, now, lifetime=CODE_LIFETIME)
    return clinic, code


async def _make(db: AsyncSession, home: Path, now: datetime, progress: Callable[[str], None]) -> DemoClinic:
    """Everything in one transaction: a demo that was interrupted here begins anew."""
    progress(f"Simulating {PATIENTS} patients over {WEEKS} weeks of recovery, and the live one")
    people = simulate_clinic(PATIENTS + 1, WEEKS, now.date(), SEED)
    live = _live_patient(people, now.date())
    for person in people:
        await _admit(db, person)
    for number, person in enumerate(people, 1):
        await follow(db, person.id, now=now, refit_after=len(people) * 100)
        if number % 10 == 0:
            progress(f"  {number} of {len(people)} forecasts")
    clinic = DemoClinic(
        live.id,
        live.name,
        live.surgery_on,
        live.truth,
        (
            Login("patient", "patient", _password()),
            Login("physiotherapist", "physio", _password()),
            Login("administrator", "admin", _password()),
        ),
    )
    names = {"patient": live.name, "physiotherapist": "Physiotherapist of the demo", "administrator": "Administrator"}
    for login in clinic.logins:
        role = Role(login.role)
        await create_account(
            db, login=login.login, password=login.password, name=names[login.role], role=role, now=now,
            patient_id=live.id if role is Role.PATIENT else None,
        )  # fmt: skip
    remember(home, clinic)
    return clinic


def _live_patient(people: list[SimulatedPatient], today: date) -> SimulatedPatient:
    """Somebody whose recovery goes well: of those in weeks four to six and far from the goal, who is asked for most."""

    def asked_deg(person: SimulatedPatient) -> float:
        return person.programs[-1].prescriptions[0].dose.target_excursion_deg or 0.0

    well = [
        person
        for person in people
        if person.truth.stalls_on == NEVER
        and 21 <= (today - person.surgery_on).days <= 42
        and person.goal_deg - asked_deg(person) >= FAR_DEG
    ]
    return max(well, key=asked_deg)


async def _admit(db: AsyncSession, person: SimulatedPatient) -> None:
    await add_patient(
        db, id=person.id, name=person.name, diagnosis=person.diagnosis, side=person.side, surgery_on=person.surgery_on,
        goal_deg=person.goal_deg, program=person.programs[0], simulated=True,
    )  # fmt: skip
    for program in person.programs[1:]:
        await add_version(db, program)
    await store_history(db, person.id, person.reports, person.feedbacks)


def _password() -> str:
    return secrets.token_urlsafe(9)
