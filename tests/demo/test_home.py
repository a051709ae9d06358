"""What a home tells of samples that do not reach the clinic."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from analytics.exercises.catalogue import exercise as exercise_named
from demo.clinic import prepare_clinic
from demo.errors import DemoError
from demo.home import exercise_once, patient_home, upload
from demo.motion import simulated_motion
from demo.ports import require_free_port
from demo.server_process import ServerProcess
from demo.visitor import Visitor

SPEED = 20.0


async def test_what_a_full_disk_did_not_take_is_said_to_be_lost(tmp_path: Path) -> None:
    exercise = exercise_named("knee.extension.seated")
    clinic, code = await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    server = ServerProcess(tmp_path / "server", require_free_port(0))
    await server.start()
    try:
        visitor = await Visitor.sign_in(server.url, clinic.login_of("physiotherapist"))
        side = (await visitor.patient(clinic.live_patient_id)).program.prescriptions[0].side
        home = patient_home(tmp_path / "gateway", server.url, code, exercise=exercise, side=side, speed=SPEED)
        async with home as (gateway, body):
            store = gateway._store
            assert store is not None
            await store._do(lambda database: database.execute("PRAGMA max_page_count = 1").fetchone())
            motion = simulated_motion(exercise, 4, 70.0, np.random.default_rng(1))
            await exercise_once(gateway, body, motion, SPEED, lambda _: None)
            with pytest.raises(DemoError) as refusal:
                await upload(gateway, 1.0)
    finally:
        await server.stop()
    assert "disk is full" in str(refusal.value)
    assert "what waits in memory is lost" in str(refusal.value)
