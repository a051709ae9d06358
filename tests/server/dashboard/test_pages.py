"""The pages through the real app on a real database. What each role may see: tests/server/test_access_table.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

import analytics.exercises as exercises_package
from analytics.domain.exercise import Side
from analytics.domain.measure import Measure, Unit
from analytics.domain.program import Dose, Prescription
from analytics.domain.session import PainMoment, SetReport
from server.dashboard.rendering import new_dashboard
from server.dashboard.wording import moment_words
from server.devices.records import GatewayKeyRecord, GatewayRecord
from server.exercises import Exercises
from server.patients.records import PatientRecord
from server.programs import service as programs

HTML = {"Accept": "text/html,*/*"}


@dataclass
class Reader:
    """A browser without scripts: keeps cookies, reads the token out of the page it was given."""

    api: object

    async def get(self, path: str, **headers: str):
        return await self.api.client.get(path, headers=HTML | headers)

    async def post(self, path: str, headers: dict[str, str] | None = None, **form: str):
        return await self.api.client.post(path, data=form, headers=HTML | (headers or {}))

    async def token(self, path: str) -> str:
        return re.search(r'name="csrf" value="(\w+)"', (await self.get(path)).text)[1]

    async def sign_in(self, login: str) -> Reader:
        token = await self.token("/sign-in")
        answer = await self.post("/sign-in", login=login, password=self.api.make.password, csrf=token)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        return self


@pytest.fixture
async def exercised(api) -> Reader:
    """Patient p1 with four good sessions and what they felt like: enough for a proposal."""
    for number in range(1, 5):
        _, answer = await api.put_session(number, chunks=(api.make.chunk(number),))
        assert answer.status_code == 201
        felt = api.make.feedback(number)
        assert (await api.put_word(f"me/feedback/{felt.id}", felt, "patient")).is_success
    return Reader(api)


def proposal_of(html: str) -> str:
    return re.search(r'action="(/proposals/[\w-]+)/approve"', html)[1]


async def test_signing_in_leads_to_the_list(api) -> None:
    reader = await Reader(api).sign_in("physiotherapist")
    answer = await reader.get("/")
    assert answer.status_code == 200
    assert "Anna Example" in answer.text
    assert "Bert Sample" in answer.text
    assert "No session yet" in answer.text


async def test_a_wrong_password_says_so_and_keeps_the_login(api) -> None:
    reader = Reader(api)
    answer = await reader.post("/sign-in", login='"><b>x', password="wrong", csrf=await reader.token("/sign-in"))
    assert answer.status_code == 401
    assert "The login or the password is wrong; check both and try again." in answer.text
    assert "<b>x" not in answer.text
    assert "&gt;&lt;b&gt;x" in answer.text


async def test_after_many_failures_even_the_right_password_must_wait(api) -> None:
    reader = Reader(api)
    token = await reader.token("/sign-in")
    for _ in range(12):
        answer = await reader.post("/sign-in", login="physiotherapist", password="wrong", csrf=token)
    assert answer.status_code == 429
    assert 'role="alert"' in answer.text


async def test_a_foreign_page_cannot_sign_a_visitor_in(api) -> None:
    right = {"login": "physiotherapist", "password": api.make.password}
    without_cookie = await Reader(api).post("/sign-in", **right, csrf="0" * 64)
    await Reader(api).get("/sign-in")
    with_cookie = await Reader(api).post("/sign-in", **right, csrf="0" * 64)
    for answer in (without_cookie, with_cookie):
        assert answer.status_code == 403
        assert "sinew_session" not in answer.headers.get("set-cookie", "")
        assert "This form has expired" in answer.text


async def test_signing_out_ends_the_session_on_the_server(api) -> None:
    reader = await Reader(api).sign_in("physiotherapist")
    cookie = dict(api.client.cookies)
    assert (await reader.post("/sign-out", csrf="0" * 64)).status_code == 403
    assert (await reader.get("/")).status_code == 200
    answer = await reader.post("/sign-out", csrf=await reader.token("/"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    api.client.cookies.update(cookie)
    assert (await reader.get("/")).headers["location"] == "/sign-in"


async def test_htmx_is_told_to_leave_the_page_when_the_session_has_ended(api) -> None:
    answer = await Reader(api).get("/patients/p1", **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in")


async def test_the_patient_page_tells_the_proposal_with_its_grounds(exercised: Reader) -> None:
    html = (await (await exercised.sign_in("physiotherapist")).get("/patients/p1")).text
    assert "Program version 1" in html
    assert re.search(r"<s>60°</s>.*<b>65°</b>", html)
    assert "What it rests on" in html
    assert "<code>progress_range</code>" in html
    assert html.count('href="/sessions/') == 4


async def test_approving_makes_the_next_version_and_twice_is_said_to_be_too_late(exercised: Reader) -> None:
    reader = await exercised.sign_in("physiotherapist")
    page = (await reader.get("/patients/p1")).text
    token, proposal = await reader.token("/patients/p1"), proposal_of(page)
    answer = await reader.post(f"{proposal}/approve", csrf=token, patient_id="p1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/patients/p1?notice=approved")
    after = (await reader.get(answer.headers["location"])).text
    assert "Program version 2" in after
    assert "Approved." in after
    assert "Proposal to decide" not in after
    again = await reader.post(f"{proposal}/approve", csrf=token, patient_id="p1")
    assert again.headers["location"] == "/patients/p1?notice=not-waiting"
    assert "Program version 2" in (await reader.get(again.headers["location"])).text


async def test_rejecting_needs_a_reason_and_keeps_the_program(exercised: Reader) -> None:
    reader = await exercised.sign_in("physiotherapist")
    token, proposal = await reader.token("/patients/p1"), proposal_of((await reader.get("/patients/p1")).text)
    empty = await reader.post(f"{proposal}/reject", csrf=token, patient_id="p1", reason="  ")
    assert empty.headers["location"] == "/patients/p1?notice=reason-missing"
    still = (await reader.get(empty.headers["location"])).text
    assert "please say why" in still
    assert proposal_of(still) == proposal
    answer = await reader.post(f"{proposal}/reject", csrf=token, patient_id="p1", reason="Swollen today.")
    after = (await reader.get(answer.headers["location"])).text
    assert "Rejected." in after
    assert "Program version 1" in after
    assert "Proposal to decide" not in after


@pytest.mark.parametrize("deed", ["approve", "reject"])
async def test_a_decision_without_the_sessions_own_token_changes_nothing(exercised: Reader, deed: str) -> None:
    reader = await exercised.sign_in("physiotherapist")
    page = (await reader.get("/patients/p1")).text
    for forged in ("0" * 64, "ä", ""):
        answer = await reader.post(f"{proposal_of(page)}/{deed}", csrf=forged, patient_id="p1", reason="x")
        assert answer.status_code in {400, 403}
    assert proposal_of((await reader.get("/patients/p1")).text) == proposal_of(page)


async def test_a_patient_reads_plain_words_and_can_decide_nothing(exercised: Reader) -> None:
    reader = await exercised.sign_in("physiotherapist")
    proposal = proposal_of((await reader.get("/patients/p1")).text)
    await reader.sign_in("patient")
    assert (await reader.get("/")).headers["location"] == "/patients/p1"
    page = (await reader.get("/patients/p1")).text
    assert "<h1>Your recovery" in page
    assert "Program version 1" in page
    assert "considered" not in page
    assert "/proposals/" not in page
    assert "What it rests on" not in page
    answer = await reader.post(f"{proposal}/approve", csrf=await reader.token("/patients/p1"), patient_id="p1")
    assert answer.status_code == 403
    assert (await reader.get("/patients/p2")).status_code == 404


async def test_the_session_page_tells_samples_and_an_unverified_zero(exercised: Reader) -> None:
    reader = await exercised.sign_in("physiotherapist")
    html = (await reader.get(f"/sessions/{exercised.api.make.opening(1).id}")).text
    assert "100 samples stored" in html
    assert "unverified" in html
    assert "3 samples (0.3 %)" in html
    assert html.count('<th scope="row"') == 30


@pytest.mark.parametrize("login", ["physiotherapist", "patient"])
async def test_the_session_page_tells_when_it_hurt(api, login: str) -> None:
    hurts = (PainMoment(time_s=72.4, pain=6), PainMoment(time_s=160.0))
    hurt, _ = await api.put_session(1, hurts=hurts, trace=None)
    calm, _ = await api.put_session(2)
    reader = await Reader(api).sign_in(login)
    assert "It hurt at 1:12 (pain 6) and 2:40." in (await reader.get(f"/sessions/{hurt.id}")).text
    assert "It hurt" not in (await reader.get(f"/sessions/{calm.id}")).text


async def test_a_clinics_own_exercise_is_named_and_drawn_and_its_words_are_never_markup(api) -> None:
    circles = (Path(exercises_package.__file__).parent / "ankle" / "ankle.circles.toml").read_text("utf-8")
    named = circles.replace('"Ankle circles"', '"<b>Alphabet"').replace("ankle.circles", "clinic.alphabet")
    api.app.state.clinic = replace(api.app.state.clinic, exercises=Exercises({"clinic.alphabet": named}))
    async with api.database.writing() as db:
        before = await programs.current_program(db, "p1")
        dose = Dose(sets=1, repetitions=5, target_excursion_deg=None)
        asked = (Prescription(exercise="clinic.alphabet", side=Side.LEFT, dose=dose),)
        await programs.add_version(db, before.model_copy(update={"version": 2, "prescriptions": asked}))
    html = (await (await Reader(api).sign_in("physiotherapist")).get("/patients/p1")).text
    assert "<b>Alphabet" not in html
    assert html.count("&lt;b&gt;Alphabet") == 2, "its name, and what its picture is called"
    assert "Left ankle" in html


@pytest.mark.parametrize(("login", "shown"), [("physiotherapist", True), ("patient", False)])
async def test_measures_are_for_clinicians_and_the_picture_for_both(api, login: str, shown: bool) -> None:
    hold = Measure(code="hold_time", name="Hold", value=0.52, unit=Unit.SECOND, error=0.03)
    one = SetReport(number=1, start_s=0, end_s=40, repetitions=30, measures=(hold,))
    opening, _ = await api.put_session(1, sets=(one,))
    html = (await (await Reader(api).sign_in(login)).get(f"/sessions/{opening.id}")).text
    assert ("0.52 ± 0.03 s" in html) == shown
    assert 'aria-label="Seated knee extension"' in html


async def test_times_are_those_of_the_clinics_zone(exercised: Reader) -> None:
    exercised.api.app.state.dashboard = new_dashboard(ZoneInfo("Europe/Berlin"))
    reader = await exercised.sign_in("physiotherapist")
    html = (await reader.get("/patients/p1")).text
    started_at = exercised.api.make.opening(2).started_at
    assert moment_words(started_at, ZoneInfo("Europe/Berlin")) in html
    assert moment_words(started_at, UTC) not in html
    assert "Times are shown in Europe/Berlin." in html


async def test_names_are_text_and_never_markup(api) -> None:
    async with api.database.writing() as db:
        (await db.get(PatientRecord, "p1")).name = "<script>alert(1)</script>"
    reader = await Reader(api).sign_in("physiotherapist")
    for path in ("/", "/patients/p1"):
        html = (await reader.get(path)).text
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "There is nothing here"),
        ("/patients/nobody", 404, "There is nothing here"),
        ("/sessions/not-a-uuid", 404, "There is nothing here"),
        (f"/sessions/{UUID(int=1)}", 404, "check it and try again"),
    ],
)
async def test_what_is_not_there_has_a_page_in_the_frame(api, path: str, status: int, words: str) -> None:
    answer = await (await Reader(api).sign_in("physiotherapist")).get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert words in answer.text
    assert "Sinew" in answer.text


async def test_an_administrator_is_told_that_patients_are_not_open_to_them(api) -> None:
    answer = await (await Reader(api).sign_in("administrator")).get("/patients/p1")
    assert answer.status_code == 403
    assert "This is not open to you" in answer.text
    assert "Sign out" in answer.text


def navigation_of(html: str) -> list[str]:
    return re.findall(r'<a href="([^"]+)"', re.search(r"<nav.*?</nav>|$", html)[0])


async def test_the_navigation_leads_where_the_reader_may_go(api) -> None:
    reader = await Reader(api).sign_in("physiotherapist")
    assert navigation_of((await reader.get("/gateways")).text) == ["/", "/gateways"]
    await reader.sign_in("administrator")
    assert navigation_of((await reader.get("/gateways")).text) == ["/gateways"]
    await reader.sign_in("patient")
    assert navigation_of((await reader.get("/patients/p1")).text) == []


async def test_an_administrator_is_led_to_the_gateways_and_sees_whom_to_choose_and_no_more(api) -> None:
    reader = await Reader(api).sign_in("administrator")
    assert (await reader.get("/")).headers["location"] == "/gateways"
    html = (await reader.get("/gateways")).text
    assert "2 gateways let in." in html
    assert sorted(re.findall(r'<td class="whose"[^>]*>(\w+)</td>', html)) == ["p1", "p2"]
    assert re.findall(r'<option value="(\w+)">(.+?)</option>', html) == [
        ("p1", "Anna Example (p1)"),
        ("p2", "Bert Sample (p2)"),
    ]
    for private in ("ligament", "Day 42", "85°", "/patients/"):
        assert private not in html
    await reader.sign_in("physiotherapist")
    assert 'href="/patients/p1"' in (await reader.get("/gateways")).text


async def test_an_increase_that_is_no_longer_called_for_is_not_approved_from_a_page(exercised) -> None:
    exercised.api.clock.advance(days=8)
    page = await (await exercised.sign_in("physiotherapist")).get("/patients/p1")
    form = {"patient_id": "p1", "reason": "Agreed.", "csrf": await exercised.token("/patients/p1")}
    answer = await exercised.post(f"{proposal_of(page.text)}/approve", **form)
    assert answer.headers["location"] == "/patients/p1?notice=no-longer-called-for"
    after = (await exercised.get(answer.headers["location"])).text
    assert "no longer supports asking for more" in after
    assert "/approve" not in after


async def test_a_claim_code_is_shown_once_and_lets_a_gateway_in(api) -> None:
    reader = await Reader(api).sign_in("administrator")
    answer = await reader.post("/gateways", patient_id=" p1 ", csrf=await reader.token("/gateways"))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    code = re.search(r'<p class="code">([\w-]+)</p>', answer.text)[1]
    assert f"sinew gateway --server http://127.0.0.1 --claim {code} --home DIR" in answer.text
    assert "10 minutes, until 09:10" in answer.text
    assert code not in (await reader.get("/gateways")).text
    wish = {"claim_code": code, "name": "<b>Kitchen", "public_key": "A" * 43 + "="}
    claimed = await api("POST", "gateways/claim", json=wish)
    assert (claimed.status_code, claimed.json()["patient_id"]) == (201, "p1")
    after = (await reader.get("/gateways")).text
    assert "3 gateways let in." in after
    assert "&lt;b&gt;Kitchen" in after
    assert "<b>Kitchen" not in after


async def test_a_claim_code_for_nobody_says_so(api) -> None:
    reader = await Reader(api).sign_in("administrator")
    for typed in ("nobody", " ", '"><b>x'):
        answer = await reader.post("/gateways", patient_id=typed, csrf=await reader.token("/gateways"))
        assert answer.status_code == 404
        assert "No patient is enrolled under this identifier" in answer.text
        assert 'class="code"' not in answer.text
    assert "<b>x" not in answer.text


async def test_a_revoked_gateway_is_out_and_stays_in_the_list(api) -> None:
    reader = await Reader(api).sign_in("physiotherapist")
    path, token = f"/gateways/{api.gateways['gateway']}/revoke", await reader.token("/gateways")
    answer = await reader.post(path, csrf=token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/gateways?notice=revoked")
    assert (await api("GET", "gateway/assignment", "gateway")).status_code == 401
    assert (await api("GET", "gateway/assignment", "other_gateway")).status_code == 200
    html = (await reader.get(answer.headers["location"])).text
    assert "1 gateway let in, 1 revoked." in html
    assert html.count("Revoke…</button>") == 1
    assert (await reader.post(path, csrf=token)).status_code == 303
    assert (await reader.post(f"/gateways/{UUID(int=1)}/revoke", csrf=token)).status_code == 404


async def test_a_patient_can_neither_make_a_claim_code_nor_revoke(api) -> None:
    reader = await Reader(api).sign_in("patient")
    token = await reader.token("/patients/p1")
    for path in ("/gateways", f"/gateways/{api.gateways['gateway']}/revoke"):
        assert (await reader.post(path, patient_id="p1", csrf=token)).status_code == 403
    assert (await api("GET", "gateway/assignment", "gateway")).status_code == 200


async def test_a_clinic_without_gateways_is_told_what_to_do(api) -> None:
    async with api.database.writing() as db:
        await db.execute(delete(GatewayKeyRecord))
        await db.execute(delete(GatewayRecord))
    html = (await (await Reader(api).sign_in("administrator")).get("/gateways")).text
    assert "No gateway yet" in html
    assert "<table" not in html


async def test_a_fault_of_ours_has_a_page_and_tells_nothing_of_itself(api, monkeypatch) -> None:
    def broken(*_, **__):
        raise RuntimeError("secret of Anna Example")

    monkeypatch.setattr("server.dashboard.pages.patient_page", broken)
    answer = await (await Reader(api).sign_in("physiotherapist")).get("/patients/p1")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "secret" not in answer.text


async def test_programs_still_get_problems(api) -> None:
    for path, headers in (("/api/v1/nowhere", HTML), ("/nowhere", {"Accept": "application/json"})):
        answer = await api("GET", path, headers=headers)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_pages_are_not_kept_and_hashed_files_are(api) -> None:
    page = await Reader(api).get("/sign-in")
    assert page.headers["cache-control"] == "no-store"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(addresses) == 6
    for address in addresses:
        answer = await Reader(api).get(address)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    assert (await Reader(api).get("/static/charts.js")).headers["cache-control"] == "no-cache"
