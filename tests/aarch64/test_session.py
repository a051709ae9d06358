"""A session on an emulated small computer: the gateway and all it needs run as aarch64 programs on Debian's Python.

Sensors and clinic are out here. What it took is printed only, for emulation is many times slower.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from debian_arm64 import PROJECT, DebianArm64, UnavailableError
from five_sensors import RATE_HZ, five_sensors, stored
from gateway_process import GatewayProcess
from small_clinic import small_clinic

from analytics.domain.session import FormLabel, SessionReport

pytestmark = [pytest.mark.arm64, pytest.mark.timeout(7200)]  # the first time it is made, under emulation
SECONDS = 60.0


@pytest.fixture
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Progress, past pytest's capture."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"  {text}", flush=True)

    return line


@pytest.fixture
def debian(say: Callable[[str], None]) -> DebianArm64:
    made = DebianArm64(PROJECT / ".sinew" / "arm64", say)
    try:
        made.make()
    except UnavailableError as reason:
        pytest.skip(f"no emulated aarch64: {reason}")
    return made


async def test_a_gateway_on_aarch64_records_counts_judges_and_uploads(
    debian: DebianArm64, say: Callable[[str], None], tmp_path: Path
) -> None:
    debian.run("rm", "-rf", "/tmp/home", timeout_s=60)
    began = time.monotonic()
    async with small_clinic(tmp_path / "clinic") as clinic, five_sensors(SECONDS) as worn:
        gateway = await GatewayProcess.start(
            Path("/tmp/home"), clinic, worn.hci_port, program="/sinew/tests/support/gateway_process.py",
            launch=debian.launched,
        )  # fmt: skip
        started_s = time.monotonic() - began
        for sensor in worn.sensors.values():
            await asyncio.wait_for(sensor.finished.wait(), 300)
        told = await gateway.finish()
        report = SessionReport.model_validate(told["report"])
        kept = stored(clinic.chunks(report.id), worn)
        assert clinic.reports()[report.id] == report
    say(
        f"as emulated: up after {started_s:.0f} s, {told['cpu_s']:.0f} s of processor for {SECONDS:.0f} s of five "
        f"sensors, {told['peak_rss_mb']:.0f} MB at most (QEMU's own included), {len(report.repetitions)} repetitions"
    )
    assert told["machine"] == "aarch64"
    assert told["uploaded"]
    assert {segment: len(of.numbers) for segment, of in kept.items()} == dict.fromkeys(worn.sensors, SECONDS * RATE_HZ)
    assert len(report.repetitions) >= 1
    assert report.form_model is not None
    assert {repetition.form.label for repetition in report.repetitions} != {FormLabel.NOT_JUDGED}, (
        "the model did not run"
    )
