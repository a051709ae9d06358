"""A token per phone: kept as a digest, taken away at once, and the clinic's one replaced."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import apsw
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from analytics.domain.live import Command, Snapshot, parse_live_event
from device_gateway.errors import GatewayError
from device_gateway.live.phones import SIGNED_IN, Phones


async def test_each_phone_has_a_token_of_its_own_and_revoking_one_shuts_out_that_one_at_once(served) -> None:
    anna, ben = [await served.phones.pair(name) for name in ("Anna", "Ben")]
    assert anna != ben
    async with await served.join(anna) as of_anna, await served.join(ben) as of_ben, await served.join() as signed_in:
        for phone in (of_anna, of_ben, signed_in):
            assert isinstance(parse_live_event(await phone.recv()), Snapshot)
        await served.phones.revoke(next(phone.id for phone in served.phones.all() if phone.name == "Anna"))
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(of_anna.recv(), 5)
        for phone in (of_ben, signed_in):
            await phone.send(Command(command="pause").model_dump_json())
            await phone.close()
    with pytest.raises(InvalidStatus):
        await served.join(anna)
    assert served.commands == [Command(command="pause")] * 2


async def test_what_a_revoked_phone_said_last_is_not_obeyed(served, until) -> None:
    """Its command and its end arrive in one moment: the command waits in the line when the phone is shut out."""
    token = await served.phones.pair("Anna")
    async with await served.join(token) as phone:
        await phone.recv()
        mine = served.phones.admit(token)
        served.hold.clear()
        for _ in range(2):
            await phone.send(Command(command="start").model_dump_json())
        await until(lambda: served.commands)
        await served.phones.revoke(mine.id)
        served.hold.set()
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(phone.recv(), 5)
    await asyncio.sleep(0.05)
    assert len(served.commands) == 1


async def test_a_restart_lets_in_the_same_phones_and_no_revoked_one(serve) -> None:
    async with serve() as first:
        kept, gone = await first.phones.pair("Anna"), await first.phones.pair("Ben")
        await first.phones.revoke(first.phones.admit(gone).id)
        clinic = first.phones.clinic_token
    async with serve() as second:
        assert [phone.name for phone in second.phones.all()] == [SIGNED_IN, "Anna"]
        assert second.phones.clinic_token == clinic
        assert second.phones.admit(gone) is None
        async with await second.join(kept) as phone:
            assert isinstance(parse_live_event(await phone.recv()), Snapshot)


async def test_revoking_the_clinics_token_makes_a_new_one(serve) -> None:
    async with serve() as first:
        old = first.phones.clinic_token
        await first.phones.revoke(first.phones.admit(old).id)
        new = first.phones.clinic_token
        assert new != old
        assert [phone.name for phone in first.phones.all()] == [SIGNED_IN]
        with pytest.raises(InvalidStatus):
            await first.join(old)
        async with await first.join(new) as phone:
            await phone.recv()
    async with serve() as second:
        assert second.phones.clinic_token == new
        assert second.phones.admit(old) is None


async def test_the_token_of_an_older_gateway_goes_on_holding(gateway_store) -> None:
    await gateway_store.keep_settings(live_token="from before there were phones")
    phones = Phones(gateway_store, lambda: datetime.now(UTC))
    await phones.load()
    assert phones.clinic_token == "from before there were phones"
    assert phones.admit("from before there were phones").name == SIGNED_IN


async def test_no_token_of_a_phone_is_on_the_disk(served) -> None:
    token = await served.phones.pair("Anna")

    def dump(database: apsw.Connection) -> str:
        return repr(list(database.execute("SELECT * FROM phone"))) + repr(
            list(database.execute("SELECT * FROM setting"))
        )

    written = await served.store.read(dump)
    assert "Anna" in written
    assert token not in written


async def test_when_a_phone_was_here_is_noted_however_short_it_stayed(served) -> None:
    token = await served.phones.pair("Anna")
    assert served.phones.admit(token).last_seen is None
    async with await served.join(token) as phone:
        await phone.recv()
        phone.transport.abort()
    async with asyncio.timeout(10):
        while await _kept_last_seen(served.store, token) is None:  # noqa: ASYNC110 - looks at the disk
            await asyncio.sleep(0.01)
    assert await _kept_last_seen(served.store, token) == served.phones.admit(token).last_seen


async def _kept_last_seen(store, token: str) -> datetime | None:
    again = Phones(store, lambda: datetime.now(UTC))
    await again.load()
    return again.admit(token).last_seen


async def test_an_unknown_phone_cannot_be_revoked(served) -> None:
    with pytest.raises(GatewayError, match="no such phone"):
        await served.phones.revoke(uuid4())
