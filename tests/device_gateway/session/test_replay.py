"""A session that its gateway's death cut short is closed with what had reached the disk."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from analytics.domain.check_in import CheckIn, RedFlag
from analytics.domain.exercise import Segment
from analytics.domain.live import Command, SessionState
from analytics.domain.program import Dose
from analytics.domain.session import EasingAction, PainMoment, Rating, SensorRecord, SessionReport
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.live.hub import LiveHub
from device_gateway.session.replay import close_unfinished
from device_gateway.session.scoring import exercise_session
from device_gateway.storage.plan import GivenCommand, SessionPlan
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store

RATE_HZ = 50.0
PACKET = 3
DELAYS_S = (0.005, 0.04, 0.012, 0.02)
SENSORS = {"C1:00:00:00:00:01": Segment.RIGHT_THIGH, "C1:00:00:00:00:02": Segment.RIGHT_SHANK}
PLAN = SessionPlan(dose=Dose(sets=2, repetitions=3, target_excursion_deg=60), limit_deg=None, simulated=True)
COMMANDS = (
    GivenCommand(time_s=21.0, command=Command(command="hurts")),
    GivenCommand(time_s=24.0, command=Command(command="hurts", pain=4)),
    GivenCommand(time_s=30.0, command=Command(command="resume")),
)


@pytest.fixture(scope="module")
def wearing() -> SimulatedBody:
    return seated_knee_extensions(8, np.random.default_rng(12), rate_hz=RATE_HZ)


def sensor_records() -> list[SensorRecord]:
    return [
        SensorRecord(
            address=address, name=f"Sinew {segment}", segment=segment, samples_received=0, samples_lost=0,
            rate_hz=RATE_HZ, clock_skew_ppm=0.0, clock_residual_ms=1.0,
        )
        for address, segment in SENSORS.items()
    ]  # fmt: skip


async def live(
    store: Store, opening, wearing: SimulatedBody, step, plan: SessionPlan | None = PLAN,
    given: Sequence[GivenCommand] = COMMANDS, until_s: float = math.inf,
) -> SessionReport:  # fmt: skip
    """The session as it ran, recorded packet by packet, and the report it would have made; none is stored."""
    recorder = Recorder(opening, store, lambda: None, print, plan=plan, sensors=sensor_records)
    done = plan or PLAN
    session = exercise_session(opening, done.dose, done.limit_deg, LiveHub(), guided=done.guided)
    clocks = {address: SensorClock() for address in SENSORS}
    commands = list(given)
    for k in range(0, int(np.searchsorted(wearing.time_s, until_s)), PACKET):
        part = slice(k, k + PACKET)
        sensor_time_us = np.round(wearing.time_s[part] * 1e6).astype(np.int64) + 777_000_000
        arrival_s = float(wearing.time_s[part][-1]) + DELAYS_S[k // PACKET % len(DELAYS_S)]
        while commands and commands[0].time_s <= arrival_s:
            given = commands.pop(0)
            recorder.keep_command(given)
            session.obey(given.command, given.time_s)
        for address, segment in SENSORS.items():
            acc, gyr = (np.round(values[part] / unit) * unit for values, unit in zip(
                wearing.sensors[segment], (step.acc_m_s2, step.gyr_rad_s), strict=True,
            ))  # fmt: skip
            samples, clock = ImuSamples(sensor_time_us, acc, gyr), clocks[address]
            clock.observe(int(sensor_time_us[-1]), arrival_s)
            recorder.add(samples, address=address, segment=segment, resolution=step, clock=clock, now_s=arrival_s)
            session.take(segment, RATE_HZ, samples, clock.place(sensor_time_us))
    states_at_death[opening.id] = session.state
    recorder.flush()
    assert await recorder.written()
    session.finish()
    await recorder.close()
    return session.report(
        ended_at=opening.started_at, sensors=sensor_records(), chunk_count=recorder.chunk_count,
        chunks_sha256=recorder.chunks_sha256, simulated=True,
    )  # fmt: skip


states_at_death: dict[UUID, SessionState] = {}


async def closed(store: Store) -> SessionReport:
    told: list[str] = []
    await close_unfinished(store, await store.unfinished(), lambda: told.append("stored"))
    assert told == ["stored"]
    assert await store.unfinished() == []
    (upload,) = await store.uploads()
    assert upload.report is not None
    return upload.report


async def test_the_report_says_what_the_lost_one_would_have_said(gateway_store, invented, wearing) -> None:
    opening = invented.opening()
    lost = await live(gateway_store, opening, wearing, invented.step)
    found = await closed(gateway_store)
    assert len(lost.repetitions) >= 4, "some before the pause and some after it"
    assert [r.number for r in found.repetitions] == [r.number for r in lost.repetitions]
    for there, here in zip(lost.repetitions, found.repetitions, strict=True):
        assert here.excursion_deg == pytest.approx(there.excursion_deg, abs=1.0)
        assert here.start_s == pytest.approx(there.start_s, abs=0.1)
    assert found.hurts == lost.hurts == (PainMoment(time_s=21.0, pain=4),)
    assert (found.chunk_count, found.chunks_sha256) == (lost.chunk_count, lost.chunks_sha256)
    assert (found.form_model, found.simulated, found.id) == (lost.form_model, True, opening.id)
    assert (found.cut_short, lost.cut_short) == (True, False)
    assert [sensor.rate_hz for sensor in found.sensors] == [RATE_HZ, RATE_HZ]
    assert (found.ended_at - opening.started_at).total_seconds() == pytest.approx(wearing.time_s[-1], abs=0.1)


async def test_what_an_older_gateway_left_is_closed_without_repetitions(gateway_store, invented, wearing) -> None:
    lost = await live(gateway_store, invented.opening(), wearing, invented.step, plan=None)
    found = await closed(gateway_store)
    assert (found.repetitions, found.calibration, found.hurts) == ((), None, lost.hurts)
    assert found.chunks_sha256 == lost.chunks_sha256


async def test_a_session_that_died_before_its_first_chunk_is_closed_empty(gateway_store, invented) -> None:
    opening = invented.opening()
    await gateway_store.keep_opening(opening, PLAN)
    found = await closed(gateway_store)
    assert (found.chunk_count, found.repetitions, found.ended_at) == (0, (), opening.started_at)


async def test_one_that_cannot_be_closed_does_not_keep_the_others_open(gateway_store, invented, caplog) -> None:
    unknown = invented.opening().model_copy(update={"exercise": "knee.extension.flying"})
    good = invented.opening()
    for opening in (unknown, good):
        await gateway_store.keep_opening(opening, PLAN)
    await close_unfinished(gateway_store, await gateway_store.unfinished(), lambda: None)
    assert [session.opening.id for session in await gateway_store.unfinished()] == [unknown.id]
    assert f"{unknown.id} cannot be closed" in caplog.text


async def test_the_store_of_the_release_before_is_brought_up_to_date(tmp_path: Path, invented) -> None:
    schema = (Path(__file__).parents[3] / "device_gateway" / "storage" / "schema_1.sql").read_text("utf-8")
    opening = invented.opening()
    with closing(sqlite3.connect(tmp_path / "gateway.sqlite3")) as database:
        database.executescript(f"{schema} PRAGMA user_version = 1;")
        database.execute(
            "INSERT INTO session (id, opening) VALUES (?, ?)", (str(opening.id), opening.model_dump_json())
        )
        database.commit()
    store = await Store.open(tmp_path)
    (left,) = await store.unfinished()
    assert (left.opening, left.plan, left.sensors, left.commands, left.chunks) == (opening, None, (), (), ())
    await store.close()


async def test_what_had_reached_the_disk_is_closed_after_a_power_cut(
    gateway_store, invented, wearing, tmp_path
) -> None:
    """A copy of the store's files while it is open is what a gateway finds then."""
    lost = await live(gateway_store, invented.opening(), wearing, invented.step)
    found_there = tmp_path / "found"
    shutil.copytree(tmp_path / "gateway", found_there)
    store = await Store.open(found_there)
    found = await closed(store)
    await store.close()
    assert (found.id, len(found.repetitions)) == (lost.id, len(lost.repetitions))


ANSWERS = CheckIn(pain_now=4, given_at=datetime(2026, 11, 23, 9, tzinfo=UTC))
LED = SessionPlan(
    dose=Dose(sets=2, repetitions=2, target_excursion_deg=60), limit_deg=None, simulated=True, guided=True
)
ANSWERED = GivenCommand(time_s=0.0, command=Command(command="check_in", check_in=ANSWERS))


async def test_a_gateway_killed_in_mid_rest_has_the_set_before_it(gateway_store, invented, wearing) -> None:
    opening = invented.opening()
    until_s = wearing.repetitions[2].end_s + 1.0
    lost = await live(gateway_store, opening, wearing, invented.step, PLAN, (), until_s)
    assert states_at_death[opening.id] is SessionState.RESTING
    found = await closed(gateway_store)
    assert [s.repetitions for s in found.sets] == [s.repetitions for s in lost.sets] == [3]
    assert found.placement == lost.placement


async def test_a_gateway_killed_in_mid_rating_has_the_answers_and_the_easing(gateway_store, invented, wearing) -> None:
    opening = invented.opening()
    until_s = wearing.repetitions[3].end_s + 1.5
    lost = await live(gateway_store, opening, wearing, invented.step, LED, (ANSWERED,), until_s)
    assert states_at_death[opening.id] is SessionState.RATING
    found = await closed(gateway_store)
    assert (found.check_in, found.felt) == (ANSWERS, None)
    assert found.easings == lost.easings
    assert found.easings[0].action is EasingAction.EASED
    assert [s.repetitions for s in found.sets] == [2, 2]
    assert found.calibration is not None
    assert found.calibration.still_deg_s == pytest.approx(lost.calibration.still_deg_s)


async def test_a_rating_that_was_given_before_the_kill_is_kept(gateway_store, invented, wearing) -> None:
    rated = GivenCommand(time_s=wearing.repetitions[3].end_s + 1.2, command=Command(command="rate", pain=2, effort=7))
    early = GivenCommand(time_s=5.0, command=Command(command="rate", pain=9, effort=9))  # was refused, and is again
    given = (ANSWERED, early, rated)
    await live_refusing(gateway_store, invented, wearing, given, wearing.repetitions[3].end_s + 1.5)
    found = await closed(gateway_store)
    assert found.felt == Rating(pain=2, effort=7)
    assert len(found.repetitions) == 4


async def live_refusing(store, invented, wearing, given, until_s: float) -> None:
    """As `live`, with a command among them that the session refuses: it is on disk all the same."""
    opening = invented.opening()
    refused = given[1]
    await live(store, opening, wearing, invented.step, LED, (given[0], *given[2:]), until_s)
    await store.keep_command(opening.id, refused)


async def test_a_gateway_killed_after_a_red_flag_tells_the_clinic_of_it(gateway_store, invented) -> None:
    opening = invented.opening()
    flagged = ANSWERS.model_copy(update={"red_flags": (RedFlag.CALF_PAIN,)})
    await gateway_store.keep_opening(opening, LED)
    given = GivenCommand(time_s=3.0, command=Command(command="check_in", check_in=flagged))
    await gateway_store.keep_command(opening.id, given)
    found = await closed(gateway_store)
    assert found.check_in == flagged
    assert [easing.rule for easing in found.easings] == ["red_flag.calf_pain"]
    assert (found.repetitions, found.chunk_count) == ((), 0)
