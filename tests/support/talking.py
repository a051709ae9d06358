"""An exercise session to talk with, fed with a simulated body's samples; no radio, no disk, no clock."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from analytics.domain.check_in import CheckIn, Swelling
from analytics.domain.exercise import Segment
from analytics.domain.live import Command, CueEvent, LiveEvent, SessionState, StateEvent
from analytics.domain.program import Dose
from analytics.domain.session import SessionReport
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from device_gateway.live.hub import LiveHub
from device_gateway.session.exercise_session import ExerciseSession
from device_gateway.session.scoring import exercise_session

RATE_HZ = 50.0
THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
AS_WORN = {THIGH: THIGH, SHANK: SHANK}
EXCHANGED = {THIGH: SHANK, SHANK: THIGH}
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WELL = CheckIn(pain_now=1, pain_this_morning=0, swelling=Swelling.SAME, given_at=NOW)


class Told(LiveHub):
    """A hub that also keeps what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[LiveEvent] = []

    def publish(self, event: LiveEvent) -> None:
        self.heard.append(event)
        super().publish(event)

    def states(self) -> list[SessionState]:
        told = [event.state for event in self.heard if isinstance(event, StateEvent)]
        return [state for before, state in zip([None, *told], told, strict=False) if state is not before]

    def codes(self) -> list[str]:
        return [event.cue.code for event in self.heard if isinstance(event, CueEvent)]


def dose(sets: int = 2, repetitions: int = 3, rest_s: float = 30.0) -> Dose:
    return Dose(sets=sets, repetitions=repetitions, target_excursion_deg=60, rest_s=rest_s)


def body(repetitions: int, seed: int = 8, **how: float) -> SimulatedBody:
    return seated_knee_extensions(repetitions, np.random.default_rng(seed), rate_hz=RATE_HZ, **how)


def led(invented, told: Told, asked: Dose | None = None, check_in: CheckIn = WELL) -> ExerciseSession:
    session = exercise_session(invented.opening(), asked or dose(), None, told, guided=True)
    session.begin([])
    session.obey(Command(command="check_in", check_in=check_in), 1.0)
    return session


def alone(invented, told: Told, asked: Dose | None = None) -> ExerciseSession:
    session = exercise_session(invented.opening(), asked or dose(), None, told)
    session.begin([])
    return session


def move(
    session: ExerciseSession, wearing: SimulatedBody, until_s: float = 1e9, *, from_s: float = 0.0, late_s: float = 0.0,
    worn: dict[Segment, Segment] = AS_WORN,
) -> float:  # fmt: skip
    """The body's movement between these of its own times, `late_s` later in session time; `worn` says whose samples
    come under which name."""
    first, last = np.searchsorted(wearing.time_s, [from_s, until_s])
    for k in range(int(first), int(last), 5):
        part = slice(k, min(k + 5, int(last)))
        time_s = wearing.time_s[part] + late_s
        for name, segment in worn.items():
            acc, gyr = wearing.sensors[segment]
            session.take(
                name, RATE_HZ, ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc[part], gyr[part]), time_s
            )
    return float(time_s[-1])


def closed(session: ExerciseSession) -> SessionReport:
    session.finish()
    return session.report(ended_at=NOW, sensors=(), chunk_count=0, chunks_sha256="", simulated=True)


def still(from_s: float, to_s: float) -> tuple[ImuSamples, np.ndarray]:
    time_s = np.arange(from_s, to_s - 1e-9, 1 / RATE_HZ)
    acc = np.tile([0.0, 0.0, 9.81], (len(time_s), 1))
    return ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc, np.zeros_like(acc)), time_s
