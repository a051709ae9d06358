"""Flexion of a hinge whose axis a calibration has shown, from the inclinations of both its segments."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from analytics.signals.samples import FloatArray

from .gravity import inclination_about_rad, inclination_variance_rad2, up_in_sensor

LEAST_BENT_SHARE = 20
"""The twentieth of the samples with the least flexion counts as upright."""


@dataclass(frozen=True, slots=True, eq=False)
class HingeAxes:
    """proximal, distal: (3,) the axis in each sensor's frame; flexion turns the distal segment positively about it.
    proximal_up, distal_up: (3,) the vertical in each where the joint is least bent, from which flexion counts."""

    proximal: FloatArray
    distal: FloatArray
    proximal_up: FloatArray
    distal_up: FloatArray

    def angle_rad(self, proximal_up: FloatArray, distal_up: FloatArray) -> FloatArray:
        """Flexion (...) [rad], −π … π, from the vertical (..., 3) as each sensor sees it."""
        turned = inclination_about_rad(distal_up, self.distal, self.distal_up)
        angle = turned - inclination_about_rad(proximal_up, self.proximal, self.proximal_up)
        return np.asarray((angle + pi) % (2 * pi) - pi)

    def error_rad(
        self, proximal_up: FloatArray, distal_up: FloatArray, inclination_rad: float, axis_rad: float
    ) -> FloatArray:
        """One standard deviation (...) of the flexion, from those of one vertical and one axis."""
        return np.sqrt(
            inclination_variance_rad2(proximal_up, self.proximal, inclination_rad, axis_rad)
            + inclination_variance_rad2(distal_up, self.distal, inclination_rad, axis_rad)
        )


def hinge_axes(axes: tuple[FloatArray, FloatArray], proximal: FloatArray, distal: FloatArray) -> HingeAxes:
    """Flexion counts from where a movement that begins and ends nearly straight is least bent.

    axes: (3,) each, the joint's in the proximal and the distal sensor's frame, in either sense. proximal, distal:
    (n, 4) orientations in that movement.
    """
    ups = (up_in_sensor(proximal), up_in_sensor(distal))
    turned = [np.unwrap(inclination_about_rad(up, axis, up[0])) for up, axis in zip(ups, axes, strict=True)]
    flexion = turned[1] - turned[0]
    edge = max(1, len(flexion) // LEAST_BENT_SHARE)
    flexion -= (flexion[:edge].mean() + flexion[-edge:].mean()) / 2
    sense = 1.0 if flexion.max() >= -flexion.min() else -1.0
    upright = np.argsort(sense * flexion)[:edge]
    stand = [up[upright].mean(axis=0) for up in ups]
    return HingeAxes(sense * axes[0], sense * axes[1], *(up / np.linalg.norm(up) for up in stand))
