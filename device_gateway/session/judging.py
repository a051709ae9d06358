"""From what the tracker says of a movement to what the session says: an angle, a repetition with its form where a model
can judge it, a cue where something was not counted or a sensor cannot be believed."""

from __future__ import annotations

from math import floor

from analytics.domain.exercise import Exercise
from analytics.domain.live import AngleEvent, Cue, CueLevel
from analytics.domain.program import Dose
from analytics.domain.session import Form, FormLabel, Repetition
from analytics.form.bundle import FormScorer, falls_short
from analytics.form.cues import CueChooser
from analytics.motion.events import AngleSample, CalibrationRefused, RepetitionDone
from analytics.motion.repetition import NotCounted
from analytics.motion.worn import SensorNote

from .movement_limit import MovementLimit

CALIBRATION_REFUSED = "calibration_refused"
BY_PATTERN = "It was followed by its pattern, which tells no range."


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
    if not note.aloud:
        return None
    text = f"{note.segment.replace('_', ' ').capitalize()}: {note.sentence}"
    return Cue(code="sensor_unusable" if note.unusable else "sensor_advice", text=text, level=CueLevel.WARN)


def refusal_cue(refused: CalibrationRefused, limit_deg: float | None) -> Cue:
    """What to do again. Whoever is asked for more movement is told how far it may go."""
    text = refused.sentence if limit_deg is None else f"{refused.sentence} Not beyond {floor(limit_deg)}°."
    return Cue(code=CALIBRATION_REFUSED, text=text, level=CueLevel.WARN)


class Judge:
    """Judges the repetitions of one session, and chooses what is said of them.

    Without a `scorer`, only what falls short of its target is told, and else `unscored` says why form is not judged.
    `limit_deg` is the excursion not to be passed today.
    """

    def __init__(
        self, exercise: Exercise, scorer: FormScorer | None, unscored: str, limit_deg: float | None = None
    ) -> None:
        self.form_model = None if scorer is None else scorer.name
        self._scorer = scorer
        self._unscored = unscored
        self._cues = CueChooser(exercise, limit_deg)
        self._limit = None if limit_deg is None else MovementLimit(limit_deg)

    def warning(self, angle: AngleSample) -> Cue | None:
        """Where this angle is the one that passes today's limit."""
        return None if self._limit is None else self._limit.check(angle.excursion_deg)

    def cue(self, repetition: Repetition, dose: Dose) -> Cue | None:
        return self._cues.after_repetition(repetition, dose)

    def repetition(self, done: RepetitionDone, number: int, target_deg: float | None) -> Repetition:
        """As it is reported. `number` counts in the session."""
        return Repetition(
            number=number,
            start_s=done.start_s,
            peak_s=done.peak_s,
            end_s=done.end_s,
            excursion_deg=done.excursion_deg,
            excursion_error_deg=done.excursion_error_deg,
            peak_flexion_deg=done.peak_flexion_deg,
            peak_velocity_deg_s=done.peak_velocity_deg_s,
            form=self._form(done, target_deg),
            measures=done.measures,
        )

    def _form(self, done: RepetitionDone, target_deg: float | None) -> Form:
        excursion_deg, error_deg = done.excursion_deg, done.excursion_error_deg or 0.0
        if done.motion is None or excursion_deg is None:
            return Form(label=FormLabel.NOT_JUDGED, reason=BY_PATTERN)
        if self._scorer is not None:
            return self._scorer.judge(
                done.motion, target_deg, excursion_deg=excursion_deg, excursion_error_deg=error_deg
            )
        if falls_short(excursion_deg, error_deg, target_deg):
            reason = f"Stopped at {excursion_deg:.0f}°, target {target_deg:.0f}°."
            return Form(label=FormLabel.LOW_AMPLITUDE, reason=reason)
        return Form(label=FormLabel.NOT_JUDGED, reason=self._unscored)
