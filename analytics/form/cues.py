"""What to say after a repetition: at most one thing, and not the same thing again and again."""

from __future__ import annotations

from analytics.domain.exercise import Exercise
from analytics.domain.live import Cue, CueLevel
from analytics.domain.program import Dose
from analytics.domain.session import FormLabel, Repetition

QUIET_REPETITIONS = 3
"""A cue just given is not repeated within this many repetitions: people need time to act on it."""
TARGET_REACHED = "target_reached"


class CueChooser:
    """Chooses from the exercise's own words; what an exercise has no words for is not said."""

    def __init__(self, exercise: Exercise, limit_deg: float | None = None) -> None:
        """limit_deg: excursion not to be passed today; what went beyond it is not praised."""
        self._limit_deg = limit_deg
        self._words = exercise.cues
        self._said_at: dict[str, int] = {}

    def after_repetition(self, repetition: Repetition, dose: Dose) -> Cue | None:
        """The one cue for this repetition, or None. A fault comes before praise."""
        code, level = _wish(repetition, dose)
        beyond = self._limit_deg is not None and repetition.excursion_deg > self._limit_deg
        if code is None or code not in self._words or (code == TARGET_REACHED and beyond):
            return None
        if repetition.number - self._said_at.get(code, -QUIET_REPETITIONS) <= QUIET_REPETITIONS:
            return None
        self._said_at[code] = repetition.number
        return Cue(code=code, text=self._words[code], level=level)


def _wish(repetition: Repetition, dose: Dose) -> tuple[str | None, CueLevel]:
    reached = repetition.excursion_deg >= dose.target_excursion_deg
    label = repetition.form.label
    if label is FormLabel.TOO_FAST or (label is FormLabel.LOW_AMPLITUDE and not reached):
        return str(label), CueLevel.WARN
    return (TARGET_REACHED, CueLevel.GOOD) if reached else (None, CueLevel.INFO)
