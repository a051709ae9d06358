"""What turns a database of an older release into one of this release, in the transaction that opens it."""

from __future__ import annotations

from sqlalchemy import Connection, select, text, update

from analytics.domain.program import Program
from analytics.domain.session import SessionReport
from server import schema
from server.programs.records import ProgramRecord
from server.sessions.figures import report_figures
from server.sessions.records import ReportRecord, SessionRecord


def upgrade(connection: Connection) -> None:
    """Bring existing tables to the present shape. A new file, which is stamped 0, has nothing to bring anywhere."""
    stamp = connection.execute(text("PRAGMA user_version")).scalar_one()
    for step in STEPS[stamp - 1 : schema.VERSION - 1] if stamp else ():
        step(connection)


def _figures_of_pain_and_target(connection: Connection) -> None:
    """1 to 2: what was said during a session and how often its target was reached, copied out of the reports."""
    for table, column in (
        ("session", "reached INTEGER"),
        ("session", "hurts_pain INTEGER"),
        ("session", "hurts_unrated INTEGER DEFAULT 0 NOT NULL"),
        ("session", "reported_at DATETIME"),
        ("feedback", "received_at DATETIME"),
    ):
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {column}"))
    programs = {
        (patient_id, version): Program.model_validate_json(document)
        for patient_id, version, document in connection.execute(
            select(ProgramRecord.patient_id, ProgramRecord.version, ProgramRecord.document)
        )
    }
    # One report at a time: all of a clinic's together need not fit into memory.
    for session_id in connection.execute(select(ReportRecord.session_id)).scalars().all():
        document = select(ReportRecord.document).where(ReportRecord.session_id == session_id)
        report = SessionReport.model_validate_json(connection.execute(document).scalar_one())
        figures = report_figures(report, programs.get((report.patient_id, report.program_version)))
        added = {name: figures[name] for name in ("reached", "hurts_pain", "hurts_unrated")}
        connection.execute(update(SessionRecord).where(SessionRecord.id == session_id).values(added))


def _keys_of_gateways(connection: Connection) -> None:
    """2 to 3: new tables, which are made after the steps, and a code for pairing phones. A gateway's long-lived token
    lets it in until it has exchanged that for a key (server.devices.keys)."""
    connection.execute(text("ALTER TABLE gateway ADD COLUMN pairing_code VARCHAR"))


def _stopped_sessions(connection: Connection) -> None:
    """3 to 4: why a rule of safety ended a session; reports so far know of none."""
    connection.execute(text("ALTER TABLE session ADD COLUMN stopped VARCHAR"))


STEPS = (_figures_of_pain_and_target, _keys_of_gateways, _stopped_sessions)
"""The step at index n leads from version n + 1 to the next."""
