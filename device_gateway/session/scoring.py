"""Makes the exercise session that an opening asks for: its exercise, and what judges its form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from analytics.domain.exercise import Segment
from analytics.domain.program import Dose
from analytics.domain.session import SessionOpening
from analytics.safety.session import NOTHING_STANDS, Standing
from device_gateway.live.hub import LiveHub

from .exercise_session import ExerciseSession
from .judging import Judge
from .library import SHIPPED, Library
from .wearing import Direction, wearing


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
    worn: Collection[Segment] | None = None,
    rest_pose_deg: float | None = None,
    last_up: Mapping[Segment, Direction] | None = None,
) -> ExerciseSession:
    """A new session that tells `hub`. Raises UnknownExercise where the library does not know the exercise.

    `worn`: segments that wear a sensor, which decide how it is followed; None: those that are best. `rest_pose_deg`:
    the rest pose as a clinician's goniometer read it. `last_up`: see `Wearing`.
    """
    exercise = library.exercise(opening.exercise)
    return ExerciseSession(
        opening,
        exercise,
        dose,
        judge=Judge(exercise, *library.scorer(opening.exercise), limit_deg),
        wearing=replace(wearing(exercise, opening.side, worn), last_up=last_up or {}),
        rest_pose_deg=rest_pose_deg,
        hub=hub,
        limit_deg=limit_deg,
        guided=guided,
        precautions=precautions,
        standing=standing,
    )
