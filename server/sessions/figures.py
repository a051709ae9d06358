"""What is copied out of a report, so that neither a list nor a rule has to open it."""

from __future__ import annotations

from analytics.domain.program import Program
from analytics.domain.session import EasingAction, FormLabel, SessionReport

from .records import SessionRecord


def report_figures(report: SessionReport, program: Program | None) -> dict[str, object]:
    """The columns of a session that its report fills; `program` is the version it was done on."""
    labels = [repetition.form.label for repetition in report.repetitions]
    # Without a model, a repetition that fell short is told by its range alone: nothing could have called one correct.
    judged = sum(repetition.form.probability is not None for repetition in report.repetitions)
    return {
        "ended_at": report.ended_at,
        "repetitions": len(labels),
        "correct": labels.count(FormLabel.CORRECT),
        "not_judged": labels.count(FormLabel.NOT_JUDGED) if report.form_model else len(labels) - judged,
        "samples_lost": sum(sensor.samples_lost for sensor in report.sensors),
        "simulated": report.simulated,
        "reached": _reached(report, program),
        "hurts_pain": max((hurt.pain for hurt in report.hurts if hurt.pain is not None), default=None),
        "hurts_unrated": sum(hurt.pain is None for hurt in report.hurts),
        "stopped": stopped_words(report),
    }


def stopped_words(report: SessionReport) -> str | None:
    """Why a rule ended the session, or refused it before it began; None where none did."""
    stop = next((easing for easing in report.easings if easing.action is EasingAction.STOPPED), None)
    if stop is None:
        return None
    flags = report.check_in.red_flags if report.check_in is not None else ()
    if flags:
        return f"Red flag, did not exercise: {', '.join(flag.replace('_', ' ') for flag in flags)}"
    if stop.rule == "before_session" and report.check_in is not None:
        pains = (report.check_in.pain_now, report.check_in.pain_this_morning)
        return f"Did not exercise: pain {max(pain for pain in pains if pain is not None)}/10 before the session"
    pains_told = [hurt.pain for hurt in report.hurts if hurt.pain is not None]
    return f"Stopped: pain {max(pains_told)}/10 during the session" if pains_told else f"Stopped: {stop.reason}"


def felt_pain(session: SessionRecord, told_after: int | None) -> int | None:
    """The pain of a session: the worse of what was said during it and afterwards."""
    return max((pain for pain in (session.hurts_pain, told_after) if pain is not None), default=None)


def _reached(report: SessionReport, program: Program | None) -> int | None:
    """None where nothing is known to have been asked for, or no angle was followed."""
    targets_deg = [
        prescription.dose.target_excursion_deg
        for prescription in (program.prescriptions if program else ())
        if (prescription.exercise, prescription.side) == (report.exercise, report.side)
        and prescription.dose.target_excursion_deg is not None
    ]
    measured_deg = [r.excursion_deg for r in report.repetitions if r.excursion_deg is not None]
    if not targets_deg or (report.repetitions and not measured_deg):
        return None
    return sum(excursion_deg >= min(targets_deg) for excursion_deg in measured_deg)
