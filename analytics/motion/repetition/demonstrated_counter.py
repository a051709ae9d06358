"""Counts repetitions of one that was shown, from one worn sensor, where an exercise has no single angle.

What is compared is how the sensor turns, so it must sit as it sat when the movement was shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from analytics.motion.repetition.demonstration import Match, SubsequenceWarping
from analytics.motion.repetition.movement_counter import CountedMovement
from analytics.motion.repetition.pose import RATE_HZ, Pose, PoseStream
from analytics.motion.repetition.refusal import NotCounted, Reason
from analytics.signals.samples import FloatArray

LIMIT = 1.0
"""Mean cost per row, in units of the demonstration's own variance: of 0.2 to 1.0 the one that counts the sets of SPAR
best (`sinew evaluate repetitions`, by_demonstration)."""
LEAST_S, MOST_S = 0.5, 30.0
REMEMBERED = 3
"""Demonstrations: a repetition takes two at most, and is told a quarter of one later."""


class DemonstratedCounter:
    """Used as `MovementCounter` is. time_s, acc_m_s2, gyr_rad_s: (n,), (n, 3), (n, 3) of the one repetition that was
    shown, from its beginning to its end. Raises ValueError where that is too short, too long or nothing moves in it."""

    def __init__(self, time_s: FloatArray, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> None:
        poses = PoseStream().update(time_s, acc_m_s2, gyr_rad_s)
        if not LEAST_S <= len(poses) / RATE_HZ <= MOST_S:
            raise ValueError(
                f"A demonstration takes {LEAST_S} to {MOST_S:.0f} s; show the movement once, at its tempo."
            )
        rotation = np.array([pose.vector[:3] for pose in poses])
        self._shown = np.diff(rotation, axis=0) * RATE_HZ
        if not float(np.ptp(rotation, axis=0).max()) > np.radians(5.0):
            raise ValueError("Nothing turned in this demonstration; show the movement with the sensor on.")
        self._stream = PoseStream()
        self._refused: list[NotCounted] = []
        self._restart()

    def update(self, time_s: FloatArray, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> list[CountedMovement]:
        """time_s: (n,) increasing. acc_m_s2, gyr_rad_s: (n, 3). A repetition comes a little after its end."""
        return [one for pose in self._stream.update(time_s, acc_m_s2, gyr_rad_s) for one in self._add(pose)]

    def finish(self) -> list[CountedMovement]:
        """Nothing more comes."""
        last = self._warping.finish()
        return [] if last is None else [self._counted(last)]

    def refused(self) -> list[NotCounted]:
        """Movements since the last call that samples are missing in."""
        told, self._refused = self._refused, []
        return told

    def _restart(self) -> None:
        self._warping = SubsequenceWarping(self._shown, LIMIT)
        self._past: deque[tuple[float, FloatArray]] = deque(maxlen=REMEMBERED * len(self._shown))
        self._rows = 0

    def _add(self, pose: Pose) -> Iterator[CountedMovement]:
        if pose.restarted and self._past:
            yield from self.finish()
            lost_s = self._past[-1][0]
            self._refused.append(NotCounted(lost_s, pose.time_s, Reason.INTERRUPTED))
            self._restart()
        rotation = np.array(pose.vector[:3])
        before = self._past[-1][1] if self._past else None
        self._past.append((pose.time_s, rotation))
        if before is None:
            return
        self._rows += 1
        if (match := self._warping.update((rotation - before) * RATE_HZ)) is not None:
            yield self._counted(match)

    def _counted(self, match: Match) -> CountedMovement:
        """A row is the turn from one pose to the next."""
        first = self._rows + 1 - len(self._past)
        part = [self._past[k - first] for k in range(match.start, match.end + 2)]
        away = [float(np.linalg.norm(rotation - part[0][1])) for _, rotation in part]
        turned_s = part[int(np.argmax(away))][0]
        likeness = max(0.0, 1.0 - match.cost / LIMIT)
        return CountedMovement(part[0][0], turned_s, part[-1][0], likeness, self._past[-1][0])
