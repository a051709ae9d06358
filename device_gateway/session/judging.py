"""From what the tracker says of a movement to what the session says: an angle, a repetition with its form where a model
can judge it, a cue where something was not counted or a sensor cannot be believed."""

from __future__ import annotations

from analytics.domain.live import AngleEvent, Cue, CueLevel
from analytics.domain.session import Form, FormLabel, Repetition
from analytics.form.bundle import FormScorer
from analytics.motion.events import AngleSample, RepetitionDone
from analytics.motion.repetition import NotCounted
from analytics.motion.worn import SensorNote


def angle_event(angle: AngleSample) -> AngleEvent:
    """The angle as listeners hear it."""
    return AngleEvent(
        time_s=angle.time_s,
        sensor_time_us=angle.sensor_time_us,
        flexion_deg=angle.flexion_deg,
        excursion_deg=angle.excursion_deg,
    )


def cue_of(note: NotCounted | SensorNote) -> Cue | None:
    """What the patient hears of it. Single samples that were missing or clipped are for the report alone."""
    if isinstance(note, NotCounted):
        return Cue(code="not_counted", text=note.sentence, level=CueLevel.INFO)
    if not note.unusable:
        return None
    text = f"{note.segment.replace('_', ' ').capitalize()}: {note.sentence}"
    return Cue(code="sensor_unusable", text=text, level=CueLevel.WARN)


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
