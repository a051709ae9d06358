"""The demo from beginning to end."""

from __future__ import annotations

import asyncio
import sys
import time
import webbrowser
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from analytics.domain.exercise import Exercise
from analytics.domain.session import SessionReport
from analytics.exercises.catalogue import exercise as exercise_named
from demo.body import Body
from demo.clinic import prepare_clinic
from demo.clinic_notes import DemoClinic
from demo.home import exercise_once, patient_home, upload
from demo.listener import Listener
from demo.motion import Motion, recorded_motion, simulated_motion
from demo.ports import gateway_folder, server_port
from demo.result import DemoResult, latency
from demo.server_process import ServerProcess
from demo.visitor import Visitor
from device_gateway.app import Gateway
from server.patients.words import PatientOverview

UPLOAD_PATIENCE_S = 60.0
PAUSE_BETWEEN_SESSIONS_S = 20.0


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
    port = server_port(options.port, options.home)
    exercise = exercise_named("knee.extension.seated")
    recorded = recorded_motion(options.recording, exercise) if options.recording else None
    rng = np.random.default_rng()
    clinic, claim_code = await prepare_clinic(options.home / "server", datetime.now(UTC), say)
    server = ServerProcess(options.home / "server", port)
    try:
        await server.start()
        patient = await _look(server.url, clinic)
        side = patient.program.prescriptions[0].side
        folder = gateway_folder(options.home, port)
        home = patient_home(folder, server.url, claim_code, exercise=exercise, side=side, speed=options.speed)
        async with home as (gateway, body):
            if options.headless:
                motion = recorded or _prescribed(exercise, patient, clinic, rng)
                session = await _session(gateway, body, motion, options.speed)
                return await _result(session, server.url, clinic, time.monotonic() - began_s)
            _welcome(server.url, clinic, options)
            while True:
                motion = recorded or _prescribed(exercise, patient, clinic, rng)
                session = await _session(gateway, body, motion, options.speed)
                repetitions, where = len(session.report.repetitions), f"{server.url}/sessions/{session.report.id}"
                say(f"  {repetitions} repetitions, at the clinic: {where}")
                await asyncio.sleep(PAUSE_BETWEEN_SESSIONS_S)
                patient = await _look(server.url, clinic)
    finally:
        await server.stop()


@dataclass(frozen=True, slots=True)
class _Session:
    """A session that is at the clinic, what a listener heard of it, and how many samples its sensors took."""

    report: SessionReport
    listener: Listener
    samples_sent: int


async def _session(gateway: Gateway, body: Body, motion: Motion, speed: float) -> _Session:
    say(f"The live patient exercises: {motion.duration_s / speed:.0f} s")
    report, listener = await exercise_once(gateway, body, motion, speed, say)
    session = _Session(report, listener, body.samples_sent)
    await upload(gateway, UPLOAD_PATIENCE_S)
    return session


async def _look(url: str, clinic: DemoClinic) -> PatientOverview:
    """The live patient as the physiotherapist sees them now; signed in anew, since a sign-in does not last for days."""
    physiotherapist = await Visitor.sign_in(url, clinic.login_of("physiotherapist"))
    return await physiotherapist.patient(clinic.live_patient_id)


async def _result(session: _Session, url: str, clinic: DemoClinic, wall_s: float) -> DemoResult:
    physiotherapist = await Visitor.sign_in(url, clinic.login_of("physiotherapist"))
    patient = await physiotherapist.patient(clinic.live_patient_id)
    stored = (await physiotherapist.session(session.report.id)).samples_stored
    repetitions = session.report.repetitions
    return DemoResult(
        session_id=session.report.id,
        samples_sent=session.samples_sent,
        samples_stored=stored,
        samples_lost=session.samples_sent - stored,
        repetitions=len(repetitions),
        rom_deg=tuple(round(one.excursion_deg, 1) for one in repetitions if one.excursion_deg is not None),
        form=tuple(repetition.form for repetition in repetitions),
        live_events=session.listener.events.total(),
        latency_ms=latency(session.listener.latencies_ms),
        forecast=patient.forecast,
        proposal=patient.proposal,
        wall_s=round(wall_s, 2),
    )


def _prescribed(exercise: Exercise, patient: PatientOverview, clinic: DemoClinic, rng: np.random.Generator) -> Motion:
    """All that is prescribed, as far as the patient's knee can go today."""
    dose = patient.program.prescriptions[0].dose
    range_deg = clinic.live_range_deg(datetime.now(UTC), rng, largest_deg=exercise.rest_flexion_deg)
    return simulated_motion(exercise, dose.sets * dose.repetitions, range_deg, rng)


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
