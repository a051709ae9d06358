"""An exercise's figure: from its key poses to lines in a plane, which the app's canvas and `svg` draw.

Coordinates are shares of body height, y up. A figure is drawn from its first stroke to its last, far parts first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import cos, floor, radians, sin
from typing import NamedTuple

from analytics.domain.drawing import FixedPoint, Focus, View
from analytics.domain.exercise import Exercise, Part, RepetitionKind, Side

from .drawn_angle import drawn_deg
from .props import Piece, furniture, held
from .skeleton import BASE, HEAD_RADIUS, SPINE_PARTS, Angles, Vector, dot, joints

Point = tuple[float, float]


class Role(StrEnum):
    """What a stroke belongs to, for its colour."""

    BODY = "body"
    LIMB = "limb"
    FAR = "far"
    FURNITURE = "furniture"
    HELD = "held"
    SENSOR = "sensor"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line with round ends, or a disc where it has one point; `width` is its thickness or diameter."""

    name: str
    role: Role
    points: tuple[Point, ...]
    width: float


class _Limb(NamedTuple):
    points: tuple[str, ...]
    width: float
    part: Part | None


_SPINE = tuple(f"spine_{part}" for part in range(1, SPINE_PARTS + 1))
_MIDDLE = {
    "pelvis": _Limb(("other_hip", "hip"), 0.07, Part.PELVIS),
    "waist": _Limb(("pelvis", *_SPINE[: SPINE_PARTS // 2]), 0.1, Part.PELVIS),
    "chest": _Limb(_SPINE[SPINE_PARTS // 2 - 1 :], 0.1, Part.CHEST),
    "shoulders": _Limb(("other_shoulder", "shoulder"), 0.05, Part.CHEST),
    "neck": _Limb((_SPINE[-1], "neck"), 0.045, Part.HEAD),
    "nose": _Limb(("nose",), 0.034, Part.HEAD),
    "head": _Limb(("head",), 2 * HEAD_RADIUS, Part.HEAD),
}
_SIDED = {
    "upper_arm": _Limb(("shoulder", "elbow"), 0.052, Part.UPPER_ARM),
    "forearm": _Limb(("elbow", "wrist"), 0.044, Part.FOREARM),
    "thumb": _Limb(("wrist", "thumb"), 0.02, Part.HAND),
    "hand": _Limb(("wrist", "hand"), 0.034, Part.HAND),
    "thigh": _Limb(("hip", "knee"), 0.072, Part.THIGH),
    "shank": _Limb(("knee", "ankle"), 0.056, Part.SHANK),
    "ball": _Limb(("ball_inside", "ball_outside"), 0.026, Part.FOOT),
    "foot": _Limb(("heel", "toes"), 0.036, Part.FOOT),
    "instep": _Limb(("ankle", "toes"), 0.036, Part.FOOT),
}
_SENSOR_SITES: dict[Part, tuple[str, str, float]] = {
    Part.HEAD: ("head", "head", 0),
    Part.CHEST: (_SPINE[-2], _SPINE[-1], 0.5),
    Part.PELVIS: ("pelvis", "pelvis", 0),
    Part.UPPER_ARM: ("shoulder", "elbow", 0.55),
    Part.FOREARM: ("elbow", "wrist", 0.8),
    Part.HAND: ("wrist", "hand", 0.5),
    Part.THIGH: ("hip", "knee", 0.55),
    Part.SHANK: ("knee", "ankle", 0.5),
    Part.FOOT: ("ankle", "toes", 0.6),
}
_LIMBS = ((Part.UPPER_ARM, Part.FOREARM, Part.HAND), (Part.THIGH, Part.SHANK, Part.FOOT))
_FOCUS = {
    Focus.HEAD: {"head", "nose", "neck", "shoulders", "chest", "upper_arm", "other_upper_arm"},
    Focus.ARM: {"upper_arm", "forearm", "thumb", "hand", "weight"},
    Focus.LEG: {"shank", "ball", "foot", "instep", "other_shank", "other_foot", "band", "anchor"},
}
_FIXED = {
    FixedPoint.PELVIS: "pelvis",
    FixedPoint.CHEST: _SPINE[-1],
    FixedPoint.HEEL: "heel",
    FixedPoint.TOES: "toes",
    FixedPoint.OTHER_HEEL: "other_heel",
}
_ROUND = {RepetitionKind.CIRCLE, RepetitionKind.WALKING}
_CAMERAS_DEG = {View.SIDE: (0, 0), View.FRONT: (90, 0), View.OBLIQUE: (38, 14), View.ABOVE: (-90, 90)}
"""Where one looks from: turned from the person's right to the front, and raised."""


class Figure:
    """The drawing of one exercise on one side. Its phase counts key poses: 0 is the first, 0.5 half way to the second,
    and after the last comes the first again.
    """

    def __init__(self, exercise: Exercise, side: Side = Side.RIGHT) -> None:
        self._exercise = exercise
        self._poses = key_poses(exercise)
        self._mirrored = side is Side.LEFT
        self._across, self._up, self._toward = _camera(*_CAMERAS_DEG[exercise.drawing.view])
        self._rest = joints(exercise.posture, self._poses[0])
        self._moving = _moving(exercise)
        self.turning = self.key_poses // 2
        """The phase at which a repetition turns back."""
        there_deg, rest_deg = (drawn_deg(exercise, self._poses[phase]) for phase in (self.turning, 0))
        self.range_deg = 0.0 if exercise.repetition.kind in _ROUND else abs(there_deg - rest_deg)
        """How far the primary angle goes until then; 0 without one, or where the movement goes round and round."""

    @property
    def key_poses(self) -> int:
        """How many there are."""
        return len(self._poses)

    def phase(self, excursion_deg: float) -> float:
        """Where the movement stands when the joint is that far from its rest pose; never beyond the turning point."""
        return self.turning * max(0.0, min(1.0, excursion_deg / self.range_deg)) if self.range_deg else 0.0

    def angles(self, phase: float) -> dict[str, float]:
        """Every angle at that phase, between key poses in proportion."""
        first = floor(phase) % len(self._poses)
        a, b = self._poses[first], self._poses[(first + 1) % len(self._poses)]
        share = phase - floor(phase)
        return {name: a.get(name, 0) + share * (b.get(name, 0) - a.get(name, 0)) for name in {**a, **b}}

    def strokes(self, phase: float) -> list[Stroke]:
        """The whole picture at that phase: furniture, the body with what is far from the eye first, what it holds."""
        at = self._placed(phase)
        body: list[tuple[float, Stroke]] = []
        for prefix, limbs in (("other_", _SIDED), ("", _MIDDLE), ("", _SIDED)):
            for name, limb in limbs.items():
                points = tuple(at[prefix + point] for point in limb.points)
                depth = sum(dot(point, self._toward) for point in points) / len(points)
                body.append((depth, Stroke(prefix + name, self._role(prefix, limb), self._flat(points), limb.width)))
        return [
            *self._pieces(Role.FURNITURE, furniture(self._exercise, self._rest)),
            *(stroke for _, stroke in sorted(body, key=lambda one: one[0])),
            *self._pieces(Role.HELD, held(self._exercise, at, self._rest)),
            *self._sensors(at),
        ]

    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top of what is to be seen, all key poses together."""
        shown = _FOCUS.get(self._exercise.drawing.focus)
        strokes = [stroke for phase in range(self.key_poses) for stroke in self.strokes(phase)]
        reach = [(x, y, s.width / 2) for s in strokes if shown is None or s.name in shown for x, y in s.points]
        return (
            min(x - half for x, _, half in reach),
            min(y - half for _, y, half in reach),
            max(x + half for x, _, half in reach),
            max(y + half for _, y, half in reach),
        )

    def _pieces(self, role: Role, pieces: list[Piece]) -> Iterator[Stroke]:
        return (Stroke(name, role, self._flat(points), width) for name, points, width in pieces)

    def _placed(self, phase: float) -> dict[str, Vector]:
        """Points in space, moved so that what is fixed stays where it is at rest."""
        at = joints(self._exercise.posture, self.angles(phase))
        fixed = _FIXED[self._exercise.drawing.fixed]
        shift = tuple(there - here for there, here in zip(self._rest[fixed], at[fixed], strict=True))
        return {name: (x + shift[0], y + shift[1], z + shift[2]) for name, (x, y, z) in at.items()}

    def _role(self, prefix: str, limb: _Limb) -> Role:
        if prefix:
            return Role.FAR
        return Role.LIMB if limb.part in self._moving else Role.BODY

    def _sensors(self, at: dict[str, Vector]) -> list[Stroke]:
        found = []
        for part in self._exercise.sensors.required:
            first, last, share = _SENSOR_SITES[part]
            (ax, ay), (bx, by) = self._flat((at[first], at[last]))
            place = (ax + share * (bx - ax), ay + share * (by - ay))
            found.append(Stroke(f"sensor_{part}", Role.SENSOR, (place,), 0.034))
        return found

    def _flat(self, points: tuple[Vector, ...]) -> tuple[Point, ...]:
        across = -1 if self._mirrored else 1
        return tuple((across * dot(point, self._across), dot(point, self._up)) for point in points)


def key_poses(exercise: Exercise) -> tuple[Angles, ...]:
    """Every angle that the posture or an earlier pose sets, for each key pose."""
    complete: list[Angles] = []
    known: Angles = BASE[exercise.posture]
    for pose in exercise.drawing.poses:
        known = {**known, **{str(name): angle_deg for name, angle_deg in pose.items()}}
        complete.append(known)
    return tuple(complete)


def _moving(exercise: Exercise) -> set[Part]:
    """What is to catch the eye: of a limb, the outer segment with a sensor, its neighbours with one, and all beyond."""
    required = exercise.sensors.required
    for limb in _LIMBS:
        if required[-1] in limb:
            return set(limb[min(limb.index(part) for part in required if part in limb) :])
    return {required[-1]}


def _camera(turned_deg: float, raised_deg: float) -> tuple[Vector, Vector, Vector]:
    """The picture's right, its up, and the way towards the eye."""
    a, e = radians(turned_deg), radians(raised_deg)
    right = (cos(a), 0.0, -sin(a))
    toward = (cos(e) * sin(a), sin(e), cos(e) * cos(a))
    up = (
        toward[1] * right[2] - toward[2] * right[1],
        toward[2] * right[0] - toward[0] * right[2],
        toward[0] * right[1] - toward[1] * right[0],
    )
    return right, up, toward
