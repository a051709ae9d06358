"""The clinic's API as the phone uses it. Every refusal becomes one sentence for the patient."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from analytics.domain.address import checked_url
from analytics.domain.program import Assignment
from analytics.domain.session import Feedback


class ClinicError(RuntimeError):
    """The clinic did not do what was asked; the message says why and what to do."""


class ClinicUnreachable(ClinicError):  # noqa: N818  a state, and the name of it on the screen
    """No answer, or none that a clinic would give: worth trying again later."""


class SignInRefused(ClinicError):  # noqa: N818
    """The login or password is wrong, or the sign-in has ended."""


class NotFound(ClinicError):  # noqa: N818
    """The clinic does not know of it, or not yet."""


class Refused(ClinicError):  # noqa: N818
    """The clinic understood, and will not do it however often it is asked."""


class SignedIn(BaseModel):
    token: str
    role: str
    name: str
    patient_id: str | None = None


class GatewayAddress(BaseModel):
    """Where the patient's gateway listens, how to know it, and what opens it."""

    live_url: str
    certificate_sha256: str
    live_token: str


_Answer = TypeVar("_Answer", bound=BaseModel)


class Clinic:
    """An HTTP client for one clinic; use as `async with`."""

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        """Raises ValueError, with a sentence, for an address that is not one or would send a password unprotected."""
        self._http = httpx2.AsyncClient(base_url=checked_url(url) + "/api/v1/", timeout=timeout_s)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def sign_in(self, login: str, password: str) -> SignedIn:
        answer = await self._ask("POST", "sign-in", json={"login": login, "password": password})
        return _read(SignedIn, answer)

    async def sign_out(self, token: str) -> None:
        await self._ask("POST", "sign-out", token)

    async def assignment(self, token: str) -> Assignment:
        return _read(Assignment, await self._ask("GET", "me/assignment", token))

    async def gateway(self, token: str) -> GatewayAddress:
        return _read(GatewayAddress, await self._ask("GET", "me/gateway", token))

    async def put_feedback(self, token: str, feedback: Feedback) -> None:
        """Idempotent: the same feedback again is taken as the same."""
        await self._ask("PUT", f"me/feedback/{feedback.id}", token, json=feedback.model_dump(mode="json"))

    async def _ask(self, method: str, path: str, token: str | None = None, json: Any = None) -> httpx2.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._http.request(method, path, headers=headers, json=json)
        except httpx2.HTTPError as error:
            raise ClinicUnreachable(
                "Your clinic cannot be reached. Check the phone's network, then try again."
            ) from error
        if answer.is_success:
            return answer
        raise _refusal(answer)


def _read(kind: type[_Answer], answer: httpx2.Response) -> _Answer:
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        # A captive portal answers 200 with a page of its own.
        raise ClinicUnreachable(
            "What answered is not your clinic. Check the clinic's address and the phone's network."
        ) from error


def _refusal(answer: httpx2.Response) -> ClinicError:
    sentence = _problem_sentence(answer)
    match answer.status_code:
        case 401:
            return SignInRefused(sentence or "Please sign in again.")
        case 404:
            return NotFound(sentence or "Your clinic does not know of this yet. Try again later.")
        case 429:
            return ClinicUnreachable(sentence or "That was tried too often. Wait a minute, then try again.")
        case status if status >= 500:
            return ClinicUnreachable("Your clinic's server has a problem. Nothing is lost; try again in a few minutes.")
        case _:
            return Refused(sentence or "Your clinic could not take this. Please tell your physiotherapist.")


def _problem_sentence(answer: httpx2.Response) -> str | None:
    """The human part of an RFC 9457 problem, where the answer is one."""
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        problem = answer.json()
    except ValueError:
        return None
    text = problem.get("detail") or problem.get("title") if isinstance(problem, dict) else None
    return text if isinstance(text, str) else None
