"""A gateway proves itself by its key, is let in for a quarter of an hour, and changes keys without being shut out."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from gateway_key import GatewayKey
from sqlalchemy import func, select

from analytics.domain import signed
from server.access.records import AccountRecord, TokenRecord
from server.devices.records import GatewayRecord

KEY, NEXT, LATER = GatewayKey(0), GatewayKey(70), GatewayKey(71)
"""The first is the one that p1's gateway was claimed with."""


def test_the_example_in_the_protocols_page_is_right() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gateway-and-clinic.md").read_text("utf-8")
    key, gateway_id = GatewayKey(1), "0192f0c1-7c1e-7000-8000-000000000001"
    assert gateway_id in page
    for line in (
        f"public key  {key.public_key}",
        f"key_id      {key.id}",
        f"signature   {key.sign(signed.TOKEN, gateway_id, 'bm9uY2U', 'clinic.example')}",
        signed.message("PURPOSE", gateway_id="GATEWAY_ID", authority="authority", content="CONTENT")
        .decode()
        .replace("authority", "AUTHORITY"),
    ):
        assert line in page


def test_what_could_read_as_another_message_is_not_signed() -> None:
    with pytest.raises(ValueError, match="one line each"):
        signed.message(signed.TOKEN, gateway_id="g", authority="clinic.example\nx", content="n")


async def challenge(api, gateway_id: object) -> str:
    answer = await api("POST", f"gateways/{gateway_id}/challenge")
    assert answer.status_code == 201
    assert answer.json()["expires_in_s"] == 60
    return answer.json()["nonce"]


async def sign_in(api, key: GatewayKey = KEY, who: str = "gateway"):
    gateway_id = api.gateways[who]
    nonce = await challenge(api, gateway_id)
    return await api("POST", f"gateways/{gateway_id}/token", json=key.answer(gateway_id, nonce))


def bearer(granted) -> dict[str, str]:
    assert granted.status_code == 201, granted.text
    return {"Authorization": f"Bearer {granted.json()['token']}"}


async def status(api, headers: dict[str, str]) -> int:
    return (await api("GET", "gateway/assignment", headers=headers)).status_code


async def renew(api, new: GatewayKey, old: GatewayKey | None, headers: dict[str, str]):
    return await api("POST", "gateway/keys", json=new.follows(old, api.gateways["gateway"]), headers=headers)


def other_names(granted) -> list[str]:
    return [gateway["name"] for gateway in granted.json()["other_gateways"]]


async def test_a_signed_nonce_lets_in_for_a_quarter_of_an_hour(api) -> None:
    granted = await sign_in(api)
    assert granted.json() | {"token": ""} == {
        "token": "",
        "expires_in_s": 900,
        "key_age_s": 0,
        "server_time": "2026-09-21T09:00:00Z",
        "other_gateways": [],
    }
    api.clock.advance(minutes=14, seconds=59)
    assert await status(api, bearer(granted)) == 200
    api.clock.advance(seconds=1)
    assert await status(api, bearer(granted)) == 401
    api.clock.advance(weeks=30)
    later = await sign_in(api)
    assert later.json()["key_age_s"] == 30 * 7 * 86400 + 900
    assert await status(api, bearer(later)) == 200


async def test_a_nonce_is_good_once_for_one_gateway_and_for_a_minute(api) -> None:
    path, gateway_id = f"gateways/{api.gateways['gateway']}/token", api.gateways["gateway"]
    used, late = await challenge(api, gateway_id), await challenge(api, gateway_id)
    assert (await api("POST", path, json=KEY.answer(gateway_id, used))).status_code == 201
    assert (await api("POST", path, json=KEY.answer(gateway_id, used))).status_code == 400, "at once"
    api.clock.advance(seconds=60)
    others = await challenge(api, api.gateways["other_gateway"])
    for nonce in (used, late, others, "", "not base64!", "AAAA", others[:-4] + "AAA="):
        refused = await api("POST", path, json=KEY.answer(gateway_id, nonce))
        assert (refused.status_code, refused.json()["type"]) == (400, "challenge-expired"), nonce
    async with api.database.reading() as db:
        assert await db.scalar(select(func.count()).where(TokenRecord.account_id == gateway_id)) == 1


async def test_who_merely_asks_for_nonces_fills_nothing(api) -> None:
    for _ in range(50):
        await challenge(api, uuid4())
    assert api.app.state.clinic.challenges._used == {}


@pytest.mark.parametrize("wrong", ["key", "purpose", "gateway", "server", "nonce"])
async def test_a_signature_for_something_else_is_worth_nothing(api, wrong: str) -> None:
    gateway_id = api.gateways["gateway"]
    nonce = await challenge(api, gateway_id)
    body = KEY.answer(gateway_id, nonce)
    body["signature"] = {
        "key": GatewayKey(99).sign("token", gateway_id, nonce),
        "purpose": KEY.sign("new-key", gateway_id, nonce),
        "gateway": KEY.sign("token", api.gateways["other_gateway"], nonce),
        "server": KEY.sign("token", gateway_id, nonce, authority="elsewhere.example"),
        "nonce": KEY.sign("token", gateway_id, await challenge(api, gateway_id)),
    }[wrong]
    refused = await api("POST", f"gateways/{gateway_id}/token", json=body)
    assert (refused.status_code, refused.json()["type"]) == (401, "gateway-shut-out")


async def test_a_signature_is_for_the_name_the_server_was_asked_under(api) -> None:
    gateway_id = api.gateways["gateway"]
    path, host = f"gateways/{gateway_id}/token", {"Host": "Clinic.example:8443"}
    nonces = [await challenge(api, gateway_id) for _ in range(2)]
    for nonce, authority, expected in zip(nonces, ("127.0.0.1", "clinic.example:8443"), (401, 201), strict=True):
        answer = await api("POST", path, json=KEY.answer(gateway_id, nonce, authority), headers=host)
        assert answer.status_code == expected


async def test_the_key_of_another_gateway_does_not_let_in(api) -> None:
    assert (await sign_in(api, GatewayKey(1))).status_code == 401
    assert (await sign_in(api, GatewayKey(1), "other_gateway")).status_code == 201


async def test_unknown_revoked_and_wrong_are_refused_in_the_same_words(api) -> None:
    wrong = await sign_in(api, GatewayKey(99))
    nobody = UUID(int=5)
    unknown = await api("POST", f"gateways/{nobody}/token", json=KEY.answer(nobody, await challenge(api, nobody)))
    await api("DELETE", f"gateways/{api.gateways['gateway']}", "administrator")
    revoked = await sign_in(api)
    assert wrong.json() == unknown.json() == revoked.json()
    assert wrong.status_code == 401


async def test_revoking_ends_what_was_granted_and_letting_in_again_heals_it(api) -> None:
    headers = bearer(await sign_in(api))
    await api("DELETE", f"gateways/{api.gateways['gateway']}", "administrator")
    assert await status(api, headers) == 401
    assert (await sign_in(api)).status_code == 401
    async with api.database.writing() as db:
        (await db.get_one(AccountRecord, api.gateways["gateway"])).active = True
    assert await status(api, bearer(await sign_in(api))) == 200


async def test_a_new_key_ends_the_old_one_with_its_first_use(api) -> None:
    headers = bearer(await sign_in(api))
    for _ in range(2):
        assert (await renew(api, NEXT, KEY, headers)).status_code == 204, "sending it again is harmless"
    assert (await sign_in(api, KEY)).status_code == 201, "both let in while the new one is not used"
    assert (await sign_in(api, NEXT)).status_code == 201
    assert (await sign_in(api, KEY)).status_code == 401
    assert (await sign_in(api, NEXT)).status_code == 201


async def test_an_old_key_ends_after_a_week_even_if_the_new_one_was_never_used(api) -> None:
    assert (await renew(api, NEXT, KEY, bearer(await sign_in(api)))).status_code == 204
    api.clock.advance(days=6, hours=23)
    assert (await sign_in(api, KEY)).status_code == 201
    api.clock.advance(hours=1)
    assert (await sign_in(api, KEY)).status_code == 401
    assert (await sign_in(api, NEXT)).status_code == 201


async def test_a_retired_key_does_not_come_back(api) -> None:
    await renew(api, NEXT, KEY, bearer(await sign_in(api)))
    headers = bearer(await sign_in(api, NEXT))
    assert (await renew(api, KEY, NEXT, headers)).status_code == 422
    assert (await sign_in(api, KEY)).status_code == 401


@pytest.mark.parametrize("old", [None, LATER], ids=["unsigned", "signed by a stranger"])
async def test_a_token_alone_does_not_change_the_key(api, old: GatewayKey | None) -> None:
    """Otherwise a token that leaked would let its thief in for good."""
    headers = bearer(await sign_in(api))
    refused = await renew(api, NEXT, old, headers)
    assert (refused.status_code, refused.json()["type"]) == (422, "key-not-proved")
    assert (await sign_in(api, NEXT)).status_code == 401


async def test_a_key_that_its_sender_does_not_hold_is_refused(api) -> None:
    body = NEXT.follows(KEY, api.gateways["gateway"])
    body["signature"] = LATER.sign("new-key", api.gateways["gateway"], NEXT.public_key)
    refused = await api("POST", "gateway/keys", json=body, headers=bearer(await sign_in(api)))
    assert refused.status_code == 422


async def test_a_long_lived_token_of_the_last_release_buys_one_key_and_ends(start_clinic, clinic_home) -> None:
    async with start_clinic() as api:
        async with api.database.writing() as db:
            await db.execute(GatewayRecord.metadata.tables["gateway_key"].delete())
        old = {"Authorization": f"Bearer {api.tokens['gateway']}"}
        assert (await renew(api, NEXT, None, old)).status_code == 204
        assert (await renew(api, NEXT, None, old)).status_code == 204, "the answer was lost, so it is sent again"
        assert (await renew(api, LATER, None, old)).status_code == 422, "only the first"
        assert await status(api, old) == 200, "until the key is used"
        assert await status(api, bearer(await sign_in(api, NEXT))) == 200
        assert await status(api, old) == 401


async def test_each_of_two_gateways_is_told_of_the_other_until_one_is_revoked(api) -> None:
    code = (await api("POST", "patients/p1/claim-code", "administrator")).json()["claim_code"]
    api.clock.advance(minutes=1)
    wish = {"claim_code": code, "name": "Bedroom", "public_key": LATER.public_key}
    api.gateways["second"] = (await api("POST", "gateways/claim", json=wish)).json()["gateway_id"]
    try:
        assert other_names(await sign_in(api)) == ["Bedroom"]
        assert other_names(await sign_in(api, LATER, "second")) == ["gateway"]
        assert other_names(await sign_in(api, GatewayKey(1), "other_gateway")) == []
        await api("DELETE", f"gateways/{api.gateways['gateway']}", "administrator")
        assert other_names(await sign_in(api, LATER, "second")) == []
    finally:
        del api.gateways["second"]
