"""Sessions over HTTP. Every PUT may be repeated: 201 the first time, 200 for the same, 409 for something else."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Request, Response

from analytics.domain.base import Word
from analytics.domain.session import Feedback, SessionOpening, SessionReport
from server.access import policy
from server.access.api import CurrentCaller
from server.access.policy import Action
from server.clinic import ThisClinic
from server.patients.words import SessionView
from server.problems import BadRequest, BodyTooLarge, InvalidRequest
from server.routing import api_router

from . import chunks, closing, service
from .feedback import give_feedback

router = api_router("sessions")

ChunkNumber = Annotated[int, Path(ge=0, lt=chunks.MOST_CHUNKS)]


class Received(Word):
    received: list[list[int]]


def _check(in_path: UUID, in_body: UUID, *instants: datetime) -> None:
    """What no schema says: one identifier, and instants that mean the same everywhere."""
    if in_path != in_body:
        raise BadRequest("The identifier in the address is not the one in the body; make them the same.")
    if any(instant.tzinfo is None for instant in instants):
        raise InvalidRequest("An instant comes without its time zone; write it like 2026-09-21T09:00:00Z.")


def _status(response: Response, created: bool) -> None:
    response.status_code = 201 if created else 200


@router.put("/sessions/{session_id}")
async def open_session(
    session_id: UUID, opening: SessionOpening, caller: CurrentCaller, clinic: ThisClinic, response: Response
) -> SessionOpening:
    """Say what the chunks to come belong to."""
    _check(session_id, opening.id, opening.started_at)
    async with clinic.database.writing() as db:
        created = await service.open_session(db, caller, opening)
    _status(response, created)
    return opening


@router.put("/sessions/{session_id}/chunks/{number}")
async def put_chunk(
    session_id: UUID, number: ChunkNumber, caller: CurrentCaller, clinic: ThisClinic, request: Request
) -> Response:
    """Hand in one chunk with its Content-Digest. Answered after it is on the disk."""
    policy.scope_of(caller, Action.RECORD_SESSION)
    data = await request.body()
    if len(data) > clinic.settings.largest_chunk_bytes:
        raise BodyTooLarge(f"A chunk has at most {clinic.settings.largest_chunk_bytes} bytes; write chunks more often.")
    chunk = await chunks.check_chunk(data, request.headers.get("content-digest"))
    async with clinic.database.writing() as db:
        created = await chunks.store_chunk(db, caller, session_id, number, chunk)
    return Response(status_code=201 if created else 200)


@router.get("/sessions/{session_id}/chunks")
async def get_received(session_id: UUID, caller: CurrentCaller, clinic: ThisClinic) -> Received:
    """Which chunks are stored."""
    async with clinic.database.reading() as db:
        return Received(received=await chunks.received(db, caller, session_id))


@router.put("/sessions/{session_id}/report")
async def put_report(
    session_id: UUID, report: SessionReport, caller: CurrentCaller, clinic: ThisClinic, response: Response
) -> SessionOpening:
    """Close a session whose chunks are all here."""
    _check(session_id, report.id, report.started_at, report.ended_at)
    async with clinic.database.writing() as db:
        created = await closing.store_report(
            db,
            caller,
            report,
            now=clinic.local_now(),
            refit_after=clinic.settings.refit_after_points,
            rejection_holds=clinic.settings.rejection_holds,
        )
    _status(response, created)
    return report.opening()


@router.get("/sessions/{session_id}")
async def get_session(session_id: UUID, caller: CurrentCaller, clinic: ThisClinic) -> SessionView:
    """A finished session with its report, and how many of its samples are stored."""
    async with clinic.database.reading() as db:
        return await service.session_view(db, caller, session_id, today=clinic.today(), exercises=clinic.exercises)


@router.put("/me/feedback/{feedback_id}")
async def put_feedback(
    feedback_id: UUID, feedback: Feedback, caller: CurrentCaller, clinic: ThisClinic, response: Response
) -> Feedback:
    """Pain and effort after a session. New pain may change what is proposed."""
    _check(feedback_id, feedback.id, feedback.given_at)
    async with clinic.database.writing() as db:
        created = await give_feedback(db, caller, feedback, now=clinic.now())
        if created and await service.stored_report(db, feedback.session_id) is not None:
            await closing.reconsider(
                db,
                policy.require_own(caller, Action.GIVE_FEEDBACK),
                now=clinic.local_now(),
                rejection_holds=clinic.settings.rejection_holds,
            )
    _status(response, created)
    return feedback
