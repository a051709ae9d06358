"""SIGKILL for the server in mid-session: the session goes on, and afterwards everything is stored, nothing twice."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from analytics.domain.session import SessionReport
from analytics.exercises.catalogue import exercise as exercise_named
from analytics.signals.chunk import decode_chunk
from demo.clinic import prepare_clinic
from demo.home import exercise_once, patient_home
from demo.motion import recorded_motion
from demo.ports import require_free_port
from demo.server_process import ServerProcess
from demo.visitor import Visitor

SPEED = 8.0
DOWN_S = 10.0
UPLOAD_PATIENCE_S = 60.0


async def test_everything_sent_is_stored_once(knee_extensions: Path, tmp_path: Path) -> None:
    exercise = exercise_named("knee.extension.seated")
    motion = recorded_motion(knee_extensions, exercise)
    clinic, code = await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    server = ServerProcess(tmp_path / "server", require_free_port(0))
    await server.start()
    try:
        visitor = await Visitor.sign_in(server.url, clinic.login_of("physiotherapist"))
        side = (await visitor.patient(clinic.live_patient_id)).program.prescriptions[0].side
        async with patient_home(tmp_path / "gateway", server.url, code, exercise=exercise, side=side, speed=SPEED) as (
            gateway,
            body,
        ):
            outage = asyncio.create_task(_pull_the_plug(server, tmp_path, after_s=motion.duration_s / SPEED / 2))
            report, _ = await exercise_once(gateway, body, motion, SPEED, lambda _: None)
            stored_before = await outage
            sent = body.samples_sent
            assert await gateway.drain(UPLOAD_PATIENCE_S), await gateway.problems()
        visitor = await Visitor.sign_in(server.url, clinic.login_of("physiotherapist"))
        assert (await visitor.session(report.id)).samples_stored == sent
    finally:
        await server.stop()
    _assert_each_sample_once(tmp_path / "server" / "clinic.sqlite3", report, sent)
    assert 0 < stored_before < report.chunk_count, "the plug was not pulled in mid-session"


async def _pull_the_plug(server: ServerProcess, home: Path, after_s: float) -> int:
    """Kill the server half-way, leave it dead for a while, start it again; give the chunks it had at its death."""
    await asyncio.sleep(after_s)
    await server.kill()
    with sqlite3.connect(home / "server" / "clinic.sqlite3") as database:
        (stored,) = database.execute("SELECT count(*) FROM chunk").fetchone()
    await asyncio.sleep(DOWN_S)
    await server.start()
    return int(stored)


def _assert_each_sample_once(path: Path, report: SessionReport, sent: int) -> None:
    with sqlite3.connect(path) as database:
        chunks = database.execute("SELECT data FROM chunk WHERE session_id = ?", (report.id.hex,)).fetchall()
    assert len(chunks) == report.chunk_count
    samples = [
        (block.address, int(time_us))
        for (data,) in chunks
        for block in decode_chunk(data)
        for time_us in block.samples.sensor_time_us
    ]
    assert len(samples) == len(set(samples)) == sent
