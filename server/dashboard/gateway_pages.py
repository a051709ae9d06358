"""The routes of the page for whoever keeps the gateways: see them, let one in, shut one out."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from server.access import api as access
from server.access.words import Caller
from server.clinic import ThisClinic, clinic_of
from server.devices import service as devices
from server.patients import service as patients
from server.problems import NotFound

from .rendering import dashboard_of, page
from .routing import PageReader, Text, see_other
from .views.gateways import ClaimOffer, claim_offer, gateway_list

router = APIRouter(include_in_schema=False)

ADDRESS = "/gateways"
NO_PATIENT = "No patient is enrolled under this identifier; check it and try again."


@router.get(ADDRESS)
async def gateways(request: Request, caller: PageReader) -> HTMLResponse:
    """Every gateway ever claimed, and the form for a new one."""
    return await _gateways_page(request, caller)


async def _gateways_page(
    request: Request,
    caller: Caller,
    *,
    offer: ClaimOffer | None = None,
    patient_id: str = "",
    refused: str = "",
    status: int = 200,
) -> HTMLResponse:
    dashboard = dashboard_of(request)
    async with clinic_of(request).database.reading() as db:
        known = await devices.list_gateways(db, caller)
        names = await patients.list_names(db, caller)
    view = gateway_list(known, today=dashboard.today(request), zone=dashboard.zone)
    shown = {"gateways": view, "offer": offer, "patients": names, "patient_id": patient_id, "refused": refused}
    return page(request, "gateways.html", status=status, here="gateways", **shown)


@router.post(ADDRESS)
async def offer_claim_code(
    request: Request, caller: PageReader, clinic: ThisClinic, patient_id: Text, csrf: Text
) -> HTMLResponse:
    """Make a claim code and show it in the answer, the only place where it is ever readable."""
    access.require_csrf(request, csrf)
    now, lifetime, wanted = clinic.now(), clinic.settings.claim_code_lifetime, patient_id.strip()
    try:
        async with clinic.database.writing() as db:
            code = await devices.offer_claim_code(db, caller, wanted, now=now, lifetime=lifetime)
    except NotFound as problem:
        return await _gateways_page(request, caller, patient_id=patient_id, refused=NO_PATIENT, status=problem.status)
    server, zone = str(request.base_url).rstrip("/"), dashboard_of(request).zone
    offer = claim_offer(code, wanted, server=server, now=now, lifetime=lifetime, zone=zone)
    return await _gateways_page(request, caller, offer=offer)


@router.post(ADDRESS + "/{gateway_id}/revoke")
async def revoke(request: Request, gateway_id: UUID, caller: PageReader, clinic: ThisClinic, csrf: Text) -> Response:
    """Let this gateway in no more."""
    access.require_csrf(request, csrf)
    async with clinic.database.writing() as db:
        await devices.revoke_gateway(db, caller, gateway_id)
    return see_other(f"{ADDRESS}?notice=revoked")
