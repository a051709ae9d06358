"""Makes the exercise session that an opening asks for: its exercise, and what judges its form."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.domain.program import Dose
from analytics.domain.session import SessionOpening
from analytics.safety.session import NOTHING_STANDS, Standing
from device_gateway.live.hub import LiveHub

from .exercise_session import ExerciseSession
from .library import SHIPPED, Library


def exercise_session(
    opening: SessionOpening,
    dose: Dose,
    limit_deg: float | None,
    hub: LiveHub,
    *,
    guided: bool = False,
    precautions: Sequence[str] = (),
    library: Library = SHIPPED,
    standing: Standing = NOTHING_STANDS,
) -> ExerciseSession:
    """A new session that tells `hub`. Raises UnknownExercise where the library does not know the exercise."""
    scorer, unscored = library.scorer(opening.exercise)
    return ExerciseSession(
        opening,
        library.exercise(opening.exercise),
        dose,
        scorer=scorer,
        unscored=unscored,
        hub=hub,
        limit_deg=limit_deg,
        guided=guided,
        precautions=precautions,
        standing=standing,
    )
