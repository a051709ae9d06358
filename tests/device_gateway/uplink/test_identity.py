"""Getting in by a key: claimed, renewed, changed, revoked and claimed again; over a death between any two steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gateway_at_clinic import AtClinic, entered, let_in, token_of_the_last_release, uploading

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError, ShutOutError, UnclaimedError, UnreachableError
from device_gateway.storage.store import Store
from device_gateway.uplink.claiming import Identity
from device_gateway.uplink.identity import ROTATE_AFTER_S, Credentials
from device_gateway.uplink.wire import Wire
from server.database import Database
from server.devices.service import make_claim_code
from server.patients.service import add_patient

NOWHERE = "http://127.0.0.1:1"


class Death(BaseException):
    """The process ends here."""


class Deaths:
    """Lets a program live for so many steps; every request and every write begins and ends one."""

    def __init__(self, after: int) -> None:
        self._left = after

    def step(self) -> None:
        if not self._left:
            raise Death
        self._left -= 1


class MortalWire(Wire):
    deaths: Deaths

    async def ask(self, *arguments: Any, **options: Any) -> Any:
        self.deaths.step()
        answer = await super().ask(*arguments, **options)
        self.deaths.step()
        return answer


class MortalStore:
    """A store whose writes are steps; all else is the store's."""

    def __init__(self, store: Store, deaths: Deaths) -> None:
        self._store = store
        self._deaths = deaths

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def keep_settings(self, **values: str) -> None:
        self._deaths.step()
        await self._store.keep_settings(**values)
        self._deaths.step()


async def dies_after(steps: int, url: str, store: Store, **options: Any) -> bool:
    """Start and get in, with a death on the way; False where it was done before that."""
    deaths, wire = Deaths(steps), MortalWire(url)
    wire.deaths = deaths
    try:
        mortal: Any = MortalStore(store, deaths)
        credentials = Credentials(wire, mortal, Conditions(), **options)
        await credentials.start(Path("home"))
        await credentials.token()
    except Death:
        return True
    finally:
        await wire.close()
    return False


async def kept(store: Store) -> Identity:
    return Identity.model_validate_json(await store.setting("identity") or "")


@asynccontextmanager
async def fresh_store(folder: Path) -> AsyncIterator[Store]:
    store = await Store.open(folder)
    yield store
    await store.close()


async def works(at: AtClinic) -> bool:
    return await at.clinic.assignment(None) is not None


async def test_a_claim_survives_a_death_at_any_step(shared_clinic, tmp_path: Path) -> None:
    steps, died = 0, True
    while died:
        async with fresh_store(tmp_path / str(steps)) as store:
            code = await shared_clinic.claim_code()
            died = await dies_after(steps, shared_clinic.url, store, claim_code=code)
            async with entered(shared_clinic.url, store, code) as at:
                assert await works(at), steps
            assert not await store.setting("claim")
        steps += 1
    assert steps > 8, "claim, challenge and token are asked, and two writes"


async def test_a_change_of_keys_survives_a_death_at_any_step(shared_clinic, tmp_path: Path) -> None:
    steps, died = 0, True
    while died:
        async with fresh_store(tmp_path / str(steps)) as store:
            async with entered(shared_clinic.url, store, await shared_clinic.claim_code()):
                (first,) = (await kept(store)).keys
            died = await dies_after(steps, shared_clinic.url, store, rotate_after_s=0)
            for _ in range(2):
                async with entered(shared_clinic.url, store) as at:
                    assert await works(at), steps
                    assert len((await kept(store)).keys) <= 2
        if not died:
            async with fresh_store(tmp_path / str(steps)) as store:
                newest, before = (await kept(store)).keys
                assert before == first != newest
                await store.keep_settings(
                    identity=(await kept(store)).model_copy(update={"keys": (first,)}).model_dump_json()
                )
                async with entered(shared_clinic.url, store) as at:
                    with pytest.raises(ShutOutError):
                        await at.credentials.token()
        steps += 1
    assert steps > 10, "two signings-in, one registration, one write"


async def test_a_home_of_the_last_release_is_brought_over_and_its_token_ends(shared_clinic, tmp_path: Path) -> None:
    steps, died = 0, True
    while died:
        async with fresh_store(tmp_path / str(steps)) as store:
            url = shared_clinic.url
            async with entered(url, store, await shared_clinic.claim_code()) as at:
                claimed = at.credentials.identity
            old = await token_of_the_last_release(
                shared_clinic.home, store, url, claimed.gateway_id, claimed.patient_id
            )
            died = await dies_after(steps, url, store)
            async with entered(url, store) as at:
                assert await works(at), steps
                assert (await kept(store)).token is None
                assert (await kept(store)).gateway_id == claimed.gateway_id
                with pytest.raises(ShutOutError):
                    await at.wire.ask("GET", "gateway/assignment", token=old)
        steps += 1
    assert steps > 8


@pytest.mark.long
async def test_a_clinic_restored_from_before_the_change_still_lets_in(own_clinic, gateway_store) -> None:
    own_clinic.start()
    async with entered(own_clinic.url, gateway_store, await own_clinic.claim_code()) as at:
        assert await works(at)
    own_clinic.kill()
    backup = {file.name: file.read_bytes() for file in own_clinic.home.iterdir() if file.is_file()}
    own_clinic.start()
    async with entered(own_clinic.url, gateway_store, rotate_after_s=0) as at:
        assert await works(at)
    assert len((await kept(gateway_store)).keys) == 2
    own_clinic.kill()
    for name, content in backup.items():
        (own_clinic.home / name).write_bytes(content)
    own_clinic.start()
    async with entered(own_clinic.url, gateway_store) as at:
        assert await works(at)


async def test_a_token_is_kept_until_it_is_nearly_over_whatever_the_calendar_says(shared_clinic, gateway_store) -> None:
    now_s = 1e6
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code(), now=lambda: now_s) as at:
        first = await at.credentials.token()
        now_s += 719
        assert await at.credentials.token() == first
        now_s += 1
        second = await at.credentials.token()
        assert second != first
        tokens = await asyncio.gather(*(at.credentials.token() for _ in range(5)))
        assert set(tokens) == {second}
        now_s += 28 * 86400
        assert await works(at)


async def test_a_token_that_the_clinic_forgot_costs_one_more_request(shared_clinic, gateway_store) -> None:
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at:
        await at.credentials.token()
        for active in (False, True):
            let_in(shared_clinic.home, at.credentials.identity.gateway_id, active=active)
        assert await works(at)


async def test_the_key_is_changed_by_its_age_at_the_clinic(own_clinic, gateway_store) -> None:
    own_clinic.start()
    async with entered(own_clinic.url, gateway_store, await own_clinic.claim_code()) as at:
        assert await works(at)
        (first,) = at.credentials.identity.keys
        at.credentials.forget(await at.credentials.token())
        await at.credentials.token()
        assert at.credentials.identity.keys == (first,), "it is young"
    assert ROTATE_AFTER_S == 30 * 86400


async def test_another_gateway_of_the_same_patient_is_told_of_until_it_is_revoked(
    own_clinic, gateway_store, tmp_path: Path, invented
) -> None:
    own_clinic.start()
    async with (
        entered(own_clinic.url, gateway_store, await own_clinic.claim_code(), name="Kitchen") as kitchen,
        fresh_store(tmp_path / "second") as second_store,
        entered(own_clinic.url, second_store, await own_clinic.claim_code(), name="Bedroom") as bedroom,
    ):
        for at, other in ((kitchen, "Bedroom"), (bedroom, "Kitchen")):
            assert await works(at)
            sentence = at.trouble(Trouble.ANOTHER_GATEWAY)
            assert f"{other}, claimed on {datetime.now(UTC):%d %B %Y}" in sentence
            assert "ask the clinic which to keep" in sentence
        sessions = []
        for at, store in ((kitchen, gateway_store), (bedroom, second_store)):
            opened, data = invented.opening(), invented.chunk(0, 50)
            await store.keep_opening(opened)
            await store.keep_chunk(opened.id, 0, data)
            await store.keep_report(invented.report(opened, [data]))
            sessions.append((opened, data))
            async with uploading(at, store) as uplink:
                assert await uplink.drain(10)
        for opened, data in sessions:
            assert own_clinic.chunks(opened.id) == {0: data}, "both record, and nothing is lost"
        let_in(own_clinic.home, bedroom.credentials.identity.gateway_id, active=False)
        kitchen.credentials.forget(await kitchen.credentials.token())
        assert await works(kitchen)
        assert kitchen.trouble(Trouble.ANOTHER_GATEWAY) == ""


async def test_claimed_again_for_the_same_patient_what_is_stored_goes_up(own_clinic, gateway_store, invented) -> None:
    own_clinic.start()
    async with (
        entered(own_clinic.url, gateway_store, await own_clinic.claim_code()) as at,
        uploading(at, gateway_store),
    ):
        assert await works(at)
        before = at.credentials.identity.gateway_id
    opened, data = invented.opening(), [invented.chunk(number, 50) for number in range(3)]
    await gateway_store.keep_opening(opened)
    for number, chunk in enumerate(data):
        await gateway_store.keep_chunk(opened.id, number, chunk)
    await gateway_store.keep_report(invented.report(opened, data))
    let_in(own_clinic.home, before, active=False)
    code = await own_clinic.claim_code()
    async with entered(own_clinic.url, gateway_store, code) as at, uploading(at, gateway_store) as uplink:
        assert await uplink.drain(10)
        assert at.credentials.identity.gateway_id != before
        assert at.trouble(Trouble.CLINIC_SHUT_OUT) == ""
    assert own_clinic.chunks(opened.id) == dict(enumerate(data))


async def test_a_code_for_another_patient_is_refused_and_nothing_goes_to_the_wrong_record(
    own_clinic, gateway_store, invented
) -> None:
    own_clinic.start()
    async with entered(own_clinic.url, gateway_store, await own_clinic.claim_code()) as at:
        assert await works(at)
        mine = at.credentials.identity
    await gateway_store.keep_opening(invented.opening())
    let_in(own_clinic.home, mine.gateway_id, active=False)
    async with Database(own_clinic.home / "clinic.sqlite3") as database, database.writing() as db:
        now = datetime.now(UTC)
        program = invented.program().model_copy(update={"patient_id": "p2"})
        await add_patient(
            db, id="p2", name="Other", diagnosis="x", side=program.prescriptions[0].side, surgery_on=now.date(),
            goal_deg=90, program=program,
        )  # fmt: skip
        code = await make_claim_code(db, "p2", now)
    async with entered(own_clinic.url, gateway_store, code) as at:
        with pytest.raises(ShutOutError, match="another patient"):
            await at.credentials.token()
        assert at.credentials.identity == mine
    async with Database(own_clinic.home / "clinic.sqlite3") as database, database.writing() as db:
        code = await make_claim_code(db, "p1", now)
    assert len(await gateway_store.waiting()) == 1
    async with entered(own_clinic.url, gateway_store, code) as at:
        assert await works(at)


async def test_a_used_code_that_stayed_in_the_settings_does_no_harm(own_clinic, gateway_store) -> None:
    own_clinic.start()
    code = await own_clinic.claim_code()
    async with entered(own_clinic.url, gateway_store, code) as at:
        assert await works(at)
        gateway_id = at.credentials.identity.gateway_id
    async with entered(own_clinic.url, gateway_store, code) as at:
        assert await works(at)
        assert at.credentials.identity.gateway_id == gateway_id
    let_in(own_clinic.home, gateway_id, active=False)
    async with entered(own_clinic.url, gateway_store, code) as at:
        for _ in range(2):
            with pytest.raises(ShutOutError, match="make a new claim code"):
                await at.credentials.token()
        assert at.credentials.identity.gateway_id == gateway_id


async def test_a_code_given_while_the_network_is_away_is_used_when_it_is_back(
    shared_clinic, relay, gateway_store
) -> None:
    async with entered(relay.url, gateway_store, await shared_clinic.claim_code()) as at:
        assert await works(at)
        before = at.credentials.identity.gateway_id
    let_in(shared_clinic.home, before, active=False)
    await relay.stop()
    async with entered(relay.url, gateway_store, await shared_clinic.claim_code()) as at:
        with pytest.raises(UnreachableError):
            await at.credentials.token()
        await relay.start()
        assert await works(at)
        assert at.credentials.identity.gateway_id != before


async def test_claiming_says_what_is_wrong(shared_clinic, gateway_store) -> None:
    for url, code, sentence in (
        (NOWHERE, "ANY", "check its address"),
        (shared_clinic.url, "WRONG-CODE", "does not accept the claim code WRONG-CODE: make a new one"),
        (shared_clinic.url, None, "belongs to no patient yet: make a claim code"),
    ):
        async with entered(url, gateway_store, code) as at:
            assert sentence in at.trouble(Trouble.CLINIC_UNCLAIMED)
            for asked in (at.credentials.token, at.credentials.clinic_time, at.clinic.releases):
                with pytest.raises(UnclaimedError) as refused:
                    await asked()
                assert str(refused.value) == at.trouble(Trouble.CLINIC_UNCLAIMED)
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at:
        assert at.credentials.identity.patient_id == "p1"
    with pytest.raises(GatewayError, match="belongs to a gateway of"):
        async with entered(NOWHERE, gateway_store):
            pass


async def test_what_is_kept_of_the_keys_only_the_gateway_can_read(shared_clinic, gateway_store, tmp_path: Path) -> None:
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at:
        secret = at.credentials.identity.keys[0]
    holders = [file for file in (tmp_path / "gateway").iterdir() if secret.encode() in file.read_bytes()]
    assert holders
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in holders)
