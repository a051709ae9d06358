"""The anatomical frame of a segment in its sensor's frame: from a joint axis found by movement, and gravity."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, degrees
from typing import Literal

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

LARGEST_OFF_SQUARE_DEG = 30.0
"""A flexion axis is within about 10° of square to the long axis of a thigh, a shank or an upper arm, a strap and a
pose that are good enough add as much again; beyond this one of the two is something else."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentFrame:
    """quaternion: (4,) turns a vector from the anatomical frame (x anterior, y superior, z right) to the sensor's.

    off_square_deg: by how much axis and vertical are not at right angles. refusal: why not to go by it and what to do,
    in one sentence; None where it is good.
    """

    quaternion: FloatArray
    off_square_deg: float
    refusal: str | None = None

    def orientation(self, sensor: FloatArray) -> FloatArray:
        """Orientations (n, 4) of the segment from those of its sensor."""
        return rotations.multiply(sensor, self.quaternion)


def segment_frame(
    right: FloatArray, up: FloatArray, *, exact: Literal["axis", "vertical"] = "axis", segment: str = "leg"
) -> SegmentFrame:
    """Lay the frame.

    right: (3,) joint axis in the sensor's frame, towards the patient's right. up: (3,) specific force of the sensor
    while the segment hangs or stands upright and still. exact: which of the two the frame keeps; the other is made
    square to it. A flexion angle wants the axis, a lean the vertical. segment: what to call it to the patient.
    Raises ValueError where one of them has no direction, or both have the same.
    """
    z, y = _unit(right), _unit(up)
    off_square_deg = degrees(asin(min(1.0, abs(float(z @ y)))))
    x = _unit(np.cross(y, z))
    y, z = (np.cross(z, x), z) if exact == "axis" else (y, np.cross(x, y))
    refusal = None
    if off_square_deg > LARGEST_OFF_SQUARE_DEG:
        refusal = (
            f"The sensor on your {segment} and the way your {segment} bends do not fit together; "
            "check that it is strapped where the picture shows, stand upright and still, and do the repetitions again."
        )
    return SegmentFrame(_quaternion(np.stack([x, y, z], axis=1)), off_square_deg, refusal)


def _unit(v: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(v))
    if not length > 1e-9:
        raise ValueError("A direction of no length, or an axis along the vertical, makes no frame.")
    return np.asarray(v, dtype=np.float64) / length


def _quaternion(matrix: FloatArray) -> FloatArray:
    """Of a rotation matrix: the eigenvector of Bar-Itzhack (2000, J Guidance 23:1085), sound at any angle."""
    m = matrix
    k = np.array(
        [
            [m.trace(), m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
            [0.0, m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]],
            [0.0, 0.0, m[1, 1] - m[0, 0] - m[2, 2], m[1, 2] + m[2, 1]],
            [0.0, 0.0, 0.0, m[2, 2] - m[0, 0] - m[1, 1]],
        ]
    )
    q = np.linalg.eigh(k, UPLO="U")[1][:, -1]
    return np.asarray(q if q[0] >= 0 else -q)
