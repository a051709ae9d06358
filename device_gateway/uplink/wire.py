"""Requests to the clinic's server, and what their answers mean: done, try again later, or no."""

from __future__ import annotations

from typing import TypeVar

import httpx2
from pydantic import ValidationError

from analytics.domain.address import checked_url
from analytics.domain.base import Word
from device_gateway.errors import GatewayError, RefusedError, ShutOutError, UnreachableError

TIMEOUT = httpx2.Timeout(10.0, connect=4.0)
SHUT_OUT = {401, 403}
"""The server no longer accepts this gateway at all: nothing is wrong with what was sent."""
PROBLEM_JSON = "application/problem+json"
RETRY_LATER = {408, 425, 429}
"""Statuses below 500 that the same request may overcome later."""
CLAIM_AGAIN = (
    "The clinic's server does not let this gateway in any more: make a new claim code on its Gateways page and start "
    "the gateway once with --claim CODE. What is stored here is kept, and goes up then."
)

Read = TypeVar("Read", bound=Word)


class Wire:
    """Asks the server at `url`, as nobody or with a token.

    All raise UnreachableError where a later try may do, and RefusedError where it will not. An address that is none, or
    that would have a token and health data sent unprotected, is a GatewayError at once.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url = checked_url(url)
            self._http = httpx2.AsyncClient(base_url=f"{self.url}/api/v1/", timeout=TIMEOUT)
            self.authority = self._http.base_url.netloc.decode()
        except (ValueError, httpx2.InvalidURL) as trouble:
            raise GatewayError(f"The gateway cannot use this server: {trouble}") from None

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        binary: bool = False,
    ) -> httpx2.Response:
        """An answer that is one of success. binary: it may be other than JSON."""
        proof = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._http.request(
                method, f"{self.url}/api/v1/{path}", json=json, content=content, headers={**(headers or {}), **proof}
            )
        except httpx2.TransportError as trouble:
            raise UnreachableError(
                f"The clinic's server at {self.url} does not answer ({type(trouble).__name__}): "
                "check its address, that it is running, and this gateway's network."
            ) from trouble
        if answer.is_success or answer.status_code == httpx2.codes.NOT_MODIFIED:
            if answer.content and not (binary or _is_json(answer)):
                raise self._impostor()
            return answer
        if answer.is_client_error and answer.status_code not in RETRY_LATER:
            raise self._refusal(answer)
        raise UnreachableError(
            f"The clinic's server at {self.url} cannot take this now (HTTP {answer.status_code}); wait and try again."
        )

    def read(self, word: type[Read], answer: httpx2.Response) -> Read:
        """What the answer says."""
        try:
            return word.model_validate_json(answer.content)
        except ValidationError as trouble:
            raise self._impostor() from trouble

    def _refusal(self, answer: httpx2.Response) -> GatewayError:
        problem = _problem(answer)
        if answer.status_code in SHUT_OUT:
            return ShutOutError(CLAIM_AGAIN, answer.status_code, problem) if problem else self._impostor()
        if not problem:  # which the clinic's every refusal is (RFC 9457)
            return self._impostor()
        sentence = str(problem.get("detail") or problem.get("title") or answer.reason_phrase)
        return RefusedError(sentence, answer.status_code, problem)

    def _impostor(self) -> UnreachableError:
        """Something between answers with success, such as a hotel's sign-in page: that must not count as stored."""
        return UnreachableError(
            f"What answers at {self.url} is not the clinic's server: check the address, and this gateway's network."
        )


def is_problem(refusal: RefusedError, kind: str) -> bool:
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
