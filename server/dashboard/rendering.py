"""Templates, the addresses of static files, and the frame around every page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from server.access.api import csrf_token
from server.access.policy import GRANTS, Action, Scope
from server.access.words import Caller
from server.clinic import clinic_of

from .wording import SIMULATED, Tag

HERE = Path(__file__).parent
STATIC = HERE / "static"

NOTICES = {
    "approved": Tag(
        "Approved. The new version of the program is in force and reaches the gateway before its next session.",
        "good",
        "check",
    ),
    "rejected": Tag("Rejected. The program stays as it is; your reason is kept with the proposal.", "good", "check"),
    "reason-missing": Tag(
        "Nothing was changed: please say why, so that the reason can be kept with the proposal.", "watch", "alert"
    ),
    "not-waiting": Tag(
        "Nothing was changed: this proposal was no longer waiting. Somebody has decided it or newer measurements have "
        "replaced it; below is how things stand now.",
        "watch",
        "alert",
    ),
    "no-longer-called-for": Tag(
        "Nothing was changed: what is known today no longer supports asking for more. Below is how things stand now.",
        "watch",
        "alert",
    ),
    "revoked": Tag("Revoked. The gateway is let in no more; what it has sent stays.", "good", "check"),
}
"""What a page says after something was done, by the code in its address; no free text travels there."""


class Link(NamedTuple):
    """A page that the frame leads to, for those who may do this to everyone."""

    code: str
    address: str
    text: str
    action: Action


NAVIGATION = (
    Link("patients", "/", "Patients", Action.LIST_PATIENTS),
    Link("gateways", "/gateways", "Gateways", Action.MANAGE_GATEWAYS),
)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the pages are told of the clinic: the clock on its wall, and what that clock is called."""

    zone: tzinfo
    environment: Environment

    def today(self, request: Request) -> date:
        """The calendar day in the clinic."""
        return clinic_of(request).now().astimezone(self.zone).date()


def dashboard_of(request: Request) -> Dashboard:
    """The dashboard this app was given by `installation.install`."""
    return cast(Dashboard, request.app.state.dashboard)


def new_dashboard(zone: tzinfo) -> Dashboard:
    """Templates that escape everything and refuse a name they do not know, rather than print nothing."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(static=static_address, zone=str(zone), simulated=SIMULATED)
    return Dashboard(zone, environment)


@cache
def static_address(name: str) -> str:
    """The file's address with its content's hash, so that a browser may keep it for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render one page in the frame, for whoever is signed in."""
    reader = getattr(request.state, "reader", None)
    frame = {
        "reader": reader,
        "navigation": [] if reader is None else _open_to(reader),
        "csrf": csrf_token(request),
        "notice": NOTICES.get(request.query_params.get("notice", "")),
        "here": "",
    }
    html = dashboard_of(request).environment.get_template(template).render(frame | context)
    return HTMLResponse(html, status)


def _open_to(reader: Caller) -> list[Link]:
    granted = GRANTS[reader.role]
    return [link for link in NAVIGATION if granted.get(link.action) is Scope.EVERYONE]
