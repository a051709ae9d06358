"""Claim codes, presence, and shutting a gateway out."""

import asyncio

import pytest

PRESENCE = {"live_url": "wss://10.0.0.7:8443/live", "certificate_sha256": "ab" * 32, "live_token": "open sesame"}


async def claim(api, code: str):
    return await api("POST", "gateways/claim", json={"claim_code": code, "name": "Kitchen"})


async def new_code(api, patient: str = "p1") -> str:
    answer = await api("POST", f"patients/{patient}/claim-code", "administrator")
    assert answer.status_code == 201
    return answer.json()["claim_code"]


async def test_a_code_lets_one_gateway_in_once(api) -> None:
    code = await new_code(api)
    claimed = await claim(api, code)
    assert (claimed.status_code, claimed.json()["patient_id"]) == (201, "p1")
    headers = {"Authorization": f"Bearer {claimed.json()['token']}"}
    assert (await api("GET", "gateway/assignment", headers=headers)).json()["patient_name"] == "Anna Example"
    again = await claim(api, code)
    assert (again.status_code, again.json()["type"]) == (404, "claim-code-unknown")
    assert "ask the clinic" in again.json()["detail"]


async def test_a_code_is_read_as_people_type_it(api) -> None:
    code = await new_code(api)
    assert (await claim(api, f" {code.lower().replace('-', ' ')} ")).status_code == 201


async def test_a_code_sent_twice_at_once_lets_one_in(api) -> None:
    code = await new_code(api)
    answers = await asyncio.gather(*(claim(api, code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]


async def test_a_code_expires(start_clinic) -> None:
    async with start_clinic() as api:
        code = await new_code(api)
        api.clock.advance(minutes=10)
        assert (await claim(api, code)).status_code == 404


async def test_guessing_codes_is_stopped(api) -> None:
    for _ in range(10):
        assert (await claim(api, "AAAAA-AAAAA")).status_code == 404
    stopped = await claim(api, await new_code(api))
    assert (stopped.status_code, stopped.json()["type"]) == (429, "too-many-attempts")


async def test_a_code_for_nobody_is_refused(api) -> None:
    assert (await api("POST", "patients/nobody/claim-code", "physiotherapist")).status_code == 404


async def test_the_phone_learns_where_its_gateway_is(api) -> None:
    early = await api("GET", "me/gateway", "patient")
    assert (early.status_code, early.json()["type"]) == (404, "no-gateway")
    assert (await api("PUT", "gateway/presence", "gateway", json=PRESENCE)).status_code == 204
    assert (await api("GET", "me/gateway", "patient")).json() == PRESENCE
    assert (await api("GET", "me/gateway", "other_patient")).status_code == 404


async def test_of_two_gateways_the_one_heard_from_last_counts(api) -> None:
    second = (await claim(api, await new_code(api))).json()
    headers = {"Authorization": f"Bearer {second['token']}"}
    await api("PUT", "gateway/presence", "gateway", json=PRESENCE)
    api.clock.advance(minutes=1)
    newer = PRESENCE | {"live_url": "wss://10.0.0.8:8443/live"}
    assert (await api("PUT", "gateway/presence", json=newer, headers=headers)).status_code == 204
    assert (await api("GET", "me/gateway", "patient")).json() == newer
    assert (await api("DELETE", f"gateways/{second['gateway_id']}", "administrator")).status_code == 204
    assert (await api("GET", "me/gateway", "patient")).json() == PRESENCE


@pytest.mark.parametrize(
    "fault",
    [{"live_url": "http://x"}, {"certificate_sha256": "ab"}, {"live_token": ""}, {"live_url": "wss://a b"}],
    ids=lambda fault: next(iter(fault)),
)
async def test_a_presence_that_a_phone_could_not_use_is_refused(api, fault: dict) -> None:
    assert (await api("PUT", "gateway/presence", "gateway", json=PRESENCE | fault)).status_code == 422


async def test_a_revoked_gateway_is_out_at_once_and_what_it_sent_stays(api) -> None:
    await api.put_session(1, chunks=(api.make.chunk(),))
    path = f"gateways/{api.gateways['gateway']}"
    assert (await api("DELETE", path, "physiotherapist")).status_code == 204
    refused = await api("GET", "gateway/assignment", "gateway")
    assert (refused.status_code, refused.json()["type"]) == (401, "not-signed-in")
    assert (await api.put_chunk(api.make.opening(1).id, 0, api.make.chunk())).status_code == 401
    listed = (await api("GET", "gateways", "administrator")).json()
    assert {gateway["patient_id"]: gateway["active"] for gateway in listed} == {"p1": False, "p2": True}
    assert len((await api("GET", "patients/p1", "physiotherapist")).json()["sessions"]) == 1


async def test_a_gateway_is_still_let_in_after_weeks_without_network(api) -> None:
    api.clock.advance(weeks=30)
    assert (await api("GET", "gateway/assignment", "gateway")).status_code == 200
