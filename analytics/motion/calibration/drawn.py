"""How far each segment turns in an exercise, by the exercise's own drawing: what a sensor there is expected to do."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import degrees

import numpy as np

from analytics.domain.exercise import Exercise, Part, Posture
from analytics.exercises.drawing import key_poses
from analytics.exercises.skeleton import Angles, joints
from analytics.signals.samples import FloatArray

_ARM, _LEG = ("shoulder", "elbow", "forearm", "wrist"), ("hip", "knee", "ankle")
_HAND, _FOOT, _HEAD = ("wrist", "hand", "thumb"), ("ankle", "heel", "toes"), ("neck", "head", "nose")
_BEYOND: Mapping[Part, tuple[tuple[str, str, str], tuple[str, ...]]] = {
    Part.HEAD: (_HEAD, ()),
    Part.CHEST: (_HAND, _ARM),
    Part.UPPER_ARM: (_HAND, _ARM[1:]),
    Part.FOREARM: (_HAND, _ARM[3:]),
    Part.HAND: (_HAND, ()),
    Part.PELVIS: (_FOOT, _LEG),
    Part.THIGH: (_FOOT, _LEG[1:]),
    Part.SHANK: (_FOOT, _LEG[2:]),
    Part.FOOT: (_FOOT, ()),
}
"""Three points at the end of a segment's limb, and the joints between: with these straight, the points turn with it."""


def drawn_turns_deg(exercise: Exercise) -> dict[Part, float]:
    """Of each segment that may wear a sensor, how far it turns in space from the first key pose by way of all others
    and back, halved: one way of a movement out and back. The right side exercises."""
    poses = key_poses(exercise)
    alone = (one.segment for one in exercise.sensors.alone)
    parts = dict.fromkeys((*exercise.sensors.required, *exercise.sensors.optional, *alone))
    return {part: _turned_deg(exercise.posture, (*poses, poses[0]), part) for part in parts}


def _turned_deg(posture: Posture, poses: tuple[Angles, ...], part: Part) -> float:
    frames = [segment_axes(posture, angles, part) for angles in poses]
    return sum(_between_deg(a, b) for a, b in pairwise(frames)) / 2


def segment_axes(posture: Posture, angles: Angles, part: Part) -> FloatArray:
    """Axes (3, 3) that turn with a segment, one in each row, in the figure's space; anyhow on the segment."""
    points, bent = _BEYOND[part]
    straight = {name: angle_deg for name, angle_deg in angles.items() if not name.startswith(bent)} if bent else angles
    at = joints(posture, straight)
    origin, first, second = (np.array(at[point]) for point in points)
    x, across = first - origin, np.cross(first - origin, second - origin)
    x, z = x / np.linalg.norm(x), across / np.linalg.norm(across)
    return np.stack([x, np.cross(z, x), z])


def _between_deg(a: FloatArray, b: FloatArray) -> float:
    return degrees(float(np.arccos(np.clip((np.trace(a.T @ b) - 1.0) / 2.0, -1.0, 1.0))))
