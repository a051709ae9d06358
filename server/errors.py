"""Every refusal becomes problem+json here. The dashboard wraps these handlers and answers a browser with a page."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.problems import InvalidRequest, Problem, problem_response

WHAT_TO_DO = {
    404: "There is nothing under this address; check it and try again.",
    405: "This address does not take this method; use one of those in the header Allow.",
}


def install(app: FastAPI) -> None:
    """Answer every kind of refusal, and faults of our own."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)


async def _refused(_: Request, refusal: Exception) -> Response:
    """A `Problem`, or what the framework refuses by itself: an unknown address, a method that is not offered."""
    if isinstance(refusal, Problem):
        return refusal.response()
    assert isinstance(refusal, HTTPException)
    title = HTTPStatus(refusal.status_code).phrase
    detail = WHAT_TO_DO.get(refusal.status_code, f"{refusal.detail}; correct the request and send it again.")
    return problem_response(
        refusal.status_code, title.lower().replace(" ", "-"), title, detail, headers=refusal.headers
    )


async def _invalid(_: Request, refusal: Exception) -> Response:
    """Where and what, but not the value itself: it may be personal, and an answer may be logged on its way."""
    assert isinstance(refusal, RequestValidationError)
    faults = [{"pointer": "/" + "/".join(map(str, fault["loc"])), "detail": fault["msg"]} for fault in refusal.errors()]
    said = "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in faults[:3])
    return InvalidRequest(f"Correct this and send it again: {said}.", errors=faults).response()


async def _failed(_: Request, __: Exception) -> Response:
    """What happened stands in the server's log, not in the answer."""
    return problem_response(
        500, "internal-error", "The server has failed", "This is a fault of the server; try again, and tell the clinic."
    )
