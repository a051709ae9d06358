"""A person's joints in space from joint angles: a stick figure with nothing but arithmetic, for phone and server alike.

Axes as in the ISB's: x forward, y up, z to the person's right. Lengths are shares of body height (Drillis & Contini
1966, as in Winter, Biomechanics and Motor Control of Human Movement, figure 4.1). The right side exercises.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians, sin

from analytics.domain.drawing import PoseAngle
from analytics.domain.exercise import Posture

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
Angles = Mapping[str, float]
"""Degrees by the names of PoseAngle."""

HIP, SHOULDER = 0.0955, 0.129
"""Half the breadth of pelvis and shoulders."""
TRUNK, NECK, HEAD_RADIUS = 0.288, 0.06, 0.065
UPPER_ARM, FOREARM, HAND = 0.186, 0.146, 0.1
THIGH, SHANK = 0.245, 0.246
ANKLE_HEIGHT, HEEL, TOES = 0.039, 0.04, 0.112
SPINE_PARTS = 4

_P = PoseAngle
BASE: Mapping[Posture, Angles] = {
    Posture.STANDING: {},
    Posture.SITTING: {
        **{_P.HIP_FLEXION: 90, _P.KNEE_FLEXION: 90, _P.OTHER_HIP_FLEXION: 90, _P.OTHER_KNEE_FLEXION: 90},
        **{_P.SHOULDER_FLEXION: 12, _P.ELBOW_FLEXION: 55, _P.FOREARM_PRONATION: 60},
        **{_P.OTHER_SHOULDER_FLEXION: 12, _P.OTHER_ELBOW_FLEXION: 55},
    },
    Posture.SUPINE: {_P.PELVIS_LEAN: -90},
    Posture.PRONE: {_P.PELVIS_LEAN: 90, _P.NECK_FLEXION: -22, _P.ANKLE_FLEXION: -60, _P.OTHER_ANKLE_FLEXION: -60},
    Posture.SIDE_LYING: {},
    Posture.KNEELING: {
        **{_P.KNEE_FLEXION: 90, _P.ANKLE_FLEXION: -60},
        **{_P.OTHER_KNEE_FLEXION: 90, _P.OTHER_ANKLE_FLEXION: -60},
    },
    Posture.HANDS_AND_KNEES: {
        **{_P.PELVIS_LEAN: 76, _P.HIP_FLEXION: 76, _P.KNEE_FLEXION: 90, _P.ANKLE_FLEXION: -60},
        **{_P.OTHER_HIP_FLEXION: 76, _P.OTHER_KNEE_FLEXION: 90, _P.OTHER_ANKLE_FLEXION: -60},
        **{_P.SHOULDER_FLEXION: 76, _P.FOREARM_PRONATION: 90, _P.WRIST_FLEXION: -80},
        **{_P.OTHER_SHOULDER_FLEXION: 76, _P.OTHER_FOREARM_PRONATION: 90, _P.OTHER_WRIST_FLEXION: -80},
        _P.NECK_FLEXION: -20,
    },
}
"""What the figure does in each posture before a pose says otherwise."""


def turn(axis: int, angle_deg: float) -> Matrix:
    """The rotation about x (0), y (1) or z (2)."""
    c, s = cos(radians(angle_deg)), sin(radians(angle_deg))
    if axis == 0:
        return ((1, 0, 0), (0, c, -s), (0, s, c))
    if axis == 1:
        return ((c, 0, s), (0, 1, 0), (-s, 0, c))
    return ((c, -s, 0), (s, c, 0), (0, 0, 1))


def after(*turns: Matrix) -> Matrix:
    """One rotation for all of them, the last one in the frame that those before have turned."""
    product, *rest = turns
    for one in rest:
        (a, b, c), (d, e, f), (g, h, i) = one
        columns = ((a, d, g), (b, e, h), (c, f, i))
        x, y, z = ((dot(row, columns[0]), dot(row, columns[1]), dot(row, columns[2])) for row in product)
        product = (x, y, z)
    return product


def dot(a: Vector, b: Vector) -> float:
    """The scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def move(start: Vector, frame: Matrix, step: Vector) -> Vector:
    """Where one gets from `start` by a step told in `frame`."""
    return (start[0] + dot(frame[0], step), start[1] + dot(frame[1], step), start[2] + dot(frame[2], step))


def joints(posture: Posture, angles: Angles) -> dict[str, Vector]:
    """Points by name, the middle of the pelvis at the origin; the other side's names begin with `other_`."""

    def of(name: str) -> float:
        return angles.get(name, 0)

    lying = turn(0, -90 if posture is Posture.SIDE_LYING else 0)
    pelvis = after(lying, turn(2, -of(_P.PELVIS_LEAN)), turn(0, of(_P.PELVIS_SIDEWAYS)))
    at: dict[str, Vector] = {"pelvis": (0.0, 0.0, 0.0)}
    chest, point = pelvis, at["pelvis"]
    for part in range(1, SPINE_PARTS + 1):
        share = part / SPINE_PARTS
        chest = after(
            pelvis,
            turn(2, -of(_P.TRUNK_FLEXION) * share),
            turn(0, of(_P.TRUNK_LATERAL_FLEXION) * share),
            turn(1, -of(_P.TRUNK_ROTATION) * share),
        )
        point = at[f"spine_{part}"] = move(point, chest, (0, TRUNK / SPINE_PARTS, 0))
    neck = after(
        chest,
        turn(2, -of(_P.NECK_FLEXION)),
        turn(0, of(_P.NECK_LATERAL_FLEXION)),
        turn(1, -of(_P.NECK_ROTATION)),
    )
    head = after(neck, turn(2, -of(_P.HEAD_FLEXION)))
    at["neck"] = move(point, neck, (0, NECK, 0))
    at["head"] = move(at["neck"], head, (0.018, HEAD_RADIUS, 0))
    at["nose"] = move(at["head"], head, (HEAD_RADIUS * 1.08, -0.012, 0))
    for prefix, side in (("", 1), ("other_", -1)):
        at |= _arm(prefix, side, move(point, chest, (0, -0.02, side * SHOULDER)), chest, angles)
        at |= _leg(prefix, side, move(at["pelvis"], pelvis, (0, 0, side * HIP)), pelvis, angles)
    return at


def _arm(prefix: str, side: int, shoulder: Vector, chest: Matrix, angles: Angles) -> dict[str, Vector]:
    def of(name: str) -> float:
        return angles.get(prefix + name, 0)

    upper = after(chest, _ball(side, of("shoulder_flexion"), of("shoulder_abduction"), of("shoulder_rotation")))
    fore = after(upper, turn(2, of("elbow_flexion")), turn(1, side * of("forearm_pronation")))
    hand = after(fore, turn(0, side * of("wrist_flexion")), turn(2, of("wrist_deviation")))
    elbow = move(shoulder, upper, (0, -UPPER_ARM, 0))
    wrist = move(elbow, fore, (0, -FOREARM, 0))
    points = {
        "shoulder": shoulder,
        "elbow": elbow,
        "wrist": wrist,
        "hand": move(wrist, hand, (0, -HAND, 0)),
        "thumb": move(wrist, hand, (0.045, -0.05, 0)),
    }
    return {prefix + name: point for name, point in points.items()}


def _leg(prefix: str, side: int, hip: Vector, pelvis: Matrix, angles: Angles) -> dict[str, Vector]:
    def of(name: str) -> float:
        return angles.get(prefix + name, 0)

    thigh = after(pelvis, _ball(side, of("hip_flexion"), of("hip_abduction"), of("hip_rotation")))
    shank = after(thigh, turn(2, -of("knee_flexion")))
    foot = after(shank, turn(2, of("ankle_flexion")), turn(0, side * of("ankle_inversion")))
    knee = move(hip, thigh, (0, -THIGH, 0))
    ankle = move(knee, shank, (0, -SHANK, 0))
    points = {
        "hip": hip,
        "knee": knee,
        "ankle": ankle,
        "heel": move(ankle, foot, (-HEEL, -ANKLE_HEIGHT, 0)),
        "toes": move(ankle, foot, (TOES, -ANKLE_HEIGHT, 0)),
        "ball_inside": move(ankle, foot, (TOES * 0.7, -ANKLE_HEIGHT, -side * 0.042)),
        "ball_outside": move(ankle, foot, (TOES * 0.6, -ANKLE_HEIGHT, side * 0.042)),
    }
    return {prefix + name: point for name, point in points.items()}


def _ball(side: int, flexion: float, abduction: float, rotation: float) -> Matrix:
    return after(turn(2, flexion), turn(0, -side * abduction), turn(1, side * rotation))
