"""Ten lines for a person, one more for each thing to do, and never a word about the patient."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analytics.domain.exercise import Segment
from analytics.domain.live import Condition, SensorState, SessionState
from device_gateway.commands.status import main
from device_gateway.conditions import Conditions, Trouble
from device_gateway.operations.status import GatewayStatus, Verdict, describe, with_state
from device_gateway.operations.stored import Stored, stored_in, stored_of
from device_gateway.storage.store import Store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WELL = GatewayStatus(
    version="1.2.3",
    server_url="https://clinic.example",
    now=NOW,
    running_s=3 * 86400 + 5,
    sensors=(
        SensorState(segment=Segment.RIGHT_SHANK, name="IMU", connected=True, battery_percent=80, signal_dbm=-61),
        SensorState(segment=Segment.RIGHT_THIGH, name="", connected=False),
    ),
    session=SessionState.EXERCISING,
    listeners=1,
    versions={"form_model knee.extension.seated": 3},
    stored=Stored(
        store_bytes=4_200_000, free_bytes=20_000_000_000, sessions_waiting=0, chunks_waiting=0, waiting_since=None,
        recorded_bytes=4_000_000, program_version=4,
    ),
    days_left=700,
)  # fmt: skip


def test_all_is_well_in_ten_lines() -> None:
    assert describe(WELL) == [
        "Gateway   Sinew 1.2.3, running for 3 days",
        "Clinic    https://clinic.example, no trouble",
        "Program   version 4; form_model knee.extension.seated version 3",
        "Sensors   right shank: battery 80 %, signal -61 dBm; right thigh: not connected",
        "Session   exercising",
        "Phones    1 connected",
        "Disk      4.2 MB used, 20.0 GB free, enough for 700 days more",
        "Uploads   none waits",
        "Clock     2026-11-23 12:00 UTC",
        "To do     Nothing: all is well.",
    ]
    assert WELL.verdict is Verdict.WELL


def test_the_operators_page_shows_these_ten_lines() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gateway-operator.md").read_text("utf-8")
    assert "\n".join(["$ sinew gateway status", *describe(WELL), "```"]) in page


@pytest.mark.parametrize("trouble", Trouble)
def test_each_trouble_shows_its_sentence(trouble: Trouble) -> None:
    register = Conditions()
    register.set(trouble, f"This is {trouble.value}: do that.")
    status = WELL.model_copy(update={"conditions": register.now()})
    lines = describe(status)
    assert len(lines) == 10
    assert lines[-1] == f"To do     This is {trouble.value}: do that."
    assert status.verdict is Verdict.SOMETHING_TO_DO
    assert lines[1].endswith("no trouble") is not trouble.value.startswith("clinic.")
    assert lines[8].endswith("which may be wrong") is (trouble is Trouble.CLOCK_WRONG)


def test_all_troubles_at_once_are_all_told_in_the_registers_order() -> None:
    register = Conditions()
    for trouble in reversed(Trouble):
        register.set(trouble, f"{trouble.value}.")
    told = describe(WELL.model_copy(update={"conditions": register.now()}))[9:]
    assert [line[10:] for line in told] == [f"{trouble.value}." for trouble in Trouble]


@pytest.mark.parametrize(
    ("seconds", "told"), [(59, "0 minutes"), (7199, "119 minutes"), (7200, "2 hours"), (172800, "2 days")]
)
def test_how_long_it_runs(seconds: float, told: str) -> None:
    assert describe(WELL.model_copy(update={"running_s": seconds}))[0].endswith(f"running for {told}")


def test_a_disk_that_does_not_answer_is_said_so() -> None:
    lines = describe(WELL.model_copy(update={"stored": None}))
    assert lines[6] == "Disk      does not answer"
    assert lines[7] == "Uploads   unknown"


def test_sensors_that_were_not_seen_are_told_too() -> None:
    seen = SensorState(segment=Segment.RIGHT_SHANK, name="IMU", connected=True)
    states = with_state([Segment.RIGHT_THIGH, Segment.RIGHT_SHANK], [seen])
    assert [(state.segment, state.connected) for state in states] == [
        (Segment.RIGHT_SHANK, True),
        (Segment.RIGHT_THIGH, False),
    ]


def test_why_a_sensor_does_not_stream_is_told_beside_it() -> None:
    sensor = SensorState(segment=Segment.RIGHT_THIGH, name="IMU", connected=False, problem="It is too old: update it.")
    told = describe(WELL.model_copy(update={"sensors": (sensor,)}))[3]
    assert told == "Sensors   right thigh: not connected: It is too old: update it."


@pytest.fixture
async def kept(gateway_store: Store, tmp_path: Path, invented) -> Path:
    """A home with a session of three chunks, one of them at the clinic, and another that the clinic refused."""
    opened, refused = invented.opening(), invented.opening()
    program = {"program": {"version": 7}}
    await gateway_store.keep_settings(assignment=json.dumps(program))
    for opening in (opened, refused):
        await gateway_store.keep_opening(opening)
    for number in range(3):
        await gateway_store.keep_chunk(opened.id, number, invented.chunk(number))
    await gateway_store.mark_chunk(opened.id, 0)
    await gateway_store.mark(refused.id, problem="The clinic does not take it.")
    return tmp_path / "gateway"


async def test_what_waits_is_read_from_the_store(gateway_store: Store, kept: Path, invented) -> None:
    stored = await stored_of(gateway_store, kept)
    assert (stored.sessions_waiting, stored.chunks_waiting, stored.program_version) == (2, 2, 7)
    assert stored.recorded_bytes == sum(len(invented.chunk(number)) for number in range(3))
    assert stored.store_bytes > stored.recorded_bytes


async def test_a_gateway_that_does_not_run_is_read_past_it(gateway_store: Store, kept: Path, tmp_path, capsys) -> None:
    running = await stored_of(gateway_store, kept)
    killed = tmp_path / "killed"  # as kill -9 leaves it: the log is not merged
    shutil.copytree(kept, killed)
    await gateway_store.close()
    for home in (kept, killed):
        before = {path.name: path.read_bytes() for path in home.glob("gateway.sqlite3")}
        stored = stored_in(home)
        assert stored.model_copy(update={"free_bytes": 0, "store_bytes": 0}) == running.model_copy(
            update={"free_bytes": 0, "store_bytes": 0}
        )
        assert {path.name: path.read_bytes() for path in home.glob("gateway.sqlite3")} == before
        assert main(["--home", str(home)]) == Verdict.NOT_RUNNING
        told = capsys.readouterr().out
        assert "not running" in told
        assert "2 sessions (2 chunks) since 20" in told
        assert "systemctl start sinew-gateway" in told


def test_status_in_json_is_the_same(tmp_path: Path, capsys) -> None:
    with sqlite3.connect(tmp_path / "gateway.sqlite3") as database:
        for schema in sorted(Path(__file__).parents[3].glob("device_gateway/storage/schema_*.sql")):
            database.executescript(schema.read_text("utf-8"))
    database.close()
    assert main(["--home", str(tmp_path), "--json"]) == Verdict.NOT_RUNNING
    status = GatewayStatus.model_validate_json(capsys.readouterr().out)
    assert status.running_s is None
    assert status.stored.sessions_waiting == 0


def test_where_nothing_is_it_is_one_sentence(tmp_path: Path, capsys) -> None:
    assert main(["--home", str(tmp_path)]) == Verdict.NOT_RUNNING
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(r"sinew gateway: No gateway has kept anything in .*: name its folder with --home\.", line)


def test_a_damaged_file_is_one_sentence(tmp_path: Path, capsys) -> None:
    (tmp_path / "gateway.sqlite3").write_bytes(b"no database" * 1000)
    assert main(["--home", str(tmp_path)]) == Verdict.NOT_RUNNING
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be read" in line


def test_conditions_are_told_in_json_too() -> None:
    status = WELL.model_copy(update={"conditions": (Condition(code="disk.full", sentence="Full."),)})
    assert json.loads(status.model_dump_json())["conditions"] == [{"code": "disk.full", "sentence": "Full."}]
