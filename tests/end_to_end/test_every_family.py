"""A whole session with sensors of each family: the gateway connects, calibrates and counts, and nothing is lost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.domain.exercise import Side
from analytics.exercises.catalogue import exercise as exercise_named
from demo.body import SensorKind, Trouble
from demo.clinic import prepare_clinic
from demo.home import exercise_once, patient_home, upload
from demo.motion import simulated_motion
from demo.ports import require_free_port
from demo.server_process import ServerProcess
from demo.visitor import Visitor
from firmware_interface.drivers import DRIVERS

SPEED = 5.0
"""Only with timestamps: without, arrival alone tells the time, and a busy machine's radio cannot keep up with this."""
REPETITIONS = 5
FAMILIES = {driver.family.code: driver.family for driver in DRIVERS}
KNEE = exercise_named("knee.extension.seated")


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[tuple[str, str, Side]]:
    """A server with one patient: its address, a claim code and the side that is exercised."""
    prepared, code = await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    server = ServerProcess(tmp_path / "server", require_free_port(0))
    await server.start()
    try:
        visitor = await Visitor.sign_in(server.url, prepared.login_of("physiotherapist"))
        side = (await visitor.patient(prepared.live_patient_id)).program.prescriptions[0].side
        yield server.url, code, side
    finally:
        await server.stop()


@pytest.mark.long
@pytest.mark.parametrize("code", [code for code, family in FAMILIES.items() if family.has_imu])
async def test_a_session_counts_what_was_done(code: str, clinic: tuple[str, str, Side], tmp_path: Path) -> None:
    url, claim, side = clinic
    kind = SensorKind(code, drift_ppm=40.0)
    speed = SPEED if FAMILIES[code].timestamps else 1.0
    home = patient_home(tmp_path / "gateway", url, claim, exercise=KNEE, side=side, speed=speed, sensors=kind)
    async with home as (gateway, body):
        motion = simulated_motion(KNEE, REPETITIONS, 70.0, np.random.default_rng(1))
        report, _ = await exercise_once(gateway, body, motion, speed, lambda _: None)
        await upload(gateway, 60.0)
    assert len(report.repetitions) == REPETITIONS
    assert [sensor.samples_lost for sensor in report.sensors] == [0, 0]
    for sensor in report.sensors:
        assert sensor.samples_received >= 0.98 * motion.duration_s * sensor.rate_hz


@pytest.mark.long
@pytest.mark.parametrize("trouble", ["away", "reboot", "die"])
async def test_a_session_survives_what_befalls_a_sensor(
    trouble: str, clinic: tuple[str, str, Side], tmp_path: Path
) -> None:
    url, claim, side = clinic
    kind = SensorKind(queue_loss=0.05, queue_packets=16, troubles=(Trouble(trouble, 3.0),))
    home = patient_home(tmp_path / "gateway", url, claim, exercise=KNEE, side=side, speed=SPEED, sensors=kind)
    async with home as (gateway, body):
        motion = simulated_motion(KNEE, 12, 70.0, np.random.default_rng(1))
        report, _ = await exercise_once(gateway, body, motion, SPEED, lambda _: None)
        await upload(gateway, 60.0)
    proximal, distal = sorted(report.sensors, key=lambda sensor: sensor.address)
    assert proximal.samples_lost == 0, "what its queue lost was sent again"
    assert proximal.samples_received >= 0.98 * motion.duration_s * proximal.rate_hz
    assert distal.samples_received < proximal.samples_received
    assert 1 <= len(report.repetitions) < 12
