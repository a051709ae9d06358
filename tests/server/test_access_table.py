"""Every route × role × own or another's: who gets what. A route that is missing here fails.

A cell is the status of the answer for p1's things: to nobody, p1, physiotherapist, administrator and p1's gateway;
then to patient p2 and p2's gateway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from fastapi.routing import APIWebSocketRoute, iter_route_contexts
from gateway_key import GatewayKey
from starlette.routing import Mount

from analytics.domain.recovery import Proposal, ProposalStatus
from server.adaptation.records import ProposalRecord
from server.app import create_app
from server.settings import Settings

CALLERS = (None, "patient", "physiotherapist", "administrator", "gateway")
FOREIGN_CALLERS = ("other_patient", "other_gateway")
PROPOSAL = UUID(int=77)


@dataclass(frozen=True)
class Row:
    """`call(api, who)` asks for something of patient p1. `own` as in `CALLERS`, `foreign` as in `FOREIGN_CALLERS`."""

    own: tuple[int, int, int, int, int]
    foreign: tuple[int, int]
    call: Callable[..., Awaitable[Any]]


def at(method: str, path: str, **options: Any) -> Callable[..., Awaitable[Any]]:
    async def call(api, who):
        return await api(method, path, who, **options)

    return call


def word(path: str, of: Callable[[Any], Any]) -> Callable[..., Awaitable[Any]]:
    async def call(api, who):
        sent = of(api.make)
        headers = {"Content-Type": "application/json"}
        return await api("PUT", path.format(id=sent.id), who, content=sent.model_dump_json(), headers=headers)

    return call


async def chunk(api, who):
    data = api.make.chunk(9)
    path = f"sessions/{api.make.opening(2).id}/chunks/0"
    return await api("PUT", path, who, content=data, headers=api.make.digest(data))


async def revoke(api, who):
    return await api("DELETE", f"gateways/{api.gateways['gateway']}", who)


async def sign_in_without_the_key(api, who):
    path = f"gateways/{api.gateways['gateway']}"
    nonce = (await api("POST", f"{path}/challenge")).json()["nonce"]
    return await api("POST", f"{path}/token", who, json=GatewayKey(99).answer(api.gateways["gateway"], nonce))


async def next_key(api, who):
    """Signed by the key of p1's gateway."""
    return await api("POST", "gateway/keys", who, json=GatewayKey(98).follows(GatewayKey(0), api.gateways["gateway"]))


S1 = f"{UUID(int=(7 << 76) + 1)}"  # a finished session of p1
S2 = f"{UUID(int=(7 << 76) + 2)}"  # an open one
PRESENCE = {"live_url": "wss://10.0.0.7:8443/live", "certificate_sha256": "ab" * 32, "live_token": "t"}
CLAIM = {"claim_code": "AAAAA-AAAAA", "name": "x", "public_key": GatewayKey().public_key}
HEALTH = {
    "sinew": "0.1.0", "python": "3.11.7", "machine": "aarch64", "uptime_s": 7, "conditions": ["clinic.unreachable"],
    "disk_free_bytes": 1, "sessions_waiting": 2, "sessions_refused": 0, "samples_received": 9, "samples_lost": 0,
}  # fmt: skip
DECISION = {"approve": False, "reason": "not now"}

# fmt: off
TABLE: dict[tuple[str, str], Row] = {
    # nobody, patient, physiotherapist, administrator, gateway | other patient, other gateway
    ("POST", "/api/v1/sign-in"): Row((401, 401, 401, 401, 401), (401, 401),
        at("POST", "sign-in", json={"login": "x", "password": "wrong"})),
    ("POST", "/api/v1/sign-out"): Row((401, 204, 204, 204, 204), (204, 204), at("POST", "sign-out")),
    ("GET", "/api/v1/me/assignment"): Row((401, 200, 403, 403, 200), (200, 200), at("GET", "me/assignment")),
    ("GET", "/api/v1/gateway/assignment"): Row((401, 200, 403, 403, 200), (200, 200), at("GET", "gateway/assignment")),
    ("GET", "/api/v1/me/gateway"): Row((401, 200, 403, 403, 403), (404, 403), at("GET", "me/gateway")),
    ("PUT", "/api/v1/me/feedback/{feedback_id}"): Row((401, 201, 403, 403, 403), (404, 403),
        word("me/feedback/{id}", lambda make: make.feedback(1))),
    ("POST", "/api/v1/gateways/claim"): Row((404, 404, 404, 404, 404), (404, 404),
        at("POST", "gateways/claim", json=CLAIM)),
    # Whoever signs is let in, whatever token they show; the answer to a challenge is worth nothing without the key.
    ("POST", "/api/v1/gateways/{gateway_id}/challenge"): Row((201,) * 5, (201,) * 2,
        at("POST", f"gateways/{UUID(int=1)}/challenge")),
    ("POST", "/api/v1/gateways/{gateway_id}/token"): Row((401,) * 5, (401,) * 2, sign_in_without_the_key),
    ("POST", "/api/v1/gateway/keys"): Row((401, 403, 403, 403, 204), (403, 422), next_key),
    ("PUT", "/api/v1/gateway/health"): Row((401, 403, 403, 403, 204), (403, 204),
        at("PUT", "gateway/health", json=HEALTH)),
    ("GET", "/api/v1/gateways"): Row((401, 403, 200, 200, 403), (403, 403), at("GET", "gateways")),
    ("DELETE", "/api/v1/gateways/{gateway_id}"): Row((401, 403, 204, 204, 403), (403, 403), revoke),
    ("POST", "/api/v1/patients/{patient_id}/claim-code"): Row((401, 403, 201, 201, 403), (403, 403),
        at("POST", "patients/p1/claim-code")),
    ("PUT", "/api/v1/gateway/presence"): Row((401, 403, 403, 403, 204), (403, 204),
        at("PUT", "gateway/presence", json=PRESENCE)),
    ("PUT", "/api/v1/sessions/{session_id}"): Row((401, 403, 403, 403, 200), (403, 404),
        word("sessions/{id}", lambda make: make.opening(1))),
    ("PUT", "/api/v1/sessions/{session_id}/chunks/{number}"): Row((401, 403, 403, 403, 201), (403, 404), chunk),
    ("GET", "/api/v1/sessions/{session_id}/chunks"): Row((401, 403, 403, 403, 200), (403, 404),
        at("GET", f"sessions/{S1}/chunks")),
    ("PUT", "/api/v1/sessions/{session_id}/report"): Row((401, 403, 403, 403, 201), (403, 404),
        word("sessions/{id}/report", lambda make: make.report(2))),
    ("GET", "/api/v1/sessions/{session_id}"): Row((401, 200, 200, 403, 403), (404, 403), at("GET", f"sessions/{S1}")),
    ("GET", "/api/v1/patients"): Row((401, 200, 200, 403, 403), (200, 403), at("GET", "patients")),
    ("GET", "/api/v1/patients/{patient_id}"): Row((401, 200, 200, 403, 403), (404, 403), at("GET", "patients/p1")),
    ("POST", "/api/v1/proposals/{proposal_id}/decision"): Row((401, 403, 200, 403, 403), (403, 403),
        at("POST", f"proposals/{PROPOSAL}/decision", json=DECISION)),
    ("GET", "/api/v1/me/consents/{subject}"): Row((401, 200, 403, 403, 403), (200, 403),
        at("GET", "me/consents/live_view")),
    ("PUT", "/api/v1/me/consents/{subject}"): Row((401, 200, 403, 403, 403), (200, 403),
        at("PUT", "me/consents/live_view", json={"given": True})),
    ("GET", "/api/v1/gateway/releases"): Row((401, 403, 403, 403, 200), (403, 200), at("GET", "gateway/releases")),
    ("GET", "/api/v1/gateway/releases/{sha256}"): Row((401, 403, 403, 403, 404), (403, 404),
        at("GET", f"gateway/releases/{'ab' * 32}")),
    # Nobody exercises in view here: what is shown is in tests/device_gateway/uplink/test_live_view.py.
    ("GET", "/api/v1/patients/{patient_id}/live"): Row((401, 403, 404, 403, 403), (403, 403),
        at("GET", "patients/p1/live")),
    ("POST", "/api/v1/patients/{patient_id}/live/words"): Row((401, 403, 409, 403, 403), (403, 403),
        at("POST", "patients/p1/live/words", json={"text": "Well done"})),
    ("GET", "/api/v1/openapi.json"): Row((200,) * 5, (200,) * 2, at("GET", "openapi.json")),
    ("GET", "/healthz"): Row((200,) * 5, (200,) * 2, at("GET", "/healthz")),
}
# fmt: on
PAGES = {
    # The same order. Whoever is not signed in is led to the sign-in page (303).
    ("GET", "/"): Row((303, 303, 200, 303, 403), (303, 403), at("GET", "/")),
    ("GET", "/patients/{patient_id}"): Row((303, 200, 200, 403, 403), (404, 403), at("GET", "/patients/p1")),
    ("GET", "/sessions/{session_id}"): Row((303, 200, 200, 403, 403), (404, 403), at("GET", f"/sessions/{S1}")),
    ("GET", "/gateways"): Row((303, 403, 200, 200, 403), (403, 403), at("GET", "/gateways")),
    ("GET", "/sign-in"): Row((200,) * 5, (200,) * 2, at("GET", "/sign-in")),
}
SOCKETS = {("WebSocket", "/api/v1/gateway/live")}
"""Who is let in there is in tests/device_gateway/uplink/test_live_view.py."""
FORMS = {
    # Pages that change something: without a form of the caller's own session, nobody gets further than here.
    ("POST", "/sign-in"): {"login": "patient", "password": "x"},
    ("POST", "/sign-out"): {},
    ("POST", "/proposals/{proposal_id}/approve"): {"patient_id": "p1"},
    ("POST", "/proposals/{proposal_id}/reject"): {"patient_id": "p1", "reason": "x"},
    ("POST", "/gateways"): {"patient_id": "p1"},
    ("POST", "/gateways/{gateway_id}/revoke"): {},
}


def routes_of_the_app(tmp_path) -> set[tuple[str, str]]:
    found = set()
    for route in iter_route_contexts(create_app(Settings(home=tmp_path)).routes):
        if isinstance(route.route, Mount):
            assert route.path == "/static", "only static files may be mounted without an entry here"
            continue
        if isinstance(route.route, APIWebSocketRoute):
            found.add(("WebSocket", route.path))
            continue
        found |= {(method, route.path) for method in route.methods - {"HEAD", "OPTIONS"}}
    return found


def test_every_route_stands_in_the_table_and_nothing_else_does(tmp_path) -> None:
    assert routes_of_the_app(tmp_path) == set(TABLE) | set(PAGES) | set(FORMS) | SOCKETS


@pytest.fixture
async def furnished(api):
    """Patient p1 with a finished session, an open one, a waiting proposal and a gateway that has reported."""
    _, answer = await api.put_session(1)
    assert answer.status_code == 201
    await api.put_word(f"sessions/{S2}", api.make.opening(2))
    await api("PUT", "gateway/presence", "gateway", json=PRESENCE)
    async with api.database.writing() as db:
        before, after = api.make.prescription(), api.make.prescription(target_excursion_deg=65)
        content = {"id": str(PROPOSAL), "patient_id": "p1", "made_at": api.make.now.isoformat(), "from_version": 1}
        content |= {
            "before": before.model_dump(),
            "after": after.model_dump(),
            "rule": "r",
            "reason": "r",
            "evidence": [],
        }
        document = Proposal.model_validate(content).model_dump_json()
        known = {"id": PROPOSAL, "patient_id": "p1", "made_at": api.make.now, "status": ProposalStatus.WAITING}
        db.add(ProposalRecord(**known, document=document))
    return api


def cells(row: Row) -> list[tuple[str | None, int]]:
    return [*zip(CALLERS, row.own, strict=True), *zip(FOREIGN_CALLERS, row.foreign, strict=True)]


@pytest.mark.parametrize(("route", "row"), TABLE.items(), ids=[f"{m} {p}" for m, p in TABLE])
async def test_each_caller_gets_what_the_table_says(furnished, route, row: Row) -> None:
    # Refusals first: whoever may, changes what is there.
    for who, expected in sorted(cells(row), key=lambda cell: cell[1] < 300):
        answer = await row.call(furnished, who)
        assert answer.status_code == expected, (who, answer.text)
        furnished.app.state.clinic.throttle.failures.clear()


@pytest.mark.parametrize(("route", "row"), PAGES.items(), ids=[f"{m} {p}" for m, p in PAGES])
async def test_each_reader_gets_the_page_the_table_says(furnished, route, row: Row) -> None:
    for who, expected in cells(row):
        headers = {"Accept": "text/html"}
        if who is not None:
            headers["Cookie"] = f"sinew_session={furnished.tokens[who]}"
        answer = await furnished(route[0], route[1].format(patient_id="p1", session_id=S1), headers=headers)
        assert answer.status_code == expected, (who, answer.text[:500])


@pytest.mark.parametrize(("route", "form"), FORMS.items(), ids=[f"{m} {p}" for m, p in FORMS])
@pytest.mark.parametrize("who", [None, "patient", "physiotherapist", "administrator"])
async def test_a_form_that_no_page_of_this_session_gave_is_refused(furnished, route, form, who) -> None:
    headers = {"Accept": "application/json"}
    if who is not None:
        headers["Cookie"] = f"sinew_session={furnished.tokens[who]}"
    path = route[1].format(proposal_id=PROPOSAL, gateway_id=furnished.gateways["gateway"])
    answer = await furnished("POST", path, headers=headers, data=form | {"csrf": "0" * 64})
    assert answer.status_code in {401, 403}, answer.text[:500]
    overview = (await furnished("GET", "patients/p1", "physiotherapist")).json()
    assert overview["proposal"]["id"] == str(PROPOSAL)
    assert all(gateway["active"] for gateway in (await furnished("GET", "gateways", "administrator")).json())


async def test_lists_hold_only_what_the_caller_may_see(furnished) -> None:
    async def seen(who: str) -> list[str]:
        return [patient["id"] for patient in (await furnished("GET", "patients", who)).json()]

    assert await seen("patient") == ["p1"]
    assert await seen("other_patient") == ["p2"]
    assert await seen("physiotherapist") == ["p1", "p2"]


async def test_what_is_anothers_looks_like_what_does_not_exist(furnished) -> None:
    for path, missing in ((f"sessions/{S1}", f"sessions/{UUID(int=5)}"), ("patients/p1", "patients/nobody")):
        another = await furnished("GET", path, "other_patient")
        nothing = await furnished("GET", missing, "other_patient")
        assert another.json() == nothing.json()
