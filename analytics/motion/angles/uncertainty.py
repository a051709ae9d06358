"""How wrong a joint angle may be, from how wrong what it is made of may be.

A small turn δ of the distal segment as seen from the proximal one changes the angles by J δ, the rows of J being dual
to the joint's axes (`cardan`). With u the vertical and R the distal frame, both as seen from the proximal segment,

    Cov δ = 2 σ_incl² (I − u uᵀ) + σ_head² u uᵀ + σ_axis² (2 I − R − Rᵀ),    σ² = diag(J Cov δ Jᵀ) + σ_zero²

Both sensors' inclinations err alike and independently; the difference of headings errs once. A frame laid a little
askew is askew alike in the pose that zeroes the joint, and of the error ε only ε − R ε is left when the joint has
turned; its covariance is the third term. Soft tissue that moves over the bone is in none of them unless the caller
puts it into σ_incl.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

VERTICAL = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True)
class AngleErrors:
    """One standard deviation each [rad]: inclination of one segment, difference of headings, functional axis, zero."""

    inclination_rad: float
    heading_rad: float
    axis_rad: float
    zero_rad: float = 0.0


def relative_covariance(proximal: FloatArray, relative: FloatArray, errors: AngleErrors) -> FloatArray:
    """Covariance (n, 3, 3) of a small turn of the distal segment in the proximal frame [rad²].

    proximal: (n, 4) orientations of the proximal segment. relative: (n, 4) of the distal one as seen from it.
    """
    shape = (*proximal.shape[:-1], 3)
    up = rotations.rotate(rotations.conjugate(proximal), np.broadcast_to(VERTICAL, shape))
    vertical = up[..., :, None] * up[..., None, :]
    turned = np.stack([rotations.rotate(relative, np.broadcast_to(axis, shape)) for axis in np.eye(3)], axis=-1)
    askew = 2.0 * np.eye(3) - turned - np.swapaxes(turned, -1, -2)
    inclined = 2.0 * errors.inclination_rad**2 * (np.eye(3) - vertical)
    return np.asarray(inclined + errors.heading_rad**2 * vertical + errors.axis_rad**2 * askew)


def standard_deviation_deg(rows: FloatArray, covariance: FloatArray, errors: AngleErrors) -> FloatArray:
    """Of each angle (n, m) [°], whose rows (n, m, 3) say how it changes with a turn of that covariance (n, 3, 3)."""
    variance = np.einsum("...mi,...ij,...mj->...m", rows, covariance, rows)
    return np.asarray(np.degrees(np.sqrt(np.maximum(variance, 0.0) + errors.zero_rad**2)))
