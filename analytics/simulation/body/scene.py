"""Whole sessions, ready to be simulated: the parts that `simulate` takes."""

from __future__ import annotations

import numpy as np

from .movement import SITTING, STANDING, Movement, Position
from .part import Part, repeat, rest, sit_down, stand_up, walk


def exercise_session(
    movement: Movement,
    rng: np.random.Generator,
    *,
    duration_s: float = 3600.0,
    repetitions: int = 10,
    rest_s: float = 45.0,
    walk_after_sets: int = 4,
) -> list[Part]:
    """Sets with rests for an hour or so, beginning and ending at rest. After every few sets, who sits or stands walks
    about for a minute; who lies stays."""
    position = movement.position
    parts = [rest(5.0, position)]
    sets = 0
    while sum(part.duration_s for part in parts) < duration_s:
        parts += [repeat(movement, repetitions, rng), rest(rest_s * float(rng.uniform(0.7, 1.3)), position)]
        sets += 1
        if sets % walk_after_sets == 0 and position in {SITTING, STANDING}:
            parts += _walking_about(float(rng.uniform(40.0, 80.0)), position)
    return parts


def calibration_while_walking(movement: Movement, rng: np.random.Generator, *, walk_s: float = 20.0) -> list[Part]:
    """Somebody who walks about when a still pose is asked for, then does the movement. Raises ValueError for a
    movement that is done lying: nobody lies down in a simulation."""
    if movement.position not in {SITTING, STANDING}:
        raise ValueError("Walking before an exercise is simulated for sitting and standing only; choose one of those.")
    return [walk(walk_s), *([sit_down()] if movement.position is SITTING else []), repeat(movement, 6, rng)]


def _walking_about(walk_s: float, position: Position) -> list[Part]:
    walking = walk(walk_s)
    around = [stand_up(), walking, sit_down()] if position is SITTING else [walking]
    return [*around, rest(5.0, position)]
