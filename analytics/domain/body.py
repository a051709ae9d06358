"""Words for the body: sides, segments that wear sensors, joints, and the ways they move.

Angles follow the ISB's coordinates (Grood & Suntay 1983; Wu et al. 2002 and 2005): signed, and mirrored on the left, so
that the same word is the same sign on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Segment(StrEnum):
    """A body segment that can wear a sensor."""

    HEAD = "head"
    CHEST = "chest"
    PELVIS = "pelvis"
    LEFT_UPPER_ARM = "left_upper_arm"
    RIGHT_UPPER_ARM = "right_upper_arm"
    LEFT_FOREARM = "left_forearm"
    RIGHT_FOREARM = "right_forearm"
    LEFT_HAND = "left_hand"
    RIGHT_HAND = "right_hand"
    LEFT_THIGH = "left_thigh"
    RIGHT_THIGH = "right_thigh"
    LEFT_SHANK = "left_shank"
    RIGHT_SHANK = "right_shank"
    LEFT_FOOT = "left_foot"
    RIGHT_FOOT = "right_foot"


class Part(StrEnum):
    """A segment without its side, as an exercise names it that may be done on either."""

    HEAD = "head"
    CHEST = "chest"
    PELVIS = "pelvis"
    UPPER_ARM = "upper_arm"
    FOREARM = "forearm"
    HAND = "hand"
    THIGH = "thigh"
    SHANK = "shank"
    FOOT = "foot"

    def on(self, side: Side) -> Segment:
        """The segment of that side; head, chest and pelvis have none."""
        midline = self in {Part.HEAD, Part.CHEST, Part.PELVIS}
        return Segment(self if midline else f"{side}_{self}")


class Joint(StrEnum):
    KNEE = "knee"
    HIP = "hip"
    ANKLE = "ankle"
    SHOULDER = "shoulder"
    ELBOW = "elbow"
    WRIST = "wrist"
    TRUNK = "trunk"
    PELVIS = "pelvis"
    NECK = "neck"

    @property
    def has_sides(self) -> bool:
        return self not in {Joint.TRUNK, Joint.PELVIS, Joint.NECK}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The segment on the body's side of the joint and the one beyond it; of the pelvis only itself."""
        return _PARTS[self]


_PARTS: Mapping[Joint, tuple[Part, ...]] = MappingProxyType(
    {
        Joint.KNEE: (Part.THIGH, Part.SHANK),
        Joint.HIP: (Part.PELVIS, Part.THIGH),
        Joint.ANKLE: (Part.SHANK, Part.FOOT),
        Joint.SHOULDER: (Part.CHEST, Part.UPPER_ARM),
        Joint.ELBOW: (Part.UPPER_ARM, Part.FOREARM),
        Joint.WRIST: (Part.FOREARM, Part.HAND),
        Joint.TRUNK: (Part.PELVIS, Part.CHEST),
        Joint.PELVIS: (Part.PELVIS,),
        Joint.NECK: (Part.CHEST, Part.HEAD),
    }
)


class JointAngle(StrEnum):
    """Which of a joint's angles is meant."""

    FLEXION = "flexion"
    ABDUCTION = "abduction"
    ROTATION = "rotation"
    ELEVATION = "elevation"
    INVERSION = "inversion"
    PRONATION = "pronation"
    DEVIATION = "deviation"
    LATERAL_FLEXION = "lateral_flexion"
    LEAN_FORWARD = "lean_forward"
    LEAN_SIDEWAYS = "lean_sideways"

    @property
    def against_gravity(self) -> bool:
        """Whether it is one segment's inclination, which one sensor sees, and no angle between two segments."""
        return self in {JointAngle.LEAN_FORWARD, JointAngle.LEAN_SIDEWAYS}


class Direction(StrEnum):
    """Which way an angle goes: in the first half of a repetition, or when somebody compensates."""

    FLEXION = "flexion"
    EXTENSION = "extension"
    ABDUCTION = "abduction"
    ADDUCTION = "adduction"
    INTERNAL_ROTATION = "internal_rotation"
    EXTERNAL_ROTATION = "external_rotation"
    DORSIFLEXION = "dorsiflexion"
    PLANTARFLEXION = "plantarflexion"
    INVERSION = "inversion"
    EVERSION = "eversion"
    ELEVATION = "elevation"
    PRONATION = "pronation"
    SUPINATION = "supination"
    RADIAL_DEVIATION = "radial_deviation"
    ULNAR_DEVIATION = "ulnar_deviation"
    LATERAL_FLEXION = "lateral_flexion"
    ROTATION = "rotation"
    LEAN_FORWARD = "lean_forward"
    LEAN_BACKWARD = "lean_backward"
    LEAN_SIDEWAYS = "lean_sideways"


class Movement(NamedTuple):
    """The angle that a direction changes at a joint, and whether it grows (1) or falls (-1)."""

    angle: JointAngle
    sign: int


def movements(joint: Joint) -> Mapping[Direction, Movement]:
    """What a joint can do. Lateral flexion and rotation of trunk and neck go towards the side that is exercised."""
    return _MOVEMENTS[joint]


def _pair(angle: JointAngle, grows: Direction, falls: Direction) -> dict[Direction, Movement]:
    return {grows: Movement(angle, 1), falls: Movement(angle, -1)}


_FLEXION = _pair(JointAngle.FLEXION, Direction.FLEXION, Direction.EXTENSION)
_ABDUCTION = _pair(JointAngle.ABDUCTION, Direction.ABDUCTION, Direction.ADDUCTION)
_ROTATION = _pair(JointAngle.ROTATION, Direction.INTERNAL_ROTATION, Direction.EXTERNAL_ROTATION)
_LEAN = {
    **_pair(JointAngle.LEAN_FORWARD, Direction.LEAN_FORWARD, Direction.LEAN_BACKWARD),
    Direction.LEAN_SIDEWAYS: Movement(JointAngle.LEAN_SIDEWAYS, 1),
}
_SPINE = {
    **_FLEXION,
    Direction.LATERAL_FLEXION: Movement(JointAngle.LATERAL_FLEXION, 1),
    Direction.ROTATION: Movement(JointAngle.ROTATION, 1),
}
# The plane of elevation tells flexion from abduction of the shoulder; how far the arm is raised is one angle.
_ARM = {
    Direction.FLEXION: Movement(JointAngle.ELEVATION, 1),
    Direction.ABDUCTION: Movement(JointAngle.ELEVATION, 1),
    Direction.ELEVATION: Movement(JointAngle.ELEVATION, 1),
    Direction.EXTENSION: Movement(JointAngle.ELEVATION, -1),
    Direction.ADDUCTION: Movement(JointAngle.ELEVATION, -1),
    **_ROTATION,
}
_MOVEMENTS: Mapping[Joint, Mapping[Direction, Movement]] = MappingProxyType(
    {
        Joint.KNEE: _FLEXION,
        Joint.HIP: {**_FLEXION, **_ABDUCTION, **_ROTATION},
        Joint.ANKLE: {
            **_pair(JointAngle.FLEXION, Direction.DORSIFLEXION, Direction.PLANTARFLEXION),
            **_pair(JointAngle.INVERSION, Direction.INVERSION, Direction.EVERSION),
        },
        Joint.SHOULDER: _ARM,
        Joint.ELBOW: {**_FLEXION, **_pair(JointAngle.PRONATION, Direction.PRONATION, Direction.SUPINATION)},
        Joint.WRIST: {
            **_FLEXION,
            **_pair(JointAngle.DEVIATION, Direction.RADIAL_DEVIATION, Direction.ULNAR_DEVIATION),
        },
        Joint.TRUNK: {**_SPINE, **_LEAN},
        Joint.PELVIS: {**_LEAN, Direction.ROTATION: Movement(JointAngle.ROTATION, 1)},
        Joint.NECK: _SPINE,
    }
)
