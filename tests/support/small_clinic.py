"""A clinic's server in a process of its own, with one patient who is to straighten the right knee."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Program
from analytics.domain.session import SessionReport
from demo.ports import require_free_port
from demo.server_process import ServerProcess
from server.database import Database
from server.devices.service import make_claim_code
from server.patients.service import add_patient
from server.settings import Settings

PATIENT = "p1"


@dataclass(frozen=True)
class SmallClinic:
    url: str
    claim_code: str
    database: Path

    def chunks(self, session_id: UUID) -> list[bytes]:
        """What the server holds of a session, in order, read from its file."""
        found = {
            number: data
            for session, number, data in self._rows("session_id, number, data", "chunk")
            if session == session_id
        }
        assert sorted(found) == list(range(len(found)))
        return [found[number] for number in sorted(found)]

    def reports(self) -> dict[UUID, SessionReport]:
        return {
            session: SessionReport.model_validate_json(document)
            for session, document in self._rows("session_id, document", "session_report")
        }

    def _rows(self, columns: str, table: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return [(UUID(str(row[0])), *row[1:]) for row in connection.execute(f"SELECT {columns} FROM {table}")]


@contextlib.asynccontextmanager
async def small_clinic(home: Path) -> AsyncIterator[SmallClinic]:
    """The patient's program is so long that no session comes to its end by itself."""
    home.mkdir(mode=0o700)  # noqa: ASYNC240 - nothing else runs yet
    settings = Settings(home=home)
    dose = Dose(sets=20, repetitions=100, target_excursion_deg=70)
    program = Program(
        patient_id=PATIENT, version=1, phase="early", approved_by="Test", approved_at=datetime.now(UTC),
        prescriptions=(Prescription(exercise="knee.extension.seated", side=Side.RIGHT, dose=dose),), reason="a test",
    )  # fmt: skip
    async with Database(settings.database_path) as database, database.writing() as db:
        await add_patient(
            db, id=PATIENT, name="Test Patient", diagnosis="total knee arthroplasty", side=Side.RIGHT,
            surgery_on=date(2026, 1, 5), goal_deg=90, program=program, simulated=True,
        )  # fmt: skip
        code = await make_claim_code(db, PATIENT, datetime.now(UTC))
    server = ServerProcess(home, require_free_port(0))
    await server.start()
    try:
        yield SmallClinic(server.url, code, settings.database_path)
    finally:
        await server.stop()
