"""The practice stand before a chair test: which way the thigh turns, how far, and that the person sits.

A thigh turns by the same angle whether one stands up or sits down, and a sensor is strapped on anyhow. Whether it was
lifted tells the two apart: the vertical acceleration between two still poses, integrated twice, with what is left of
velocity at the end taken off. So who begins standing is not counted the wrong way round.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import degrees, hypot

import numpy as np

from analytics.motion.quaternion import Vector
from analytics.signals.samples import FloatArray

STILL_DEG_S, STILL_S = 5.0, 0.4
"""Turning slower than the one for so long is a pose."""
LEAST_TURN_DEG = 45.0
"""Between chair and standing a thigh turns by about a right angle, from a high seat by less."""
FIDGET_DEG = 15.0
LONGEST_STAND_S = 8.0
"""After a longer movement, an integral of acceleration tells nothing."""
LONGEST_GAP_S = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class PracticeStand:
    """seated, standing: (3,) the vertical as the thigh's sensor saw it, sitting again and standing before that."""

    seated: FloatArray
    standing: FloatArray

    @property
    def full_deg(self) -> float:
        return _between_deg(self.seated, self.standing)


class Practice:
    """Online, until a stand from the chair and back was seen."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._still_from_s: float | None = None
        self._furthest_deg = 0.0
        self._begin()

    def update(self, time_s: float, up: Vector, rate_rad_s: Vector, vertical_m_s2: float) -> PracticeStand | str | None:
        """Take the vertical in the thigh's sensor, its angular rate, and specific force along the vertical. Answers the
        stand when the person sits again, or a sentence when it was none."""
        if self._last_s is not None and time_s - self._last_s > LONGEST_GAP_S:
            self._begin()
        self._last_s = time_s
        self._since.append((time_s, vertical_m_s2))
        self._forget(LONGEST_STAND_S + 2 * STILL_S)
        if degrees(hypot(*rate_rad_s)) >= STILL_DEG_S:
            self._still_from_s, self._judged = None, False
            if self._pose is not None:
                self._furthest_deg = max(self._furthest_deg, _between_deg(self._pose, np.array(up)))
            return None
        self._still_from_s = time_s if self._still_from_s is None else self._still_from_s
        if time_s - self._still_from_s < STILL_S:
            return None
        answer = None if self._judged else self._judge(np.array(up))
        self._judged = True
        self._forget(STILL_S)
        return answer

    def _begin(self) -> None:
        self._since: deque[tuple[float, float]] = deque()
        self._still_from_s = None
        self._judged = False
        self._furthest_deg = 0.0
        self._pose: FloatArray | None = None
        self._standing: FloatArray | None = None

    def _forget(self, older_than_s: float) -> None:
        while self._since[-1][0] - self._since[0][0] > older_than_s:
            self._since.popleft()

    def _judge(self, up: FloatArray) -> PracticeStand | str | None:
        """A pose after a movement."""
        before, self._pose = self._pose, up
        furthest_deg, self._furthest_deg = self._furthest_deg, 0.0
        if before is None or self._since[-1][0] - self._since[0][0] > LONGEST_STAND_S:
            self._standing = None
            return None
        rose, turned_deg = _lifted(self._since), _between_deg(before, up)
        if turned_deg >= LEAST_TURN_DEG:
            standing, self._standing = self._standing, up if rose else None
            return PracticeStand(up, standing) if standing is not None and not rose else None
        if self._standing is not None:
            return None
        if turned_deg > FIDGET_DEG and rose:
            return f"Your thigh turned by {turned_deg:.0f}° only. Stand up fully, then sit down again."
        if turned_deg <= FIDGET_DEG and furthest_deg >= LEAST_TURN_DEG:
            return "That was too quick to be seen. Stand up, stay standing for a moment, then sit down again."
        return None


def _lifted(vertical: Iterable[tuple[float, float]]) -> bool:
    """Whether a movement between two poses, each STILL_S of it at either end, went up."""
    time_s, force = np.array(list(vertical)).T
    ends = (time_s <= time_s[0] + STILL_S / 2, time_s >= time_s[-1] - STILL_S / 2)
    rest = np.interp(time_s, time_s[[0, -1]], [force[end].mean() for end in ends])
    step_s = np.diff(time_s, prepend=time_s[0])
    velocity = np.cumsum((force - rest) * step_s)
    velocity -= np.interp(time_s, time_s[[0, -1]], velocity[[0, -1]])
    return bool((velocity * step_s).sum() > 0.0)


def _between_deg(a: FloatArray, b: FloatArray) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))
