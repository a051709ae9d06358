"""What surrounds every request: limits, headers, refusals without internals, a log without personal data."""

import json
import logging

import pytest
from sqlalchemy import text

from server.access import api as access
from server.patients import api as patients_api


def lines(caplog: pytest.LogCaptureFixture) -> list[dict]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "sinew.server"]


async def test_an_unknown_address_and_a_wrong_method_are_problems(api) -> None:
    unknown = await api("GET", "weather", "patient")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not-found")
    wrong = await api("DELETE", "patients", "patient")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "GET"
    for answer in (unknown, wrong):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_invalid_body_says_where_and_what_but_repeats_no_value(api, make) -> None:
    feedback = make.feedback().model_dump(mode="json") | {"pain": 4711}
    answer = await api("PUT", f"me/feedback/{feedback['id']}", "patient", json=feedback)
    assert answer.status_code == 422
    assert answer.json()["type"] == "invalid-request"
    assert answer.json()["errors"][0]["pointer"] == "/body/pain"
    assert "4711" not in answer.text
    broken = await api("POST", "sign-in", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["type"]) == (422, "invalid-request")


async def test_a_body_that_says_it_is_too_large_is_refused_unread(start_clinic) -> None:
    async with start_clinic(largest_body_bytes=1000) as api:
        read = []

        async def body():
            for _ in range(100):
                read.append(1)
                yield bytes(100)

        answer = await api("POST", "sign-in", content=body(), headers={"Content-Length": "10000"})
        assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
        assert not read


@pytest.mark.parametrize("path", ["sign-in", "sessions/{id}/chunks/0"])
async def test_a_body_that_does_not_say_its_length_is_cut_off(start_clinic, make, path: str) -> None:
    async with start_clinic(largest_body_bytes=1000) as api:
        read = []

        async def body():
            for _ in range(100):
                read.append(1)
                yield b"[" * 100

        headers = {"Content-Type": "application/json"}
        path = path.format(id=make.opening().id)
        answer = await api("POST" if path == "sign-in" else "PUT", path, "gateway", content=body(), headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (413, "body-too-large")
        assert len(read) <= 12


async def test_a_fault_of_our_own_tells_nobody_anything(api, monkeypatch, caplog) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("Anna Example, ligament, INSERT INTO patient")

    monkeypatch.setattr(patients_api.service, "list_patients", broken)
    with caplog.at_level(logging.INFO):
        answer = await api("GET", "patients", "physiotherapist")
        page = await api(
            "GET",
            "/",
            headers={"Accept": "text/html", "Cookie": f"{access.COOKIE}={api.tokens['physiotherapist']}"},
        )
    assert (answer.status_code, answer.json()["type"]) == (500, "internal-error")
    assert page.status_code == 500
    assert page.headers["content-type"].startswith("text/html")
    everything = answer.text + page.text + caplog.text
    assert "Anna" not in everything
    assert "INSERT" not in everything
    first = lines(caplog)[0]
    assert (first["error"], first["status"]) == ("RuntimeError", 500)
    assert any("test_edges.py" in place for place in first["at"])


async def test_the_log_has_one_line_per_request_with_the_route_but_nobody_in_it(api, caplog) -> None:
    with caplog.at_level(logging.INFO):
        await api("GET", "patients/p1?name=Anna", "patient")
        await api("GET", "/nowhere/p1")
        await api("POST", "sign-in", json={"login": "patient", "password": "wrong password"})
    assert [(line["method"], line["route"], line["status"]) for line in lines(caplog)] == [
        ("GET", "/api/v1/patients/{patient_id}", 200),
        ("GET", "unmatched", 404),
        ("POST", "/api/v1/sign-in", 401),
    ]
    ours = " ".join(record.getMessage() for record in caplog.records if record.name == "sinew.server")
    assert not [personal for personal in ("p1", "Anna", "wrong password") if personal in ours]


async def test_a_client_that_hangs_up_in_mid_upload_is_no_fault_of_ours(api, make, caplog) -> None:
    """A torn connection is what the ASGI server says with `http.disconnect`."""
    opening = make.opening()
    await api.put_word(f"sessions/{opening.id}", opening)
    received = [{"type": "http.request", "body": make.chunk()[:100], "more_body": True}, {"type": "http.disconnect"}]
    sent = []

    async def receive() -> dict:
        return received.pop(0)

    async def send(message: dict) -> None:
        sent.append(message)

    path = f"/api/v1/sessions/{opening.id}/chunks/0"
    headers = [(b"authorization", f"Bearer {api.tokens['gateway']}".encode())]
    scope = {"type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": headers, "scheme": "http", "http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1)}
    with caplog.at_level(logging.INFO):
        await api.app(scope | {"server": ("127.0.0.1", 80), "asgi": {"version": "3.0"}}, receive, send)
    assert sent == []
    assert [(line["status"], "error" in line) for line in lines(caplog)] == [(499, False)]


async def test_a_database_error_shows_no_values(api, caplog) -> None:
    with pytest.raises(Exception, match="constraint") as caught:
        async with api.database.writing() as db:
            await db.execute(
                text("INSERT INTO program VALUES (:p, 1, '2026-01-01', :d)"), {"p": "nobody", "d": "Anna Example"}
            )
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/patients", "/sign-in", "/nowhere"])
async def test_every_answer_is_hardened(api, path: str) -> None:
    headers = (await api("GET", path)).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


async def test_over_tls_browsers_are_told_to_stay_there(api) -> None:
    headers = (await api("GET", "https://clinic.example/healthz")).headers
    assert "max-age" in headers["strict-transport-security"]


async def sign_in_through_the_page(api, base: str) -> str:
    form = await api("GET", f"{base}/sign-in")
    token = form.text.split('name="csrf" value="')[1].split('"')[0]
    visit = form.headers["set-cookie"].split(";")[0]
    fields = {"login": "patient", "password": api.make.password, "csrf": token}
    answer = await api("POST", f"{base}/sign-in", data=fields, headers={"Cookie": visit})
    assert answer.status_code == 303
    return next(cookie for cookie in answer.headers.get_list("set-cookie") if cookie.startswith(access.COOKIE))


@pytest.mark.parametrize(
    ("base", "secure"),
    [
        ("http://127.0.0.1", False),
        ("http://localhost", False),
        ("https://127.0.0.1", True),
        ("http://clinic.example", True),
        ("https://clinic.example", True),
    ],
)
async def test_the_session_cookie_keeps_to_itself(api, base: str, secure: bool) -> None:
    cookie = (await sign_in_through_the_page(api, base)).lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie
    assert ("secure" in cookie) is secure


async def test_it_lives(api) -> None:
    assert (await api("GET", "/healthz")).json() == {"status": "ok"}


async def test_the_api_describes_itself(api) -> None:
    described = (await api("GET", "openapi.json")).json()
    assert "/api/v1/sessions/{session_id}/chunks/{number}" in described["paths"]
    assert "/patients/{patient_id}" not in described["paths"], "pages are no API"
