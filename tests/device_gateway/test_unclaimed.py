"""A first start that cannot claim: the gateway runs, says why it is nobody's yet, and goes on by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from analytics.domain.exercise import Segment
from analytics.domain.live import Command
from device_gateway.app import Gateway
from device_gateway.conditions import Trouble
from device_gateway.errors import GatewayError
from device_gateway.links.radio import Radio
from device_gateway.live.control import ask
from device_gateway.operations.status import GatewayStatus, describe
from device_gateway.settings import GatewaySettings
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio

SENSORS = {"C1:00:00:00:00:01": Segment.RIGHT_THIGH, "C1:00:00:00:00:02": Segment.RIGHT_SHANK}


def unclaimed(gateway: Gateway) -> str:
    conditions = gateway.hub.snapshot.conditions
    return "".join(each.sentence for each in conditions if each.code == Trouble.CLINIC_UNCLAIMED)


async def test_a_clinic_out_of_reach_at_the_first_start_is_waited_for(
    tmp_path: Path, shared_clinic, relay, until
) -> None:
    await relay.stop()
    home = tmp_path / "gateway"
    settings = GatewaySettings(home=home, server_url=relay.url, claim_code=await shared_clinic.claim_code())
    async with SoftwareRadio(SoftwareLink()) as software_radio:
        radio = Radio(software_radio.scanner_backend, software_radio.client_backend)
        gateway = Gateway(settings, sensors=SENSORS, radio=radio)
        await gateway.start()
        try:
            why = unclaimed(gateway)
            assert "does not answer" in why
            status = GatewayStatus.model_validate(await asyncio.to_thread(ask, home, "status"))
            assert describe(status)[1].endswith("see below")
            assert describe(status)[9].endswith(why)
            assert gateway.live_url.startswith("wss://127.0.0.1:")
            assert await gateway.pulse() is None
            with pytest.raises(GatewayError) as refused:
                await gateway.start_session()
            assert str(refused.value) == why
            await gateway.obey(Command(command="choose"))
            assert gateway.hub.snapshot.cue.text == why
            await gateway.obey(Command(command="assign", segment=Segment.RIGHT_SHANK))
            await until(lambda: gateway.hub.snapshot.cue.code.startswith("assign."))
            await relay.start()
            await until(lambda: unclaimed(gateway) == "")
            await gateway.start_session()
            report = await gateway.finish_session()
            assert await gateway.drain(20)
        finally:
            await gateway.close()
    assert shared_clinic.report(report.id) == report
