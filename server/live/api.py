"""The live view over HTTP: a WebSocket for the gateway, server-sent events for who watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import Request, Response, WebSocket
from fastapi.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from analytics.domain.live_view import NOT_SHARED, SpokenWords
from server.access import policy
from server.access import service as access
from server.access.api import CurrentCaller, current_caller
from server.access.policy import Action
from server.clinic import ThisClinic, clinic_of_socket
from server.consents import service as consents
from server.consents.words import Subject
from server.problems import Conflict, NotFound, Problem
from server.routing import api_router

from .relay import Show

NOT_ALLOWED = 4401
"""Closing code for who may not show anything here: sign in again."""
HEARTBEAT_S = 15.0
"""So often it is asked whether a watcher may still watch and a gateway still show; a comment keeps the line open."""
LARGEST_MESSAGE = 2**20
NOBODY = "The patient does not exercise in view now: wait until a session begins, or ask for consent."

router = api_router("live")


@router.websocket("/gateway/live")
async def show(socket: WebSocket) -> None:
    """Take a gateway's live events while its patient agrees to be watched."""
    clinic = clinic_of_socket(socket)
    await socket.accept()

    async def shown_patient() -> str:
        caller = await access.recognise(clinic.database, bearer_of(socket), now=clinic.now())
        return policy.require_own(caller, Action.SHOW_LIVE)

    try:
        patient_id = await shown_patient()
    except Problem as refusal:
        await socket.close(NOT_ALLOWED, refusal.detail)
        return

    with clinic.live.show(patient_id) as shown:
        # Asked for only now that a withdrawal would end the show, so that none falls between the two.
        async with clinic.database.reading() as db:
            agreed = await consents.holds(db, patient_id, Subject.LIVE_VIEW)
        if not agreed:
            await socket.close(NOT_SHARED, "The patient does not agree to be watched.")
            return
        await _until_first_ends(
            _hear(socket, shown), _ask(socket, shown), _close(socket, shown), _mind(shown, shown_patient)
        )


@router.get("/patients/{patient_id}/live")
async def watch(patient_id: str, request: Request, caller: CurrentCaller, clinic: ThisClinic) -> Response:
    """Server-sent events: a snapshot, then live events as the phone hears them, until session or consent ends."""
    policy.require(caller, Action.WATCH_LIVE, patient_id)
    shown = clinic.live.of(patient_id)
    if shown is None:
        raise NotFound(NOBODY)

    async def allowed() -> bool:
        try:
            policy.require(await current_caller(request), Action.WATCH_LIVE, patient_id)
        except Problem:
            return False
        return True

    return StreamingResponse(_events(shown, allowed), media_type="text/event-stream")


@router.post("/patients/{patient_id}/live/words", status_code=202)
async def say(patient_id: str, words: SpokenWords, caller: CurrentCaller, clinic: ThisClinic) -> SpokenWords:
    """Say something to a patient who exercises in view."""
    policy.require(caller, Action.WATCH_LIVE, patient_id)
    if not clinic.live.say(patient_id, words):
        raise Conflict(NOBODY)
    return words


async def _events(shown: Show, allowed: Callable[[], Coroutine[Any, Any, bool]]) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    asked_s = loop.time()
    with shown.watched() as watcher:
        while True:
            if loop.time() - asked_s >= HEARTBEAT_S:
                if not await allowed():
                    return
                asked_s = loop.time()
                yield ": still here\n\n"
            try:
                async with asyncio.timeout_at(asked_s + HEARTBEAT_S):
                    message = await watcher.next()
            except TimeoutError:
                continue
            if message is None:
                return
            yield f"data: {message}\n\n"


async def _mind(shown: Show, shown_patient: Callable[[], Coroutine[Any, Any, str]]) -> None:
    """End a show whose gateway is not let in any more; one whose token has run out comes back with another."""
    while True:
        await asyncio.sleep(HEARTBEAT_S)
        try:
            await shown_patient()
        except Problem:
            shown.end(NOT_ALLOWED)


async def _hear(socket: WebSocket, shown: Show) -> None:
    try:
        while True:
            message = await socket.receive_text()
            if len(message) <= LARGEST_MESSAGE and "\n" not in message:  # a line break would end a server-sent event
                shown.tell(message)
    except (WebSocketDisconnect, KeyError):  # KeyError: starlette's answer to a binary message
        return


async def _ask(socket: WebSocket, shown: Show) -> None:
    while True:
        await socket.send_text((await shown.requests.get()).model_dump_json())


async def _close(socket: WebSocket, shown: Show) -> None:
    await socket.close(await shown.closing)


async def _until_first_ends(*jobs: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def bearer_of(socket: WebSocket) -> str | None:
    """The token of the handshake's Authorization header."""
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
