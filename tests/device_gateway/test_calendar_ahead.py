"""A gateway that wakes up years ahead without internet: it remembers when the clinic told the time last."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device_gateway.app import Gateway
from device_gateway.clocks import calendar
from device_gateway.clocks.clock import Clock
from device_gateway.conditions import Trouble
from device_gateway.links.radio import Radio
from device_gateway.settings import GatewaySettings
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio


class Ahead(Clock):
    def utc(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=1700)


def told(gateway: Gateway) -> str:
    return "".join(each.sentence for each in gateway.conditions.now() if each.code == Trouble.CLOCK_WRONG)


async def test_a_calendar_years_ahead_is_told_though_no_clinic_is_in_reach(
    tmp_path: Path, shared_clinic, relay, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar, "PERIOD_S", 0.01)
    settings = GatewaySettings(
        home=tmp_path / "gateway", server_url=relay.url, claim_code=await shared_clinic.claim_code()
    )
    async with SoftwareRadio(SoftwareLink()) as software_radio:
        radio = Radio(software_radio.scanner_backend, software_radio.client_backend)
        gateway = Gateway(settings, sensors={}, radio=radio)
        await gateway.start()
        kept = gateway._store
        assert kept is not None
        try:
            async with asyncio.timeout(20):
                while await kept.setting(calendar.SETTING) is None:  # noqa: ASYNC110 - the store has no such event
                    await asyncio.sleep(0.01)
            assert told(gateway) == ""
        finally:
            await gateway.close()
        await relay.stop()
        gateway = Gateway(settings, sensors={}, radio=radio, clock=Ahead())
        await gateway.start()
        try:
            await until(lambda: told(gateway) != "")
            assert f"nobody has confirmed it since {datetime.now(UTC):%d %B %Y}" in told(gateway)
        finally:
            await gateway.close()
