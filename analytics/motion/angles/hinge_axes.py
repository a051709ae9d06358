"""A knee's axis in the frames of both its sensors from one ordinary movement, such as a lunge of three seconds.

Four things are true of such a movement, each within what soft tissue and a joint that is no hinge allow:

* seen from the earth, both sensors see one axis:                  p z_p = k d z_d
* the segments turn relative to each other about it:               (k d ω_d − p ω_p) × axis = 0
* a leg bends in one plane, so each turns about it by itself:      ω_p × z_p = 0, ω_d × z_d = 0
* where the leg is least bent it is upright, and the axis level:   u_p · z_p = 0, u_d · z_d = 0

p, d are the orientations, k the turn about the vertical by the unknown difference δ of their headings. For a given δ
all are linear in the two axes, so the best are an eigenvector of a 6 × 6 matrix, and δ is looked for all the way round.
A movement in one plane has two answers half a turn apart in δ: the segments turn against each other, or with each
other. In a squat, a lunge or a step it is against each other, so of the two the one that turns more is taken. A
movement in which thigh and shank swing the same way, and in one plane, is not one to find a knee's axis on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees, pi, radians

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

from .gravity import inclination_about_rad, inclination_variance_rad2, up_in_sensor

ONE_AXIS_RAD = radians(10.0)
"""Inclinations and a joint that is no hinge let the two sensors see the axis apart by this much, …"""
JOINT_RAD_S = 0.3
"""… soft tissue trembles at this rate, …"""
PLANE_RAD_S = 1.0
"""… hips turn a leg out of its plane at this rate, …"""
LEVEL_RAD = radians(10.0)
"""… and legs stand apart and straps sit askew by this much. Halving or doubling any of them changes the knee of
cmu_exercise_sub22, found on a lunge, by less than 0.1° RMSE."""
HEADINGS = 48
LEAST_BENT_SHARE = 20
"""The twentieth of the samples with the least flexion counts as upright."""
LEAST_EXPLAINED = 0.75
LEAST_EXCURSION_DEG = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class HingeAxes:
    """proximal, distal: (3,) the axis in each sensor's frame; flexion turns the distal segment positively about it as
    `hinge_angle_rad` counts. proximal_up, distal_up: (3,) the vertical in each where the joint is least bent, from
    which flexion counts. heading_rad: turn about the vertical that brings the distal earth frame into the proximal one.
    explained: share of the relative turning that is about the axis. excursion_deg: range of the flexion.
    refusal: why not to go by it and what to do, in one sentence; None where it is good.
    """

    proximal: FloatArray
    distal: FloatArray
    proximal_up: FloatArray
    distal_up: FloatArray
    heading_rad: float
    explained: float
    excursion_deg: float
    refusal: str | None = None

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


def hinge_axes(
    proximal: FloatArray,
    distal: FloatArray,
    proximal_rad_s: FloatArray,
    distal_rad_s: FloatArray,
    *,
    joint: str = "knee",
) -> HingeAxes:
    """Find the axes from orientations (n, 4) and angular rates (n, 3) of a movement that begins and ends nearly
    straight. joint: what to call it to the patient."""
    movement = _Movement(proximal, distal, proximal_rad_s, distal_rad_s)
    ups = (up_in_sensor(proximal), up_in_sensor(distal))
    level = np.zeros((6, 6))
    for _ in range(2):  # the second time knowing where the leg is upright
        heading, z, explained = movement.axes(level)
        turned = [inclination_about_rad(up, axis, up[0]) for up, axis in zip(ups, z, strict=True)]
        flexion = np.unwrap(turned[1] - turned[0])
        edge = max(1, len(flexion) // LEAST_BENT_SHARE)
        flexion -= (flexion[:edge].mean() + flexion[-edge:].mean()) / 2
        if -flexion.min() > flexion.max():
            flexion, z = -flexion, -z
        upright = np.argsort(flexion)[:edge]
        stand = [_unit(up[upright].mean(axis=0)) for up in ups]
        for i, up in enumerate(stand):
            level[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] = np.outer(up, up) / LEVEL_RAD**2
    excursion_deg = degrees(float(np.ptp(flexion)))
    refusal = _refusal(explained, excursion_deg, joint)
    return HingeAxes(z[0], z[1], stand[0], stand[1], heading, explained, excursion_deg, refusal)


def _refusal(explained: float, excursion_deg: float, joint: str) -> str | None:
    again = "Do one slow lunge or squat, from standing and back to standing"
    if excursion_deg < LEAST_EXCURSION_DEG:
        return f"Your {joint} bent by {excursion_deg:.0f}° only. {again}, as far as is comfortable."
    if explained < LEAST_EXPLAINED:
        return f"Your {joint} turned in more than one direction. {again}, with the foot pointing straight ahead."
    return None


class _Movement:
    """What does not depend on the difference of headings, gathered once."""

    def __init__(self, p: FloatArray, d: FloatArray, rate_p: FloatArray, rate_d: FloatArray) -> None:
        self._p, self._d = _matrices(p), _matrices(d)
        self._turning = [np.einsum("nij,nj->ni", m, rate) for m, rate in ((self._p, rate_p), (self._d, rate_d))]
        self._plane = np.zeros((6, 6))
        self._plane[:3, :3] = _across(rate_p) / PLANE_RAD_S**2
        self._plane[3:, 3:] = _across(rate_d) / PLANE_RAD_S**2

    def axes(self, level: FloatArray) -> tuple[float, FloatArray, float]:
        """Difference of headings, axes (2, 3), share of the relative turning about them."""
        best = self._best(level, 0.0, pi)
        twin = self._best(level, best + pi, pi / 2)
        found = [(heading, self._solve(heading, level)[1]) for heading in (best, twin)]
        heading, z = max(found, key=lambda one: self._turning_about(*one)[0])
        about, all_turning = self._turning_about(heading, z)
        return heading, z, about / max(all_turning, 1e-12)

    def _best(self, level: FloatArray, centre: float, half_width: float) -> float:
        """The heading difference that fits best: a grid, refined twice."""
        headings = centre + np.linspace(-half_width, half_width, HEADINGS)
        step = headings[1] - headings[0]
        for _ in range(3):
            best = float(headings[int(np.argmin([self._solve(one, level)[0] for one in headings]))])
            headings, step = best + np.linspace(-1, 1, 9) * step, step / 4
        return best

    def _solve(self, heading: float, level: FloatArray) -> tuple[float, FloatArray]:
        """Misfit and axes (2, 3) for one difference of headings."""
        distal, turning = self._turned(heading)
        one_axis = np.eye(6)
        one_axis[:3, 3:] = -np.mean(np.swapaxes(self._p, 1, 2) @ distal, axis=0)
        one_axis[3:, :3] = one_axis[:3, 3:].T
        joint = np.zeros((6, 6))
        joint[:3, :3] = _across(np.einsum("nji,nj->ni", self._p, turning))
        joint[3:, 3:] = _across(np.einsum("nji,nj->ni", distal, turning))
        misfit = one_axis / ONE_AXIS_RAD**2 + joint / (2 * JOINT_RAD_S**2) + self._plane + level
        values, vectors = np.linalg.eigh(misfit)
        return float(values[0]), np.stack([_unit(vectors[:3, 0]), _unit(vectors[3:, 0])])

    def _turning_about(self, heading: float, z: FloatArray) -> tuple[float, float]:
        """Sum of squares of the relative turning, about the axis and in all."""
        distal, turning = self._turned(heading)
        across = np.cross(turning, (self._p @ z[0] + distal @ z[1]) / 2)
        everything = float((turning**2).sum())
        return everything - float((across**2).sum()), everything

    def _turned(self, heading: float) -> tuple[FloatArray, FloatArray]:
        """Distal orientations (n, 3, 3) and relative turning (n, 3), both in the proximal earth frame."""
        k = _matrices(rotations.about_vertical(np.array([heading])))[0]
        return k @ self._d, self._turning[1] @ k.T - self._turning[0]


def _across(rates: FloatArray) -> FloatArray:
    """The (3, 3) form whose value at a unit vector is the mean square of the rates (n, 3) across it."""
    return np.asarray(np.eye(3) * (rates**2).sum(axis=1).mean() - rates.T @ rates / len(rates))


def _matrices(q: FloatArray) -> FloatArray:
    return np.stack([rotations.rotate(q, np.broadcast_to(axis, (len(q), 3))) for axis in np.eye(3)], axis=-1)


def _unit(v: FloatArray) -> FloatArray:
    return np.asarray(v / max(float(np.linalg.norm(v)), 1e-12))
