"""One simulated exercising as a gateway would report it: repetitions and the trace they stand in, no raw samples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from analytics.domain.base import uuid7
from analytics.domain.program import Dose, Program
from analytics.domain.session import AngleTrace, Calibration, Form, FormLabel, Repetition, SessionReport, Zero
from analytics.exercises import exercise
from analytics.signals.samples import FloatArray

TRACE_HZ = 5.0
BEST = 3
FIRST_REPETITION_S = 8.0
LARGEST_EXCURSION_DEG = 92.0
NO_CHUNKS = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class _Timing:
    """Extension, hold, and lowering of each repetition, (n,) seconds of the session."""

    start: FloatArray
    hold_from: FloatArray
    hold_to: FloatArray
    end: FloatArray


def simulate_session(
    rng: np.random.Generator, program: Program, started_at: datetime, *, level_deg: float, skill: float, stamina: float
) -> SessionReport:
    """A session on the program's first prescription in which the patient shows a range of `level_deg`.

    `skill` is the share of repetitions done correctly, `stamina` the share of the prescribed ones done at all. The
    median of the best three excursions is `level_deg` within the rounding, as long as nothing exceeds a straight knee.
    """
    prescription = program.prescriptions[0]
    dose = prescription.dose
    count = max(round(dose.sets * dose.repetitions * stamina), 1)
    shares = {
        FormLabel.CORRECT: skill * 0.96,
        FormLabel.TOO_FAST: (1 - skill) * 0.48,
        FormLabel.LOW_AMPLITUDE: (1 - skill) * 0.48,
        FormLabel.NOT_JUDGED: 0.04,
    }
    labels = [list(shares)[k] for k in rng.choice(len(shares), size=count, p=list(shares.values()))]
    excursion_deg = _excursions(rng, labels, level_deg)
    timing = _timing(rng, labels, dose)
    rest_deg = exercise(prescription.exercise).rest_flexion_deg + rng.normal(0, 1.5)
    repetitions = _repetitions(rng, labels, excursion_deg, timing, rest_deg)
    duration_s = float(timing.end[-1]) + 4.0
    return SessionReport(
        id=uuid7(int(started_at.timestamp() * 1000), rng.bytes(10)),
        patient_id=program.patient_id,
        program_version=program.version,
        exercise=prescription.exercise,
        side=prescription.side,
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=round(duration_s, 3)),
        repetitions=repetitions,
        calibration=Calibration(
            axis_explained=round(float(rng.uniform(0.94, 0.99)), 3),
            excursion_deg=repetitions[0].excursion_deg,
            zero=Zero.REST_POSE_UNVERIFIED,
        ),
        trace=_trace(rng, excursion_deg, timing, rest_deg, duration_s),
        sensors=(),
        form_model="simulated",
        chunk_count=0,
        chunks_sha256=NO_CHUNKS,
        simulated=True,
    )


def _excursions(rng: np.random.Generator, labels: Sequence[FormLabel], level_deg: float) -> FloatArray:
    own = level_deg + rng.normal(0, 1.8, len(labels)) - 2.0 * np.linspace(0, 1, len(labels))  # the last are tired
    low = np.array([label is FormLabel.LOW_AMPLITUDE for label in labels])
    own = np.where(low, own * rng.uniform(0.55, 0.8, len(labels)), own)
    own += level_deg - np.median(np.sort(own)[-BEST:])
    return np.asarray(np.round(np.clip(own, 5.0, LARGEST_EXCURSION_DEG), 1), dtype=np.float64)


def _timing(rng: np.random.Generator, labels: Sequence[FormLabel], dose: Dose) -> _Timing:
    n = len(labels)
    hurry = np.where([label is FormLabel.TOO_FAST for label in labels], 0.4, 1.0)
    rise, hold = rng.uniform(1.1, 1.9, n) * hurry, rng.uniform(0.3, 0.9, n) * np.maximum(hurry, 0.8)
    fall, pause = rng.uniform(1.2, 2.2, n) * hurry, rng.uniform(0.4, 1.4, n)
    pause[dose.repetitions - 1 :: dose.repetitions] += dose.rest_s
    start = FIRST_REPETITION_S + np.concatenate([[0.0], np.cumsum(rise + hold + fall + pause)[:-1]])
    return _Timing(start, start + rise, start + rise + hold, start + rise + hold + fall)


def _repetitions(
    rng: np.random.Generator, labels: Sequence[FormLabel], excursion_deg: FloatArray, timing: _Timing, rest_deg: float
) -> tuple[Repetition, ...]:
    quickest_s = np.minimum(timing.hold_from - timing.start, timing.end - timing.hold_to)
    velocity = np.pi / 2 * excursion_deg / quickest_s  # steepest slope of the sin² the trace is drawn with
    error_deg, probability = rng.uniform(0.9, 1.7, len(labels)), rng.uniform(0.72, 0.98, len(labels))
    return tuple(
        Repetition(
            number=k + 1,
            start_s=round(float(timing.start[k]), 2),
            peak_s=round(float(timing.hold_from[k] + timing.hold_to[k]) / 2, 2),
            end_s=round(float(timing.end[k]), 2),
            excursion_deg=float(excursion_deg[k]),
            excursion_error_deg=round(float(error_deg[k]), 2),
            peak_flexion_deg=round(rest_deg - float(excursion_deg[k]), 1),
            peak_velocity_deg_s=round(float(velocity[k]), 1),
            form=Form(label=label, reason="The movement was interrupted.")
            if label is FormLabel.NOT_JUDGED
            else Form(label=label, probability=round(float(probability[k]), 2)),
        )
        for k, label in enumerate(labels)
    )


def _trace(
    rng: np.random.Generator, excursion_deg: FloatArray, timing: _Timing, rest_deg: float, duration_s: float
) -> AngleTrace:
    """Flexion at `TRACE_HZ`: from rest along sin² to the hold and back, with a tremor of a fifth of a degree."""
    time_s = np.arange(0, duration_s, 1 / TRACE_HZ)
    knots = np.stack([timing.start, timing.hold_from, timing.hold_to, timing.end], axis=1)
    phase = np.arange(len(knots))[:, None] + np.array([0.0, 0.5, 0.5, 1.0])
    share = np.sin(np.pi * np.interp(time_s, knots.ravel(), phase.ravel())) ** 2
    which = np.clip(np.searchsorted(timing.start, time_s, side="right") - 1, 0, None)
    flexion_deg = rest_deg - excursion_deg[which] * share + rng.normal(0, 0.2, len(time_s))
    return AngleTrace(start_s=0.0, rate_hz=TRACE_HZ, flexion_deg=tuple(np.round(flexion_deg, 1).tolist()))
