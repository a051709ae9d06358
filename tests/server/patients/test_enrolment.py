"""Taking a patient in. Identifiers stand in addresses, so only what stands there as it is may be one."""

import re
from datetime import date

import pytest

from analytics.domain.exercise import Side
from server.patients import service as patients
from server.problems import Conflict, InvalidRequest


async def enrol(api, patient_id: str) -> None:
    async with api.database.writing() as db:
        await patients.add_patient(
            db,
            id=patient_id,
            name="Clara Pattern",
            diagnosis="Total knee replacement",
            side=Side.LEFT,
            surgery_on=date(2026, 8, 10),
            goal_deg=85,
            program=api.make.program(patient_id),
        )


@pytest.mark.parametrize("patient_id", ["p3", "0198f3c2-7d1e-7a3b-9c55-0a1b2c3d4e5f", "K.2026_17~b", "x" * 100])
async def test_every_identifier_that_is_taken_in_has_a_working_link(api, patient_id: str) -> None:
    await enrol(api, patient_id)
    answer = await api("GET", f"patients/{patient_id}", "physiotherapist")
    assert (answer.status_code, answer.json()["summary"]["id"]) == (200, patient_id)
    api.client.cookies.set("sinew_session", api.tokens["physiotherapist"])
    link = re.search('<a href="([^"]+)">Clara Pattern', (await api.client.get("/")).text)[1]
    page = await api.client.get(link)
    assert page.status_code == 200
    assert "Clara Pattern" in page.text


@pytest.mark.parametrize(
    "patient_id",
    ["a/b", "a?b", "a#b", "a b", "a%2Fb", "a\\b", "", ".", "..", "../p1", "-p", "p1\n", "Zoë", '"><b>', "x" * 101],
)
async def test_an_identifier_that_would_break_a_link_is_refused(api, patient_id: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await enrol(api, patient_id)
    assert refused.value.detail == (
        f"{patient_id!r} cannot identify a patient; write up to 100 letters a to z, digits, dots, hyphens, tildes and "
        "underscores, a letter or a digit first."
    )
    listed = (await api("GET", "patients", "physiotherapist")).json()
    assert [patient["id"] for patient in listed] == ["p1", "p2"]


async def test_an_identifier_that_is_taken_is_refused(api) -> None:
    with pytest.raises(Conflict, match="There is a patient p1 already"):
        await enrol(api, "p1")
