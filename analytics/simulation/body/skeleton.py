"""The body as a tree of rigid segments, as data.

Each segment's frame is the ISB's (x anterior, y superior, z right when standing in the anatomical position), its origin
in the joint nearer to the trunk, the pelvis's between the hips. A joint turns its outer segment by three angles about
the axes of its sequence. Flexion is positive on both sides; the left side is the right one mirrored, so adduction and
internal rotation mean the same movement on both (Wu et al. 2002, J Biomech 35:543, and 2005, 38:981).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analytics.signals.samples import FloatArray

ZXY, YXY = (2, 0, 1), (1, 0, 1)


class Joint(NamedTuple):
    """place: of the joint in the inner segment's frame, as shares of body height. sign: what a positive clinical angle
    turns about each axis of the sequence."""

    name: str
    inner: str
    outer: str
    place: tuple[float, float, float]
    sequence: tuple[int, int, int] = ZXY
    sign: tuple[int, int, int] = (1, 1, 1)


# Lengths: Drillis & Contini 1966, as in Winter 2009, Biomechanics and Motor Control of Human Movement, fig. 4.1:
# heights of hip 0.530, knee 0.285, ankle 0.039, shoulder 0.818; half the shoulders' breadth 0.129; upper arm 0.186,
# forearm 0.146. What the figure does not tell, where spine and toes bend and how far the hip joints are apart, is
# chosen. The toes are a segment so that a heel can rise; they have the foot's axes.
_MIDDLE = (
    Joint("trunk", "pelvis", "chest", (0.0, 0.05, 0.0), sign=(-1, 1, 1)),
    Joint("neck", "chest", "head", (0.0, 0.25, 0.0), sign=(-1, 1, 1)),
)
_RIGHT = (
    Joint("hip", "pelvis", "thigh", (0.0, 0.0, 0.05)),
    Joint("knee", "thigh", "shank", (0.0, -0.245, 0.0), sign=(-1, 1, 1)),
    Joint("ankle", "shank", "foot", (0.0, -0.246, 0.0)),
    Joint("toe_joint", "foot", "toes", (0.08, -0.039, 0.0)),
    Joint("shoulder", "chest", "upper_arm", (0.0, 0.238, 0.129), YXY, (1, -1, 1)),
    Joint("elbow", "upper_arm", "forearm", (0.0, -0.186, 0.0), sign=(1, -1, 1)),
    Joint("wrist", "forearm", "hand", (0.0, -0.146, 0.0)),
)
"""The three angles, as in `analytics.motion.angles`: flexion (of the ankle dorsiflexion), adduction (of the ankle
inversion, of the elbow valgus, of the wrist ulnar deviation; trunk and neck bend to the right), internal rotation (of
elbow and wrist pronation; trunk and neck turn left). Of the shoulder: plane of elevation (0° to the side, 90° to the
front), elevation, internal rotation."""


def _of_side(joint: Joint, side: str, mirror: int) -> Joint:
    inner = joint.inner if joint.inner in {"pelvis", "chest"} else f"{side}_{joint.inner}"
    x, y, z = joint.place
    # A mirror image reverses turns about x and y, the axes in the mirror, and keeps those about z.
    first, second, third = (
        s * (1 if axis == 2 else mirror) for s, axis in zip(joint.sign, joint.sequence, strict=True)
    )
    return Joint(
        f"{side}_{joint.name}",
        inner,
        f"{side}_{joint.outer}",
        (x, y, mirror * z),
        joint.sequence,
        (first, second, third),
    )


JOINTS: dict[str, Joint] = {
    joint.name: joint
    for joint in (
        *_MIDDLE,
        *(_of_side(joint, "right", 1) for joint in _RIGHT),
        *(_of_side(joint, "left", -1) for joint in _RIGHT),
    )
}

_SENSOR_PLACES = {
    "pelvis": (-0.06, 0.03, 0.0),
    "chest": (0.07, 0.18, 0.0),
    "head": (0.0, 0.08, 0.05),
    "thigh": (0.035, -0.13, 0.02),
    "shank": (0.015, -0.12, 0.02),
    "foot": (0.04, -0.01, 0.0),
    "upper_arm": (0.0, -0.11, 0.03),
    "forearm": (-0.02, -0.12, 0.0),
    "hand": (-0.015, -0.04, 0.0),
}
"""Where a strap usually holds a sensor, as shares of body height in the segment's frame, on the right side."""


def sensor_place(segment: str) -> tuple[float, float, float]:
    """Where a segment usually wears its sensor, as shares of body height. Raises KeyError for no such segment."""
    side, _, name = segment.partition("_")
    if side == "left":
        x, y, z = _SENSOR_PLACES[name]
        return x, y, -z
    return _SENSOR_PLACES[name if side == "right" else segment]


def path(root: str, segment: str) -> list[tuple[Joint, bool]]:
    """The joints from one segment to another, each with whether it is passed outwards."""

    def inwards(at: str) -> list[Joint]:
        steps = []
        while at != "pelvis":
            joint = next(j for j in JOINTS.values() if j.outer == at)
            steps.append(joint)
            at = joint.inner
        return steps

    out, back = inwards(segment), inwards(root)
    while out and back and out[-1] == back[-1]:
        out.pop()
        back.pop()
    return [(joint, False) for joint in back] + [(joint, True) for joint in reversed(out)]


def beside(segment: str) -> list[Joint]:
    """The joints that a segment takes part in."""
    return [joint for joint in JOINTS.values() if segment in {joint.inner, joint.outer}]


def metres(place: tuple[float, float, float], height_m: float) -> FloatArray:
    """A place given as shares of body height."""
    return np.array(place) * height_m
