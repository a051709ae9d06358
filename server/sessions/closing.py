"""The report closes a session: checked against its chunks, with all that follows from it in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from analytics.domain.session import Feedback, SessionReport
from server.access.words import Caller
from server.adaptation import service as adaptation
from server.patients.records import PatientRecord
from server.problems import Conflict, InvalidRequest
from server.programs import service as programs
from server.recovery import service as recovery
from server.settings import REJECTION_HOLDS

from .chunks import MOST_CHUNKS
from .figures import report_figures
from .ranges import gaps
from .records import ChunkRecord, FeedbackRecord, ReportRecord, SessionRecord
from .service import opening_of, own_session, stored_report

NOT_FINITE = "The report holds a figure that is not a finite number; mend it."


class ReportDiffers(Conflict):
    type, title = "report-differs", "Another report is stored"


class ChunksMissing(Conflict):
    type, title = "chunks-missing", "Chunks are missing"


class ChunksDiffer(Conflict):
    type, title = "chunks-differ", "The chunks are not those of the report"


async def store_report(
    db: AsyncSession,
    caller: Caller,
    report: SessionReport,
    *,
    now: datetime,
    refit_after: int,
    rejection_holds: timedelta,
) -> bool:
    """Store a report once every chunk of it is here; True the first time, False for the same again.

    The first time, in the same transaction: the course grows by a point, the forecast and the proposal are made anew.
    Raises `ChunksMissing` with `missing` ranges, `ChunksDiffer`, `ReportDiffers`, or `NotFound` for no such session.
    """
    document = report.model_dump_json()
    _check_readable(report, document)
    session = await own_session(db, caller, report.id)
    if opening_of(session) != report.opening():
        raise ReportDiffers(
            "The report does not begin as the session was opened; send it for the session it belongs to."
        )
    stored = await stored_report(db, report.id)
    if stored is not None:
        if stored != report:
            raise ReportDiffers("Another report of this session is stored; what is stored stays.")
        return False
    await _check_chunks(db, report)
    issued = await programs.versions(db, report.patient_id)
    for name, value in report_figures(report, issued.get(report.program_version)).items():
        setattr(session, name, value)
    session.reported_at = now
    if report.felt is not None and report.felt.pain is not None and report.felt.effort is not None:
        await _keep_rating(db, report, report.felt.pain, report.felt.effort, now)
    db.add(ReportRecord(session_id=report.id, document=document))
    await db.flush()
    patient = await db.get_one(PatientRecord, report.patient_id)
    point = recovery.point_record(report, patient.surgery_on)
    if point is not None:
        db.add(point)
        await db.flush()
    await follow(db, report.patient_id, now=now, refit_after=refit_after, rejection_holds=rejection_holds)
    return True


async def _keep_rating(db: AsyncSession, report: SessionReport, pain: int, effort: int, now: datetime) -> None:
    """What was told to the gateway counts as feedback, until the phone sends a later one."""
    if await db.get(FeedbackRecord, report.id) is None:
        rating = Feedback(id=report.id, session_id=report.id, pain=pain, effort=effort, given_at=report.ended_at)
        db.add(FeedbackRecord(patient_id=report.patient_id, received_at=now, **rating.model_dump()))


async def follow(
    db: AsyncSession,
    patient_id: str,
    *,
    now: datetime,
    refit_after: int,
    rejection_holds: timedelta = REJECTION_HOLDS,
) -> None:
    """Everything that follows from what is stored of a patient: the forecast, then the proposal that reads it."""
    forecast = await recovery.refresh(db, patient_id, now=now, refit_after=refit_after)
    await adaptation.reconsider(db, patient_id, forecast=forecast, rejection_holds=rejection_holds, now=now)


async def reconsider(db: AsyncSession, patient_id: str, *, now: datetime, rejection_holds: timedelta) -> None:
    """Only the proposal, after words from the patient that no forecast reads."""
    forecast = await recovery.forecast_of(db, patient_id)
    await adaptation.reconsider(db, patient_id, forecast=forecast, rejection_holds=rejection_holds, now=now)


async def store_history(
    db: AsyncSession, patient_id: str, reports: Sequence[SessionReport], feedbacks: Sequence[Feedback]
) -> None:
    """Many finished sessions without raw samples at once, as from a simulation. Call `follow` when all are stored."""
    if not reports:
        return
    patient = await db.get_one(PatientRecord, patient_id)
    issued = await programs.versions(db, patient_id)
    rows = [r.opening().model_dump() | report_figures(r, issued.get(r.program_version)) for r in reports]
    await db.execute(insert(SessionRecord), rows)
    await db.execute(insert(ReportRecord), [{"session_id": r.id, "document": r.model_dump_json()} for r in reports])
    points = [recovery.point_record(r, patient.surgery_on) for r in reports]
    db.add_all(point for point in points if point is not None)
    db.add_all(FeedbackRecord(patient_id=patient_id, **f.model_dump()) for f in feedbacks)
    await db.flush()


def _check_readable(report: SessionReport, document: str) -> None:
    """It will be read again as it is. JSON has no NaN and no infinity: a report with one would be lost, or else that
    figure, where it may be left out."""
    try:
        if SessionReport.model_validate_json(document) == report:
            return
    except ValidationError as error:
        raise InvalidRequest(NOT_FINITE) from error
    raise InvalidRequest(NOT_FINITE)


async def _check_chunks(db: AsyncSession, report: SessionReport) -> None:
    if report.chunk_count > MOST_CHUNKS:
        raise InvalidRequest(
            f"The report counts more chunks than a session can have, which is {MOST_CHUNKS}; count the chunks again."
        )
    rows = await db.execute(
        select(ChunkRecord.number, ChunkRecord.sha256)
        .where(ChunkRecord.session_id == report.id)
        .order_by(ChunkRecord.number)
    )
    digests = dict(rows.all())
    missing = gaps(digests, report.chunk_count)
    if missing:
        raise ChunksMissing(
            "The report is not stored before all its chunks are; send the missing ones, then the report again.",
            missing=missing,
        )
    if len(digests) != report.chunk_count or root_hash(digests.values()) != report.chunks_sha256.lower():
        raise ChunksDiffer(
            "The stored chunks are not the ones this report was written for; send the report that belongs to them."
        )


def root_hash(digests: Iterable[bytes]) -> str:
    """Hex SHA-256 over the chunks' 32-byte digests in order: one figure for all raw samples of a session."""
    return hashlib.sha256(b"".join(digests)).hexdigest()
