"""One sensor in place of two holds for as long as the neighbouring segment keeps still. Asked after each movement."""

from __future__ import annotations

from collections import deque

import numpy as np

from analytics.domain.exercise import Layout
from analytics.motion.angles.gravity import up_in_sensor
from analytics.motion.angles.single_sensor import single_sensor_refusal
from analytics.motion.quaternion import Vector
from analytics.motion.repetition import CountedRepetition, NotCounted, Reason
from analytics.motion.worn import Posture
from analytics.signals.samples import FloatArray

REMEMBERED_S = 60.0
"""Longer than a repetition with its hold."""


class Alone:
    """Remembers the last minute of the one sensor, which is the first row of every `Posture`."""

    def __init__(self, layout: Layout, rate_hz: float) -> None:
        self._neighbour = " and ".join(part.replace("_", " ") for part in layout.still)
        self._rate_hz = rate_hz
        self._past: deque[tuple[float, FloatArray]] = deque(maxlen=round(REMEMBERED_S * rate_hz))

    def add(self, one: Posture) -> None:
        """Take one instant."""
        self._past.append((one.time_s, np.concatenate([one.orientation[0], one.rate_rad_s[0], one.acc_m_s2[0]])))

    def judge(self, done: CountedRepetition, axis: Vector) -> NotCounted | None:
        """Why it is not the joint's movement, if it is not."""
        rows = np.array([row for time_s, row in self._past if done.start_s <= time_s <= done.end_s])
        if len(rows) < 2:
            return None
        refusal = single_sensor_refusal(
            up_in_sensor(rows[:, :4]),
            rows[:, 4:7],
            rows[:, 7:],
            np.array(axis),
            rate_hz=self._rate_hz,
            neighbour=self._neighbour,
        )
        return None if refusal is None else NotCounted(done.start_s, done.end_s, Reason.NEIGHBOUR_MOVED, why=refusal)
