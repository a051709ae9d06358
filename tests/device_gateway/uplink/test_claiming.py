"""A gateway that is nobody's yet: what keeps it from its patient is told and tried again until it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from gateway_at_clinic import entered, uploading

from device_gateway.conditions import Trouble
from device_gateway.errors import UnclaimedError, UnreachableError
from device_gateway.uplink import claiming
from device_gateway.uplink.claiming import NO_CODE
from device_gateway.uplink.clinic import Clinic
from device_gateway.uplink.releases import Releases
from device_gateway.uplink.uplink import LONGEST_PAUSE_S
from device_gateway.uplink.wire import Wire


def hurried(pauses_s: list[float]) -> Callable[[float], Awaitable[None]]:
    """Sleep through the pauses between tries in no time, and note them."""

    async def sleep(seconds: float) -> None:
        if seconds > LONGEST_PAUSE_S:
            await asyncio.sleep(seconds)
        pauses_s.append(seconds)
        await asyncio.sleep(0.002)

    return sleep


async def test_a_code_waits_for_the_network_and_uploading_begins_with_the_claim(
    shared_clinic, relay, gateway_store, until, caplog
) -> None:
    caplog.set_level("INFO")
    await relay.stop()
    code, pauses_s = await shared_clinic.claim_code(), list[float]()
    async with (
        entered(relay.url, gateway_store, code) as at,
        uploading(at, gateway_store, sleep=hurried(pauses_s)) as uplink,
    ):
        waiting = asyncio.create_task(at.clinic.claimed())
        await until(lambda: len(pauses_s) > 30)
        assert 0.25 <= pauses_s[0] <= 0.5
        assert LONGEST_PAUSE_S / 2 <= min(pauses_s[-20:]) < max(pauses_s[-20:]) <= LONGEST_PAUSE_S
        assert len(set(pauses_s)) == len(pauses_s), "jittered"
        sentence = at.trouble(Trouble.CLINIC_UNCLAIMED)
        assert f"{relay.url} does not answer" in sentence
        assert sentence.endswith("It is tried again by itself.")
        assert at.troubles == {Trouble.CLINIC_UNCLAIMED: sentence}
        assert uplink.problem == sentence
        assert await uplink.drain(5), "nothing waits, and nobody need wait for the claim"
        assert not waiting.done()
        assert caplog.text.count("no patient yet") == 1, "not at each try"
        await relay.start()
        await asyncio.wait_for(waiting, 10)
        await until(lambda: uplink.problem is None)
        assert at.trouble(Trouble.CLINIC_UNCLAIMED) == ""
        assert await at.clinic.assignment(None) is not None


class Noting(Releases):
    """Says when the clinic has been asked with success."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.refreshed = asyncio.Event()

    async def refresh(self, clinic: Clinic) -> None:
        await super().refresh(clinic)
        self.refreshed.set()


async def test_models_are_looked_for_with_the_claim_and_not_an_hour_later(shared_clinic, relay, gateway_store) -> None:
    await relay.stop()
    async with entered(relay.url, gateway_store, await shared_clinic.claim_code()) as at:
        releases = Noting(gateway_store, at.conditions)
        looking = asyncio.create_task(releases.run(at.clinic))
        try:
            await asyncio.sleep(0.1)
            assert not releases.refreshed.is_set()
            await relay.start()
            await at.clinic.claim()
            await asyncio.wait_for(releases.refreshed.wait(), 10)
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)


async def test_a_code_that_is_refused_is_not_asked_about_again(shared_clinic, relay, gateway_store, until) -> None:
    pauses_s = list[float]()
    async with (
        entered(relay.url, gateway_store, "WRONG-CODE") as at,
        uploading(at, gateway_store, sleep=hurried(pauses_s)),
    ):
        sentence = at.trouble(Trouble.CLINIC_UNCLAIMED)
        assert "does not accept the claim code WRONG-CODE" in sentence
        await relay.stop()  # who asks now hears something else
        await until(lambda: len(pauses_s) > 5)
        assert at.trouble(Trouble.CLINIC_UNCLAIMED) == sentence
        await relay.start()
    async with entered(relay.url, gateway_store, await shared_clinic.claim_code()) as at:
        assert at.troubles == {}, "the next start brings another"
        assert at.credentials.identity.patient_id == "p1"


async def test_without_a_code_it_says_where_one_is_made(shared_clinic, gateway_store, until) -> None:
    pauses_s = list[float]()
    async with (
        entered(shared_clinic.url, gateway_store) as at,
        uploading(at, gateway_store, sleep=hurried(pauses_s)),
    ):
        await until(lambda: len(pauses_s) > 2)
        assert at.troubles == {Trouble.CLINIC_UNCLAIMED: NO_CODE}
        with pytest.raises(UnclaimedError, match="--claim CODE"):
            _ = at.credentials.identity


async def test_what_a_proxy_refuses_uses_no_code_up(shared_clinic, gateway_store, monkeypatch) -> None:
    """While a clinic is installed anew, what stands before it may answer 404 in its place."""
    real, refused = Wire.ask, []

    async def ask(self: Wire, method: str, path: str, **what: Any) -> httpx2.Response:
        if not refused:
            refused.append(path)
            raise self._refusal(httpx2.Response(404, text="Not Found"))
        return await real(self, method, path, **what)

    monkeypatch.setattr(Wire, "ask", ask)
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at:
        assert "It is tried again by itself" in at.trouble(Trouble.CLINIC_UNCLAIMED)
        await at.clinic.claim()
        assert at.credentials.identity.patient_id == "p1"


async def test_a_code_is_the_same_however_it_is_typed(shared_clinic, gateway_store, monkeypatch) -> None:
    """Its answer was lost; typed differently at the next start, it is the same claim with the same key."""
    real, code = claiming.claim, await shared_clinic.claim_code()

    async def lost(*what: Any) -> None:
        await real(*what)
        raise UnreachableError("The answer was lost.")

    monkeypatch.setattr(claiming, "claim", lost)
    async with entered(shared_clinic.url, gateway_store, code) as at:
        assert at.trouble(Trouble.CLINIC_UNCLAIMED)
    monkeypatch.undo()
    async with entered(shared_clinic.url, gateway_store, f" {code.lower().replace('-', '')} ") as at:
        assert at.troubles == {}
