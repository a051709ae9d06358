"""A gateway that died fetches what a sensor took since: over real GATT, every sample compared."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from air import THIGH, Air, playback

from analytics.domain.exercise import Segment
from analytics.signals.samples import ImuSamples
from device_gateway.links import fetching
from device_gateway.links.fetching import Fetching
from device_gateway.links.link import SensorLink
from device_gateway.links.radio import Central
from device_gateway.links.state import LinkState
from firmware_interface import open_profile as profile
from firmware_interface.driver_kit.decoder import Bookmark
from firmware_interface.drivers.open_imu import RESEND_PATIENCE_S
from firmware_interface.virtual.gatt import GattCharacteristic
from firmware_interface.virtual.sensor import VirtualSensor

WORN_S = 4.0


async def died(air: Air, sensor: VirtualSensor) -> tuple[SensorLink, Bookmark, int]:
    """A link that ends as its program does: without a word. What it was given last stands at the bookmark."""
    link = air.connect(THIGH, Segment.RIGHT_THIGH)
    await air.until(lambda: link.samples_received >= 50)
    bookmark, last_us = link.bookmark(), int(air.runs[Segment.RIGHT_THIGH][-1][0].sensor_time_us[-1])
    assert bookmark is not None
    link._on_samples = lambda *_: None
    sensor.walk_away()
    await air.reach(link, LinkState.LOST)
    await link.close()
    sensor.walk_back()
    return link, bookmark, last_us


async def fetch(central: Central, address: str, bookmark: Bookmark, last_us: int) -> list[ImuSamples]:
    fetching = Fetching(central, address, bookmark, last_us)
    running = asyncio.create_task(fetching.run())
    await asyncio.wait_for(fetching.caught_up.wait(), 20)
    fetching.let_go()
    await asyncio.wait_for(running, 20)
    return fetching.take()


def times_us(runs: list[ImuSamples]) -> np.ndarray:
    return np.concatenate([run.sensor_time_us for run in runs])


async def test_all_that_was_taken_since_comes_once_and_the_stream_ends(air: Air) -> None:
    play = playback(WORN_S)
    sensor = await air.wear(THIGH, play)
    _, bookmark, last_us = await died(air, sensor)
    rest = await fetch(air.central, THIGH, bookmark, last_us)
    assert (np.diff(np.append(last_us, times_us(rest))) == 10_000).all()
    assert sum(run.lost_before for run in rest) == 0
    first = round(bookmark["sequence"])
    acc = np.concatenate([run.acc_m_s2 for run in rest])
    assert first + len(acc) == sensor.next_sample, "all, up to the end of the stream"
    np.testing.assert_allclose(acc, play.acc_m_s2[first : first + len(acc)], atol=0.01)
    assert not sensor.begun


async def test_what_comes_slowly_is_waited_for(air: Air) -> None:
    """Each packet in time, and all together for longer than a stop waits for what is being sent again."""
    sensor = await air.wear(THIGH, playback(2 * WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    await asyncio.sleep(1.0)
    notify, loop, waits = sensor.notify, asyncio.get_running_loop(), []

    def slowly(characteristic: GattCharacteristic, data: bytes) -> None:
        if data[0] & profile.Flag.RESENT:
            waits.append(0.6 * RESEND_PATIENCE_S)
            loop.call_later(sum(waits), notify, characteristic, data)
        else:
            notify(characteristic, data)

    sensor.notify = slowly
    rest = await fetch(air.central, THIGH, bookmark, last_us)
    assert sum(waits) > 2 * RESEND_PATIENCE_S
    assert (np.diff(np.append(last_us, times_us(rest))) == 10_000).all()


async def test_what_the_sensor_no_longer_holds_is_counted_exactly(air: Air) -> None:
    sensor = await air.wear(THIGH, playback(WORN_S))
    sensor.firmware.fifo_s = 0.2
    _, bookmark, last_us = await died(air, sensor)
    rest = await fetch(air.central, THIGH, bookmark, last_us)
    lost = [run.lost_before for run in rest]
    assert lost[0] > 0
    assert not any(lost[1:])
    assert int(rest[0].sensor_time_us[0]) == last_us + (lost[0] + 1) * 10_000


async def test_another_link_that_breaks_meanwhile_costs_nothing(air: Air) -> None:
    sensor = await air.wear(THIGH, playback(WORN_S), queue_loss=0.3)
    _, bookmark, last_us = await died(air, sensor)
    resend = sensor.firmware._send_again
    refused: list[object] = []

    def out_of_range_once(asked: object) -> None:
        if refused:
            resend(asked)
            return
        refused.append(asked)
        sensor.walk_away()
        asyncio.get_running_loop().call_later(0.5, sensor.walk_back)

    sensor.firmware._send_again = out_of_range_once
    rest = await fetch(air.central, THIGH, bookmark, last_us)
    assert refused
    assert (np.diff(np.append(last_us, times_us(rest))) == 10_000).all()


async def test_of_another_stream_nothing_is_taken(air: Air) -> None:
    sensor = await air.wear(THIGH, playback(WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    end, loop = sensor.end, asyncio.get_running_loop()
    sensor.end = lambda then: loop.call_later(0.3, end, then)  # so that samples come before it ends
    assert await fetch(air.central, THIGH, bookmark | {"stream": bookmark["stream"] + 7}, last_us) == []
    assert not sensor.begun, "nobody listens, so it need not measure"


async def test_a_sensor_that_was_left_alone_for_long_has_nothing_of_the_session(
    air: Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LONGEST_ABSENCE_S", 0.05)
    sensor = await air.wear(THIGH, playback(WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    assert await fetch(air.central, THIGH, bookmark, last_us) == []


async def test_a_sensor_out_of_reach_is_not_waited_for(
    air: Air, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fetching, "FIND_S", 0.2)
    sensor = await air.wear(THIGH, playback(WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    sensor.walk_away()
    assert await fetch(air.central, THIGH, bookmark, last_us) == []
    assert "cannot be asked for the rest" in caplog.text


async def test_until_it_is_let_go_it_can_be_asked_again(air: Air) -> None:
    """The gateway dies once more: what it had on disk by then is not asked for twice."""
    sensor = await air.wear(THIGH, playback(2 * WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    first = Fetching(air.central, THIGH, bookmark, last_us)
    running = asyncio.create_task(first.run())
    await asyncio.wait_for(first.caught_up.wait(), 20)
    kept, bookmark = first.take(), first.bookmark
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert sensor.begun
    rest = await fetch(air.central, THIGH, bookmark, int(times_us(kept)[-1]))
    assert (np.diff(np.append(last_us, times_us([*kept, *rest]))) == 10_000).all()
    assert not sensor.begun


async def test_a_link_that_breaks_while_it_waits_costs_nothing(air: Air) -> None:
    sensor = await air.wear(THIGH, playback(2 * WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    fetching = Fetching(air.central, THIGH, bookmark, last_us)
    running = asyncio.create_task(fetching.run())
    await asyncio.wait_for(fetching.caught_up.wait(), 20)
    kept = fetching.take()
    sensor.walk_away()
    await air.until(lambda: not any(adapter.connections for adapter in air.central.adapters))
    fetching.let_go()
    sensor.walk_back()
    await asyncio.wait_for(running, 20)
    assert (np.diff(np.append(last_us, times_us([*kept, *fetching.take()]))) == 10_000).all()
    assert not sensor.begun


async def test_a_start_that_is_not_answered_is_asked_again(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_interface.driver_kit.driver.REPLY_TIMEOUT_S", 0.2)
    sensor = await air.wear(THIGH, playback(2 * WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    start, unanswered = sensor.firmware._start, []

    def deaf_once(asked: profile.StartCommand) -> None:
        if unanswered:
            start(asked)
        unanswered.append(asked)

    sensor.firmware._start = deaf_once
    rest = await fetch(air.central, THIGH, bookmark, last_us)
    assert len(unanswered) == 2
    assert (np.diff(np.append(last_us, times_us(rest))) == 10_000).all()


async def test_a_bookmark_that_makes_no_sense_costs_only_that_sensor(
    air: Air, caplog: pytest.LogCaptureFixture
) -> None:
    await air.wear(THIGH, playback(WORN_S))
    assert await fetch(air.central, THIGH, {"page": 3.0}, 0) == []
    assert "met a fault" in caplog.text


async def test_what_waits_for_samples_that_do_not_come_again_is_not_lost(
    air: Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FIND_S", 1.0)
    sensor = await air.wear(THIGH, playback(WORN_S))
    _, bookmark, last_us = await died(air, sensor)
    sensor.firmware._send_again = lambda _: sensor.walk_away()
    (first, *rest) = await fetch(air.central, THIGH, bookmark, last_us)
    assert first.lost_before > 0
    assert int(first.sensor_time_us[0]) == last_us + (first.lost_before + 1) * 10_000
    assert not any(run.lost_before for run in rest)
