"""Who the patients are and how each is doing."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import ColumnElement, Row, exists, false, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.exercise import Side
from analytics.domain.program import Program
from analytics.domain.recovery import KNEE_RANGE, ProposalStatus
from server.access import policy
from server.access.policy import Action
from server.access.words import Caller
from server.adaptation import service as adaptation
from server.adaptation.records import ProposalRecord
from server.exercises import Exercises
from server.problems import Conflict, InvalidRequest, NotFound
from server.programs import service as programs
from server.programs.records import ProgramRecord
from server.recovery import service as recovery
from server.recovery.records import CoursePointRecord
from server.sessions import summaries
from server.sessions.records import SessionRecord

from .records import PatientRecord
from .words import PatientName, PatientOverview, PatientSummary

IDENTIFIER = re.compile("[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")
"""What stands in an address as it is (RFC 3986, section 2.3), on every client: no `/`, `?`, `#`, `%` or space."""


async def add_patient(
    db: AsyncSession,
    *,
    id: str,  # noqa: A002 - the field's own name
    name: str,
    diagnosis: str,
    side: Side,
    surgery_on: date,
    goal_deg: float,
    program: Program,
    simulated: bool = False,
) -> None:
    """Take a patient in, with the first program: nobody is a patient here without something to do.

    Raises `InvalidRequest` for an identifier that could not be part of an address, `Conflict` for one that is taken.
    """
    if not IDENTIFIER.fullmatch(id):
        raise InvalidRequest(
            f"{id!r} cannot identify a patient; write up to 100 letters a to z, digits, dots, hyphens, tildes and "
            "underscores, a letter or a digit first."
        )
    if await db.get(PatientRecord, id) is not None:
        raise Conflict(f"There is a patient {id} already; choose another identifier.")
    db.add(
        PatientRecord(
            id=id,
            name=name,
            diagnosis=diagnosis,
            side=side,
            surgery_on=surgery_on,
            goal_deg=goal_deg,
            simulated=simulated,
        )
    )
    await db.flush()
    await programs.add_version(db, program)


async def list_names(db: AsyncSession, caller: Caller) -> list[PatientName]:
    """Name and identifier of everybody the caller may choose from, by name."""
    visible = policy.visible_patients(caller, Action.LIST_NAMES, PatientRecord.id)
    ordered = select(PatientRecord).where(visible).order_by(PatientRecord.name, PatientRecord.id)
    return [PatientName(id=record.id, name=record.name) for record in await db.scalars(ordered)]


async def list_patients(db: AsyncSession, caller: Caller, *, today: date) -> list[PatientSummary]:
    """Every patient the caller may see, by name."""
    visible = policy.visible_patients(caller, Action.LIST_PATIENTS, PatientRecord.id)
    return await _summaries(db, caller, visible, today)


async def patient_summary(db: AsyncSession, caller: Caller, patient_id: str, *, today: date) -> PatientSummary:
    """One patient's line of the list. Raises `NotFound`."""
    policy.require(caller, Action.READ_PATIENT, patient_id)
    found = await _summaries(db, caller, PatientRecord.id == patient_id, today)
    if not found:
        raise NotFound(policy.NOTHING_HERE)
    return found[0]


async def patient_overview(
    db: AsyncSession, caller: Caller, patient_id: str, *, today: date, exercises: Exercises
) -> PatientOverview:
    """All of one patient's page. Raises `NotFound`, also for a patient whom the caller may not see.

    A proposal that is not decided yet is only for who may read it; for anybody else there is none.
    """
    summary = await patient_summary(db, caller, patient_id, today=today)
    return PatientOverview(
        summary=summary,
        program=await programs.current_program(db, patient_id),
        course=await recovery.course_of(db, patient_id),
        forecast=await recovery.forecast_of(db, patient_id),
        proposal=await adaptation.waiting_proposal(db, patient_id) if summary.proposal_waiting else None,
        sessions=await summaries.sessions_of(db, patient_id, exercises),
    )


async def _summaries(
    db: AsyncSession, caller: Caller, condition: ColumnElement[bool], today: date
) -> list[PatientSummary]:
    version = select(func.max(ProgramRecord.version)).where(ProgramRecord.patient_id == PatientRecord.id)
    last_session = select(func.max(SessionRecord.started_at)).where(
        SessionRecord.patient_id == PatientRecord.id, SessionRecord.ended_at.is_not(None)
    )
    latest_range = (
        select(CoursePointRecord.value)
        .where(CoursePointRecord.patient_id == PatientRecord.id, CoursePointRecord.outcome == KNEE_RANGE)
        .order_by(CoursePointRecord.day.desc())
        .limit(1)
    )
    waiting = exists().where(
        ProposalRecord.patient_id == PatientRecord.id,
        ProposalRecord.status == ProposalStatus.WAITING,
        true() if policy.may(caller, Action.READ_WAITING_PROPOSAL) else false(),
    )
    rows = await db.execute(
        select(
            PatientRecord,
            version.scalar_subquery(),
            last_session.scalar_subquery(),
            latest_range.scalar_subquery(),
            waiting,
        )
        .where(condition)
        .order_by(PatientRecord.name, PatientRecord.id)
    )
    return [_summary(row, today) for row in rows]


def _summary(row: Row[*tuple[PatientRecord, int, object, float, bool]], today: date) -> PatientSummary:
    patient, version, last_session_at, latest_range_deg, waiting = row
    return PatientSummary(
        id=patient.id,
        name=patient.name,
        diagnosis=patient.diagnosis,
        side=patient.side,
        surgery_on=patient.surgery_on,
        day=(today - patient.surgery_on).days,
        program_version=version,
        last_session_at=last_session_at,
        latest_range_deg=latest_range_deg,
        goal_deg=patient.goal_deg,
        proposal_waiting=waiting,
        simulated=patient.simulated,
    )
