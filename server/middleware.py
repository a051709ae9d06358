"""What happens to every request: counted bytes, hardened headers, one log line without personal data."""

from __future__ import annotations

import json
import logging
import time
import traceback

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problems import BodyTooLarge

LOG = logging.getLogger("sinew.server")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Health data must not stay in a shared browser's cache; static files say otherwise for themselves.
    "Cache-Control": "no-store",
}

CLIENT_GONE = 499
"""Logged for a client that hung up in mid-request: a network's fault, not ours, and nobody is there to be answered."""


class RequestLog:
    """One JSON line per request: method, route template (never the address itself), status, milliseconds.

    It also catches what nobody else did, because the default way of reporting would print the exception's text, which
    may hold a patient's data. Only the kind of exception and the places in the code are written down.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        fault: dict[str, object] = {}
        try:
            await self.app(scope, receive, send_noting)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception as error:  # noqa: BLE001, RUF100 - the last line of defence
            frames = traceback.extract_tb(error.__traceback__)
            places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
            fault = {"error": type(error).__name__, "at": places}
            if not status:
                # Called here, because where the framework calls it the exception would go on to the log.
                answer = await scope["app"].exception_handlers[Exception](Request(scope), error)
                await answer(scope, receive, send_noting)
        route = getattr(scope.get("route"), "path", None) or "unmatched"
        spent_ms = round((time.perf_counter() - started) * 1000, 1)
        line = {"method": scope["method"], "route": route, "status": status, "ms": spent_ms, **fault}
        LOG.log(logging.ERROR if fault else logging.INFO, json.dumps(line))


class SecurityHeaders:
    """Sets what a response has not set for itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self.app(scope, receive, send_hardened)


class BodyLimit:
    """Refuses a large body by its Content-Length, and one that does not say its length as soon as it is too long."""

    def __init__(self, app: ASGIApp, largest_bytes: int) -> None:
        self.app = app
        self.largest_bytes = largest_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        too_large = BodyTooLarge(f"A request has at most {self.largest_bytes} bytes; send less at once.")
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self.largest_bytes:
            await too_large.response()(scope, receive, send)
            return
        taken = 0

        async def receive_counting() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.largest_bytes:
                raise too_large
            return message

        await self.app(scope, receive_counting, send)
