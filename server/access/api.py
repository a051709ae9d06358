"""Signing in and out, and who is asking: bearer tokens for programs, a cookie for the pages."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import Field
from starlette.responses import Response as AnyResponse

from analytics.domain.base import Word
from server.clinic import clinic_of
from server.routing import api_router

from . import service
from .policy import NotAllowed
from .words import Caller, Role, SignedIn

COOKIE = "sinew_session"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

router = api_router("access")


class Credentials(Word):
    login: str = Field(max_length=200)
    password: str = Field(max_length=1000)


class SignInAnswer(Word):
    token: str
    role: Role
    name: str
    patient_id: str | None


async def sign_in_from(request: Request, login: str, password: str) -> SignedIn:
    """Sign in whoever sent this request, API or page. Raises `WrongCredentials` (401) or `TooManyAttempts` (429)."""
    clinic = clinic_of(request)
    return await service.sign_in(
        clinic.database, clinic.throttle, login, password, address=address_of(request), now=clinic.now()
    )


async def sign_out_from(request: Request) -> None:
    """Make the token of this request, bearer or cookie, worthless at once."""
    token = bearer_token(request) or request.cookies.get(COOKIE)
    if token:
        async with clinic_of(request).database.writing() as db:
            await service.sign_out(db, token)


async def _caller(request: Request, token: str | None) -> Caller:
    clinic = clinic_of(request)
    return await service.recognise(clinic.database, token, now=clinic.now())


async def current_caller(request: Request) -> Caller:
    """The caller of an API route. Raises `NotSignedIn` (401).

    The cookie counts only where nothing is changed: a foreign page can make a browser send it, but not a bearer token.
    """
    cookie = request.cookies.get(COOKIE) if request.method in SAFE_METHODS else None
    return await _caller(request, bearer_token(request) or cookie)


async def page_caller(request: Request) -> Caller:
    """The caller of a page, from the cookie alone. A page that changes something calls `require_csrf` as well."""
    return await _caller(request, request.cookies.get(COOKIE))


CurrentCaller = Annotated[Caller, Depends(current_caller)]
PageCaller = Annotated[Caller, Depends(page_caller)]


def address_of(request: Request) -> str:
    """Where the connection comes from. Headers that claim another address are not believed."""
    return request.client.host if request.client else "unknown"


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header (RFC 6750)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def set_session_cookie(request: Request, response: AnyResponse, signed_in: SignedIn) -> None:
    """HttpOnly, SameSite=Lax, and Secure unless the browser itself addresses this machine over http."""
    response.set_cookie(COOKIE, signed_in.token, **_cookie_attributes(request))


def clear_session_cookie(request: Request, response: AnyResponse) -> None:
    """Make the browser forget its session."""
    response.delete_cookie(COOKIE, **_cookie_attributes(request))


def _cookie_attributes(request: Request) -> dict[str, Any]:
    plain_loopback = request.url.scheme == "http" and request.url.hostname in LOOPBACK
    return {"httponly": True, "samesite": "lax", "secure": not plain_loopback, "path": "/"}


def csrf_token(request: Request) -> str:
    """The value a form of this browser's session carries. Bound to the session, and of no use to recover its token."""
    return hashlib.sha256(b"csrf\0" + request.cookies.get(COOKIE, "").encode()).hexdigest()


def require_csrf(request: Request, token: str) -> None:
    """Raises `NotAllowed` (403) when a form does not come from a page of this session."""
    if not request.cookies.get(COOKIE) or not hmac.compare_digest(token.encode(), csrf_token(request).encode()):
        raise NotAllowed("This form has expired; load the page again and repeat what you did.")


@router.post("/sign-in")
async def sign_in(request: Request, credentials: Credentials) -> SignInAnswer:
    """A token for an account's login and password."""
    signed_in = await sign_in_from(request, credentials.login, credentials.password)
    return SignInAnswer(
        token=signed_in.token, role=signed_in.role, name=signed_in.name, patient_id=signed_in.patient_id
    )


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, caller: CurrentCaller) -> Response:
    """End this token."""
    await sign_out_from(request)
    return Response(status_code=204)
