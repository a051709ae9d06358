"""The clinic's API, spoken with a real server."""

import asyncio
import json

import pytest
from patient_scenes import NOW, PASSWORD, PATIENT, SESSION

from analytics.domain.base import uuid7
from analytics.domain.session import Feedback
from mobile_app.clients.clinic import Clinic, ClinicUnreachable, NotFound, Refused, SignInRefused


def feedback(**changes) -> Feedback:
    values = {"id": uuid7(), "session_id": SESSION, "pain": 3, "effort": 5, "given_at": NOW}
    return Feedback(**values | changes)


async def test_a_patients_way_through_the_api(real_clinic, home_gateway):
    async with Clinic(real_clinic.url + "/") as clinic:
        with pytest.raises(SignInRefused, match="wrong; check both"):
            await clinic.sign_in("maria", "not the password")
        signed_in = await clinic.sign_in("maria", PASSWORD)
        assert (signed_in.role, signed_in.patient_id) == ("patient", PATIENT)
        token = signed_in.token

        assignment = await clinic.assignment(token)
        assert assignment.patient_name == "Maria Lindqvist"
        assert assignment.program.prescriptions[0].dose.target_excursion_deg == 60

        with pytest.raises(NotFound):
            await clinic.gateway(token)
        home = home_gateway.presence()
        assert real_clinic.put("gateway/presence", json.dumps(home)).status_code == 204
        assert (await clinic.gateway(token)).model_dump() == home

        said = feedback()
        await clinic.put_feedback(token, said)
        await clinic.put_feedback(token, said)
        assert real_clinic.feedback() == [(3, 5)]
        with pytest.raises(Refused):
            await clinic.put_feedback(token, said.model_copy(update={"pain": 9}))
        assert real_clinic.feedback() == [(3, 5)]

        await clinic.sign_out(token)
        with pytest.raises(SignInRefused):
            await clinic.assignment(token)


async def test_a_stopped_server_is_unreachable_and_then_back(real_clinic):
    async with Clinic(real_clinic.url) as clinic:
        real_clinic.stop()
        with pytest.raises(ClinicUnreachable, match="Check the phone's network"):
            await clinic.sign_in("maria", PASSWORD)
        real_clinic.start()
        assert (await clinic.sign_in("maria", PASSWORD)).patient_id == PATIENT


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n<html>Hotel</html", "not your clinic"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "Nothing is lost"),
        (b"nonsense\r\n\r\n", "cannot be reached"),
        (
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\n"
            b'Content-Length: 32\r\n\r\n{"detail": "Wait ten minutes."} ',
            "Wait ten minutes.",
        ),
    ],
    ids=["captive portal", "proxy", "nonsense", "too often"],
)
async def test_what_is_not_a_clinics_answer_is_tried_again_later(answer, sentence):
    async def reply(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server, Clinic(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as clinic:
        with pytest.raises(ClinicUnreachable, match=sentence):
            await clinic.assignment("token")
