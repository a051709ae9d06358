"""That a form was sent from a page of ours, for the one form that comes before there is a session: signing in.

A foreign page could otherwise sign a visitor in under its own account and read what the visitor then enters. Forms of
a session are bound to its cookie by `server.access.api`; this one is bound to a cookie that a visitor of /sign-in gets.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from fastapi import Request, Response

from server.access.policy import NotAllowed

COOKIE = "sinew_visit"


def visit_of(request: Request) -> str:
    """The visitor's random value: the cookie's, or a new one."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def visit_token(visit: str) -> str:
    """What the form carries: bound to the cookie, and of no use to find it."""
    return hashlib.sha256(b"sign-in\0" + visit.encode()).hexdigest()


def remember_visit(request: Request, response: Response, visit: str) -> None:
    """Set the cookie. HttpOnly and SameSite=Strict; Secure wherever the page itself came over TLS."""
    response.set_cookie(
        COOKIE, visit, path="/sign-in", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


def require_visit(request: Request, token: str) -> None:
    """Raises `NotAllowed` (403) for a form that no page of ours gave to this browser."""
    visit = request.cookies.get(COOKIE)
    if visit is None or not hmac.compare_digest(token.encode(), visit_token(visit).encode()):
        raise NotAllowed("This form has expired; load the page again and repeat what you did.")
