"""Samples of all worn sensors, brought together instant by instant, however they arrive.

The gateway has put each sensor on one grid of time already, and a recording has one clock; so what is left is to wait
for each other, for as long as that makes sense. Which ticks come out does not depend on how samples were cut into
packets, nor on which sensor's packets come first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, nan

import numpy as np

from analytics.domain.exercise import Segment
from analytics.motion.orientation.intake import CleanSamples
from analytics.signals.samples import BoolArray, FloatArray

LONGEST_WAIT_S = 60.0
"""A sensor that a joint needs is waited for as long as a link may take to be there again and to fetch what it kept:
without it there is no angle, and what it brings later is whole."""
LONGEST_WAIT_FOR_OTHERS_S = 0.5
"""One that only adds something holds up nobody for longer than is noticed."""
_MISSING = [nan] * 6 + [0.0] * 4


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One instant; a row per segment, in the order of `Ticks.segments`.

    gyr_rad_s, acc_m_s2: (k, 3), NaN where that sensor has no sample. clipped: (k, 2), gyroscope and accelerometer.
    measured: (k,), neither missing nor filled in. restarted: (k,), the first after a gap. sensor_time_us: of the last
    needed segment.
    """

    time_s: float
    sensor_time_us: int
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    clipped: BoolArray
    measured: BoolArray
    restarted: BoolArray


_Row = tuple[float, int, list[float]]


class Ticks:
    """needed: segments without which there is nothing to measure. others: those that add something."""

    def __init__(self, needed: Sequence[Segment], others: Sequence[Segment], rate_hz: float) -> None:
        self.segments = (*needed, *others)
        self._half_s = 0.5 / rate_hz
        self._waiting: list[deque[_Row]] = [deque() for _ in self.segments]
        self._heard_s = [-inf] * len(self.segments)
        self._too_late = [False] * len(self.segments)
        self._patience_s = [LONGEST_WAIT_S] * len(needed) + [LONGEST_WAIT_FOR_OTHERS_S] * len(others)
        self._distal = len(needed) - 1
        self._told_s = self._run_s = -inf

    def add(self, segment: Segment, samples: CleanSamples) -> Iterator[Tick]:
        """Take a run of samples; give the ticks that nobody is waited for any more. Samples from before the last tick
        are missing, and the next one is a restart."""
        if not len(samples):
            return
        column = self.segments.index(segment)
        values = np.empty((len(samples), 10))
        values[:, :3], values[:, 3:6], values[:, 6:8] = samples.gyr_rad_s, samples.acc_m_s2, samples.clipped
        values[:, 8], values[:, 9] = samples.measured, samples.restarted
        for row in zip(samples.time_s.tolist(), samples.sensor_time_us.tolist(), values.tolist(), strict=True):
            if row[0] <= self._told_s + self._half_s:
                self._too_late[column] = True
                continue
            if self._too_late[column]:
                row[2][9], self._too_late[column] = 1.0, False
            self._waiting[column].append(row)
        self._heard_s[column] = max(self._heard_s[column], float(samples.time_s[-1]))
        # A recording may come whole, one sensor after the other: patience counts to where a run begins, not ends.
        self._run_s = max(self._run_s, float(samples.time_s[0]))
        yield from self._complete()

    def _complete(self) -> Iterator[Tick]:
        while (now_s := min((one[0][0] for one in self._waiting if one), default=inf)) < inf:
            for heard_s, patience_s in zip(self._heard_s, self._patience_s, strict=True):
                if heard_s < now_s - self._half_s and self._run_s <= now_s + patience_s:
                    return
            yield self._take(now_s)

    def _take(self, now_s: float) -> Tick:
        rows = [one.popleft() if one and one[0][0] <= now_s + self._half_s else None for one in self._waiting]
        values = np.array([_MISSING if row is None else row[2] for row in rows])
        flags = values[:, 6:] > 0.0
        distal = rows[self._distal]
        self._told_s = now_s
        return Tick(
            time_s=now_s,
            sensor_time_us=0 if distal is None else distal[1],
            gyr_rad_s=values[:, :3],
            acc_m_s2=values[:, 3:6],
            clipped=flags[:, :2],
            measured=flags[:, 2],
            restarted=flags[:, 3],
        )
