"""The routes of the pages. Each asks a service for words and a view for what to show; nothing is decided here."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from analytics.safety.rules import load_rules
from server.access import api as access
from server.access.words import Caller, Role
from server.adaptation import api as adaptation
from server.adaptation.decisions import NoLongerCalledFor
from server.clinic import ThisClinic, clinic_of
from server.patients import service as patients
from server.problems import Conflict, Problem
from server.sessions import service as sessions

from . import forgery, gateway_pages
from .rendering import dashboard_of, page
from .routing import PageReader, Text, see_other
from .views.caseload import caseload
from .views.patient import patient_page
from .views.session import session_page
from .wording import Reader

router = APIRouter(include_in_schema=False)


def _reader(caller: Caller) -> Reader:
    return "patient" if caller.role is Role.PATIENT else "clinician"


def _patient_address(patient_id: str, notice: str = "") -> str:
    return f"/patients/{quote(patient_id, safe='')}" + (f"?notice={notice}" if notice else "")


@router.get("/sign-in")
async def sign_in_form(request: Request) -> HTMLResponse:
    """The form, and the cookie that binds it to this browser."""
    return _sign_in_page(request)


def _sign_in_page(request: Request, *, login: str = "", refused: str = "", status: int = 200) -> HTMLResponse:
    visit = forgery.visit_of(request)
    token = forgery.visit_token(visit)
    answer = page(request, "sign_in.html", status=status, login=login, refused=refused, csrf=token)
    forgery.remember_visit(request, answer, visit)
    return answer


@router.post("/sign-in")
async def sign_in(request: Request, login: Text, password: Text, csrf: Text) -> Response:
    """Sign in, or show the form again with the reason."""
    forgery.require_visit(request, csrf)
    try:
        signed_in = await access.sign_in_from(request, login, password)
    except Problem as problem:
        if problem.status not in {401, 429}:
            raise
        return _sign_in_page(request, login=login, refused=problem.detail, status=problem.status)
    answer = see_other("/")
    access.set_session_cookie(request, answer, signed_in)
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, caller: PageReader, csrf: Text) -> Response:
    """End the session on the server too, not only in the browser."""
    access.require_csrf(request, csrf)
    await access.sign_out_from(request)
    answer = see_other("/sign-in")
    access.clear_session_cookie(request, answer)
    return answer


@router.get("/")
async def patient_list(request: Request, caller: PageReader, clinic: ThisClinic) -> Response:
    """The caseload; a patient goes to their own page, and an administrator, who sees no patient, to the gateways."""
    if caller.role is Role.PATIENT and caller.patient_id is not None:
        return see_other(_patient_address(caller.patient_id))
    if caller.role is Role.ADMINISTRATOR:
        return see_other(gateway_pages.ADDRESS)
    dashboard = dashboard_of(request)
    today = dashboard.today(request)
    async with clinic.database.reading() as db:
        known = await patients.list_patients(db, caller, today=today)
        overviews = [
            await patients.patient_overview(db, caller, one.id, today=today, exercises=clinic.exercises)
            for one in known
        ]
    tolerated_pain = load_rules().ease_pain.largest_tolerated_pain
    view = caseload(overviews, tolerated_pain=tolerated_pain, today=today, zone=dashboard.zone)
    return page(request, "patients.html", caseload=view, here="patients")


@router.get("/patients/{patient_id}")
async def patient(request: Request, patient_id: str, caller: PageReader, clinic: ThisClinic) -> Response:
    """One patient: for a clinician everything, for the patient their own in plain words."""
    dashboard = dashboard_of(request)
    today = dashboard.today(request)
    async with clinic.database.reading() as db:
        overview = await patients.patient_overview(db, caller, patient_id, today=today, exercises=clinic.exercises)
    view = patient_page(overview, clinic.exercises, reader=_reader(caller), today=today, zone=dashboard.zone)
    return page(request, "patient.html", page=view)


@router.get("/sessions/{session_id}")
async def session(request: Request, session_id: UUID, caller: PageReader, clinic: ThisClinic) -> Response:
    """One session with every repetition."""
    dashboard = dashboard_of(request)
    async with clinic.database.reading() as db:
        found = await sessions.session_view(
            db, caller, session_id, today=dashboard.today(request), exercises=clinic.exercises
        )
        before = await sessions.report_before(db, caller, session_id)
    known = clinic.exercises.find(found.report.exercise)
    view = session_page(found, known, before, reader=_reader(caller), zone=dashboard.zone)
    return page(request, "session.html", page=view)


class Decision(BaseModel):
    """The form on a proposal. `patient_id` only says where to go back to when there is nothing left to decide."""

    csrf: str = Field(max_length=200)
    patient_id: str = Field(max_length=200)
    reason: str = Field(default="", max_length=1000)


DecisionForm = Annotated[Decision, Form()]


@router.post("/proposals/{proposal_id}/approve")
async def approve(request: Request, proposal_id: UUID, caller: PageReader, form: DecisionForm) -> Response:
    """Make the proposal the next version of the program."""
    access.require_csrf(request, form.csrf)
    return await _decide(request, caller, proposal_id, form, approve=True)


@router.post("/proposals/{proposal_id}/reject")
async def reject(request: Request, proposal_id: UUID, caller: PageReader, form: DecisionForm) -> Response:
    """Keep the program, and keep why."""
    access.require_csrf(request, form.csrf)
    if not form.reason.strip():
        return see_other(_patient_address(form.patient_id, "reason-missing"))
    return await _decide(request, caller, proposal_id, form, approve=False)


async def _decide(request: Request, caller: Caller, proposal_id: UUID, form: Decision, *, approve: bool) -> Response:
    clinic, reason = clinic_of(request), form.reason.strip()
    try:
        done = await adaptation.decide_in(clinic, caller, proposal_id, approve=approve, reason=reason)
    except NoLongerCalledFor:
        return see_other(_patient_address(form.patient_id, "no-longer-called-for"))
    except Conflict:
        return see_other(_patient_address(form.patient_id, "not-waiting"))
    return see_other(_patient_address(done.patient_id, "approved" if approve else "rejected"))
