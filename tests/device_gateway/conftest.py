"""Real parts for the gateway's tests: a clinic's server in a process of its own, and bodies wearing virtual sensors."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx2
import numpy as np
import pytest

from analytics.domain.base import uuid7
from analytics.domain.exercise import Segment, Side
from analytics.domain.program import Dose, Prescription, Program
from analytics.domain.session import Form, FormLabel, Repetition, SensorRecord, SessionOpening, SessionReport
from analytics.signals.chunk import SensorBlock, encode_chunk
from analytics.signals.samples import ImuSamples, Resolution
from device_gateway.operations.logs import QUIET
from device_gateway.storage.store import Store
from server.database import Database
from server.devices.service import make_claim_code
from server.patients.service import add_patient
from server.settings import Settings

EXERCISE = "knee.extension.seated"
PATIENT = "p1"


def program(version: int = 1, repetitions: int = 10) -> Program:
    dose = Dose(sets=3, repetitions=repetitions, target_excursion_deg=70)
    return Program(
        patient_id=PATIENT, version=version, phase="early", approved_by="Test", approved_at=datetime.now(UTC),
        prescriptions=(Prescription(exercise=EXERCISE, side=Side.RIGHT, dose=dose),), reason="for a test",
    )  # fmt: skip


@dataclass
class ClinicServer:
    """`python -m server.command` on one port, which can be killed and started again."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def seed(self) -> None:
        self.home.mkdir(mode=0o700)
        async with Database(Settings(home=self.home).database_path) as database, database.writing() as db:
            await add_patient(
                db, id=PATIENT, name="Test Patient", diagnosis="total knee arthroplasty", side=Side.RIGHT,
                surgery_on=date(2026, 1, 5), goal_deg=90, program=program(), simulated=True,
            )  # fmt: skip

    async def claim_code(self) -> str:
        async with Database(Settings(home=self.home).database_path) as database, database.writing() as db:
            return await make_claim_code(db, PATIENT, datetime.now(UTC))

    def start(self) -> None:
        command = (sys.executable, "-m", "server.command", "--home", str(self.home), "--port", str(self.port))
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with httpx2.Client(trust_env=False) as client:
            while self.process.poll() is None:
                with contextlib.suppress(httpx2.TransportError):
                    if client.get(f"{self.url}/healthz").is_success:
                        return
                time.sleep(0.05)
        raise AssertionError(f"the server ended with {self.process.returncode}")

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def chunks(self, session_id: UUID) -> dict[int, bytes]:
        """What the server has stored, read from its file."""
        with contextlib.closing(sqlite3.connect(self.home / "clinic.sqlite3")) as database:
            rows = database.execute("SELECT session_id, number, data FROM chunk").fetchall()
        mine = [(number, data) for session, number, data in rows if UUID(str(session)) == session_id]
        assert len(dict(mine)) == len(mine), "a chunk is stored twice"
        return dict(mine)

    def report(self, session_id: UUID) -> SessionReport | None:
        with contextlib.closing(sqlite3.connect(self.home / "clinic.sqlite3")) as database:
            rows = database.execute("SELECT session_id, document FROM session_report").fetchall()
        mine = [document for session, document in rows if UUID(str(session)) == session_id]
        return SessionReport.model_validate_json(mine[0]) if mine else None


class Relay:
    """A TCP relay on a port of its own: `stop` takes the server away from who comes by here, `start` brings it back."""

    def __init__(self, to_port: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._open |= {writer, back}
        await asyncio.gather(_pump(reader, back), _pump(there, writer))
        self._open -= {writer, back}


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def make_clinic(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], ClinicServer]:
    """Seeds a clinic, not started yet, for who starts and kills it."""

    def make() -> ClinicServer:
        server = ClinicServer(tmp_path_factory.mktemp("made") / "clinic", free_port())
        asyncio.run(server.seed())
        return server

    return make


@pytest.fixture(scope="session")
def shared_clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicServer]:
    """A running clinic with one patient, for tests that leave it in peace."""
    server = ClinicServer(tmp_path_factory.mktemp("shared") / "clinic", free_port())
    asyncio.run(server.seed())
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def relay(shared_clinic: ClinicServer) -> AsyncIterator[Relay]:
    """The way to the shared clinic, which can be cut."""
    relay = Relay(shared_clinic.port)
    await relay.start()
    yield relay
    await relay.stop()


@pytest.fixture
async def own_clinic(tmp_path: Path) -> AsyncIterator[ClinicServer]:
    """A seeded clinic of the test's own, not started yet."""
    server = ClinicServer(tmp_path / "clinic", free_port())
    await server.seed()
    yield server
    server.kill()


@pytest.fixture
async def gateway_store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "gateway")
    yield store
    await store.close()


def opening() -> SessionOpening:
    return SessionOpening(
        id=uuid7(), patient_id=PATIENT, program_version=1, exercise=EXERCISE, side=Side.RIGHT,
        started_at=datetime.now(UTC),
    )  # fmt: skip


STEP = Resolution(acc_m_s2=0.0012, gyr_rad_s=0.0011)


def samples(first: int, count: int, seed: int = 0) -> ImuSamples:
    rng = np.random.default_rng(seed + first)
    counts = rng.integers(-32768, 32768, (count, 6))
    return ImuSamples(
        sensor_time_us=(first + np.arange(count)) * 40_000,
        acc_m_s2=counts[:, :3] * STEP.acc_m_s2,
        gyr_rad_s=counts[:, 3:] * STEP.gyr_rad_s,
    )


def chunk(number: int, count: int = 250) -> bytes:
    block = SensorBlock("C1:00:00:00:00:01", Segment.RIGHT_THIGH, STEP, 0, 1.0, samples(number * count, count))
    return encode_chunk([block])


class Invented:
    """Things to keep and to send."""

    opening = staticmethod(opening)
    samples = staticmethod(samples)
    chunk = staticmethod(chunk)
    program = staticmethod(program)
    step = STEP

    @staticmethod
    def repetition(number: int) -> Repetition:
        return Repetition(
            number=number, start_s=4.0 * number, peak_s=4.0 * number + 1, end_s=4.0 * number + 3, excursion_deg=60,
            excursion_error_deg=2, peak_flexion_deg=30, peak_velocity_deg_s=80, form=Form(label=FormLabel.CORRECT),
        )  # fmt: skip

    @staticmethod
    def sensor_record(address: str, segment: Segment) -> SensorRecord:
        return SensorRecord(
            address=address, name=f"Sinew {segment}", segment=segment, samples_received=0, samples_lost=0,
            rate_hz=50.0, clock_skew_ppm=0.0, clock_residual_ms=1.0,
        )  # fmt: skip

    @staticmethod
    def report(opened: SessionOpening, chunks: Sequence[bytes]) -> SessionReport:
        digests = b"".join(hashlib.sha256(data).digest() for data in chunks)
        return SessionReport(
            **opened.model_dump(), ended_at=opened.started_at + timedelta(minutes=5), repetitions=(), calibration=None,
            sensors=(), chunk_count=len(chunks), chunks_sha256=hashlib.sha256(digests).hexdigest(), simulated=True,
        )  # fmt: skip


@pytest.fixture
def invented() -> Invented:
    return Invented()


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """For who calls `configure_logs`, which is for a whole process."""
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in (None, "device_gateway", *QUIET)}
    handlers = root.handlers[:]
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root.handlers[:] = handlers


async def _until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - looks at other processes and at objects that have no such event
            await asyncio.sleep(0.005)


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Wait for a condition to hold."""
    return _until
