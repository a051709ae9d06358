"""What a link holds back for samples that are to come again is handed out in the end, by the clock it was taken by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from air import THIGH, Air, playback

from analytics.domain.exercise import Segment
from analytics.signals.chunk import decode_chunk
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.links.link import SensorLink
from device_gateway.links.state import LinkState
from device_gateway.storage.recorder import Recorder
from firmware_interface.virtual.sensor import VirtualSensor


async def holding_back(air: Air) -> tuple[VirtualSensor, SensorLink, int]:
    """A link that waits for samples which do not come again; and how many it holds back for them."""
    sensor = await air.wear(THIGH, playback(20.0))
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.until(lambda: link.samples_received >= 50)
    sensor.firmware._send_again = lambda _: None
    sensor._queue_loss = 1.0
    await asyncio.sleep(0.1)
    sensor._queue_loss = 0.0
    filler = link._driver.decoder.filler
    await air.until(lambda: filler.gap is not None and sum(len(run) for _, run in filler._held) >= 20)
    return sensor, link, sum(len(run) for _, run in filler._held)


@pytest.fixture
async def recorder(gateway_store, invented) -> AsyncIterator[Recorder]:
    recorder = Recorder(invented.opening(), gateway_store, lambda: None, print)
    yield recorder
    await recorder.close()


async def test_a_reboot_costs_no_sample_that_was_there(
    air: Air, gateway_store, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    sensor, link, held = await holding_back(air)
    told = link.samples_received

    def record(link: SensorLink, samples: ImuSamples, _: FloatArray) -> None:
        recorder.add(
            samples, address=link.address, segment=link.segment, resolution=link.stream.resolution, clock=link.clock,
            now_s=link._now_s(),
        )  # fmt: skip

    link._on_samples = record
    await sensor.reboot()
    await air.until(lambda: link.connections >= 2 and link.samples_received >= told + held + 20)
    await link.close()
    recorder.flush()
    assert await recorder.written()
    chunks = [
        decode_chunk((await gateway_store.chunk(recorder._session_id, n))[0]) for n in range(recorder.chunks_stored)
    ]
    blocks = [block for blocks in chunks for block in blocks]
    assert "met a fault" not in caplog.text
    assert sum(len(block.samples) for block in blocks) == link.samples_received - told
    placed_s = np.concatenate(
        [1e-6 * (block.clock_offset_us + block.clock_rate * block.samples.sensor_time_us) for block in blocks]
    )
    assert (np.diff(placed_s) > 0).all()
    assert placed_s[-1] - placed_s[0] < 20.0


async def test_a_link_whose_last_start_was_not_answered_can_be_closed(air: Air) -> None:
    sensor, link, held = await holding_back(air)
    told = link.samples_received
    asked = asyncio.Event()
    sensor.firmware._start = lambda _: asked.set()
    await sensor.disconnect()
    await asyncio.wait_for(asked.wait(), 10)
    sensor.walk_away()
    await air.reach(link, LinkState.LOST)
    await link.close()
    assert link.samples_received >= told + held


async def test_a_link_can_be_closed_while_a_start_is_not_answered(air: Air) -> None:
    sensor, link, held = await holding_back(air)
    told = link.samples_received
    asked = asyncio.Event()
    sensor.firmware._start = lambda _: asked.set()
    await sensor.disconnect()
    await asyncio.wait_for(asked.wait(), 10)
    await link.close()
    assert link.samples_received >= told + held
