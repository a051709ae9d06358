"""The primary angle of an exercise as a key pose draws it, so that a figure can follow a measured one."""

from __future__ import annotations

from collections.abc import Mapping
from math import acos, cos, degrees, radians

from analytics.domain.body import Joint, JointAngle, movements
from analytics.domain.exercise import Exercise

from .skeleton import Angles

_DRAWN: Mapping[tuple[Joint, JointAngle], tuple[str, ...]] = {
    (Joint.ELBOW, JointAngle.PRONATION): ("forearm_pronation",),
    (Joint.NECK, JointAngle.FLEXION): ("neck_flexion", "head_flexion"),
    (Joint.PELVIS, JointAngle.LEAN_FORWARD): ("pelvis_lean",),
    (Joint.PELVIS, JointAngle.LEAN_SIDEWAYS): ("pelvis_sideways",),
    (Joint.TRUNK, JointAngle.LEAN_FORWARD): ("pelvis_lean", "trunk_flexion"),
    (Joint.TRUNK, JointAngle.LEAN_SIDEWAYS): ("pelvis_sideways", "trunk_lateral_flexion"),
}
"""The pose angles that add up to it, where it has not the joint's own name, as in knee_flexion."""


def drawn_deg(exercise: Exercise, pose: Angles) -> float:
    """In degrees; 0 for an exercise without a primary angle."""
    if exercise.angle is None:
        return 0.0
    angle = movements(exercise.joint)[exercise.direction].angle
    if angle is JointAngle.ELEVATION:
        return _elevation_deg(pose.get("shoulder_flexion", 0), pose.get("shoulder_abduction", 0))
    names = _DRAWN.get((exercise.joint, angle), (f"{exercise.joint}_{angle}",))
    return sum(pose.get(name, 0.0) for name in names)


def _elevation_deg(flexion_deg: float, abduction_deg: float) -> float:
    """Between the upper arm and the trunk downwards, the arm turned forward and then outwards as `skeleton` does."""
    return degrees(acos(max(-1.0, min(1.0, cos(radians(flexion_deg)) * cos(radians(abduction_deg))))))
