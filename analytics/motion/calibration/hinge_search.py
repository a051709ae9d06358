"""Finds a hinge in the orientations of two sensors whose headings are unknown.

Angular rates, from which an axis is usually found (Olsson, Kok, Seel & Halvorsen 2020, Sensors 20:3534), are full of
the trembling of soft tissue. Orientations are not: a degree of trembling stays a degree. The relative orientations of
a hinge, as unit quaternions, lie on one great circle, so the axis is where their second moments are least across it.
The difference of headings and its drift are found with it: those that make the circle thin and let both sensors feel
the same force at the joint. Neither noise is known, so the logarithms of what is left over are added (the likelihood
of two normal distributions of unknown variance).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, radians, sqrt

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

from .joint_acceleration import JointAcceleration

DRIFT_RAD_S = radians(0.5)
LARGEST_DRIFT_RAD_S = radians(2.0)
LEAST_WIDTH_RAD = radians(0.2)
"""A circle thinner than this is as thin as any: inclinations err by more."""
HEADINGS = 90
DRIFTS = 21
REFINEMENTS = 5
ROUNDS = 3
CURVATURE_STEP_RAD = radians(5.0)
ELSEWHERE_RAD = radians(60.0)


@dataclass(frozen=True, slots=True, eq=False)
class Circle:
    """The relative orientations under one difference of headings, and the great circle they lie on.

    middle, along: (4,) orthogonal points of the circle. angle_rad: (n,) unwrapped. across_rad: (n,) turn off the
    circle. explained: share of the turning along it.
    """

    middle: FloatArray
    along: FloatArray
    angle_rad: FloatArray
    across_rad: FloatArray
    explained: float

    @property
    def axes(self) -> tuple[FloatArray, FloatArray]:
        """The hinge's axis (3,) in the proximal and in the distal sensor's frame."""
        proximal = rotations.multiply(self.along, rotations.conjugate(self.middle))[1:]
        return proximal, rotations.relative(self.middle, self.along)[1:]


class HingeSearch:
    """Judges any difference of headings at once, from second moments.

    With A = p⁻¹ d and B = p⁻¹ k d, the relative orientation under a heading difference δ is cos(δ/2) A + sin(δ/2) B.
    """

    def __init__(
        self, proximal: FloatArray, distal: FloatArray, time_s: FloatArray, felt: JointAcceleration | None
    ) -> None:
        upright = np.broadcast_to(np.array([0.0, 0.0, 0.0, 1.0]), proximal.shape)
        self.middle_s = float(time_s[0] + time_s[-1]) / 2
        self.looks = max(1.0, float(np.ptp(time_s)))
        """Independent looks: one a second, as errors of inclination last (heading.relative)."""
        self._time_s = time_s - self.middle_s
        self._level = rotations.relative(proximal, distal)
        self._turned = rotations.multiply(rotations.conjugate(proximal), rotations.multiply(upright, distal))
        self._felt = felt
        self._weights = np.ones(len(time_s))

    def find(self) -> tuple[float, float]:
        """The likeliest heading difference [rad], in the middle of the movement, and its drift [rad/s]; what lies off
        the circle counts less in each round."""
        heading = drift = 0.0
        for _ in range(ROUNDS):
            everywhere = np.linspace(-pi, pi, HEADINGS, endpoint=False)
            heading, drift = self._best(everywhere, np.linspace(-1, 1, DRIFTS) * LARGEST_DRIFT_RAD_S)
            self.trust(heading, drift)
        return heading, drift

    def elsewhere(self, heading_rad: float, drift_rad_s: float) -> tuple[float, float, float]:
        """The best heading about half a turn away, its drift, and how much less likely it is (log likelihood)."""
        other = heading_rad + pi + np.linspace(-ELSEWHERE_RAD, ELSEWHERE_RAD, HEADINGS // 3)
        best, drift = self._best(other, np.linspace(-1, 1, DRIFTS) * LARGEST_DRIFT_RAD_S)
        return best, drift, self._cost(best, drift) - self._cost(heading_rad, drift_rad_s)

    def trust(self, heading_rad: float, drift_rad_s: float) -> None:
        """Weigh samples by how near the circle they lie (Cauchy)."""
        across = self.circle(heading_rad, drift_rad_s).across_rad
        # The median length of a two-dimensional normal distribution is 1.18 of its spread.
        typical = max(float(np.median(across)) / 1.18, LEAST_WIDTH_RAD)
        self._weights = 1.0 / (1.0 + (across / (2 * typical)) ** 2)

    def circle(self, heading_rad: float, drift_rad_s: float, part: slice = slice(None)) -> Circle:
        """The circle of the movement, or of a part of it."""
        half = (heading_rad + drift_rad_s * self._time_s[part, None]) / 2
        q = np.cos(half) * self._level[part] + np.sin(half) * self._turned[part]
        weights = self._weights[part, None]
        shares, vectors = np.linalg.eigh((q * weights).T @ q / weights.sum())
        along = q @ vectors
        return Circle(
            middle=vectors[:, 3],
            along=vectors[:, 2],
            angle_rad=np.unwrap(2 * np.arctan2(along[:, 2], along[:, 3])),
            across_rad=2 * np.hypot(along[:, 0], along[:, 1]),
            explained=float(shares[2] / max(shares[:3].sum(), 1e-12)),
        )

    def error_rad(self, heading_rad: float, drift_rad_s: float) -> float:
        """Standard deviation of the heading difference, from how fast others become unlikely; π at most."""
        here = self._cost(heading_rad, drift_rad_s)
        beside = [self._cost(heading_rad + side * CURVATURE_STEP_RAD, drift_rad_s) for side in (-1, 1)]
        curvature = (sum(beside) - 2 * here) / CURVATURE_STEP_RAD**2
        return min(sqrt(1.0 / curvature), pi) if curvature > 0 else pi

    def _best(self, headings_rad: FloatArray, drifts_rad_s: FloatArray) -> tuple[float, float]:
        """The least cost on a grid, which is then refined about it."""
        heading, drift = float(headings_rad.mean()), float(drifts_rad_s.mean())
        headings, drifts = headings_rad - heading, drifts_rad_s - drift
        for _ in range(1 + REFINEMENTS):
            costs = np.array([self._costs(heading + headings, drift + one) for one in drifts])
            i, k = np.unravel_index(int(np.argmin(costs)), costs.shape)
            heading, drift = float(heading + headings[k]), float(drift + drifts[i])
            headings = np.linspace(-1, 1, 9) * (headings[1] - headings[0])
            drifts = np.linspace(-1, 1, 9) * (drifts[1] - drifts[0])
        return heading, drift

    def _cost(self, heading_rad: float, drift_rad_s: float) -> float:
        return float(self._costs(np.array([heading_rad]), drift_rad_s)[0])

    def _costs(self, headings_rad: FloatArray, drift_rad_s: float) -> FloatArray:
        """Negative log likelihood (m,) of heading differences (m,) with one drift."""
        half = drift_rad_s * self._time_s[:, None] / 2
        level = np.cos(half) * self._level + np.sin(half) * self._turned
        turned = np.cos(half) * self._turned - np.sin(half) * self._level
        weights = self._weights[:, None] / self._weights.sum()
        ll, lt, tt = (level * weights).T @ level, (level * weights).T @ turned, (turned * weights).T @ turned
        c, s = np.cos(headings_rad / 2)[:, None, None], np.sin(headings_rad / 2)[:, None, None]
        shares = np.linalg.eigvalsh(c * c * ll + c * s * (lt + lt.T) + s * s * tt)
        left_over = np.log((LEAST_WIDTH_RAD / 2) ** 2 + shares[:, 0] + shares[:, 1])
        if self._felt is not None:
            left_over = left_over + self._felt.log_power(headings_rad)
        return np.asarray(self.looks * left_over + 0.5 * (drift_rad_s / DRIFT_RAD_S) ** 2)
