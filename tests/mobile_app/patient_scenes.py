"""One invented patient's program and session as domain words, for tests and pictures; and how tests wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.live import (
    AngleEvent,
    Cue,
    CueEvent,
    CueLevel,
    FinishedEvent,
    LiveEvent,
    RepetitionEvent,
    SensorState,
    SessionState,
    Snapshot,
    StateEvent,
)
from analytics.domain.program import Assignment, Dose, Prescription, Program, Restriction
from analytics.domain.session import Calibration, Form, FormLabel, Repetition, SessionReport, Zero

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PATIENT = "patient-1"
PASSWORD = "correct horse battery"
LIVE_TOKEN = "a live token of some length"
SESSION = UUID("019ab000-0000-7000-8000-000000000001")
DOSE = Dose(sets=3, repetitions=10, target_excursion_deg=60, rest_s=60)
REST_DEG, PERIOD_S, ANGLE_HZ = 90.0, 4.0, 25.0


def assignment(
    side: Side = Side.RIGHT,
    *,
    limit: bool = True,
    limit_deg: float = 75,
    exercise: str = "knee.extension.seated",
    dose: Dose = DOSE,
    own: dict[str, str] | None = None,
) -> Assignment:
    restriction = Restriction(
        exercise=exercise, largest_excursion_deg=limit_deg, until=date(2026, 12, 12), set_by="Dr Okafor"
    )
    return Assignment(
        patient_id=PATIENT,
        patient_name="Maria Lindqvist",
        exercises=own or {},
        program=Program(
            patient_id=PATIENT,
            version=3,
            phase="strength",
            prescriptions=(Prescription(exercise=exercise, side=side, dose=dose),),
            restrictions=(restriction,) if limit else (),
            approved_by="Jonas Weber",
            approved_at=NOW - timedelta(days=2),
            reason="Range has grown steadily for a week.",
        ),
    )


def sensors(*, shank: bool = True) -> tuple[SensorState, ...]:
    return (
        SensorState(segment=Segment.RIGHT_THIGH, name="Sinew 1", connected=True, battery_percent=81),
        SensorState(segment=Segment.RIGHT_SHANK, name="Sinew 2", connected=shank, battery_percent=78),
    )


def snapshot(state: SessionState = SessionState.IDLE, *, session: UUID | None = SESSION, sequence: int = 0) -> Snapshot:
    return Snapshot(
        sequence=sequence,
        state=state,
        session_id=session,
        exercise="knee.extension.seated",
        exercise_name="Seated knee extension",
        side=Side.RIGHT,
        dose=DOSE,
        rest_flexion_deg=REST_DEG,
        sensors=sensors(),
    )


def peak_deg(number: int) -> float:
    return 61.0 + 5.0 * math.sin(1.3 * number - 1.6)


def repetition(number: int) -> Repetition:
    form = Form(label=FormLabel.TOO_FAST if number % 6 == 5 else FormLabel.CORRECT, probability=0.9)
    start = number * PERIOD_S
    return Repetition(
        number=number,
        start_s=start,
        peak_s=start + PERIOD_S / 2,
        end_s=start + PERIOD_S,
        excursion_deg=peak_deg(number),
        excursion_error_deg=2.0,
        peak_flexion_deg=REST_DEG - peak_deg(number),
        peak_velocity_deg_s=70,
        form=form,
    )


def movement(number: int, share: float = 1.0) -> Iterator[AngleEvent]:
    """The angles of one repetition, or of its first part."""
    for i in range(int(PERIOD_S * ANGLE_HZ * share)):
        time_s = number * PERIOD_S + i / ANGLE_HZ
        excursion = peak_deg(number) * (0.5 - 0.5 * math.cos(2 * math.pi * i / ANGLE_HZ / PERIOD_S)) ** 0.8
        yield AngleEvent(
            sequence=0,
            time_s=time_s,
            sensor_time_us=int(time_s * 1e6),
            flexion_deg=REST_DEG - excursion,
            excursion_deg=excursion,
        )


def session_until(repetitions: int, *, share: float = 0.0) -> Iterator[LiveEvent]:
    """Everything a phone hears up to a repetition, and a share of the next one's movement."""
    yield snapshot(SessionState.EXERCISING)
    for number in range(1, repetitions + 1):
        yield from movement(number)
        in_set = (number - 1) % DOSE.repetitions + 1
        set_number = (number - 1) // DOSE.repetitions + 1
        yield StateEvent(sequence=0, state=SessionState.EXERCISING, set_number=set_number)
        yield RepetitionEvent(sequence=0, set_number=set_number, count_in_set=in_set, repetition=repetition(number))
    yield from movement(repetitions + 1, share)


def session_of(exercise: Exercise, side: Side, dose: Dose, share: float) -> Iterator[LiveEvent]:
    """Five repetitions of any exercise of the catalogue, and then an angle at that share of its target."""
    yield Snapshot(
        state=SessionState.EXERCISING,
        session_id=SESSION,
        exercise=exercise.code,
        exercise_name=exercise.name,
        side=side,
        dose=dose,
        rest_flexion_deg=exercise.angle.rest_deg if exercise.angle else None,
    )
    target_deg = dose.target_excursion_deg
    for number in range(1, 6):
        done = repetition(number).model_copy(update={"excursion_deg": target_deg, "end_s": (number + 1) * PERIOD_S})
        if target_deg is None:
            done = without_angle(number)
        yield RepetitionEvent(set_number=1, count_in_set=number, repetition=done)
    if target_deg is not None:
        for i in range(100):
            excursion_deg = target_deg * share * (0.5 - 0.5 * math.cos(math.pi * (i % 50) / 49))
            yield AngleEvent(time_s=24 + i / ANGLE_HZ, sensor_time_us=0, flexion_deg=0.0, excursion_deg=excursion_deg)


def without_angle(number: int) -> Repetition:
    """Counted by its pattern."""
    nothing = ("excursion_deg", "excursion_error_deg", "peak_flexion_deg", "peak_velocity_deg_s")
    return repetition(number).model_copy(update=dict.fromkeys(nothing))


def cue(text: str, level: CueLevel) -> CueEvent:
    return CueEvent(sequence=0, cue=Cue(code="cue", text=text, level=level))


def report(repetitions: int, *, patient: str = PATIENT) -> SessionReport:
    return SessionReport(
        id=SESSION,
        patient_id=patient,
        program_version=3,
        exercise="knee.extension.seated",
        side=Side.RIGHT,
        started_at=NOW,
        ended_at=NOW + timedelta(seconds=PERIOD_S * repetitions),
        repetitions=tuple(repetition(number) for number in range(1, repetitions + 1)),
        calibration=Calibration(axis_explained=0.97, excursion_deg=140, zero=Zero.REST_POSE_UNVERIFIED),
        sensors=(),
        chunk_count=0,
        chunks_sha256="0" * 64,
    )


def finished(repetitions: int) -> FinishedEvent:
    return FinishedEvent(sequence=0, report=report(repetitions))


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for what another task or process brings about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  there is no event for what somebody else does
            await asyncio.sleep(0.005)
