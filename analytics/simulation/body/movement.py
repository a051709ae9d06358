"""What a person does: positions, movements from one key pose to another, and walking, as data.

Poses are clinical joint angles in degrees, three per joint (`skeleton`); joints that are not named are at 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from analytics.motion.rotations import from_rotation_vector, multiply
from analytics.signals.samples import FloatArray

Angles = tuple[float, float, float]
Pose = Mapping[str, Angles]

_UPRIGHT = from_rotation_vector(np.array([np.pi / 2, 0.0, 0.0]))
"""Facing east: anterior east, superior up, right south."""


def _lying(about: tuple[float, float, float]) -> FloatArray:
    return multiply(_UPRIGHT, from_rotation_vector(np.pi / 2 * np.array(about)))


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """How a body rests. held: the segment that does not move, from which all others follow. orientation: of that
    segment to earth. sway_deg: how far joints wander in each of their angles, one standard deviation; a joint named
    without its side wanders in flexion, left and right together, so that neither foot slides."""

    held: str
    orientation: FloatArray
    pose: Pose
    sway_deg: Mapping[str, float]


_ARMS = {"right_elbow": (15.0, 0.0, 0.0), "left_elbow": (15.0, 0.0, 0.0)}
_LEGS_BENT = {f"{side}_{joint}": (90.0, 0.0, 0.0) for side in ("right", "left") for joint in ("hip", "knee")}
_LOOSE = {"trunk": 0.15, "neck": 0.4} | {
    f"{side}_{joint}": deg
    for side in ("right", "left")
    for joint, deg in (("shoulder", 0.3), ("elbow", 0.5), ("wrist", 0.5))
}
_SITTING_LEGS = {f"{side}_{joint}": 0.12 for side in ("right", "left") for joint in ("hip", "knee", "ankle")}

STANDING = Position("right_foot", _UPRIGHT, _ARMS, _LOOSE | {"ankle": 0.1, "knee": 0.05})
SITTING = Position("pelvis", _UPRIGHT, _ARMS | _LEGS_BENT, _LOOSE | _SITTING_LEGS)
SUPINE = Position("pelvis", _lying((0, 0, 1)), {}, _SITTING_LEGS)
PRONE = Position("pelvis", _lying((0, 0, -1)), {}, _SITTING_LEGS)
ON_THE_LEFT_SIDE = Position("pelvis", _lying((-1, 0, 0)), {}, _SITTING_LEGS)
ON_THE_RIGHT_SIDE = Position("pelvis", _lying((1, 0, 0)), {}, _SITTING_LEGS)
_OTHER_SIDE = {ON_THE_LEFT_SIDE: ON_THE_RIGHT_SIDE, ON_THE_RIGHT_SIDE: ON_THE_LEFT_SIDE}


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """One way there and back. joint, axis: whose angle counts, and which of its three. change: to the key pose, from
    the position's pose, at full range. tempo_s: there, held, back. start: the pose where it is another than the
    position's. held: the segment that stays, where it is another than the position's."""

    position: Position
    joint: str
    change: Pose
    axis: int = 0
    tempo_s: tuple[float, float, float] = (1.5, 1.0, 1.5)
    start: Pose = field(default_factory=dict)
    held: str = ""

    @property
    def root(self) -> str:
        return self.held or self.position.held

    def to_range(self, range_deg: float) -> Movement:
        """The same movement with another full range of its joint."""
        share = range_deg / abs(self.change[self.joint][self.axis])
        return replace(self, change={name: scaled(angles, share) for name, angles in self.change.items()})

    def in_place(self) -> Movement:
        """The same of somebody who has taken the starting pose already."""
        pose = {**self.position.pose, **self.start}
        return replace(self, position=replace(self.position, pose=pose), start={})

    def mirrored(self) -> Movement:
        """The same movement of the other side; lying on the other side where it is done so."""
        position = _OTHER_SIDE.get(self.position, self.position)
        return replace(
            self,
            position=position,
            joint=_other_side(self.joint),
            change=_mirrored_pose(self.change),
            start=_mirrored_pose(self.start),
            held=_other_side(self.held),
        )


def _other_side(name: str) -> str:
    side, _, rest = name.partition("_")
    return f"{'left' if side == 'right' else 'right'}_{rest}" if side in {"left", "right"} else name


def _mirrored_pose(pose: Pose) -> Pose:
    """Of paired joints the angles mean the same on both sides; trunk and neck bend and turn the other way."""
    return {
        _other_side(name): angles if name != _other_side(name) else (angles[0], -angles[1], -angles[2])
        for name, angles in pose.items()
    }


def scaled(angles: Angles, share: float) -> Angles:
    """Angles, each times a share."""
    return angles[0] * share, angles[1] * share, angles[2] * share


def both(**joints: float) -> dict[str, Angles]:
    """Flexion of joints of both sides."""
    return {f"{side}_{name}": (deg, 0.0, 0.0) for name, deg in joints.items() for side in ("right", "left")}


_FRONT: Pose = {"right_shoulder": (90.0, 0.0, -90.0), "left_shoulder": (90.0, 0.0, -90.0)}
"""The arms hang, ready to rise to the front: plane of elevation and rotation about itself undo each other."""
_ARMS_RISE: Pose = {"right_shoulder": (0.0, 70.0, 0.0), "left_shoulder": (0.0, 70.0, 0.0)}

MOVEMENTS: dict[str, Movement] = {
    # The thigh lifts 8 to 11° with the knee's 90° in Yurtman & Barshan's recordings.
    "seated_knee_extension": Movement(
        SITTING, "right_knee", {"right_knee": (-75.0, 0.0, 0.0), "right_hip": (7.0, 0.0, 2.0)}
    ),
    "heel_slide": Movement(SUPINE, "right_knee", {"right_knee": (100.0, 0.0, 0.0), "right_hip": (50.0, 0.0, 0.0)}),
    "straight_leg_raise": Movement(SUPINE, "right_hip", {"right_hip": (50.0, 0.0, 0.0)}),
    "prone_knee_flexion": Movement(PRONE, "right_knee", {"right_knee": (95.0, 0.0, 0.0)}),
    "side_lying_hip_abduction": Movement(ON_THE_LEFT_SIDE, "right_hip", {"right_hip": (0.0, -35.0, 0.0)}, axis=1),
    "standing_hip_abduction": Movement(
        STANDING, "right_hip", {"right_hip": (0.0, -30.0, 0.0), "trunk": (0.0, -4.0, 0.0)}, axis=1, held="left_foot"
    ),
    "squat": Movement(STANDING, "right_knee", {**both(hip=85.0, knee=90.0, ankle=30.0), **_ARMS_RISE}, start=_FRONT),
    "heel_raise": Movement(
        STANDING, "right_ankle", both(ankle=-25.0, toe_joint=25.0), tempo_s=(1.0, 1.0, 1.0), held="right_toes"
    ),
    "ankle_dorsiflexion": Movement(SITTING, "right_ankle", {"right_ankle": (18.0, 0.0, 0.0)}, tempo_s=(1.0, 0.8, 1.0)),
    "shoulder_flexion": Movement(STANDING, "right_shoulder", {"right_shoulder": (0.0, 120.0, 0.0)}, 1, start=_FRONT),
    "shoulder_abduction": Movement(STANDING, "right_shoulder", {"right_shoulder": (0.0, 100.0, 0.0)}, 1),
    "shoulder_rotation": Movement(
        SITTING, "right_shoulder", {"right_shoulder": (0.0, 0.0, -50.0)}, 2, start={"right_elbow": (90.0, 0.0, 0.0)}
    ),
    "elbow_flexion": Movement(STANDING, "right_elbow", {"right_elbow": (120.0, 0.0, 0.0)}),
    "forearm_pronation": Movement(
        SITTING, "right_elbow", {"right_elbow": (0.0, 0.0, 75.0)}, 2, start={"right_elbow": (90.0, 0.0, 0.0)}
    ),
    "wrist_flexion": Movement(
        SITTING, "right_wrist", {"right_wrist": (60.0, 0.0, 0.0)}, start={"right_elbow": (90.0, 0.0, 90.0)}
    ),
    "trunk_flexion": Movement(SITTING, "trunk", {"trunk": (40.0, 0.0, 0.0)}, tempo_s=(2.0, 1.0, 2.0)),
    "trunk_side_bend": Movement(STANDING, "trunk", {"trunk": (0.0, 25.0, 0.0)}, axis=1),
    "neck_rotation": Movement(SITTING, "neck", {"neck": (0.0, 0.0, 60.0)}, axis=2),
}
"""Examples for each joint and position. Any other movement is another `Movement`."""


class Move(NamedTuple):
    """One joint's angles change by `change_deg`, with minimum jerk."""

    joint: str
    start_s: float
    duration_s: float
    change_deg: Angles
