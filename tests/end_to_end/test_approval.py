"""An approved proposal becomes a program version that the gateway fetches before its next session."""

from datetime import UTC, datetime
from pathlib import Path

import httpx2
import numpy as np

from analytics.exercises.catalogue import exercise as exercise_named
from demo.clinic import prepare_clinic
from demo.home import exercise_once, patient_home
from demo.motion import simulated_motion
from demo.ports import require_free_port
from demo.server_process import ServerProcess
from demo.visitor import Visitor

SPEED = 8.0


async def test_the_next_session_follows_the_approved_program(tmp_path: Path) -> None:
    exercise = exercise_named("knee.extension.seated")
    clinic, code = await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    server = ServerProcess(tmp_path / "server", require_free_port(0))
    await server.start()
    try:
        physiotherapist = await Visitor.sign_in(server.url, clinic.login_of("physiotherapist"))
        before = await physiotherapist.patient(clinic.live_patient_id)
        proposal = before.proposal
        assert proposal is not None, "the demo's live patient has a proposal waiting"
        side = before.program.prescriptions[0].side
        home = patient_home(tmp_path / "gateway", server.url, code, exercise=exercise, side=side, speed=SPEED)
        async with home as (gateway, body):
            motion = simulated_motion(exercise, 3, 70.0, np.random.default_rng(1))
            first, _ = await exercise_once(gateway, body, motion, SPEED, lambda _: None)
            async with httpx2.AsyncClient(base_url=server.url, headers=physiotherapist.headers) as client:
                decided = await client.post(
                    f"/api/v1/proposals/{proposal.id}/decision", json={"approve": True, "reason": "Looks right."}
                )
            assert decided.status_code == 200, decided.text
            after = await physiotherapist.patient(clinic.live_patient_id)
            second, _ = await exercise_once(gateway, body, motion, SPEED, lambda _: None)
    finally:
        await server.stop()
    assert first.program_version == before.program.version
    assert second.program_version == after.program.version == before.program.version + 1
    assert after.program.prescriptions[0] == proposal.after
    assert after.program.approved_by == physiotherapist.name
