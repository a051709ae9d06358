"""What each patient is to do."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.program import Assignment, Program
from server.access import policy
from server.access.policy import Action
from server.access.words import Caller
from server.consents import service as consents
from server.consents.words import Subject
from server.exercises import Exercises
from server.patients.records import PatientRecord
from server.problems import Conflict, NotFound

from .records import ProgramRecord


async def current_program(db: AsyncSession, patient_id: str) -> Program:
    """The version in force: the highest. Raises `NotFound` for a patient without one."""
    record = await _latest(db, patient_id)
    if record is None:
        raise NotFound("There is no program for this patient; a physiotherapist has to write one first.")
    return Program.model_validate_json(record.document)


async def was_issued(db: AsyncSession, patient_id: str, version: int) -> bool:
    """Whether there is or was this version of the patient's program."""
    return await db.get(ProgramRecord, (patient_id, version)) is not None


async def versions(db: AsyncSession, patient_id: str) -> dict[int, Program]:
    """Every version there has been, by number."""
    records = await db.scalars(select(ProgramRecord).where(ProgramRecord.patient_id == patient_id))
    return {record.version: Program.model_validate_json(record.document) for record in records}


async def add_version(db: AsyncSession, program: Program) -> None:
    """Put the next version in force. Versions count up by one from 1: raises `Conflict` when another came between."""
    latest = await _latest(db, program.patient_id)
    expected = 1 if latest is None else latest.version + 1
    if program.version != expected:
        raise Conflict(
            f"The next version of this program is {expected}, not {program.version}; load the program again."
        )
    db.add(
        ProgramRecord(
            patient_id=program.patient_id,
            version=program.version,
            approved_at=program.approved_at,
            document=program.model_dump_json(),
        )
    )
    await db.flush()


async def own_assignment(db: AsyncSession, caller: Caller, exercises: Exercises) -> Assignment:
    """What the caller, a patient or a patient's gateway, is to do."""
    patient_id = policy.require_own(caller, Action.READ_OWN_ASSIGNMENT)
    patient = await db.get_one(PatientRecord, patient_id)
    program = await current_program(db, patient_id)
    return Assignment(
        patient_id=patient_id,
        patient_name=patient.name,
        program=program,
        exercises=exercises.asked_by(program),
        live_view=await consents.holds(db, patient_id, Subject.LIVE_VIEW),
    )


async def _latest(db: AsyncSession, patient_id: str) -> ProgramRecord | None:
    return await db.scalar(
        select(ProgramRecord)
        .where(ProgramRecord.patient_id == patient_id)
        .order_by(ProgramRecord.version.desc())
        .limit(1)
    )
