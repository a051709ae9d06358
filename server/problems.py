"""Refusals as RFC 9457 problem details: a stable `type`, what happened, and what to do about it.

Services raise a `Problem`; the edge turns it into an answer. `type` is for programs and never changes; `detail` is one
sentence or two for people and says what to do. Each feature package defines its own beside what raises them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(HTTPException):
    """A refusal. Subclasses fix `status`, `type` and `title`; the instance says the rest.

    It is an HTTPException because the framework lets only those pass unchanged while it reads a body.
    """

    status: ClassVar[int] = 400
    type: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be understood"

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(self.status, detail, headers)
        self.members = members

    def response(self) -> JSONResponse:
        return problem_response(self.status, self.type, self.title, self.detail, self.headers, **self.members)


class BadRequest(Problem):
    pass


class NotFound(Problem):
    status, type, title = 404, "not-found", "Not found"


class Conflict(Problem):
    status, type, title = 409, "conflict", "This does not fit what is stored"


class InvalidRequest(Problem):
    status, type, title = 422, "invalid-request", "The request does not say what it should"


class BodyTooLarge(Problem):
    status, type, title = 413, "body-too-large", "The request is too large"


class StorageFull(Problem):
    status, type, title = 507, "storage-full", "The server's disk is full"


class StorageBusy(Problem):
    status, type, title = 503, "storage-busy", "The server is busy"


def problem_response(
    status: int, type_: str, title: str, detail: str, headers: Mapping[str, str] | None = None, **members: Any
) -> JSONResponse:
    """The wire form (RFC 9457, section 3). `members` are extensions such as `missing`."""
    body = {"type": type_, "title": title, "status": status, "detail": detail, **members}
    return JSONResponse(body, status, dict(headers or {}), media_type=MEDIA_TYPE)
