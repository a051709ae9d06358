"""How a person performs a part: the course of every joint, with the sway and tremor that people have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics.signals.samples import FloatArray

from .course import envelope, minimum_jerk, product, wander
from .gait import walking_angles
from .part import Part
from .skeleton import JOINTS

SWAY_HZ, TREMOR_HZ = (0.15, 1.2), (7.0, 11.0)
TREMOR_DEG, TREMOR_STANDING_DEG = 0.025, 0.008
"""Of a joint at its farthest, one standard deviation: muscles tremble as they work, less where they carry the body."""


@dataclass(frozen=True, slots=True)
class Person:
    """restless: how much this person sways and trembles; 1 is as people do, 0 not at all."""

    height_m: float = 1.72
    restless: float = 1.0


ANYONE = Person()


def joint_angles(
    part: Part, pose: Mapping[str, FloatArray], time_s: FloatArray, restless: float, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Courses [deg] (3 angles, 3, n) of all joints, from a pose (3,) each, over the times of a part."""
    angles = {name: np.zeros((3, 3, len(time_s))) for name in JOINTS}
    for name, course in angles.items():
        course[:, 0] = pose[name][:, None]
    moved: dict[str, FloatArray] = {}
    for move in part.moves:
        course = np.multiply.outer(move.change_deg, minimum_jerk(time_s, move.start_s, move.duration_s))
        moved[move.joint] = moved.get(move.joint, 0.0) + course
    if part.cadence_hz:
        for name, course in walking_angles(time_s, part.cadence_hz).items():
            angles[name] += course
    fade = restless * envelope(time_s, time_s[-1], min(1.0, time_s[-1] / 3))
    for name, sway_deg in part.sway_deg.items():
        together = name not in JOINTS
        for axis in range(1 if together else 3):
            sway = product(fade, sway_deg * wander(time_s, SWAY_HZ, rng))
            for joint in (f"right_{name}", f"left_{name}") if together else (name,):
                angles[joint][axis] += sway
    for name, course in moved.items():
        angles[name] += course
        carries = part.held != "pelvis" and name.endswith(("hip", "knee", "ankle"))
        tremor_deg = TREMOR_STANDING_DEG if carries else TREMOR_DEG
        axis = int(np.argmax(np.abs(course[:, 0]).max(axis=1)))
        effort = course[axis] / np.abs(course[axis, 0]).max()
        angles[name][0] += product(fade, product(effort, tremor_deg * wander(time_s, TREMOR_HZ, rng)))
    return angles
