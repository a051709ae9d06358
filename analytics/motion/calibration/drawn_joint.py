"""What both segments of a joint do in an exercise, by its drawing: in a squat thigh and shank turn against each other,
in a straight-leg raise only one does. It tells apart what two sensors cannot: the same leg with a heading half a turn
off turns the other way round."""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees

import numpy as np

from analytics.domain.exercise import Exercise
from analytics.exercises.drawing import key_poses
from analytics.signals.samples import FloatArray

from .drawn import segment_axes

PEOPLE_DIFFER_DEG = 8.0
"""By so much a segment turns otherwise than drawn once the size of the movement is taken out, one standard deviation:
shanks incline by 15 to 40° in squats of about 90° (drawn: 28°)."""


@dataclass(frozen=True, slots=True)
class DrawnTurns:
    """How far the segments turn about the joint's axis from the rest pose to the turning point [°], the axis in the
    sense that makes distal less proximal positive."""

    proximal_deg: float
    distal_deg: float

    def likelier(self, one: tuple[float, float], other: tuple[float, float]) -> float:
        """How much likelier the first pair of turns [°] is than the second (log likelihood)."""
        return (self._misfit(other) - self._misfit(one)) / (2.0 * PEOPLE_DIFFER_DEG**2)

    def _misfit(self, turns: tuple[float, float]) -> float:
        """Squared distance from what is drawn, made as large as what was seen."""
        seen, drawn = np.array(turns), np.array([self.proximal_deg, self.distal_deg])
        drawn *= np.linalg.norm(seen) / np.linalg.norm(drawn)
        return float(((seen - drawn) ** 2).sum())


def drawn_joint_turns(exercise: Exercise) -> DrawnTurns | None:
    """None where the exercise is not followed by two sensors, or the drawing turns nothing there."""
    if exercise.angle is None or len(exercise.sensors.required) != 2:
        return None
    poses = key_poses(exercise)
    ends = [[segment_axes(exercise.posture, angles, part) for part in exercise.sensors.required] for angles in poses]
    apart = [_turn(_relative(ends[0]), _relative(end)) for end in ends]
    furthest = int(np.argmax([np.linalg.norm(one) for one in apart]))
    angle = float(np.linalg.norm(apart[furthest]))
    if not angle > 0.0:
        return None
    axis = apart[furthest] / angle @ ends[0][0]
    turned = [degrees(float(_turn(start.T, end.T) @ axis)) for start, end in zip(ends[0], ends[furthest], strict=True)]
    return DrawnTurns(turned[0], turned[1])


def _relative(pair: list[FloatArray]) -> FloatArray:
    """The distal segment's frame as seen from the proximal one; axes are rows."""
    proximal, distal = pair
    return np.asarray(proximal @ distal.T)


def _turn(start: FloatArray, end: FloatArray) -> FloatArray:
    """The rotation vector (3,) that leads from one frame to another, axes in columns, in the frame they are told in;
    of less than half a turn."""
    turn = end @ start.T
    twice_sine = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    size = float(np.linalg.norm(twice_sine))
    return np.asarray(twice_sine * (np.arctan2(size, np.trace(turn) - 1.0) / max(size, 1e-12)))
