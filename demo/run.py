"""The demo from beginning to end."""

from __future__ import annotations

import asyncio
import sys
import time
import webbrowser
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx2
import numpy as np

from analytics.domain.exercise import Exercise
from analytics.domain.session import SessionReport
from analytics.exercises.catalogue import exercise as exercise_named
from demo.clinic import DemoClinic, Login, prepare_clinic
from demo.errors import DemoError
from demo.home import exercise_once, patient_home
from demo.listener import Listener
from demo.motion import Motion, recorded_motion, simulated_motion
from demo.ports import require_free_port
from demo.result import DemoResult, latency
from demo.server_process import ServerProcess
from server.patients.words import PatientOverview, SessionView

UPLOAD_PATIENCE_S = 60.0
PAUSE_BETWEEN_SESSIONS_S = 20.0
SIMULATED_REPETITIONS = 12


@dataclass(frozen=True, slots=True)
class DemoOptions:
    home: Path
    port: int
    recording: Path | None
    speed: float
    headless: bool
    open_browser: bool


def say(line: str) -> None:
    """Progress goes to standard error: the last line of standard output is the result."""
    print(line, file=sys.stderr, flush=True)


async def run_demo(options: DemoOptions) -> DemoResult | None:
    """Set up clinic, server and gateway, then exercise: once and measured if headless, else again and again.

    Raises DemoError, RecordingError or the gateway's and server's own errors, each one sentence.
    """
    began_s = time.monotonic()
    port = require_free_port(options.port)
    exercise = exercise_named("knee.extension.seated")
    motion = recorded_motion(options.recording, exercise) if options.recording else None
    clinic, claim_code = await prepare_clinic(options.home / "server", datetime.now(UTC), say)
    server = ServerProcess(options.home / "server", port)
    await server.start()
    try:
        visitor = await Visitor.sign_in(server.url, clinic.login_of("physiotherapist"))
        overview = await visitor.patient(clinic.live_patient_id)
        if not options.headless:
            _welcome(server.url, clinic, options)
        home = options.home / f"gateway-{port}"  # a gateway belongs to one server's address
        side = overview.program.prescriptions[0].side
        async with patient_home(home, server.url, claim_code, exercise=exercise, side=side, speed=options.speed) as (
            gateway,
            body,
        ):
            while True:
                played = motion or _next_motion(exercise, overview)
                say(f"{clinic.live_patient_name} exercises: {played.duration_s / options.speed:.0f} s")
                report, listener = await exercise_once(gateway, body, played, options.speed, say)
                sent = body.samples_sent
                if not await gateway.drain(UPLOAD_PATIENCE_S):
                    raise DemoError(
                        "The session was recorded but not uploaded in time: " + " ".join(await gateway.problems())
                    )
                overview = await visitor.patient(clinic.live_patient_id)
                if options.headless:
                    stored = (await visitor.session(report.id)).samples_stored
                    return _result(
                        report, listener, overview, sent=sent, stored=stored, wall_s=time.monotonic() - began_s
                    )
                say(f"  {len(report.repetitions)} repetitions, at the clinic: {server.url}/sessions/{report.id}")
                await asyncio.sleep(PAUSE_BETWEEN_SESSIONS_S)
    finally:
        await server.stop()


class Visitor:
    """The physiotherapist, looking through the API."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = f"{url}/api/v1", {"Authorization": f"Bearer {token}"}

    @classmethod
    async def sign_in(cls, url: str, login: Login) -> Visitor:
        async with httpx2.AsyncClient(trust_env=False) as client:
            credentials = {"login": login.login, "password": login.password}
            answer = await client.post(f"{url}/api/v1/sign-in", json=credentials)
        if not answer.is_success:
            raise DemoError(
                f"The server does not accept the demo's own login ({answer.json()['detail']}); choose another --home."
            )
        return cls(url, answer.json()["token"])

    async def patient(self, patient_id: str) -> PatientOverview:
        return PatientOverview.model_validate_json(await self._get(f"/patients/{patient_id}"))

    async def session(self, session_id: UUID) -> SessionView:
        return SessionView.model_validate_json(await self._get(f"/sessions/{session_id}"))

    async def _get(self, path: str) -> bytes:
        async with httpx2.AsyncClient(trust_env=False, headers=self._headers) as client:
            answer = await client.get(self._url + path)
        if not answer.is_success:
            raise DemoError(f"The server answered {answer.status_code} to {path}: {answer.text}")
        return answer.content


def _next_motion(exercise: Exercise, overview: PatientOverview) -> Motion:
    """Sessions as good as the patient's latest one, give or take."""
    rng = np.random.default_rng()
    latest = overview.summary.latest_range_deg or 60.0
    return simulated_motion(exercise, SIMULATED_REPETITIONS, float(latest + rng.normal(1, 2)), rng)


def _result(
    report: SessionReport, listener: Listener, overview: PatientOverview, *, sent: int, stored: int, wall_s: float
) -> DemoResult:
    return DemoResult(
        session_id=report.id,
        samples_sent=sent,
        samples_stored=stored,
        samples_lost=sent - stored,
        repetitions=len(report.repetitions),
        rom_deg=tuple(round(repetition.excursion_deg, 1) for repetition in report.repetitions),
        form=tuple(repetition.form for repetition in report.repetitions),
        live_events=listener.events.total(),
        latency_ms=latency(listener.latencies_ms),
        forecast=overview.forecast,
        proposal=overview.proposal,
        wall_s=round(wall_s, 2),
    )


def _welcome(url: str, clinic: DemoClinic, options: DemoOptions) -> None:
    print(f"\n  Sinew is running at {url}\n")
    print("  everyone here is simulated; sign in as")
    for login in clinic.logins:
        print(f"    {login.role:16} {login.login:10} {login.password}")
    print(f"\n  {clinic.live_patient_name} is exercising now: {url}/patients/{clinic.live_patient_id}")
    print(f"  the patient's app: sinew app --server {url}")
    print("  stop with Ctrl+C\n", flush=True)
    if options.open_browser:
        webbrowser.open(url)
