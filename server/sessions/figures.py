"""What is copied out of a report, so that neither a list nor a rule has to open it."""

from __future__ import annotations

from analytics.domain.program import Program
from analytics.domain.session import FormLabel, SessionReport

from .records import SessionRecord


def report_figures(report: SessionReport, program: Program | None) -> dict[str, object]:
    """The columns of a session that its report fills; `program` is the version it was done on."""
    labels = [repetition.form.label for repetition in report.repetitions]
    return {
        "ended_at": report.ended_at,
        "repetitions": len(labels),
        "correct": labels.count(FormLabel.CORRECT),
        "not_judged": labels.count(FormLabel.NOT_JUDGED),
        "samples_lost": sum(sensor.samples_lost for sensor in report.sensors),
        "simulated": report.simulated,
        "reached": _reached(report, program),
        "hurts_pain": max((hurt.pain for hurt in report.hurts if hurt.pain is not None), default=None),
        "hurts_unrated": sum(hurt.pain is None for hurt in report.hurts),
    }


def felt_pain(session: SessionRecord, told_after: int | None) -> int | None:
    """The pain of a session: the worse of what was said during it and afterwards."""
    return max((pain for pain in (session.hurts_pain, told_after) if pain is not None), default=None)


def _reached(report: SessionReport, program: Program | None) -> int | None:
    targets_deg = [
        prescription.dose.target_excursion_deg
        for prescription in (program.prescriptions if program else ())
        if (prescription.exercise, prescription.side) == (report.exercise, report.side)
    ]
    if not targets_deg:
        return None
    return sum(repetition.excursion_deg >= min(targets_deg) for repetition in report.repetitions)
