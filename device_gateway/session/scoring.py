"""Makes the exercise session that an opening asks for: its exercise, and what judges its form."""

from __future__ import annotations

import logging

from analytics.domain.program import Dose
from analytics.domain.session import SessionOpening
from analytics.exercises.catalogue import exercise
from analytics.form.bundle import BundleError, FormScorer, load_bundle, shipped_bundle
from device_gateway.live.hub import LiveHub

from .exercise_session import ExerciseSession

log = logging.getLogger(__name__)


def exercise_session(opening: SessionOpening, dose: Dose, limit_deg: float | None, hub: LiveHub) -> ExerciseSession:
    """A new session that tells `hub`. Raises UnknownExercise where this program does not know the exercise."""
    scorer, unscored = _form_scorer(opening.exercise)
    return ExerciseSession(
        opening, exercise(opening.exercise), dose, scorer=scorer, unscored=unscored, hub=hub, limit_deg=limit_deg
    )


def _form_scorer(exercise_code: str) -> tuple[FormScorer | None, str]:
    """What judges form, or None and why: counting and recording do not depend on it."""
    path = shipped_bundle(exercise_code)
    if path is None:
        return None, "There is no model for the form of this exercise."
    try:
        return load_bundle(path), ""
    except BundleError as unusable:
        log.warning("%s", unusable)
        return None, str(unusable)
