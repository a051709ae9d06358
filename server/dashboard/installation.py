"""Puts the dashboard into an app: routes, static files, headers, and a page for a refusal where a browser asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from . import gateway_pages, pages
from .rendering import STATIC, new_dashboard, page

Handler = Callable[[Request, Any], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A designed error page. `words` is the fallback where the refusal itself says nothing for people."""

    status: int
    title: str
    words: str
    icon: str = "alert"
    action: str = "Back to the start"
    href: str = "/"


REFUSALS = {
    403: Refusal(403, "This is not open to you", "", "lock", "Sign in with another account", "/sign-in"),
    404: Refusal(
        404, "There is nothing here", "The address may be mistyped, or what it showed is no longer there.", "question"
    ),
    500: Refusal(
        500,
        "Something broke on our side",
        "Nothing was saved by halves. Try again; if it happens twice, tell the clinic's engineer when it happened.",
    ),
    503: Refusal(503, "The server is busy", "Try again in a few seconds.", "clock", "Try again"),
}
OTHER = Refusal(
    400,
    "That did not work",
    "The page you came from may be out of date. Go back, load it again and repeat what you did.",
)


class KeptFiles(StaticFiles):
    """A file asked for with its content's hash never changes; any other is asked for anew each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        hashed = scope["query_string"].startswith(b"v=")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return answer


def install(app: FastAPI, *, zone: tzinfo = UTC) -> None:
    """Call this last: it wraps the app's own handlers of errors, which still answer programs. `zone`: the clinic's."""
    app.state.dashboard = new_dashboard(zone)
    app.include_router(pages.router)
    app.include_router(gateway_pages.router)
    app.mount("/static", KeptFiles(directory=STATIC), name="static")
    for kind in (HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _page_or(app.exception_handlers.get(kind)))


def _page_or(previous: Handler | None) -> Handler:
    """A page for a browser that asks for one; else what the app would have answered without us."""

    async def handle(request: Request, error: Exception) -> Response:
        if previous is not None and not _wants_page(request):
            answer = previous(request, error)
            return answer if isinstance(answer, Response) else await answer
        return error_page(request, error)

    return handle


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def error_page(request: Request, error: Exception) -> Response:
    """The refusal in the frame. Who is not signed in is led to the form instead."""
    if isinstance(error, RequestValidationError):
        status = 404 if request.method == "GET" else 400
    else:
        status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 401:
        return _to_sign_in(request)
    refusal = REFUSALS.get(status, OTHER)
    said = error.detail if isinstance(error, HTTPException) and type(error) is not HTTPException else ""
    shown = {**{name: getattr(refusal, name) for name in Refusal.__slots__}, "status": status}
    shown["words"] = said or refusal.words
    return page(request, "error.html", status=status, error=shown)


def _to_sign_in(request: Request) -> Response:
    """htmx follows a redirect by itself and would put the form into the old page, so it is told to go there."""
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"hx-redirect": "/sign-in"})
    return RedirectResponse("/sign-in", 303)
