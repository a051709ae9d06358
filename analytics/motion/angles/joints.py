"""Joint angles as clinicians name them, from the orientations of two segments in their anatomical frames.

Frames: x anterior, y superior, z to the right (ISB: Wu et al. 2002, J Biomech 35:543, and 2005, 38:981). Positive is
what the angle is named after, on both sides of the body: the left side is mirrored through the sagittal plane before
it is measured, which is the one rule for all joints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

from . import cardan
from .uncertainty import AngleErrors, relative_covariance, standard_deviation_deg

Side = Literal["left", "right", "middle"]
LEAST_ELEVATION_DEG = 15.0
"""Nearer than this to an arm that hangs, or points straight up, the plane of elevation is noise: 1 / sin 15° is 4."""
MIRROR = np.array([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True)
class CardanJoint:
    """names: of the angles about z, x and y. senses: +1 where the name means the positive turn, −1 the negative."""

    names: tuple[str, str, str]
    senses: tuple[int, int, int]


JOINTS: Mapping[str, CardanJoint] = {
    "knee": CardanJoint(("flexion", "adduction", "internal_rotation"), (-1, 1, 1)),
    "hip": CardanJoint(("flexion", "adduction", "internal_rotation"), (1, 1, 1)),
    "ankle": CardanJoint(("dorsiflexion", "inversion", "internal_rotation"), (1, 1, 1)),
    "elbow": CardanJoint(("flexion", "valgus", "pronation"), (1, -1, 1)),
    "wrist": CardanJoint(("flexion", "ulnar_deviation", "pronation"), (1, 1, 1)),
    "trunk": CardanJoint(("flexion", "right_lateral_flexion", "left_rotation"), (-1, 1, 1)),
    "neck": CardanJoint(("flexion", "right_lateral_flexion", "left_rotation"), (-1, 1, 1)),
}
"""Proximal and distal: thigh and shank, pelvis and thigh, shank and foot, upper arm and forearm, forearm and hand,
pelvis and thorax, thorax and head. The elbow's carrying angle is called by what it measures, valgus."""


@dataclass(frozen=True, slots=True, eq=False)
class JointAngles:
    """angles_deg: by name, (n,) each. errors_deg: one standard deviation of each, empty where no errors were given."""

    angles_deg: Mapping[str, FloatArray]
    errors_deg: Mapping[str, FloatArray]


def joint_angles(
    joint: str, side: Side, proximal: FloatArray, distal: FloatArray, errors: AngleErrors | None = None
) -> JointAngles:
    """Angles of a joint of `JOINTS`. proximal, distal: (n, 4) orientations of the segments, in one earth frame.

    Raises KeyError for a joint it does not know.
    """
    relative = _right_sided(rotations.relative(proximal, distal), side)
    definition = JOINTS[joint]
    about = cardan.zxy(relative)
    angles = {
        name: np.degrees(sense * angle)
        for name, sense, angle in zip(definition.names, definition.senses, about, strict=True)
    }
    if errors is None:
        return JointAngles(angles, {})
    rows = cardan.zxy_rows(about[0], about[1])
    covariance = relative_covariance(_right_sided(proximal, side), relative, errors)
    deviations = standard_deviation_deg(rows, covariance, errors)
    return JointAngles(angles, {name: deviations[..., i] for i, name in enumerate(definition.names)})


def shoulder_angles(
    side: Side, thorax: FloatArray, upper_arm: FloatArray, errors: AngleErrors | None = None
) -> JointAngles:
    """Elevation 0 … 180°; plane of elevation, 0° abduction and 90° forward flexion; internal rotation; twist.

    thorax, upper_arm: (n, 4) orientations of the segments, in one earth frame. Within `LEAST_ELEVATION_DEG` of an arm
    that hangs or points straight up, plane and internal rotation are not defined each and are NaN. Their sum, `twist`,
    is, unless the arm points straight up: it is the angle for rotation with the arm at the side.
    """
    relative = _right_sided(rotations.relative(thorax, upper_arm), side)
    plane, elevation, axial = cardan.yxy(relative)
    defined = np.sin(elevation) > np.sin(np.radians(LEAST_ELEVATION_DEG))
    angles = {
        "elevation": np.degrees(elevation),
        "plane_of_elevation": np.where(defined, np.degrees(plane), np.nan),
        "internal_rotation": np.where(defined, np.degrees(axial), np.nan),
        "twist": np.degrees(cardan.twist(relative)),
    }
    if errors is None:
        return JointAngles(angles, {})
    covariance = relative_covariance(_right_sided(thorax, side), relative, errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        deviations = standard_deviation_deg(cardan.yxy_rows(plane, elevation), covariance, errors)
        twisted = standard_deviation_deg(cardan.twist_row(relative)[..., None, :], covariance, errors)
    return JointAngles(
        angles,
        {
            "elevation": standard_deviation_deg(_elevation_row(plane), covariance, errors)[..., 0],
            "plane_of_elevation": np.where(defined, deviations[..., 0], np.nan),
            "internal_rotation": np.where(defined, deviations[..., 2], np.nan),
            "twist": twisted[..., 0],
        },
    )


def lean_deg(segment: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far trunk or pelvis lean from the vertical (n,): forward, ±180°, and to the right, ±90°.

    segment: (n, 4). Of the sequence y-x-z only the vertical is used, so no heading enters.
    """
    up = rotations.rotate(rotations.conjugate(segment), np.broadcast_to(cardan.Z, (*segment.shape[:-1], 3)))
    forward = np.arctan2(-up[..., 0], up[..., 1])
    right = np.arctan2(-up[..., 2], np.hypot(up[..., 0], up[..., 1]))
    return np.degrees(forward), np.degrees(right)


def _right_sided(turn: FloatArray, side: Side) -> FloatArray:
    """The same turn on the right side of the body: mirrored through the sagittal plane, turns about x and y change
    sign, turns about z do not."""
    return np.asarray(turn * MIRROR) if side == "left" else turn


def _elevation_row(plane: FloatArray) -> FloatArray:
    return np.stack([-np.cos(plane), np.zeros_like(plane), np.sin(plane)], axis=-1)[..., None, :]
