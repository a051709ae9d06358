"""Claim codes, presence, and shutting a gateway out."""

import asyncio

import pytest
from gateway_key import GatewayKey

PRESENCE = {"live_url": "wss://10.0.0.7:8443/live", "certificate_sha256": "ab" * 32, "live_token": "open sesame"}


async def claim(api, code: str, seed: int = 50, **more):
    wish = {"claim_code": code, "name": "Kitchen", "public_key": GatewayKey(seed).public_key} | more
    return await api("POST", "gateways/claim", json=wish)


async def bearer(api, gateway_id: str, seed: int = 50) -> dict[str, str]:
    """The header of a gateway that has signed in."""
    nonce = (await api("POST", f"gateways/{gateway_id}/challenge")).json()["nonce"]
    granted = await api("POST", f"gateways/{gateway_id}/token", json=GatewayKey(seed).answer(gateway_id, nonce))
    assert granted.status_code == 201, granted.text
    return {"Authorization": f"Bearer {granted.json()['token']}"}


async def new_code(api, patient: str = "p1") -> str:
    answer = await api("POST", f"patients/{patient}/claim-code", "administrator")
    assert answer.status_code == 201
    return answer.json()["claim_code"]


async def test_a_code_lets_one_gateway_in_once(api) -> None:
    code = await new_code(api)
    claimed = await claim(api, code)
    assert (claimed.status_code, claimed.json()["patient_id"]) == (201, "p1")
    headers = await bearer(api, claimed.json()["gateway_id"])
    assert (await api("GET", "gateway/assignment", headers=headers)).json()["patient_name"] == "Anna Example"
    again = await claim(api, code, seed=51)
    assert (again.status_code, again.json()["type"]) == (404, "claim-code-unknown")
    assert "ask the clinic" in again.json()["detail"]


async def test_a_code_is_read_as_people_type_it(api) -> None:
    code = await new_code(api)
    assert (await claim(api, f" {code.lower().replace('-', ' ')} ")).status_code == 201


async def test_a_code_sent_twice_at_once_lets_one_in(api) -> None:
    code = await new_code(api)
    answers = await asyncio.gather(*(claim(api, code, seed) for seed in range(50, 54)))
    assert sorted(answer.status_code for answer in answers) == [201, 404, 404, 404]


async def test_a_claim_whose_answer_was_lost_may_be_sent_again(api) -> None:
    code = await new_code(api)
    first, again = await claim(api, code), await claim(api, code)
    assert (again.status_code, again.json()) == (201, first.json())
    listed = (await api("GET", "gateways", "administrator")).json()
    assert len(listed) == 3, "one new gateway beside the two"
    api.clock.advance(seconds=1)
    other_code = await new_code(api)
    await claim(api, other_code, seed=51)
    assert (await claim(api, other_code)).status_code == 404, "that key came with another code"


async def test_a_key_that_is_a_gateways_already_makes_no_second_one(api) -> None:
    refused = await claim(api, await new_code(api), seed=1)
    assert (refused.status_code, refused.json()["type"]) == (409, "conflict")


async def test_a_home_of_another_patients_sessions_is_not_let_in_and_the_code_stays_good(api) -> None:
    code = await new_code(api, "p1")
    refused = await claim(api, code, patient_id="p2")
    assert (refused.status_code, refused.json()["type"]) == (409, "another-patient")
    assert "folder of its own" in refused.json()["detail"]
    assert (await claim(api, code, patient_id="p1")).status_code == 201


async def test_a_code_expires(start_clinic) -> None:
    async with start_clinic() as api:
        code = await new_code(api)
        api.clock.advance(minutes=10)
        assert (await claim(api, code)).status_code == 404


async def test_a_lost_answer_may_be_asked_for_however_late(start_clinic) -> None:
    async with start_clinic() as api:
        code = await new_code(api)
        first = await claim(api, code)
        api.clock.advance(minutes=30)
        again = await claim(api, code)
        assert (again.status_code, again.json()) == (201, first.json())
        assert (await claim(api, code, seed=51)).status_code == 404


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


async def test_a_pairing_code_is_for_who_manages_gateways_and_not_for_the_phone(api) -> None:
    said = PRESENCE | {"pairing_code": "ABCDEFGHJK"}
    assert (await api("PUT", "gateway/presence", "gateway", json=said)).status_code == 204
    assert (await api("GET", "me/gateway", "patient")).json() == PRESENCE
    (mine,) = [row for row in (await api("GET", "gateways", "administrator")).json() if row["pairing_code"]]
    assert mine["pairing_code"] == "ABCDEFGHJK"
    assert (await api("DELETE", f"gateways/{mine['id']}", "administrator")).status_code == 204
    rows = (await api("GET", "gateways", "administrator")).json()
    assert [row["pairing_code"] for row in rows if row["id"] == mine["id"]] == [None]


async def test_of_two_gateways_the_one_heard_from_last_counts(api) -> None:
    second = (await claim(api, await new_code(api))).json()
    headers = await bearer(api, second["gateway_id"])
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


HEALTH = {
    "sinew": "0.1.0",
    "python": "3.11.7",
    "machine": "aarch64",
    "uptime_s": 90_000,
    "conditions": ["disk.nearly_full"],
    "disk_free_bytes": 10**9,
    "sessions_waiting": 2,
    "sessions_refused": 0,
    "samples_received": 100,
    "samples_lost": 1,
}


async def test_the_last_word_of_a_gateways_health_is_kept_and_shown(api) -> None:
    for uptime_s in (1, 90_000):
        sent = await api("PUT", "gateway/health", "gateway", json=HEALTH | {"uptime_s": uptime_s})
        assert sent.status_code == 204
    listed = {gateway["patient_id"]: gateway for gateway in (await api("GET", "gateways", "administrator")).json()}
    assert listed["p1"]["health"] == HEALTH
    assert listed["p1"]["seen_at"] is not None
    assert listed["p2"]["health"] is None


@pytest.mark.parametrize(
    "said",
    [
        {"conditions": ["Anna Example's knee hurts"]},
        {"sinew": "0.1.0 of Anna"},
        {"machine": "Anna's Raspberry Pi"},
        {"uptime_s": -1},
        {"python": "Anna"},
    ],
    ids=lambda said: next(iter(said)),
)
async def test_a_gateways_health_has_no_room_for_words(api, said: dict) -> None:
    assert (await api("PUT", "gateway/health", "gateway", json=HEALTH | said)).status_code == 422
