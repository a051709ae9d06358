"""What to say after a repetition: at most one thing, the most important first, and not the same again and again."""

from __future__ import annotations

from analytics.domain.exercise import Exercise
from analytics.domain.live import Cue, CueLevel
from analytics.domain.program import Dose
from analytics.domain.session import FormLabel, Repetition
from analytics.motion.measuring import beyond_limit

QUIET_REPETITIONS = 3
"""A cue just given is not repeated within this many repetitions: people need time to act on it."""
TARGET_REACHED = "target_reached"


class CueChooser:
    """Chooses from the exercise's own words; what an exercise has no words for is not said."""

    def __init__(self, exercise: Exercise, limit_deg: float | None = None) -> None:
        """limit_deg: excursion not to be passed today; what went beyond it is not praised."""
        self._limit_deg = limit_deg
        self._exercise = exercise
        self._words = exercise.cues
        self._said_at: dict[str, int] = {}

    def after_repetition(self, repetition: Repetition, dose: Dose) -> Cue | None:
        """The one cue for this repetition, or None. Even a fault that is not said again yet comes before praise."""
        faults, reached = self._faults(repetition, dose), _reached(repetition, dose)
        beyond = self._limit_deg is not None and (repetition.excursion_deg or 0.0) > self._limit_deg
        praise = [TARGET_REACHED] if reached and not faults and not beyond else []
        for code in (*faults, *praise):
            if code in self._words and self._may_say(code, repetition.number):
                self._said_at[code] = repetition.number
                return Cue(code=code, text=self._words[code], level=CueLevel.WARN if faults else CueLevel.GOOD)
        return None

    def _faults(self, repetition: Repetition, dose: Dose) -> list[str]:
        """What is done without control comes first, then helping oneself with another movement, then too little."""
        label = repetition.form.label
        fast = [str(label)] if label is FormLabel.TOO_FAST else []
        short = [str(label)] if label is FormLabel.LOW_AMPLITUDE and not _reached(repetition, dose) else []
        return [*fast, *beyond_limit(self._exercise, repetition.measures), *short]

    def _may_say(self, code: str, number: int) -> bool:
        return number - self._said_at.get(code, -QUIET_REPETITIONS) > QUIET_REPETITIONS


def _reached(repetition: Repetition, dose: Dose) -> bool:
    excursion_deg, target_deg = repetition.excursion_deg, dose.target_excursion_deg
    return excursion_deg is not None and target_deg is not None and excursion_deg >= target_deg
