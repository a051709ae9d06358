"""How an exercise is drawn: key poses in joint angles, which app and dashboard turn into a figure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .base import Word


class View(StrEnum):
    """Where one looks from. Drawings show the right side exercising; for the left they are mirrored."""

    SIDE = "side"
    FRONT = "front"
    OBLIQUE = "oblique"
    ABOVE = "above"


class Focus(StrEnum):
    """What fills the picture."""

    WHOLE = "whole"
    HEAD = "head"
    ARM = "arm"
    LEG = "leg"


class FixedPoint(StrEnum):
    """What stays in its place while the body moves."""

    PELVIS = "pelvis"
    CHEST = "chest"
    HEEL = "heel"
    TOES = "toes"
    OTHER_HEEL = "other_heel"


class Prop(StrEnum):
    """What else is in the picture; it stands where the first pose needs it."""

    CHAIR = "chair"
    BED = "bed"
    TABLE = "table"
    WALL_BEHIND = "wall_behind"
    WALL_IN_FRONT = "wall_in_front"
    STEP = "step"
    ROLL_UNDER_KNEE = "roll_under_knee"
    ROLL_UNDER_HEEL = "roll_under_heel"
    BAND_FROM_FRONT = "band_from_front"
    BAND_FROM_BEHIND = "band_from_behind"
    BAND_FROM_INSIDE = "band_from_inside"
    BAND_FROM_OUTSIDE = "band_from_outside"
    BAND_TO_HAND = "band_to_hand"
    WEIGHT_IN_HAND = "weight_in_hand"


class PoseAngle(StrEnum):
    """An angle of a pose in degrees, 0 in upright standing with the arms hanging and the thumbs forward.

    Of arm and leg, the plain names are those of the side that exercises.
    """

    PELVIS_LEAN = "pelvis_lean"
    PELVIS_SIDEWAYS = "pelvis_sideways"
    TRUNK_FLEXION = "trunk_flexion"
    TRUNK_LATERAL_FLEXION = "trunk_lateral_flexion"
    TRUNK_ROTATION = "trunk_rotation"
    NECK_FLEXION = "neck_flexion"
    NECK_LATERAL_FLEXION = "neck_lateral_flexion"
    NECK_ROTATION = "neck_rotation"
    HEAD_FLEXION = "head_flexion"
    SHOULDER_FLEXION = "shoulder_flexion"
    SHOULDER_ABDUCTION = "shoulder_abduction"
    SHOULDER_ROTATION = "shoulder_rotation"
    ELBOW_FLEXION = "elbow_flexion"
    FOREARM_PRONATION = "forearm_pronation"
    WRIST_FLEXION = "wrist_flexion"
    WRIST_DEVIATION = "wrist_deviation"
    HIP_FLEXION = "hip_flexion"
    HIP_ABDUCTION = "hip_abduction"
    HIP_ROTATION = "hip_rotation"
    KNEE_FLEXION = "knee_flexion"
    ANKLE_FLEXION = "ankle_flexion"
    ANKLE_INVERSION = "ankle_inversion"
    OTHER_SHOULDER_FLEXION = "other_shoulder_flexion"
    OTHER_SHOULDER_ABDUCTION = "other_shoulder_abduction"
    OTHER_SHOULDER_ROTATION = "other_shoulder_rotation"
    OTHER_ELBOW_FLEXION = "other_elbow_flexion"
    OTHER_FOREARM_PRONATION = "other_forearm_pronation"
    OTHER_WRIST_FLEXION = "other_wrist_flexion"
    OTHER_HIP_FLEXION = "other_hip_flexion"
    OTHER_HIP_ABDUCTION = "other_hip_abduction"
    OTHER_KNEE_FLEXION = "other_knee_flexion"
    OTHER_ANKLE_FLEXION = "other_ankle_flexion"


Pose = dict[PoseAngle, Annotated[float, Field(ge=-180, le=180)]]


class Drawing(Word):
    """Poses in the order they follow each other; the last leads back to the first.

    What a pose does not name is as in the pose before it, and in the first as the exercise's posture has it.
    """

    view: View = View.SIDE
    focus: Focus = Focus.WHOLE
    fixed: FixedPoint = FixedPoint.PELVIS
    props: tuple[Prop, ...] = ()
    poses: tuple[Pose, ...] = Field(min_length=2)
