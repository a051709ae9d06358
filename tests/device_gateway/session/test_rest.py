"""What the sensors still hold of a session that was cut short comes behind what is on disk, and is scored with it.

How it is fetched: links/test_fetching.py. From a kill to the clinic: end_to_end/test_thirty_minutes.py.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from worn_gateway import ADDRESSES, body, home_of

from analytics.domain.check_in import CheckIn
from analytics.domain.live import Command, Cue, CueEvent
from analytics.domain.program import Dose
from analytics.signals.chunk import decode_chunk
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.links.radio import Central, Radio
from device_gateway.session import rest as rest_module
from device_gateway.session.replay import close_unfinished
from device_gateway.session.rest import PATIENCE, Rest
from device_gateway.storage.plan import GivenCommand, SessionPlan
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store

RATE_HZ = 50.0
PACKET = 5
PLAN = SessionPlan(dose=Dose(sets=1, repetitions=9, target_excursion_deg=60), limit_deg=None, simulated=True)
DIED_S = 25.0


def packets(wearing: SimulatedBody, address: str, from_s: float, until_s: float) -> list[ImuSamples]:
    acc, gyr = wearing.sensors[ADDRESSES[address]]
    first, end = np.searchsorted(wearing.time_s, [from_s, until_s])
    parts = [slice(k, min(k + PACKET, int(end))) for k in range(int(first), int(end), PACKET)]
    return [ImuSamples(np.round(wearing.time_s[part] * 1e6).astype(np.int64), acc[part], gyr[part]) for part in parts]


async def cut_short(store: Store, invented, wearing: SimulatedBody) -> UUID:
    """A session of which only what came until DIED_S is on disk."""
    opening = invented.opening()
    records = [invented.sensor_record(address, segment) for address, segment in ADDRESSES.items()]
    clocks = {address: SensorClock() for address in ADDRESSES}
    bookmarks = {address: {"stream": 1.0} for address in ADDRESSES}
    recorder = Recorder(
        opening, store, lambda: None, print, plan=PLAN, sensors=lambda: records, bookmarks=lambda: bookmarks
    )
    both = [packets(wearing, address, 0.0, DIED_S) for address in ADDRESSES]
    for number, taken in enumerate(zip(*both, strict=True), 1):
        for (address, segment), samples in zip(ADDRESSES.items(), taken, strict=True):
            if (number, address) == (len(both[0]), max(ADDRESSES)):
                recorder.flush()  # so that each sensor's last stands in another chunk
            now_s = float(samples.sensor_time_us[-1]) * 1e-6
            clocks[address].observe(int(samples.sensor_time_us[-1]), now_s)
            recorder.add(
                samples, address=address, segment=segment, resolution=invented.step, clock=clocks[address], now_s=now_s
            )
    recorder.flush()
    assert await recorder.written()
    await recorder.close()
    return opening.id


@pytest.fixture(scope="module")
def wearing() -> SimulatedBody:
    return seated_knee_extensions(6, np.random.default_rng(12), rate_hz=RATE_HZ)


class Held:
    """A sensor that holds all that was taken since; in two parts, as more comes until its stream is stopped.

    How it is truly asked: links/test_fetching.py.
    """

    body: SimulatedBody
    asked: dict[str, int]
    stopped: list[str]

    def __init__(self, _: Central, address: str, bookmark: dict[str, float], last_us: int) -> None:
        assert bookmark == {"stream": 1.0}
        self.asked[address] = last_us
        self.caught_up = asyncio.Event()
        self.bookmark = {"stream": 1.0, "taken": 0.0}
        self._address = address
        self._let_go = asyncio.Event()
        self._parts: list[list[ImuSamples]] = []

    def take(self) -> list[ImuSamples]:
        taken = [samples for part in self._parts for samples in part]
        self.bookmark = {"stream": 1.0, "taken": self.bookmark["taken"] + len(taken)}
        self._parts.clear()
        return taken

    def let_go(self) -> None:
        self._let_go.set()

    async def run(self) -> None:
        rest = packets(self.body, self._address, DIED_S, np.inf)
        self._parts.append([replace(rest[0], lost_before=3), *rest[1:-2]])
        self.caught_up.set()
        await self._let_go.wait()
        self.stopped.append(self._address)
        self._parts.append(rest[-2:])


@pytest.fixture
def sensors_hold(wearing: SimulatedBody, monkeypatch: pytest.MonkeyPatch) -> type[Held]:
    class HeldHere(Held):
        body, asked, stopped = wearing, {}, []

    monkeypatch.setattr(rest_module, "Fetching", HeldHere)
    return HeldHere


class Silent(Held):
    """Not heard yet."""

    asked, body, stopped = {}, None, []

    async def run(self) -> None:
        await asyncio.Event().wait()


def times_us(runs: list[ImuSamples]) -> np.ndarray:
    return np.concatenate([run.sensor_time_us for run in runs])


async def runs_of(store: Store, session_id: UUID, address: str) -> list[ImuSamples]:
    (chunks,) = [u.chunks_waiting for u in await store.uploads() if u.id == session_id]
    blocks = [b for n in chunks for b in decode_chunk((await store.chunk(session_id, n))[0]) if b.address == address]
    return [block.samples for block in blocks]


async def cut_short_at(home: Path, invented, wearing: SimulatedBody) -> UUID:
    store = await Store.open(home)
    session_id = await cut_short(store, invented, wearing)
    await store.close()
    return session_id


async def closed(store: Store) -> Rest:
    unfinished = await store.unfinished()
    rest = Rest(store, Central([]), unfinished)
    await close_unfinished(store, unfinished, lambda: None, rest=rest)
    return rest


async def test_the_rest_is_scored_with_what_was_on_disk(gateway_store, invented, wearing, sensors_hold) -> None:
    session_id = await cut_short(gateway_store, invented, wearing)
    on_disk = len((await gateway_store.unfinished())[0].chunks)
    await closed(gateway_store)
    report = (await gateway_store.upload(session_id)).report
    assert set(sensors_hold.asked.values()) == {round((DIED_S - 1 / RATE_HZ) * 1e6)}
    assert len(report.repetitions) == 6
    assert report.repetitions[-1].end_s > DIED_S + 5
    assert report.chunk_count == on_disk + 2
    for record in report.sensors:
        runs = await runs_of(gateway_store, session_id, record.address)
        np.testing.assert_array_equal(times_us(runs), np.round(wearing.time_s * 1e6))
        assert [run.lost_before for run in runs if run.lost_before] == [3]
        assert (record.samples_received, record.samples_lost, record.gaps) == (np.sum(wearing.time_s >= DIED_S), 3, 1)


async def test_of_several_sessions_the_last_one_s_streams_go_on(gateway_store, invented, wearing, sensors_hold) -> None:
    first = await cut_short(gateway_store, invented, wearing)
    last = await cut_short(gateway_store, invented, wearing)
    await closed(gateway_store)
    assert len((await gateway_store.upload(first)).report.repetitions) < 6
    assert len((await gateway_store.upload(last)).report.repetitions) == 6


async def test_a_chunk_that_cannot_be_read_costs_no_sensor_its_rest(
    gateway_store, invented, wearing, sensors_hold
) -> None:
    session_id = await cut_short(gateway_store, invented, wearing)
    number = (await gateway_store.unfinished())[0].chunks[-1] + 2
    await gateway_store.keep_chunk(
        session_id, number, b"no chunk", bookmarks={key: {"stream": 1.0} for key in ADDRESSES}
    )
    await closed(gateway_store)
    assert sensors_hold.asked.keys() == ADDRESSES.keys()
    assert (await gateway_store.upload(session_id)).chunks_waiting[-2:] == (number + 1, number + 2)


async def test_streams_are_stopped_when_the_rest_is_on_disk(
    gateway_store, invented, wearing, sensors_hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway dies again before the sensors are let go: what is on disk, its count and its bookmarks agree."""
    monkeypatch.setattr(sensors_hold, "let_go", lambda _: None)
    session_id = await cut_short(gateway_store, invented, wearing)
    (before,) = await gateway_store.unfinished()
    closing = asyncio.create_task(closed(gateway_store))
    async with asyncio.timeout(10):
        while len((await gateway_store.unfinished())[0].chunks) == len(before.chunks):  # noqa: ASYNC110 - on the disk
            await asyncio.sleep(0.01)
    assert sensors_hold.stopped == []
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    (again,) = await gateway_store.unfinished()
    for record in again.sensors:
        runs = await runs_of(gateway_store, session_id, record.address)
        taken = len(packets(wearing, record.address, DIED_S, np.inf)) - 2
        assert again.bookmarks[record.address] == {"stream": 1.0, "taken": taken}
        assert record.samples_received == np.sum(times_us(runs) >= DIED_S * 1e6)


async def test_it_waits_for_a_disk_that_refuses(
    gateway_store, invented, wearing, sensors_hold, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_module, "RETRY_S", 0.05)
    session_id = await cut_short(gateway_store, invented, wearing)
    unfinished = await gateway_store.unfinished()
    rest = Rest(gateway_store, Central([]), unfinished)
    await gateway_store.read(lambda database: database.pragma("max_page_count", 1))
    closing = asyncio.create_task(close_unfinished(gateway_store, unfinished, lambda: None, rest=rest))
    await asyncio.wait_for(rest.over(lambda _: None), 5)  # the sensors are free all the same
    await until(lambda: gateway_store.conditions.now() != ())
    assert not closing.done()
    await gateway_store.read(lambda database: database.pragma("max_page_count", 1_000_000))
    await asyncio.wait_for(closing, 20)
    assert len((await gateway_store.upload(session_id)).report.repetitions) == 6


async def test_a_fault_costs_the_rest_and_not_the_session(
    gateway_store, invented, wearing, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    monkeypatch.setattr(rest_module, "Fetching", None)
    session_id = await cut_short(gateway_store, invented, wearing)
    rest = await closed(gateway_store)
    await asyncio.wait_for(rest.over(lambda _: None), 5)
    assert 0 < len((await gateway_store.upload(session_id)).report.repetitions) < 6
    assert "cannot be fetched" in caplog.text


async def test_what_was_said_is_known_before_the_sensors_are_free(
    gateway_store, invented, wearing, sensors_hold
) -> None:
    session_id = await cut_short(gateway_store, invented, wearing)
    given = GivenCommand(time_s=20.0, command=Command(command="hurts", pain=9))
    await gateway_store.keep_command(session_id, given)
    said: list[Command] = []

    async def note(command: Command, _: datetime) -> None:
        assert sensors_hold.asked == {}
        said.append(command)

    unfinished = await gateway_store.unfinished()
    rest = Rest(gateway_store, Central([]), unfinished)
    await close_unfinished(gateway_store, unfinished, lambda: None, rest=rest, on_said=note)
    assert said == [given.command]


async def test_what_cannot_be_remembered_keeps_no_session_open(
    gateway_store, invented, wearing, sensors_hold, caplog
) -> None:
    async def refuse(*_: object) -> None:
        raise ZeroDivisionError

    session_id = await cut_short(gateway_store, invented, wearing)
    answers = CheckIn(pain_now=1, given_at=invented.opening().started_at)
    given = GivenCommand(time_s=0.0, command=Command(command="check_in", check_in=answers))
    await gateway_store.keep_command(session_id, given)
    unfinished = await gateway_store.unfinished()
    rest = Rest(gateway_store, Central([]), unfinished)
    await close_unfinished(gateway_store, unfinished, lambda: None, rest=rest, on_said=refuse)
    assert len((await gateway_store.upload(session_id)).report.repetitions) == 6
    assert "cannot be remembered" in caplog.text


async def test_the_next_session_begins_when_the_sensors_are_free(
    tmp_path: Path, shared_clinic, invented, wearing, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = asyncio.Event()

    class Slow(Silent):
        async def run(self) -> None:
            await free.wait()
            self.caught_up.set()

    monkeypatch.setattr(rest_module, "Fetching", Slow)
    await cut_short_at(tmp_path / "gateway", invented, wearing)
    code = await shared_clinic.claim_code()
    async with home_of(tmp_path, shared_clinic.url, code, body(1, rate_hz=25.0), speed=20) as home:
        starting = asyncio.create_task(home.gateway.start_session())
        await until(lambda: PATIENCE in [event.cue for event in home.phone.of(CueEvent)])
        done, _ = await asyncio.wait([starting], timeout=1.0)
        assert not done
        free.set()
        assert await asyncio.wait_for(starting, 10)


async def test_a_gateway_that_is_switched_off_meanwhile_waits_for_no_sensor_and_begins_no_session(
    tmp_path: Path, shared_clinic, invented, wearing, until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_module, "Fetching", Silent)
    session_id = await cut_short_at(tmp_path / "gateway", invented, wearing)
    code = await shared_clinic.claim_code()
    async with home_of(tmp_path, shared_clinic.url, code, body(1, rate_hz=25.0), speed=20) as home:
        await home.phone.commands.put(Command(command="start"))
        await until(lambda: PATIENCE in [event.cue for event in home.phone.of(CueEvent)])
        await asyncio.wait_for(home.gateway.close(), 20)
    store = await Store.open(tmp_path / "gateway")
    assert [waiting.id for waiting in await store.waiting()] == [session_id]
    assert [session.opening.id for session in await store.unfinished()] == [session_id], "the next start fetches it"
    await store.close()


async def test_sensors_that_ended_with_the_program_are_not_asked(
    gateway_store, invented, wearing, sensors_hold
) -> None:
    """As in a simulation: theirs are other streams, whatever their number."""
    await cut_short(gateway_store, invented, wearing)
    unfinished = await gateway_store.unfinished()
    simulated = Central(Radio(BaseBleakScanner, BaseBleakClient, sensors_outlive=False))
    assert await Rest(gateway_store, simulated, unfinished).fetch() == unfinished
    assert sensors_hold.asked == {}


async def test_where_nothing_was_cut_short_nobody_is_told_to_wait(gateway_store) -> None:
    told: list[Cue] = []
    await asyncio.wait_for(Rest(gateway_store, Central([]), []).over(told.append), 5)
    assert told == []
