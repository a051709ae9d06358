"""The angle of a hinge from the two segments' inclinations alone: no heading, so nothing that drifts.

Turning a hinge leaves the component of gravity along its axis alone and turns the rest by the joint's angle, so the
angle is the difference of gravity's directions in the plane across the axis, as each sensor sees them. That is exact
however the axis lies, but for a vertical one. Knees are bent with their axis nearly level.
"""

from __future__ import annotations

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

UP = np.array([0.0, 0.0, 1.0])
LEAST_ACROSS = 0.3
"""Sine of the angle between axis and vertical. Below, within 17° of vertical, an inclination's error is tripled."""


def up_in_sensor(orientation: FloatArray) -> FloatArray:
    """The vertical (..., 3) as sensors with these orientations (..., 4) see it."""
    return rotations.rotate(rotations.conjugate(orientation), np.broadcast_to(UP, (*orientation.shape[:-1], 3)))


def inclination_about_rad(up: FloatArray, axis: FloatArray, zero: FloatArray) -> FloatArray:
    """Angle (...) about an axis (3,) by which a sensor has turned since it saw the vertical along `zero` (3,), −π … π;
    up: (..., 3), what it sees now."""
    level = zero - (zero @ axis) * axis
    return np.asarray(-np.arctan2(up @ np.cross(axis, level), up @ level))


def inclination_variance_rad2(up: FloatArray, axis: FloatArray, inclination_rad: float, axis_rad: float) -> FloatArray:
    """Variance (...) of that angle, from one standard deviation each of vertical and axis; infinite where the axis is
    too near to the vertical.

    With s and c the sine and cosine of the angle between axis and vertical, an error of the vertical counts 1/s and
    one of the axis c/s.
    """
    along = up @ axis
    across = 1.0 - along**2
    known = across > LEAST_ACROSS**2
    variance = (inclination_rad**2 + (along * axis_rad) ** 2) / np.where(known, across, 1.0)
    return np.where(known, variance, np.inf)
