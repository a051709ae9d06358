"""The joint's axis from the first movement: no pose to hold, no calibration to sit through.

While the proximal segment rests, the distal sensor turns about the joint's axis alone, so the axis is the principal
direction of its angular rate (functional calibration; compare Pacher et al. 2020, Sensors 20:3322). A movement that
is not one turn about one axis is refused, and the next one is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees, radians, sqrt

import numpy as np

from analytics.motion.quaternion import Vector
from analytics.signals.samples import FloatArray

MOVING_RAD_S = radians(10.0)
"""Faster than this is movement: above a cheap gyroscope's bias of 3 °/s, below a slow patient's 15 °/s."""
STILL_S = 0.4
"""Slower than that for this long ends a movement."""
LONGEST_MOVEMENT_S = 15.0
LEAST_EXPLAINED = 0.9
"""Share of the rotation on one axis. First movements of three people's seated knee extensions have 0.976 to 0.996."""
TURNED_BACK = 0.1
"""The movement has turned when this share of the excursion is taken back."""
SURELY = 2.0
"""Out and back, so many times the least excursion is a movement somebody made on purpose."""
CHECK_EVERY = 4
"""Samples between two looks: an eigenvalue problem each time would be the dearest step of all."""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionalAxis:
    """A joint axis in the distal sensor's frame, pointing so that the movement's first half turns positively about
    it.

    explained: share of the squared angular rate on the axis. excursion_deg: rotation about it, rest pose to turning
    point. length: how many of the last samples given are the movement.
    """

    axis: Vector
    explained: float
    excursion_deg: float
    length: int


class AxisFinder:
    """Watches a sensor's angular rate until one movement shows the axis. missed: how many large enough movements ended
    without showing one."""

    def __init__(self, rate_hz: float, least_excursion_deg: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._least_rad = radians(least_excursion_deg)
        self._rates: list[Vector] = []
        self._path_rad = 0.0
        self._still_s = 0.0
        self.missed = 0

    def update(self, rate_rad_s: Vector) -> FunctionalAxis | None:
        """Take one sample. Answers once: at the turning point of the first movement good enough."""
        x, y, z = rate_rad_s
        speed = sqrt(x * x + y * y + z * z)
        self._still_s = 0.0 if speed > MOVING_RAD_S else self._still_s + self._period_s
        if not self._rates and speed <= MOVING_RAD_S:
            return None
        self._rates.append(rate_rad_s)
        self._path_rad += speed * self._period_s
        ended = self._still_s >= STILL_S
        look = ended or len(self._rates) % CHECK_EVERY == 0
        if look and self._path_rad >= self._least_rad and (found := self._examine(ended)):
            return found
        if ended or len(self._rates) * self._period_s > LONGEST_MOVEMENT_S:
            self.missed += self._path_rad >= SURELY * self._least_rad
            self._rates.clear()
            self._path_rad = 0.0
        return None

    def _examine(self, ended: bool) -> FunctionalAxis | None:
        rates: FloatArray = np.asarray(self._rates)
        shares, axes = np.linalg.eigh(rates.T @ rates)
        explained = float(shares[2] / shares.sum())
        angle = np.cumsum(rates @ axes[:, 2]) * self._period_s
        turn = int(np.argmax(np.abs(angle)))
        excursion = float(abs(angle[turn]))
        turned = ended or abs(angle[-1]) < (1.0 - TURNED_BACK) * excursion
        if explained < LEAST_EXPLAINED or excursion < self._least_rad or not turned:
            return None
        x, y, z = (axes[:, 2] * np.sign(angle[turn])).tolist()
        return FunctionalAxis((x, y, z), explained, degrees(excursion), len(self._rates))
