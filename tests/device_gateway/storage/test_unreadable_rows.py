"""One row that nobody can read, for bits have turned or a newer release wrote it, keeps nothing else from going on."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.domain.exercise import Segment
from analytics.domain.live import Command
from analytics.domain.program import Dose
from device_gateway.conditions import Conditions
from device_gateway.operations.stored import days_left, stored_of
from device_gateway.storage.plan import GivenCommand, SessionPlan
from device_gateway.storage.retention import Retention
from device_gateway.storage.store import Store

PLAN = SessionPlan(dose=Dose(sets=2, repetitions=3, target_excursion_deg=60), limit_deg=None, simulated=True)
COMMAND = GivenCommand(time_s=1.0, command=Command(command="hurts"))
SPOILT = {
    "cut off": "substr({0}, 2)",
    "no text": "CAST(X'7BFFFE7D' AS TEXT)",
    "of a newer release": "json_object('of_tomorrow', 1)",
}


@pytest.fixture(params=SPOILT.values(), ids=SPOILT)
def spoil(request: pytest.FixtureRequest, gateway_store: Store):
    async def spoil(table: str, column: str, key: object) -> None:
        name = "id" if table == "session" else "name" if table == "setting" else "session_id"
        change = f"UPDATE {table} SET {column} = {request.param.format(column)} WHERE {name} = ?"
        await gateway_store.write(lambda database: database.execute(change, (str(key),)))

    return spoil


async def kept(store: Store, invented, *, finished: bool):
    """Two sessions with all that can stand beside one."""
    opened = [invented.opening(), invented.opening()]
    sensors = (invented.sensor_record("C1", Segment.RIGHT_THIGH),)
    for opening in opened:
        await store.keep_opening(opening, PLAN)
        await store.keep_command(opening.id, COMMAND)
        await store.keep_command(opening.id, COMMAND)
        await store.keep_chunk(opening.id, 0, invented.chunk(0), sensors)
        if finished:
            await store.keep_report(invented.report(opening, [invented.chunk(0)]))
    return opened


async def test_an_unreadable_opening_is_stepped_over_and_told(gateway_store, invented, spoil) -> None:
    first, second = await kept(gateway_store, invented, finished=False)
    await spoil("session", "opening", first.id)
    assert [session.opening for session in await gateway_store.unfinished()] == [second]
    problems = {session.id: session.problem for session in await gateway_store.waiting()}
    assert "cannot be read" in (problems[first.id] or "")
    assert problems[second.id] is None


@pytest.mark.parametrize("column", ["opening", "report"])
async def test_what_stands_behind_it_goes_up(gateway_store, invented, spoil, column: str) -> None:
    first, second = await kept(gateway_store, invented, finished=True)
    await spoil("session", column, first.id)
    assert await gateway_store.upload(first.id) is None
    assert (await gateway_store.upload(second.id)).opening == second
    assert [upload.id for upload in await gateway_store.uploads()] == [second.id]
    problems = [session.problem for session in await gateway_store.waiting()]
    assert "cannot be read" in (problems[0] or "")
    assert (await gateway_store.chunk(first.id, 0))[0] == invented.chunk(0), "kept all the same"


async def test_an_unreadable_plan_sensor_or_command_is_left_out(gateway_store, invented, spoil) -> None:
    first, second = await kept(gateway_store, invented, finished=False)
    await spoil("session", "plan", first.id)
    await spoil("command", "given", second.id)
    unplanned, unled = await gateway_store.unfinished()
    assert (unplanned.plan, unplanned.commands, len(unplanned.sensors)) == (None, (COMMAND, COMMAND), 1)
    assert (unled.plan, unled.commands) == (PLAN, ())
    assert [session.problem for session in await gateway_store.waiting()] == [None, None]


async def test_unreadable_records_of_sensors_are_left_out(gateway_store, invented) -> None:
    first, _ = await kept(gateway_store, invented, finished=False)
    await gateway_store.write(
        lambda database: database.execute("UPDATE session SET sensors = '[{' WHERE id = ?", (str(first.id),))
    )
    assert [len(session.sensors) for session in await gateway_store.unfinished()] == [0, 1]


async def test_status_is_told_and_room_is_made_all_the_same(gateway_store, invented, spoil) -> None:
    first, second = await kept(gateway_store, invented, finished=True)
    await gateway_store.keep_settings(assignment='{"program": {"version": 7}}')
    for column in ("opening", "report"):
        await spoil("session", column, first.id)
    stored = await stored_of(gateway_store, gateway_store.home)
    assert stored is not None
    assert (stored.sessions_waiting, stored.chunks_waiting, stored.program_version) == (2, 2, 7)
    assert stored.waiting_since == second.started_at
    retention = Retention(
        gateway_store, Conditions(), largest_store_bytes=200_000, least_free_bytes=0, free_bytes=lambda _: 10**12
    )
    assert await days_left(retention) is not None
    await gateway_store.keep_settings(long="x" * 150_000)
    await retention.check()
    sizes = await gateway_store.read(
        lambda database: dict(database.execute("SELECT id, chunk_bytes FROM session").fetchall())
    )
    assert sizes == {str(first.id): len(invented.chunk(0)), str(second.id): 0}


async def test_an_unreadable_assignment_leaves_the_program_unknown(gateway_store: Store, tmp_path: Path) -> None:
    for spoilt in ('{"program"', '{"program": 7}', "{}"):
        await gateway_store.keep_settings(assignment=spoilt)
        stored = await stored_of(gateway_store, tmp_path / "gateway")
        assert stored is not None
        assert stored.program_version is None
