"""Assignments over HTTP: what a gateway or a phone is to do."""

from __future__ import annotations

import hashlib

from fastapi import Request, Response

from analytics.domain.program import Assignment
from server.access.api import CurrentCaller
from server.clinic import ThisClinic
from server.routing import api_router

from . import service

router = api_router("programs")


@router.get("/me/assignment")
async def get_own_assignment(caller: CurrentCaller, clinic: ThisClinic) -> Assignment:
    """Today's program for the patient's phone."""
    async with clinic.database.reading() as db:
        return await service.own_assignment(db, caller, clinic.exercises)


@router.get("/gateway/assignment", response_model=Assignment)
async def get_gateway_assignment(request: Request, caller: CurrentCaller, clinic: ThisClinic) -> Response:
    """The program for the patient's gateway. With If-None-Match, 304 while nothing has changed."""
    async with clinic.database.reading() as db:
        content = (await service.own_assignment(db, caller, clinic.exercises)).model_dump_json().encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=304, headers={"ETag": etag})
    return Response(content, media_type="application/json", headers={"ETag": etag})
