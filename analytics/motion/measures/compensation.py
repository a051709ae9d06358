"""How far people helped themselves in a repetition: a trunk that leant, an elbow that bent, an arm that left the side.

One segment's lean is seen against gravity, but not which way: its sensor is strapped on anyhow, and the axis that a
joint's movement shows is hardly known in the frame of the segment that should keep still. So the whole lean is given,
which is honest of a segment that has to keep still, and nothing is said of one that has not.
Between two segments it is by how much one leans further than the other, whichever way each of them does: their headings
are not known to each other. That is the least they can have bent; what they do alike is never taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from math import hypot
from types import MappingProxyType

import numpy as np

from analytics.domain.body import Direction, Joint, JointAngle, Part, movements
from analytics.domain.drawing import PoseAngle
from analytics.domain.exercise import Compensation, Exercise, Posture
from analytics.domain.measure import Measure, Unit
from analytics.domain.program import WeightBearing
from analytics.exercises.drawing import key_poses
from analytics.motion import rotations
from analytics.motion.angles.gravity import up_in_sensor
from analytics.motion.measures.method_error import METHOD_ERROR
from analytics.signals.samples import FloatArray

LASTING_S = 0.2
"""A departure is a mean over so long: soft tissue that shakes is no compensation."""
UPRIGHT = {Posture.SITTING, Posture.STANDING, Posture.KNEELING}
UPRIGHT_DEG = 20.0
OFF_LENGTH_DEG = 12.0
"""An arm that hangs is so far off the vertical, by its carrying angle and an elbow that is not quite straight: one
standard deviation. A forearm that turns over about its length by 60° then seems to lean by as much."""
PELVIS_GOES_ALONG = 1 / 3
"""So much of hip flexion is the pelvis tilting, in healthy people: a quarter to a third lying (Bohannon et al. 1985,
Phys. Ther. 65:1501), 18 % standing (Murray et al. 2002, Clin. Biomech. 17:147)."""


class Way(Enum):
    """What counts as the compensation."""

    LEAN = auto()
    """One segment's inclination, whichever way."""
    BEND = auto()
    """By how much two segments' inclinations differ."""
    TWIST = auto()
    """What one segment turned about the vertical more than the other."""


REMARK = MappingProxyType({Way.LEAN: ", or another way", Way.BEND: ", at least", Way.TWIST: ""})


def way_of(exercise: Exercise, one: Compensation) -> Way | None:
    """How it is told; None where these sensors would accuse somebody who does all well, or not see it."""
    if len(one.needs) == 1:
        about_vertical = one.direction is Direction.ROTATION and exercise.posture in UPRIGHT
        return None if about_vertical or one.limit_deg < _allowed_lean_deg(exercise, one) else Way.LEAN
    turns = movements(one.joint)[one.direction].angle is JointAngle.ROTATION
    if turns and _drawn_upright(exercise):
        return Way.TWIST
    return None if _bends_unseen(exercise, one) else Way.BEND


def departure_deg(way: Way, orientation: FloatArray) -> FloatArray:
    """How far it went since the first instant (n,). orientation: (n, k, 4) of the sensors it needs, in any order."""
    if way is Way.TWIST:
        turned = rotations.multiply(orientation, rotations.conjugate(orientation[:1]))
        about_vertical = np.unwrap(2.0 * np.arctan2(turned[..., 3], turned[..., 0]), axis=0)
        return np.asarray(np.degrees(np.abs(about_vertical[:, 0] - about_vertical[:, 1])))
    up = up_in_sensor(orientation)
    leant = np.degrees(np.arccos(np.clip((up * up[:1]).sum(axis=-1), -1.0, 1.0)))
    return np.asarray(leant[:, 0] if way is Way.LEAN else np.abs(leant[:, 0] - leant[:, 1]))


def astray_deg(orientation: FloatArray) -> FloatArray:
    """How far a limb that turned about its own length seems to have leant (n,), one standard deviation: its length is
    near the vertical at the start, and OFF_LENGTH_DEG off it. orientation: (n, 4) of its sensor."""
    turned = rotations.relative(np.broadcast_to(orientation[0], orientation.shape), orientation)
    about_length = np.arctan2(np.abs(turned[:, 1:] @ up_in_sensor(orientation[0])), np.abs(turned[:, 0]))
    return np.asarray(2.0 * OFF_LENGTH_DEG * np.sin(about_length))


def compensation(one: Compensation, way: Way, orientation: FloatArray, rate_hz: float) -> Measure:
    """The greatest departure that lasts. orientation: of the sensors that it needs, as `departure_deg` takes it."""
    width = max(1, min(len(orientation), round(LASTING_S * rate_hz)))
    lasting = np.convolve(departure_deg(way, orientation), np.full(width, 1.0 / width), "valid")
    most = int(np.argmax(lasting))
    value = float(lasting[most])
    error = METHOD_ERROR[way.name.lower()].of(value)
    if way is Way.BEND:
        error = hypot(error, float(astray_deg(orientation[:, -1])[most : most + width].mean()))
    name = f"{one.name[0].upper()}{one.name[1:]}{REMARK[way]}"
    return Measure(code=f"compensation.{one.cue}", name=name, value=value, unit=Unit.DEGREE, error=error)


def _bends_unseen(exercise: Exercise, one: Compensation) -> bool:
    """Whether it bends about the vertical, as a knee does of somebody on the side and an elbow of an arm that is raised
    sideways, or, of a leg that carries, the segments lean opposite ways: then both may lean alike and bend."""
    carries = exercise.weight_bearing in {WeightBearing.PARTIAL, WeightBearing.AS_TOLERATED}
    if one.joint is Joint.KNEE:
        return carries or exercise.posture is Posture.SIDE_LYING
    return one.joint is Joint.ELBOW and exercise.angle is not None and exercise.direction is Direction.ABDUCTION


def _allowed_lean_deg(exercise: Exercise, one: Compensation) -> float:
    """How far the segment leans, whichever way, in somebody who does all well: as drawn, or within another limit."""
    first, *others = (_drawn(pose, one.needs[0]) for pose in key_poses(exercise))
    drawn = (float(np.hypot(*(other - first)[:2]) + abs((other - first)[2])) for other in others)
    return max(*drawn, *(other.limit_deg for other in exercise.compensations if other.needs == one.needs))


def _drawn_upright(exercise: Exercise) -> bool:
    start = _drawn(key_poses(exercise)[0], Part.CHEST)
    return exercise.posture in UPRIGHT and float(np.abs(start[:2]).max()) < UPRIGHT_DEG


def _drawn(pose: Mapping[str, float], part: Part) -> FloatArray:
    """Of pelvis or chest: lean forward, lean sideways, and how far a pelvis goes along with the thigh undrawn."""
    forward, aside = pose.get(PoseAngle.PELVIS_LEAN, 0.0), pose.get(PoseAngle.PELVIS_SIDEWAYS, 0.0)
    if part is Part.PELVIS:
        return np.array([forward, aside, PELVIS_GOES_ALONG * pose.get(PoseAngle.HIP_FLEXION, 0.0)])
    forward += pose.get(PoseAngle.TRUNK_FLEXION, 0.0)
    aside += pose.get(PoseAngle.TRUNK_LATERAL_FLEXION, 0.0)
    return np.array([forward, aside, 0.0])
