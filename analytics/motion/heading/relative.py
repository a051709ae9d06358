"""Follows the difference of two headings, causally, from what the joint cannot do.

The difference drifts at a rate that changes slowly, for it comes from two gyroscopes' biases: a Kalman filter of these
two numbers takes each instant for what it is worth. A joint axis near the vertical says little about heading, and its
variance says so; nothing is thrown away below a threshold, and no window is waited for. Where one instant fits several
headings, all of them are weighed on a circle until movement has left one.

An angle is counted from a pose in which the difference was as little known as it is now. What is learned of the one is
learned of the other, so the filter also keeps what the difference was when it was given. About an upright axis, where
turning and heading look alike, only what has drifted since then spoils the angle.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, exp, hypot, inf, log, pi, radians, sin, sqrt

from analytics.motion.quaternion import Quaternion

from .constraints import LEAST_HORIZONTAL, JointConstraint

CORRELATION_S = 1.0
"""Inclination errors last about as long as the movement that causes them, so the samples of this time count as one."""
DRIFT_RAD_S = radians(0.5)
"""Rate at which two headings part when nothing is known of the biases: 0.5 °/s on the RING chain, moved without pause
and without a still pose before."""
DRIFT_WALK_RAD_S = radians(0.05)
"""How much that rate changes in a second, one standard deviation. From 0.03 to 0.3 the angle on the RING chain is as
good; with less, an upright axis is believed for longer."""
WALK_RAD = radians(0.1)
"""What gains and misalignments of the gyroscopes add in a second."""
ERROR_WHEN_GIVEN_RAD = radians(10.0)
DIRECTIONS = 72
LOOK_EVERY_S = 0.2
LOCKED_RAD = radians(12.0)
"""One heading is left when the circle's spread is below this; two that are further apart never seem one."""
FORGETTING_S = 30.0
"""In this time the search forgets, for the difference drifts under it."""


@dataclass(frozen=True, slots=True)
class Heading:
    """heading_rad: turn about the vertical that brings the distal earth frame into the proximal one, unwrapped.
    error_rad: one standard deviation, infinite while nothing is known. known: one heading is left.

    start_shift_rad: what is known now of the heading that was given, less what it was given as. since_start_rad: one
    standard deviation of the change since then."""

    heading_rad: float
    error_rad: float
    known: bool
    start_shift_rad: float = 0.0
    since_start_rad: float = 0.0


class RelativeHeading:
    """One joint. Give `heading_rad` (and `drift_rad_s`) where a calibration found them."""

    def __init__(
        self,
        constraint: JointConstraint,
        heading_rad: float | None = None,
        error_rad: float = ERROR_WHEN_GIVEN_RAD,
        drift_rad_s: float = 0.0,
        drift_error_rad_s: float = DRIFT_RAD_S,
    ) -> None:
        self._constraint = constraint
        self._drift_rad_s, self._drift_variance = drift_rad_s, drift_error_rad_s**2
        self._known = heading_rad is not None
        self._begin(heading_rad or 0.0, error_rad if self._known else inf)
        self._start_shift_rad, self._start_variance = 0.0, error_rad**2
        # With the heading now, and with the drift.
        self._start_covariance, self._start_drift_covariance = error_rad**2, 0.0

    def restart(self) -> None:
        """A filter began anew: its heading is another, its bias is not."""
        self._begin(self._heading_rad, inf)
        self._start_covariance = self._start_drift_covariance = 0.0
        self._known = False

    def update(self, proximal: Quaternion, distal: Quaternion, elapsed_s: float) -> Heading:
        """Take both orientations, `elapsed_s` after the last ones."""
        if self._known:
            self._predict(elapsed_s)
            self._correct(proximal, distal, elapsed_s)
        elif self._constraint.ambiguous:
            self._search(proximal, distal, elapsed_s)
        else:
            self._take(proximal, distal, elapsed_s)
        since_start = self._variance + self._start_variance - 2 * self._start_covariance
        return Heading(
            self._heading_rad,
            sqrt(self._variance),
            self._known,
            self._start_shift_rad,
            sqrt(max(0.0, since_start)),
        )

    def _begin(self, heading_rad: float, error_rad: float) -> None:
        self._heading_rad, self._variance, self._covariance = heading_rad, error_rad**2, 0.0
        self._log_likelihood = [0.0] * DIRECTIONS
        self._unseen_s = 0.0

    def _predict(self, elapsed_s: float) -> None:
        self._heading_rad += self._drift_rad_s * elapsed_s
        self._variance += elapsed_s * (2 * self._covariance + elapsed_s * self._drift_variance + WALK_RAD**2)
        self._covariance += elapsed_s * self._drift_variance
        self._start_covariance += elapsed_s * self._start_drift_covariance
        self._drift_variance += elapsed_s * DRIFT_WALK_RAD_S**2

    def _correct(self, proximal: Quaternion, distal: Quaternion, elapsed_s: float) -> None:
        value, slope, variance = self._constraint.at(proximal, distal)(self._heading_rad)
        if slope == 0.0 or elapsed_s <= 0.0:
            return
        expected = slope * slope * self._variance + variance * max(1.0, CORRELATION_S / elapsed_s)
        gain, drift_gain = slope * self._variance / expected, slope * self._covariance / expected
        start_gain = slope * self._start_covariance / expected
        self._heading_rad -= gain * value
        self._drift_rad_s -= drift_gain * value
        self._start_shift_rad -= start_gain * value
        self._start_variance -= start_gain * slope * self._start_covariance
        self._start_drift_covariance -= start_gain * slope * self._covariance
        self._start_covariance -= start_gain * slope * self._variance
        self._drift_variance -= drift_gain * slope * self._covariance
        self._covariance -= gain * slope * self._covariance
        self._variance -= gain * slope * self._variance

    def _take(self, proximal: Quaternion, distal: Quaternion, elapsed_s: float) -> None:
        """One instant that fits one heading: that is it, if the axis is not too near to the vertical."""
        value, slope, variance = self._constraint.at(proximal, distal)(self._heading_rad)
        if 2 * slope * slope < LEAST_HORIZONTAL:
            return
        self._begin(self._heading_rad - value / slope, sqrt(variance) / slope)
        self._known = True

    def _search(self, proximal: Quaternion, distal: Quaternion, elapsed_s: float) -> None:
        """Weigh all directions; begin to follow when one is left."""
        self._unseen_s += elapsed_s
        if self._unseen_s < LOOK_EVERY_S:
            return
        residual = self._constraint.at(proximal, distal)
        keep, seen = exp(-self._unseen_s / FORGETTING_S), self._unseen_s / CORRELATION_S
        self._unseen_s = 0.0
        for k in range(DIRECTIONS):
            value, _, variance = residual(2 * pi * k / DIRECTIONS)
            self._log_likelihood[k] = keep * self._log_likelihood[k] - 0.5 * seen * value * value / variance
        best = max(self._log_likelihood)
        weights = [exp(one - best) for one in self._log_likelihood]
        east = sum(w * cos(2 * pi * k / DIRECTIONS) for k, w in enumerate(weights)) / sum(weights)
        north = sum(w * sin(2 * pi * k / DIRECTIONS) for k, w in enumerate(weights)) / sum(weights)
        length = hypot(east, north)
        spread = sqrt(-2 * log(length)) if 0 < length < 1 else (0.0 if length >= 1 else inf)
        self._heading_rad, self._variance = atan2(north, east), spread**2
        if spread < LOCKED_RAD:
            self._begin(self._heading_rad, max(spread, pi / DIRECTIONS))
            self._known = True
