"""A gateway with five sensors at 100 Hz, at life's own pace: how late the patient sees a movement, and what it costs.

The gateway is a process of its own, so its processor time and memory are its own (bumble's host, which the software
radio needs and BlueZ's kernel would be, included). Sensors, radio and listener are in this process, on the same clock.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import psutil
import pytest
from five_sensors import CLOCK_START_US, EXERCISED, PERIOD_US, WORN, five_sensors
from gateway_process import GatewayProcess
from pytest_benchmark.fixture import BenchmarkFixture
from small_clinic import small_clinic

from analytics.domain.live import AngleEvent
from mobile_app.clients.clinic import GatewayAddress
from mobile_app.clients.gateway import open_live_line

SECONDS = 90.0
SETTLED_S = 20.0
"""Connecting, and finding out how the joint is worn, are not the steady load."""
CONNECTION_INTERVAL_S = 0.03
BUSY_PERCENT = 2.0
BATCH = 5
"""Samples to a packet: 50 ms of movement."""


async def _measure(folder: Path) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    angles: list[tuple[int, float]] = []
    async with (
        small_clinic(folder / "clinic") as clinic,
        five_sensors(SECONDS, connection_interval_s=CONNECTION_INTERVAL_S) as worn,
    ):
        gateway = await GatewayProcess.start(folder / "gateway", clinic, worn.hci_port, "--note-arrivals")

        async def listen() -> None:
            said = gateway.said
            address = GatewayAddress(
                live_url=said["live_url"], certificate_sha256=said["certificate_sha256"], live_token=said["live_token"]
            )
            async with open_live_line(address) as line:
                async for event in line.events():
                    if isinstance(event, AngleEvent):
                        angles.append((event.sensor_time_us, loop.time()))  # noqa: PERF401 - what has come must be kept

        listening = asyncio.create_task(listen())
        await asyncio.wait_for(worn.gate.wait(), 60)
        await asyncio.sleep(SETTLED_S)
        process = psutil.Process(gateway.pid)
        before, waited_s, since = process.cpu_times(), _waited_s(gateway.pid), loop.time()
        await asyncio.sleep(SECONDS - SETTLED_S - 2)
        after, waited_s, until = process.cpu_times(), _waited_s(gateway.pid) - waited_s, loop.time()
        for sensor in worn.sensors.values():
            await asyncio.wait_for(sensor.finished.wait(), 30)
        told = await gateway.finish()
        await asyncio.gather(listening, return_exceptions=True)
        distal = worn.sensors[EXERCISED[1]]
        taken = {number: distal.taken_at(CLOCK_START_US + number * PERIOD_US) for number in range(round(SECONDS * 100))}
    steady = [(round((us - CLOCK_START_US) / PERIOD_US), came) for us, came in angles if since <= came <= until]
    told_ms = [late_s * 1000 for late_s in _after_notification(told["heard"], steady)]
    moved_ms = [(came - taken[number]) * 1000 for number, came in steady]
    cpu_s = (after.user + after.system) - (before.user + before.system)
    return {
        "live events": len(steady),
        "live events per second": len(steady) / (until - since),
        **{f"notification to live event, p{p} [ms]": float(np.percentile(told_ms, p)) for p in (50, 95, 99)},
        **{f"movement to live event, p{p} [ms]": float(np.percentile(moved_ms, p)) for p in (50, 95, 99)},
        "processor, of one core [%]": 100 * cpu_s / (until - since),
        "waited for a processor [%]": 100 * waited_s / (until - since),
        "resident memory at most [MB]": told["peak_rss_mb"],
        "repetitions": len(told["report"]["repetitions"]),
        "samples lost": sum(sensor["samples_lost"] for sensor in told["report"]["sensors"]),
    }


def _waited_s(pid: int) -> float:
    """For how long this process could have run but others did (Linux, Documentation/scheduler/sched-stats.rst)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) * 1e-9


def _after_notification(heard: list[tuple[str, int, float]], events: list[tuple[int, float]]) -> list[float]:
    """For each packet of the distal sensor [s]: from when it and the proximal one had come to the first event it made.

    The sensors began together, so their packets hold the same numbers. The last sample of a packet may need the
    proximal sensor's next one for its angle, so a packet is judged by whichever of its samples is told of first.
    """
    came: dict[int, dict[str, float]] = {}
    for address, time_us, at_s in heard:
        came.setdefault(((time_us - CLOCK_START_US) % 2**32) // PERIOD_US, {})[WORN[address]] = at_s
    late_s, following = [], iter(events)
    event = next(following)
    for last, at_s in sorted(came.items()):
        if not events[0][0] < last <= events[-1][0]:
            continue
        while event[0] <= last - BATCH:
            event = next(following)
        late_s.append(event[1] - max(at_s[segment] for segment in EXERCISED))
    return late_s


@pytest.mark.timeout(400)
def test_five_sensors_at_lifes_own_pace(
    benchmark: BenchmarkFixture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = benchmark.pedantic(lambda: asyncio.run(_measure(tmp_path)), rounds=1, iterations=1)
    with capsys.disabled():
        print("\n" + "\n".join(f"  {name:42} {value:8.1f}" for name, value in figures.items()))
    assert figures["samples lost"] == 0
    assert figures["repetitions"] >= 10
    assert figures["processor, of one core [%]"] <= 25
    assert figures["resident memory at most [MB]"] <= 150
    if figures["waited for a processor [%]"] > BUSY_PERCENT:
        pytest.skip("other programs kept the processors busy, so these latencies are theirs: run it on a quiet machine")
    assert figures["notification to live event, p95 [ms]"] <= 20
    assert figures["notification to live event, p99 [ms]"] <= 50
    assert figures["movement to live event, p95 [ms]"] <= 100
