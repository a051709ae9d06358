"""Half an hour with five sensors at 100 Hz: every sample that was stored is compared with the one that was taken."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from uuid import UUID

import pytest
from five_sensors import RATE_HZ, FiveSensors, assert_counted_exactly, five_sensors, stored, within
from gateway_process import GatewayProcess
from small_clinic import SmallClinic, small_clinic

from analytics.domain.session import SessionReport

MINUTES = 30.0
HEALTHY_SPEED = 10.0
"""Faster, and two cores with other work to do no longer keep up."""
TROUBLED_SPEED = 8.0
"""Faster, and a drop out of range, which lasts as long as it lasts, outlives every sensor's memory."""
KILLED_SPEED = 4.0
RING_S = 40.0
SUPERVISION_S = 1.0
DRIFT_PPM = (50.0, -50.0, 25.0, -25.0, 0.0)
DROPS = 8
SHORT_S = (1.2, 2.0)
"""Longer than the supervision timeout, and with what finding the sensor again takes well within its memory."""
LONG_S = (5.5, 7.0)
"""Longer than its memory."""
PACKET_SAMPLES = round(0.05 * TROUBLED_SPEED * RATE_HZ)


@pytest.mark.timeout(120)
async def test_a_minute_of_a_healthy_link_loses_nothing(tmp_path: Path) -> None:
    await _healthy(tmp_path, 1.0)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_thirty_minutes_of_a_healthy_link_lose_nothing(tmp_path: Path) -> None:
    await _healthy(tmp_path, MINUTES)


@pytest.mark.timeout(120)
async def test_a_gateway_killed_in_mid_session_loses_nothing_that_the_sensors_still_hold(tmp_path: Path) -> None:
    """And what they took until it was back belongs to the same session."""
    async with (
        small_clinic(tmp_path / "clinic") as clinic,
        five_sensors(60.0, speed=KILLED_SPEED, ring_s=60.0, queue_loss=0.1, drift_ppm=DRIFT_PPM) as worn,
    ):
        gateway = await GatewayProcess.start(tmp_path / "gateway", clinic, worn.hci_port, speed=KILLED_SPEED)
        await asyncio.wait_for(worn.gate.wait(), 60)
        await asyncio.sleep(17.0 / KILLED_SPEED)
        killed = UUID(gateway.said["session_id"])
        await gateway.kill()
        gateway = await GatewayProcess.start(tmp_path / "gateway", clinic, worn.hci_port, speed=KILLED_SPEED)
        await _finished(gateway, worn, 60.0 / KILLED_SPEED)
        report = clinic.reports()[killed]
        _check(report, clinic, worn)
        lost = [record.samples_lost for record in report.sensors]
        assert max(lost) <= 2 * PACKET_SAMPLES, "no more than right before STOP, see _check"
        assert min(record.samples_received for record in report.sensors) > 17.0 * RATE_HZ


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_all_that_can_be_sent_again_is_stored_once_and_the_rest_is_counted(tmp_path: Path) -> None:
    """A tenth of all packets lost in transmit queues, crystals that drift, eight drops out of range, one `kill -9`."""
    rng = random.Random(1)
    async with (
        small_clinic(tmp_path / "clinic") as clinic,
        five_sensors(
            MINUTES * 60, speed=TROUBLED_SPEED, ring_s=RING_S, queue_loss=0.1, drift_ppm=DRIFT_PPM,
            supervision_timeout_s=SUPERVISION_S,
        ) as worn,
    ):  # fmt: skip

        async def start() -> GatewayProcess:
            return await GatewayProcess.start(tmp_path / "gateway", clinic, worn.hci_port, speed=TROUBLED_SPEED)

        gateway = await start()
        await asyncio.wait_for(worn.gate.wait(), 60)
        for drop in range(DROPS):
            await _drop(worn, rng, SHORT_S if drop % 4 else LONG_S, MINUTES * 60 / TROUBLED_SPEED / (DROPS + 1))
            if drop == DROPS // 2:
                await gateway.kill()
                killed, gateway = UUID(gateway.said["session_id"]), await start()
        report = await _finished(gateway, worn, MINUTES * 60 / TROUBLED_SPEED)
        reports = clinic.reports()
        assert reports.keys() == {killed, report.id}
        _check(reports[killed], clinic, worn)
        _check(report, clinic, worn)
        assert sum(sensor.samples_lost for each in reports.values() for sensor in each.sensors) > 0, (
            "no drop was too long"
        )


async def _healthy(tmp_path: Path, minutes: float) -> None:
    seconds, speed = minutes * 60, HEALTHY_SPEED
    async with small_clinic(tmp_path / "clinic") as clinic, five_sensors(seconds, speed=speed) as worn:
        gateway = await GatewayProcess.start(tmp_path / "gateway", clinic, worn.hci_port, speed=speed)
        report = await _finished(gateway, worn, seconds / speed)
        kept = stored(clinic.chunks(report.id), worn)
        for record in report.sensors:
            sensor = worn.sensors[record.segment]
            assert (sensor.dropped, sensor.unheard) == (0, 0), "the link was not healthy: play it slower"
            assert sensor.samples_sent == seconds * RATE_HZ
            assert (record.samples_received, record.samples_lost) == (sensor.samples_sent, 0)
            assert list(kept[record.segment].numbers) == list(range(sensor.samples_sent))
        assert len(report.sensors) == len(worn.sensors)
        assert len(report.repetitions) >= 5 * minutes


async def _drop(worn: FiveSensors, rng: random.Random, away_s: tuple[float, float], every_s: float) -> None:
    """Some time within `every_s` one sensor is out of range for so long; at its end it is back and has caught up."""
    sensor, lasts_s, settles_s = rng.choice(list(worn.sensors.values())), rng.uniform(*away_s), 6.0
    before_s = rng.uniform(0.5, 1.0) * max(0.0, every_s - lasts_s - settles_s)
    await asyncio.sleep(before_s)
    sensor.walk_away()
    await asyncio.sleep(lasts_s)
    sensor.walk_back()
    await asyncio.sleep(every_s - before_s - lasts_s)


async def _finished(gateway: GatewayProcess, worn: FiveSensors, lasts_s: float) -> SessionReport:
    await asyncio.wait_for(worn.gate.wait(), 60)
    for sensor in worn.sensors.values():
        await asyncio.wait_for(sensor.finished.wait(), 2 * lasts_s + 60)
    told = await gateway.finish()
    assert told["uploaded"]
    return SessionReport.model_validate(told["report"])


def _check(report: SessionReport, clinic: SmallClinic, worn: FiveSensors) -> None:
    """One session, from its streams' beginning to the samples after which they were stopped.

    What a transmit queue lost right before STOP is seen only by what STOP sends, and of a stream that has ended nothing
    can be sent again: it is counted.
    """
    kept = stored(clinic.chunks(report.id), worn)
    assert kept.keys() == worn.sensors.keys()
    for record in report.sensors:
        here, sensor = kept[record.segment], worn.sensors[record.segment]
        assert_counted_exactly(here)
        assert (record.samples_received, record.samples_lost) == (len(here.numbers), here.lost)
        could_come = [
            gap for gap in here.gaps
            if not within(gap, sensor.firmware.refused)
            and not any(gap[1] >= asked - PACKET_SAMPLES and gap[0] < stopped
                        for asked, stopped in zip(sensor.stop_asked_at, sensor.stopped_at, strict=True))
        ]  # fmt: skip
        assert could_come == [], f"{record.segment}: these could be sent again; STOP at {sensor.stop_asked_at}"
        first = int(here.numbers[0])
        begun = [start for start in sensor.started_from if start <= first + 2 * PACKET_SAMPLES]
        before = [(start, first) for start in begun if start < first]
        assert len(before) < len(begun) or any(within(gap, sensor.firmware.refused) for gap in before), (
            f"what was taken before {first} could be sent again; the stream began at one of {begun}"
        )
        assert int(here.numbers[-1]) + 1 in sensor.stopped_at
