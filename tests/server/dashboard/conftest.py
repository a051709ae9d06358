"""Patients made of the real words, for views; a clinic with a real database, for pages; a browser, to look at them."""

from __future__ import annotations

import asyncio
import math
import shutil
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import uvicorn
from browser import open_browser, why_no_browser
from playwright.async_api import Browser, Page

from analytics.domain.exercise import Segment, Side
from analytics.domain.measure import Measure, Unit
from analytics.domain.program import Dose, Prescription, Program, Restriction
from analytics.domain.recovery import KNEE_RANGE, Course, CoursePoint, Forecast, ForecastPoint, Proposal
from analytics.domain.session import (
    AngleTrace,
    Calibration,
    Feedback,
    Form,
    FormLabel,
    PainMoment,
    Repetition,
    SensorRecord,
    SessionReport,
    SetReport,
    Zero,
)
from analytics.simulation.patient import simulate_clinic
from server.app import create_app
from server.patients import service as patients
from server.patients.words import PatientOverview, PatientSummary, SessionSummary, SessionView
from server.programs import service as programs
from server.sessions import closing
from server.settings import Settings

TODAY = date(2026, 9, 21)
EXERCISE = "knee.extension.seated"
NAME = "Seated knee extension"


class Words:
    """Builders with plausible values; each takes only what a test is about."""

    today = TODAY
    zone = UTC

    def summary(self, **changes) -> PatientSummary:
        return PatientSummary(
            **{
                "id": "p1",
                "name": "Anna Example",
                "diagnosis": "Anterior cruciate ligament reconstruction",
                "side": Side.RIGHT,
                "surgery_on": TODAY - timedelta(days=51),
                "day": 51,
                "program_version": 4,
                "last_session_at": datetime(2026, 9, 20, 18, 4, tzinfo=UTC),
                "latest_range_deg": 74.0,
                "goal_deg": 85.0,
                "proposal_waiting": False,
                "simulated": False,
            }
            | changes
        )

    def prescription(self, **dose) -> Prescription:
        values = {"sets": 3, "repetitions": 10, "target_excursion_deg": 75, "rest_s": 60} | dose
        return Prescription(exercise=EXERCISE, side=Side.RIGHT, dose=Dose(**values))

    def program(self, **changes) -> Program:
        return Program(
            **{
                "patient_id": "p1",
                "version": 4,
                "phase": "Strength",
                "prescriptions": (self.prescription(),),
                "restrictions": (Restriction(exercise=EXERCISE, largest_excursion_deg=90, set_by="Dr Surgeon"),),
                "approved_by": "Petra Physio",
                "approved_at": datetime(2026, 9, 14, 9, 30, tzinfo=UTC),
                "reason": "Three sessions in a row reached the target without pain.",
            }
            | changes
        )

    def points(self, count: int = 18, last: float = 74.0) -> tuple[CoursePoint, ...]:
        days = [5.4 + index * 45 / max(count - 1, 1) for index in range(count)]
        shape = [38 + 42 * (1 - math.exp(-day / 24)) + 1.6 * math.sin(day * 2.1) for day in days]
        shift = last - shape[-1] if shape else 0.0
        return tuple(CoursePoint(day=d, value=v + shift, error=2.4) for d, v in zip(days, shape, strict=True))

    def forecast(self, **changes) -> Forecast:
        days = range(5, 113)
        mean = [35 + 54 * (1 - math.exp(-day / 40)) for day in days]
        width = [5 + max(0, day - 50) * 0.07 for day in days]
        points = tuple(
            ForecastPoint(day=d, mean=m, low=m - w, high=m + w) for d, m, w in zip(days, mean, width, strict=True)
        )
        return Forecast(
            **{
                "patient_id": "p1",
                "outcome": KNEE_RANGE,
                "made_at": datetime(2026, 9, 20, 19, 0, tzinfo=UTC),
                "points": points,
                "goal": 85.0,
                "goal_day": 80.0,
                "goal_day_low": 68.0,
                "goal_day_high": 101.0,
                "model": "exponential mixed 1",
                "model_sha256": "a3" * 32,
                "measurements_used": 18,
            }
            | changes
        )

    def proposal(self, **after) -> Proposal:
        return Proposal(
            id=UUID(int=7),
            patient_id="p1",
            made_at=datetime(2026, 9, 20, 19, 0, tzinfo=UTC),
            from_version=4,
            before=self.prescription(),
            after=self.prescription(**(after or {"target_excursion_deg": 80})),
            rule="progress_range",
            reason="The target of 75° was reached in the last three sessions, with pain of 2 at most.",
            evidence=("Range in the last three sessions: 76°, 77° and 78°.", "Pain afterwards: 2, 1 and 2 of 10."),
            rejected_alternatives=("More repetitions: one change at a time, and range still has room to grow.",),
        )

    def session(self, index: int = 0, **changes) -> SessionSummary:
        return SessionSummary(
            **{
                "id": UUID(int=1000 + index),
                "started_at": datetime(2026, 9, 20, 18, 4, tzinfo=UTC) - timedelta(days=index),
                "exercise": EXERCISE,
                "exercise_name": NAME,
                "repetitions": 30,
                "range_deg": 74.0 - index,
                "range_error_deg": 2.4,
                "correct": 25,
                "not_judged": 2,
                "pain": 2,
                "pain_told_during": False,
                "hurt_unrated": False,
                "effort": 5,
                "samples_lost": 0,
                "simulated": False,
            }
            | changes
        )

    def overview(self, **changes) -> PatientOverview:
        return PatientOverview(
            **{
                "summary": self.summary(),
                "program": self.program(),
                "course": Course(patient_id="p1", outcome=KNEE_RANGE, points=self.points()),
                "forecast": self.forecast(),
                "proposal": None,
                "sessions": tuple(self.session(index) for index in range(6)),
            }
            | changes
        )

    def course(self, points: tuple[CoursePoint, ...]) -> Course:
        return Course(patient_id="p1", outcome=KNEE_RANGE, points=points)

    def new_patient(self) -> PatientOverview:
        """Enrolled, not one session yet."""
        summary = self.summary(last_session_at=None, latest_range_deg=None, day=2)
        return self.overview(summary=summary, course=self.course(()), forecast=None, sessions=())

    def repetition(self, number: int, label: FormLabel = FormLabel.CORRECT, **changes) -> Repetition:
        start = 4.0 + (number - 1) * 4.4
        form = Form(label=label, probability=0.93)
        if label is FormLabel.NOT_JUDGED:
            form = Form(label=label, reason="unlike anything the model has seen")
        return Repetition(
            **{
                "number": number,
                "start_s": start,
                "peak_s": start + 1.6,
                "end_s": start + 3.6,
                "excursion_deg": 70.0 + 3 * math.sin(number),
                "excursion_error_deg": 2.4,
                "peak_flexion_deg": 18.0,
                "peak_velocity_deg_s": 84.0,
                "form": form,
            }
            | changes
        )

    def report(self, labels: tuple[FormLabel, ...] | None = None, **changes) -> SessionReport:
        kinds = (FormLabel.CORRECT,) * 7 + (FormLabel.TOO_FAST, FormLabel.LOW_AMPLITUDE, FormLabel.NOT_JUDGED)
        repetitions = tuple(
            self.repetition(i + 1, label) for i, label in enumerate(labels if labels is not None else kinds)
        )
        seconds = [index / 10 for index in range(520)]
        trace = AngleTrace(start_s=0.0, rate_hz=10.0, flexion_deg=tuple(_flexion(t, repetitions) for t in seconds))
        return SessionReport(
            **{
                "id": UUID(int=1000),
                "patient_id": "p1",
                "program_version": 4,
                "exercise": EXERCISE,
                "side": Side.RIGHT,
                "started_at": datetime(2026, 9, 20, 18, 4, tzinfo=UTC),
                "ended_at": datetime(2026, 9, 20, 18, 4, 52, tzinfo=UTC),
                "repetitions": repetitions,
                "calibration": Calibration(axis_explained=0.972, excursion_deg=71.0, zero=Zero.REST_POSE_UNVERIFIED),
                "trace": trace,
                "sensors": (
                    self.sensor(Segment.RIGHT_THIGH),
                    self.sensor(Segment.RIGHT_SHANK, samples_lost=12, address="AA:BB:CC:DD:EE:02"),
                ),
                "form_model": "knee.extension.seated 1",
                "chunk_count": 6,
                "chunks_sha256": "00" * 32,
            }
            | changes
        )

    def sensor(self, segment: Segment, **changes) -> SensorRecord:
        return SensorRecord(
            **{
                "address": "AA:BB:CC:DD:EE:01",
                "name": "Open IMU",
                "segment": segment,
                "samples_received": 5200,
                "samples_lost": 0,
                "rate_hz": 100.0,
                "clock_skew_ppm": -18.0,
                "clock_residual_ms": 7.5,
                "battery_percent": 87,
            }
            | changes
        )

    def session_view(self, report: SessionReport | None = None, *, told: bool = True) -> SessionView:
        at = datetime(2026, 9, 20, 18, 10, tzinfo=UTC)
        given = Feedback(id=UUID(int=3), session_id=UUID(int=1000), pain=2, effort=5, given_at=at)
        return SessionView(
            patient=self.summary(),
            exercise_name=NAME,
            report=report or self.report(),
            feedback=given if told else None,
            samples_stored=10400,
        )


def _flexion(time_s: float, repetitions: tuple[Repetition, ...]) -> float:
    for repetition in repetitions:
        if repetition.start_s <= time_s <= repetition.end_s:
            phase = (time_s - repetition.start_s) / (repetition.end_s - repetition.start_s)
            return 88 - repetition.excursion_deg * math.sin(math.pi * phase) ** 2
    return 88 + 0.6 * math.sin(time_s * 3)


@pytest.fixture(scope="session")
def words() -> Words:
    return Words()


@dataclass(frozen=True)
class LiveClinic:
    """A clinic behind a real socket: six simulated patients, p1 with measured sessions, p2 with none."""

    address: str
    password: str
    measured_session: UUID


async def _furnish(home: Path, now: datetime, make, tokens: dict[str, str]) -> UUID:
    app = create_app(Settings(home=home, zone=UTC), now=lambda: now)
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1")
    async with app.router.lifespan_context(app), client:
        async with app.state.clinic.database.writing() as db:
            people = simulate_clinic(6, 5, now.date(), 8)
            for person in people:
                await patients.add_patient(
                    db, id=person.id, name=person.name, diagnosis=person.diagnosis, side=person.side, simulated=True,
                    surgery_on=person.surgery_on, goal_deg=person.goal_deg, program=person.programs[0],
                )  # fmt: skip
                for program in person.programs[1:]:
                    await programs.add_version(db, program)
                await closing.store_history(db, person.id, person.reports, person.feedbacks)
            for person in people:
                await closing.follow(db, person.id, now=now, refit_after=10_000)

        async def put(path: str, who: str, content: bytes | str, **headers: str) -> None:
            said = {"Authorization": f"Bearer {tokens[who]}", "Content-Type": "application/json"} | headers
            (await client.put(f"/api/v1/{path}", content=content, headers=said)).raise_for_status()

        for number in range(1, 5):
            opening, chunk = make.opening(number), make.chunk(number, samples=500)
            await put(f"sessions/{opening.id}", "gateway", opening.model_dump_json())
            await put(f"sessions/{opening.id}/chunks/0", "gateway", chunk, **make.digest(chunk))
            report = _measured(make.report(number, (chunk,)), 60.0 + 5 * number)
            await put(f"sessions/{opening.id}/report", "gateway", report.model_dump_json())
            felt = make.feedback(number)
            await put(f"me/feedback/{felt.id}", "patient", felt.model_dump_json())
    return make.opening(4).id


def _measured(report: SessionReport, range_deg: float) -> SessionReport:
    """The report with a curve that fits its repetitions, as a tracker would have drawn it, with measures of three sets,
    and with two pains."""
    seconds = [index / 10 for index in range(1620)]
    trace = AngleTrace(start_s=0.0, rate_hz=10.0, flexion_deg=tuple(_flexion(t, report.repetitions) for t in seconds))
    hurts = (PainMoment(time_s=40.5, pain=6), PainMoment(time_s=81.0))
    measures = (
        Measure(code="range", name="Range moved", value=range_deg, unit=Unit.DEGREE, error=1.0),
        Measure(code="hold_time", name="Hold", value=0.52, unit=Unit.SECOND, error=0.03),
    )
    sets = [SetReport(number=n, start_s=0, end_s=40, repetitions=10, measures=measures) for n in (1, 2, 3)]
    return report.model_copy(update={"trace": trace, "hurts": hurts, "sets": tuple(sets)})


@pytest.fixture(scope="session")
def live_clinic(clinic_seed, make, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveClinic]:
    """Served by uvicorn in a thread, on 127.0.0.1 and a free port."""
    home = tmp_path_factory.mktemp("live_clinic")
    shutil.copy(clinic_seed.path, home / "clinic.sqlite3")
    session_id = asyncio.run(_furnish(home, make.now, make, clinic_seed.tokens))
    app = create_app(Settings(home=home, zone=UTC), now=lambda: make.now)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield LiveClinic(f"http://127.0.0.1:{listener.getsockname()[1]}", make.password, session_id)
        server.should_exit = True
        thread.join(10)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless. A browser per test: an event loop cannot be shared between them."""
    if reason := why_no_browser():
        pytest.skip(reason)
    async with open_browser() as browser:
        yield browser


class Visit:
    """A browser window in the clinic. What a page should never do is collected, and checked when the visit ends."""

    def __init__(self, page: Page, clinic: LiveClinic) -> None:
        self.page, self.clinic = page, clinic
        self.faults: list[str] = []
        page.on("console", lambda message: self._note("console", message.text, message.type in {"error", "warning"}))
        page.on("pageerror", lambda error: self._note("exception", str(error)))
        page.on("request", lambda request: self._note("foreign request", request.url, not self._ours(request.url)))
        page.on("response", lambda response: self._note("status", response.url, response.status >= 400))

    def _note(self, kind: str, text: str, wrong: bool = True) -> None:
        if wrong:
            self.faults.append(f"{kind}: {text}")

    def _ours(self, url: str) -> bool:
        return url.startswith(self.clinic.address + "/")

    async def go(self, path: str) -> None:
        await self.page.goto(self.clinic.address + path)

    async def sign_in(self, login: str) -> None:
        await self.go("/sign-in")
        await self.page.get_by_label("Login").fill(login)
        await self.page.get_by_label("Password").fill(self.clinic.password)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.get_by_role("button", name="Sign out").wait_for()


@pytest.fixture
def visit(chromium: Browser, live_clinic: LiveClinic) -> Callable[..., AbstractAsyncContextManager[Visit]]:
    """`async with visit(login, color_scheme="dark", viewport=…) as window:`; fails for any fault a page caused."""

    @asynccontextmanager
    async def open_window(login: str | None = None, **options: Any) -> AsyncIterator[Visit]:
        context = await chromium.new_context(**options)
        window = Visit(await context.new_page(), live_clinic)
        if login is not None:
            await window.sign_in(login)
        yield window
        await context.close()
        assert window.faults == []

    return open_window
