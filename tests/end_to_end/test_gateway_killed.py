"""SIGKILL for the gateway in mid-session: after its next start the clinic has of that session what had been stored."""

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from analytics.domain.exercise import Side
from analytics.domain.session import SessionReport
from demo.clinic import prepare_clinic
from demo.ports import require_free_port
from demo.server_process import ServerProcess
from demo.visitor import Visitor

SPEED = 8.0


async def test_a_session_cut_short_is_reported_after_the_next_start(tmp_path: Path) -> None:
    clinic, code = await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    server = ServerProcess(tmp_path / "server", require_free_port(0))
    database = tmp_path / "server" / "clinic.sqlite3"
    await server.start()
    try:
        visitor = await Visitor.sign_in(server.url, clinic.login_of("physiotherapist"))
        side = (await visitor.patient(clinic.live_patient_id)).program.prescriptions[0].side
        history = _count(database, "session_report")
        killed = await _gateway(tmp_path / "gateway", server.url, side, "--claim", code)
        while _count(database, "chunk") < 4:
            assert killed.returncode is None, "the session was over too soon"
            await asyncio.sleep(0.1)
        killed.send_signal(signal.SIGKILL)
        await killed.wait()
        assert _count(database, "session_report") == history
        again = await _gateway(tmp_path / "gateway", server.url, side)
        assert await again.wait() == 0
    finally:
        await server.stop()
    cut_short, whole = _reports(database)[history:]
    assert cut_short.chunk_count >= 4
    assert 1 <= len(cut_short.repetitions) < len(whole.repetitions) == 12


async def _gateway(home: Path, server_url: str, side: Side, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sinew", "gateway", "--simulate", "--server", server_url, "--home", str(home)),
        *("--speed", str(SPEED), "--side", side, *options),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


def _count(database: Path, table: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


def _reports(database: Path) -> list[SessionReport]:
    """In the order in which the sessions began."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT document FROM session_report").fetchall()
    return sorted((SessionReport.model_validate_json(row[0]) for row in rows), key=lambda report: report.started_at)
