"""A clinic with two patients, everybody's account and both gateways, in a real database, for every test anew.

Passwords are hashed and tokens issued once; each test works on its own copy of the file.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from gateway_key import GatewayKey

from analytics.domain.exercise import Segment, Side
from analytics.domain.program import Dose, Prescription, Program, Restriction
from analytics.domain.session import (
    AngleTrace,
    Calibration,
    Feedback,
    Form,
    FormLabel,
    Repetition,
    SensorRecord,
    SessionOpening,
    SessionReport,
    Zero,
)
from analytics.signals.chunk import SensorBlock, encode_chunk
from analytics.signals.samples import ImuSamples, Resolution
from server.access import service as access
from server.access.throttle import AttemptThrottle
from server.access.words import Role
from server.app import create_app
from server.database import Database
from server.devices import service as devices
from server.patients import service as patients
from server.settings import Settings

NOW = datetime(2026, 9, 21, 9, 0, tzinfo=UTC)
SURGERY = date(2026, 8, 10)
EXERCISE = "knee.extension.seated"
PASSWORD = "correct horse battery"
PEOPLE = {
    "patient": (Role.PATIENT, "p1"),
    "other_patient": (Role.PATIENT, "p2"),
    "physiotherapist": (Role.PHYSIOTHERAPIST, None),
    "administrator": (Role.ADMINISTRATOR, None),
}


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True)
class Seed:
    """A database file and what opens it. `tokens` by who: the four people, "gateway" and "other_gateway"."""

    path: Path
    tokens: dict[str, str]
    gateways: dict[str, UUID]


class Make:
    """Words with plausible values; each takes only what a test is about."""

    now = NOW
    surgery = SURGERY
    password = PASSWORD

    def program(self, patient_id: str = "p1", **changes: Any) -> Program:
        values = {
            "patient_id": patient_id,
            "version": 1,
            "phase": "Early",
            "prescriptions": (self.prescription(),),
            "restrictions": (Restriction(exercise=EXERCISE, largest_excursion_deg=100, set_by="Dr Surgeon"),),
            "approved_by": "Petra Physio",
            "approved_at": datetime(2026, 8, 12, 9, tzinfo=UTC),
            "reason": "First program.",
        }
        return Program(**values | changes)

    def prescription(self, **dose: Any) -> Prescription:
        values = {"sets": 3, "repetitions": 10, "target_excursion_deg": 60, "rest_s": 60}
        return Prescription(exercise=EXERCISE, side=Side.RIGHT, dose=Dose(**values | dose))

    def opening(self, number: int = 1, patient_id: str = "p1", **changes: Any) -> SessionOpening:
        values = {
            "id": UUID(int=(7 << 76) + number),
            "patient_id": patient_id,
            "program_version": 1,
            "exercise": EXERCISE,
            "side": Side.RIGHT,
            "started_at": NOW - timedelta(days=8 - number),
        }
        return SessionOpening(**values | changes)

    def report(
        self,
        number: int = 1,
        chunks: tuple[bytes, ...] = (),
        *,
        excursion_deg: float = 64.0,
        count: int = 30,
        opening: SessionOpening | None = None,
        **changes: Any,
    ) -> SessionReport:
        opening = opening or self.opening(number)
        digests = b"".join(hashlib.sha256(chunk).digest() for chunk in chunks)
        values = {
            **opening.model_dump(),
            "ended_at": opening.started_at + timedelta(minutes=4),
            "repetitions": tuple(self.repetition(i + 1, excursion_deg) for i in range(count)),
            "calibration": Calibration(axis_explained=0.97, excursion_deg=60, zero=Zero.REST_POSE_UNVERIFIED),
            "trace": AngleTrace(start_s=0, rate_hz=10, flexion_deg=(*(90.0 - i % 60 for i in range(200)), None)),
            "sensors": (self.sensor(Segment.RIGHT_THIGH, 0), self.sensor(Segment.RIGHT_SHANK, 3)),
            "form_model": "knee.extension.seated 1",
            "chunk_count": len(chunks),
            "chunks_sha256": hashlib.sha256(digests).hexdigest(),
        }
        return SessionReport(**values | changes)

    def repetition(self, number: int, excursion_deg: float) -> Repetition:
        start_s = 5.0 * number
        return Repetition(
            number=number,
            start_s=start_s,
            peak_s=start_s + 1.5,
            end_s=start_s + 3,
            excursion_deg=excursion_deg + number % 3 * 0.5,
            excursion_error_deg=2.0,
            peak_flexion_deg=25.0,
            peak_velocity_deg_s=80.0,
            form=Form(label=FormLabel.CORRECT, probability=0.9),
        )

    def sensor(self, segment: Segment, lost: int) -> SensorRecord:
        return SensorRecord(
            address="AA:BB",
            name="Open IMU",
            segment=segment,
            samples_received=1000,
            samples_lost=lost,
            rate_hz=100,
            clock_skew_ppm=3,
            clock_residual_ms=4,
        )

    def feedback(self, number: int = 1, *, pain: int = 1, effort: int = 4, **changes: Any) -> Feedback:
        values = {
            "id": UUID(int=900 + number),
            "session_id": self.opening(number).id,
            "pain": pain,
            "effort": effort,
            "given_at": self.opening(number).started_at + timedelta(minutes=6),
        }
        return Feedback(**values | changes)

    def chunk(self, seed: int = 0, samples: int = 50) -> bytes:
        """A real chunk of two sensors, `samples` each."""
        rng = np.random.default_rng(seed)
        step = Resolution(9.81 / 4096, 0.001)
        blocks = []
        for segment in ("right_thigh", "right_shank"):
            counts = rng.integers(-3000, 3000, (samples, 6)).astype(float)
            run = ImuSamples(
                sensor_time_us=np.arange(samples, dtype=np.int64) * 10_000,
                acc_m_s2=counts[:, :3] * step.acc_m_s2,
                gyr_rad_s=counts[:, 3:] * step.gyr_rad_s,
            )
            blocks.append(SensorBlock(f"AA:{segment}", segment, step, 0, 1.0, run))
        return encode_chunk(blocks)

    def digest(self, data: bytes) -> dict[str, str]:
        return {"Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"}


MAKE = Make()


async def _seed(path: Path) -> Seed:
    tokens: dict[str, str] = {}
    gateways: dict[str, UUID] = {}
    async with Database(path) as database:
        async with database.writing() as db:
            for id_, name in (("p1", "Anna Example"), ("p2", "Bert Sample")):
                await patients.add_patient(
                    db,
                    id=id_,
                    name=name,
                    diagnosis="Anterior cruciate ligament reconstruction",
                    side=Side.RIGHT,
                    surgery_on=SURGERY,
                    goal_deg=85,
                    program=MAKE.program(id_),
                )
            for login, (role, patient_id) in PEOPLE.items():
                name = login.replace("_", " ").title()
                await access.create_account(
                    db, login=login, password=PASSWORD, name=name, role=role, patient_id=patient_id, now=NOW
                )
            for who, patient_id in (("gateway", "p1"), ("other_gateway", "p2")):
                code = await devices.make_claim_code(db, patient_id, NOW)
                key = GatewayKey(len(gateways))
                claimed = await devices.claim(db, code, who, public_key=key.public_bytes, now=NOW)
                gateways[who] = claimed.gateway_id
                tokens[who] = await access.issue_token(db, claimed.gateway_id, now=NOW, lifetime=None)
        throttle = AttemptThrottle()
        for login in PEOPLE:
            signed_in = await access.sign_in(database, throttle, login, PASSWORD, address="seed", now=NOW)
            tokens[login] = signed_in.token
    return Seed(path, tokens, gateways)


@pytest.fixture(scope="session")
def make() -> Make:
    return MAKE


@pytest.fixture(scope="session")
def clinic_seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    return asyncio.run(_seed(tmp_path_factory.mktemp("clinic_seed") / "clinic.sqlite3"))


@pytest.fixture
def clinic_home(clinic_seed: Seed, tmp_path: Path) -> Path:
    """A home folder with its own copy of the seeded database."""
    home = tmp_path / "clinic"
    home.mkdir(mode=0o700)
    shutil.copy(clinic_seed.path, home / "clinic.sqlite3")
    return home


@pytest.fixture
def clinic_clock() -> Clock:
    return Clock()


@dataclass
class Api:
    """Calls to the running app, as somebody: `await api("PUT", "/api/v1/…", "gateway", json=…)`."""

    app: FastAPI
    client: httpx2.AsyncClient
    tokens: dict[str, str]
    gateways: dict[str, UUID]
    clock: Clock
    make: Make = field(default=MAKE)

    @property
    def database(self) -> Database:
        return self.app.state.clinic.database

    async def __call__(self, method: str, path: str, who: str | None = None, **options: Any) -> httpx2.Response:
        headers = dict(options.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        address = path if path.startswith(("/", "http")) else f"/api/v1/{path}"
        return await self.client.request(method, address, headers=headers, **options)

    async def put_word(self, path: str, word: Any, who: str = "gateway") -> httpx2.Response:
        headers = {"Content-Type": "application/json"}
        return await self(method="PUT", path=path, who=who, content=word.model_dump_json(), headers=headers)

    async def put_chunk(self, session_id: UUID, number: int, data: bytes, who: str = "gateway") -> httpx2.Response:
        path = f"sessions/{session_id}/chunks/{number}"
        return await self("PUT", path, who, content=data, headers=MAKE.digest(data))

    async def put_session(
        self, number: int = 1, *, chunks: tuple[bytes, ...] = (), **report: Any
    ) -> tuple[SessionReport, httpx2.Response]:
        """Open a session, send its chunks and its report."""
        opening = MAKE.opening(number)
        assert (await self.put_word(f"sessions/{opening.id}", opening)).status_code in {200, 201}
        for index, chunk in enumerate(chunks):
            assert (await self.put_chunk(opening.id, index, chunk)).status_code in {200, 201}
        sent = MAKE.report(number, chunks, **report)
        return sent, await self.put_word(f"sessions/{opening.id}/report", sent)


@asynccontextmanager
async def running(settings: Settings, seed: Seed, clock: Clock) -> AsyncIterator[Api]:
    app = create_app(settings, now=clock)
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as c,
    ):
        yield Api(app, c, seed.tokens, seed.gateways, clock)


@pytest.fixture
async def api(clinic_home: Path, clinic_seed: Seed, clinic_clock: Clock) -> AsyncIterator[Api]:
    async with running(Settings(home=clinic_home, zone=UTC), clinic_seed, clinic_clock) as found:
        yield found


@pytest.fixture
def start_clinic(clinic_home: Path, clinic_seed: Seed, clinic_clock: Clock) -> Any:
    """For a test that needs other settings: `async with start_clinic(largest_body_bytes=100) as api:`."""

    def start(**settings: Any) -> Any:
        return running(Settings(**{"home": clinic_home, "zone": UTC} | settings), clinic_seed, clinic_clock)

    return start
