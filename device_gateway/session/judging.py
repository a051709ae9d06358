"""From what the tracker measured of a movement to a repetition, with its form where a model can judge it."""

from __future__ import annotations

from analytics.domain.session import Form, FormLabel, Repetition
from analytics.form.bundle import FormScorer
from analytics.motion.events import RepetitionDone


def repetition_of(
    done: RepetitionDone, number: int, target_excursion_deg: float, *, scorer: FormScorer | None, unscored: str
) -> Repetition:
    """Without a `scorer`, form is not judged, and `unscored` says why."""
    if scorer is None:
        form = Form(label=FormLabel.NOT_JUDGED, reason=unscored)
    else:
        form = scorer.judge(
            done.motion,
            target_excursion_deg,
            excursion_deg=done.excursion_deg,
            excursion_error_deg=done.excursion_error_deg,
        )
    return Repetition(
        number=number,
        start_s=done.start_s,
        peak_s=done.peak_s,
        end_s=done.end_s,
        excursion_deg=done.excursion_deg,
        excursion_error_deg=done.excursion_error_deg,
        peak_flexion_deg=done.peak_flexion_deg,
        peak_velocity_deg_s=done.peak_velocity_deg_s,
        form=form,
    )
