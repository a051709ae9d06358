"""A session from its opening to the page that shows it. Raw samples: `chunks`; the closing report: `closing`."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.session import SessionOpening, SessionReport
from server.access import policy
from server.access.policy import Action
from server.access.words import Caller
from server.exercises import Exercises
from server.patients.service import patient_summary
from server.patients.words import SessionView
from server.problems import Conflict, InvalidRequest, NotFound
from server.programs import service as programs

from .feedback import feedback_of
from .records import ChunkRecord, ReportRecord, SessionRecord

UNKNOWN = "There is no session under this identifier; check it, and open the session before sending what belongs to it."


async def open_session(db: AsyncSession, caller: Caller, opening: SessionOpening) -> bool:
    """Begin a session; True the first time, False for the same again.

    Raises `NotFound` for another patient's, `Conflict` for a different opening under the same id, and `InvalidRequest`
    for a version of the program that there never was.
    """
    policy.require(caller, Action.RECORD_SESSION, opening.patient_id)
    stored = await db.get(SessionRecord, opening.id)
    if stored is None:
        if not await programs.was_issued(db, opening.patient_id, opening.program_version):
            raise InvalidRequest(
                f"There is no version {opening.program_version} of this patient's program; fetch the program again and "
                "send the session with the version it was done on."
            )
        db.add(SessionRecord(**opening.model_dump()))
        await db.flush()
        return True
    policy.granted(caller, Action.RECORD_SESSION, stored)
    if opening_of(stored) != opening:
        raise Conflict("Another session is stored under this identifier; send this one under a new identifier.")
    return False


async def own_session(db: AsyncSession, caller: Caller, session_id: UUID) -> SessionRecord:
    """The session a gateway is recording. Raises `NotFound` when it is unknown or another patient's."""
    return policy.granted(caller, Action.RECORD_SESSION, await db.get(SessionRecord, session_id), UNKNOWN)


async def session_view(
    db: AsyncSession, caller: Caller, session_id: UUID, *, today: date, exercises: Exercises
) -> SessionView:
    """All of one session's page. Raises `NotFound`, also for one the caller may not see or that is not finished yet."""
    session = policy.granted(caller, Action.READ_PATIENT, await db.get(SessionRecord, session_id))
    report = await stored_report(db, session_id)
    if report is None:
        raise NotFound("This session has not been finished yet; look again when the gateway has sent its report.")
    samples = select(func.coalesce(func.sum(ChunkRecord.samples), 0)).where(ChunkRecord.session_id == session_id)
    return SessionView(
        patient=await patient_summary(db, caller, session.patient_id, today=today),
        exercise_name=exercises.name(session.exercise),
        report=report,
        feedback=(await feedback_of(db, session.patient_id, session_id)).get(session_id),
        samples_stored=await db.scalar(samples) or 0,
    )


async def report_before(db: AsyncSession, caller: Caller, session_id: UUID) -> SessionReport | None:
    """The session before it of the same exercise and side in which something was done. Raises `NotFound` as above."""
    session = policy.granted(caller, Action.READ_PATIENT, await db.get(SessionRecord, session_id))
    before = await db.scalar(
        select(SessionRecord.id)
        .where(
            SessionRecord.patient_id == session.patient_id,
            SessionRecord.exercise == session.exercise,
            SessionRecord.side == session.side,
            SessionRecord.started_at < session.started_at,
            SessionRecord.ended_at.is_not(None),
            SessionRecord.repetitions > 0,
        )
        .order_by(SessionRecord.started_at.desc())
        .limit(1)
    )
    return None if before is None else await stored_report(db, before)


async def stored_report(db: AsyncSession, session_id: UUID) -> SessionReport | None:
    """The report that closed a session; None while it is open."""
    record = await db.get(ReportRecord, session_id)
    return None if record is None else SessionReport.model_validate_json(record.document)


def opening_of(session: SessionRecord) -> SessionOpening:
    """What was said when the session began."""
    return SessionOpening(
        id=session.id,
        patient_id=session.patient_id,
        program_version=session.program_version,
        exercise=session.exercise,
        side=session.side,
        started_at=session.started_at,
    )
