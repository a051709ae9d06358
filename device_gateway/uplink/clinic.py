"""The clinic's server as a gateway calls it. One method per call; every refusal arrives as one sentence."""

from __future__ import annotations

import base64
import functools
from datetime import datetime
from uuid import UUID

import httpx2
from pydantic import TypeAdapter, ValidationError

from analytics.domain.base import Word
from analytics.domain.gateway_health import GatewayHealth
from analytics.domain.program import Assignment
from analytics.domain.release import ReleaseList
from analytics.domain.session import SessionOpening, SessionReport
from device_gateway.errors import RefusedError, ShutOutError, UnreachableError

from .identity import Credentials
from .wire import Wire, is_problem


class Presence(Word):
    """Where the patient's phone finds this gateway; the clinic hands it on."""

    live_url: str
    certificate_sha256: str
    live_token: str
    pairing_code: str | None = None


class _Received(Word):
    received: tuple[tuple[int, int], ...]


_MISSING: TypeAdapter[tuple[tuple[int, int], ...]] = TypeAdapter(tuple[tuple[int, int], ...])


def missing_chunks(refusal: RefusedError) -> tuple[tuple[int, int], ...] | None:
    """The ranges a report was refused for, or None where it was refused for something else."""
    if not is_problem(refusal, "chunks-missing"):
        return None
    try:
        return _MISSING.validate_python(refusal.problem.get("missing"))
    except ValidationError:
        return None


class Clinic:
    """Calls in this gateway's name. All raise UnreachableError where a later try may do, else RefusedError;
    and UnclaimedError while this gateway is nobody's.
    """

    def __init__(self, wire: Wire, credentials: Credentials) -> None:
        self.url = wire.url
        self._wire = wire
        self._credentials = credentials

    async def claim(self) -> None:
        """Become a patient's gateway, unless this is one. Raises UnclaimedError where that cannot be yet."""
        await self._credentials.claim()

    async def claimed(self) -> None:
        """Wait until this is a patient's gateway."""
        await self._credentials.claimed()

    async def token(self) -> str:
        """What proves this gateway for some minutes more, for channels that are no request."""
        return await self._credentials.token()

    async def time(self) -> datetime:
        """The clinic's, which is that of its records."""
        return await self._credentials.clinic_time()

    async def assignment(self, etag: str | None) -> tuple[Assignment, str | None] | None:
        """What the patient is to do, with its ETag; None when that is still what `etag` names."""
        answer = await self._ask("GET", "gateway/assignment", headers={"If-None-Match": etag} if etag else {})
        if answer.status_code == httpx2.codes.NOT_MODIFIED:
            return None
        return self._wire.read(Assignment, answer), answer.headers.get("ETag")

    async def releases(self) -> ReleaseList:
        """Models and exercises that the clinic offers."""
        return self._wire.read(ReleaseList, await self._ask("GET", "gateway/releases"))

    async def release_content(self, sha256: str) -> bytes:
        """What is offered under this digest, as it came: it has yet to be compared with it."""
        return (await self._ask("GET", f"gateway/releases/{sha256}", binary=True)).content

    async def put_presence(self, presence: Presence) -> None:
        await self._ask("PUT", "gateway/presence", json=presence.model_dump())

    async def put_health(self, health: GatewayHealth) -> None:
        await self._ask("PUT", "gateway/health", json=health.model_dump())

    async def put_opening(self, opening: SessionOpening) -> None:
        await self._ask("PUT", f"sessions/{opening.id}", json=opening.model_dump(mode="json"))

    async def put_chunk(self, session_id: UUID, number: int, data: bytes, sha256: bytes) -> None:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Digest": f"sha-256=:{base64.b64encode(sha256).decode()}:",
        }
        try:
            await self._ask("PUT", f"sessions/{session_id}/chunks/{number}", content=data, headers=headers)
        except RefusedError as refusal:
            if is_problem(refusal, "digest-wrong"):
                raise UnreachableError("A chunk was changed on its way to the clinic; it is sent again.") from refusal
            raise

    async def received_chunks(self, session_id: UUID) -> tuple[tuple[int, int], ...]:
        """Ranges [first, last] of the chunks that the server has stored."""
        return self._wire.read(_Received, await self._ask("GET", f"sessions/{session_id}/chunks")).received

    async def put_report(self, report: SessionReport) -> None:
        await self._ask("PUT", f"sessions/{report.id}/report", json=report.model_dump(mode="json"))

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        binary: bool = False,
    ) -> httpx2.Response:
        """With a token; with a new one where the clinic does not take it, which may have ended early."""
        ask = functools.partial(
            self._wire.ask, method, path, json=json, content=content, headers=headers, binary=binary
        )
        token = await self._credentials.token()
        try:
            return await ask(token=token)
        except ShutOutError as refusal:
            if refusal.status != httpx2.codes.UNAUTHORIZED:
                raise
        self._credentials.forget(token)
        return await ask(token=await self._credentials.token())
