"""The clinic's server as a gateway calls it. One method per call; every refusal arrives as one sentence."""

from __future__ import annotations

import base64
from typing import TypeVar
from uuid import UUID

import httpx2
from pydantic import TypeAdapter, ValidationError

from analytics.domain.address import checked_url
from analytics.domain.base import Word
from analytics.domain.program import Assignment
from analytics.domain.session import SessionOpening, SessionReport
from device_gateway.errors import GatewayError, RefusedError, ShutOutError, UnreachableError

TIMEOUT = httpx2.Timeout(10.0, connect=4.0)
SHUT_OUT = {401, 403}
"""The server no longer accepts this gateway at all: nothing is wrong with what was sent."""
PROBLEM_JSON = "application/problem+json"
RETRY_LATER = {408, 425, 429}
"""Statuses below 500 that the same request may overcome later."""


class Identity(Word):
    """Who the gateway is to the clinic: the answer to a claim."""

    gateway_id: str
    token: str
    patient_id: str


class Presence(Word):
    """Where the patient's phone finds this gateway; the clinic hands it on."""

    live_url: str
    certificate_sha256: str
    live_token: str


class _Received(Word):
    received: tuple[tuple[int, int], ...]


Read = TypeVar("Read", bound=Word)
_MISSING: TypeAdapter[tuple[tuple[int, int], ...]] = TypeAdapter(tuple[tuple[int, int], ...])


def missing_chunks(refusal: RefusedError) -> tuple[tuple[int, int], ...] | None:
    """The ranges a report was refused for, or None where it was refused for something else."""
    if not _is(refusal, "chunks-missing"):
        return None
    try:
        return _MISSING.validate_python(refusal.problem.get("missing"))
    except ValidationError:
        return None


class Clinic:
    """Calls to the server at `url`.

    All raise UnreachableError where a later try may do, and RefusedError where it will not. An address that is none, or
    that would have a token and health data sent unprotected, is a GatewayError at once.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        try:
            self.url = checked_url(url)
            self._http = httpx2.AsyncClient(base_url=f"{self.url}/api/v1/", timeout=TIMEOUT)
        except (ValueError, httpx2.InvalidURL) as trouble:
            raise GatewayError(f"The gateway cannot use this server: {trouble}") from None
        if token is not None:
            self.token = token

    @property
    def token(self) -> str:
        return self._http.headers["Authorization"].removeprefix("Bearer ")

    @token.setter
    def token(self, token: str) -> None:
        self._http.headers["Authorization"] = f"Bearer {token}"

    async def close(self) -> None:
        await self._http.aclose()

    async def claim(self, claim_code: str, name: str) -> Identity:
        """Become the gateway of the patient whom the clinic gave this code for."""
        answer = await self._ask("POST", "gateways/claim", json={"claim_code": claim_code, "name": name})
        return self._read(Identity, answer)

    async def assignment(self, etag: str | None) -> tuple[Assignment, str | None] | None:
        """What the patient is to do, with its ETag; None when that is still what `etag` names."""
        answer = await self._ask("GET", "gateway/assignment", headers={"If-None-Match": etag} if etag else {})
        if answer.status_code == httpx2.codes.NOT_MODIFIED:
            return None
        return self._read(Assignment, answer), answer.headers.get("ETag")

    async def put_presence(self, presence: Presence) -> None:
        await self._ask("PUT", "gateway/presence", json=presence.model_dump())

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
            if _is(refusal, "digest-wrong"):
                raise UnreachableError("A chunk was changed on its way to the clinic; it is sent again.") from refusal
            raise

    async def received_chunks(self, session_id: UUID) -> tuple[tuple[int, int], ...]:
        """Ranges [first, last] of the chunks that the server has stored."""
        return self._read(_Received, await self._ask("GET", f"sessions/{session_id}/chunks")).received

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
    ) -> httpx2.Response:
        try:
            answer = await self._http.request(
                method, f"{self.url}/api/v1/{path}", json=json, content=content, headers=headers
            )
        except httpx2.TransportError as trouble:
            raise UnreachableError(
                f"The clinic's server at {self.url} does not answer ({type(trouble).__name__}): "
                "check its address, that it is running, and this gateway's network."
            ) from trouble
        if answer.is_success or answer.status_code == httpx2.codes.NOT_MODIFIED:
            if answer.content and not _is_json(answer):
                raise self._impostor()
            return answer
        if answer.is_client_error and answer.status_code not in RETRY_LATER:
            problem = _problem(answer)
            if answer.status_code in SHUT_OUT:
                if not problem:
                    raise self._impostor()
                raise ShutOutError(
                    "The clinic's server does not accept this gateway any more: claim it again with a new code and a "
                    "new --home. What is stored here is kept.",
                    answer.status_code,
                    problem,
                )
            sentence = str(problem.get("detail") or problem.get("title") or answer.reason_phrase)
            raise RefusedError(sentence, answer.status_code, problem)
        raise UnreachableError(
            f"The clinic's server at {self.url} cannot take this now (HTTP {answer.status_code}); wait and try again."
        )

    def _read(self, word: type[Read], answer: httpx2.Response) -> Read:
        try:
            return word.model_validate_json(answer.content)
        except ValidationError as trouble:
            raise self._impostor() from trouble

    def _impostor(self) -> UnreachableError:
        """Something between answers with success, such as a hotel's sign-in page: that must not count as stored."""
        return UnreachableError(
            f"What answers at {self.url} is not the clinic's server: check the address, and this gateway's network."
        )


def _is(refusal: RefusedError, kind: str) -> bool:
    """Whether a problem is of this type: the last part of what may be a URI (RFC 9457, section 3.1.1)."""
    return str(refusal.problem.get("type", "")).rpartition("/")[2] == kind


def _is_json(answer: httpx2.Response) -> bool:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip() in {"application/json", PROBLEM_JSON}


def _problem(answer: httpx2.Response) -> dict[str, object]:
    try:
        body = answer.json() if _is_json(answer) else None
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
