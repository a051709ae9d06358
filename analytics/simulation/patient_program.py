"""What a simulated physiotherapist prescribes: a first program, then a weekly look that keeps to the safety rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Program, Restriction
from analytics.domain.session import Feedback, SessionReport
from analytics.safety.envelope import restricted_to
from analytics.safety.rules import load_rules
from analytics.safety.verdict import Leeway, verdict

from .cast import Diagnosis

EXERCISE = "knee.extension.seated"
PHYSIOTHERAPIST = "Simulated physiotherapist"
SURGEON = "Simulated surgeon"
TARGET_GRID_DEG = 5


@dataclass(frozen=True, slots=True)
class _Felt:
    started_at: datetime
    pain: int
    effort: int
    hurt_unrated: bool = False


def first_program(
    patient_id: str, diagnosis: Diagnosis, side: Side, *, surgery_on: date, day: int, range_deg: float
) -> Program:
    """Version 1, in force from the day before the first session; its target a little below what the knee can do."""
    restrictions: tuple[Restriction, ...] = ()
    if diagnosis.restricted:
        largest_deg, until_day = diagnosis.restricted
        until = surgery_on + timedelta(days=until_day)
        restrictions = (Restriction(exercise=EXERCISE, largest_excursion_deg=largest_deg, until=until, set_by=SURGEON),)
    target_deg = max(_grid(range_deg - TARGET_GRID_DEG), load_rules().dose.smallest_excursion_deg)
    dose = Dose(sets=3, repetitions=8, target_excursion_deg=target_deg, rest_s=45)
    return Program(
        patient_id=patient_id,
        version=1,
        phase=_phase(day),
        prescriptions=(Prescription(exercise=EXERCISE, side=side, dose=dose),),
        restrictions=restrictions,
        approved_by=PHYSIOTHERAPIST,
        approved_at=moment(surgery_on, day - 1, seconds=10 * 3600),
        reason="First program after surgery.",
    )


def review(
    program: Program,
    sessions: Sequence[tuple[SessionReport, Feedback | None]],
    *,
    surgery_on: date,
    day: int,
) -> Program | None:
    """The next version where the target was reached and the rules permit growth, else None.

    Seeing the patient, a physiotherapist may take more than the one step that a rule may propose: the new target is
    just below the range of the last sessions, within restrictions and the exercise's own limit.
    """
    rules, prescription = load_rules(), program.prescriptions[0]
    felt = [_Felt(report.started_at, feedback.pain, feedback.effort) for report, feedback in sessions if feedback]
    seen = verdict(felt, rules, now=moment(surgery_on, day, seconds=6 * 3600))
    if seen.leeway is not Leeway.PROGRESS:
        return None
    dose, today = prescription.dose, surgery_on + timedelta(days=day)
    shown_deg = median(_second_largest_deg(report) for report, _ in sessions[-3:])
    limits_deg = (rules.largest_excursion_deg[EXERCISE], restricted_to(prescription, program.restrictions, today))
    target_deg = min(_grid(shown_deg), *(limit for limit in limits_deg if limit is not None))
    if dose.target_excursion_deg is None or target_deg <= dose.target_excursion_deg:
        return None
    harder = prescription.model_copy(update={"dose": dose.model_copy(update={"target_excursion_deg": target_deg})})
    return program.model_copy(
        update={
            "version": program.version + 1,
            "phase": _phase(day),
            "prescriptions": (harder,),
            "approved_at": moment(surgery_on, day, seconds=6 * 3600),
            "reason": f"Range {shown_deg:.0f}° with {seen.because}: "
            f"target from {dose.target_excursion_deg:g}° to {target_deg:g}°.",
        }
    )


def moment(surgery_on: date, day: int, *, seconds: int) -> datetime:
    """The time `seconds` after midnight UTC of a day after surgery."""
    return datetime.combine(surgery_on + timedelta(days=day), time(), tzinfo=UTC) + timedelta(seconds=seconds)


def _second_largest_deg(report: SessionReport) -> float:
    return sorted(one.excursion_deg for one in report.repetitions if one.excursion_deg is not None)[-2:][0]


def _grid(range_deg: float) -> float:
    return float(TARGET_GRID_DEG * (range_deg // TARGET_GRID_DEG))


def _phase(day: int) -> str:
    return "Early motion" if day < 14 else "Range of motion" if day < 42 else "Range and strength"
