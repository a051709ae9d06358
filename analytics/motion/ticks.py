"""Samples of all worn sensors, brought together instant by instant, however they arrive.

The gateway has put each sensor on one grid of time already, and a recording has one clock; so what is left is to wait
for each other, for as long as that makes sense. Which ticks come out does not depend on how samples were cut into
packets, nor on which sensor's packets come first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from analytics.domain.exercise import Segment
from analytics.signals.samples import FloatArray, ImuSamples

LONGEST_WAIT_S = 10.0
"""A sensor that a joint needs is waited for as long as a link may take to be there again and to fetch what it kept."""
LONGEST_WAIT_FOR_OTHERS_S = 0.5
"""One that only adds something holds up nobody for longer than is noticed."""
MISSING = (float("nan"),) * 6


@dataclass(frozen=True, slots=True, eq=False)
class Tick:
    """One instant. acc_m_s2, gyr_rad_s: (k, 3), a row per segment in the order of `Ticks.segments`, NaN where that
    sensor has no sample. sensor_time_us: of the last needed segment, None where it has none."""

    time_s: float
    sensor_time_us: int | None
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray


_Row = tuple[float, int, list[float]]


class Ticks:
    """needed: segments without which there is nothing to measure. others: those that add something."""

    def __init__(self, needed: Sequence[Segment], others: Sequence[Segment], rate_hz: float) -> None:
        if not rate_hz > 0:
            raise ValueError(f"A sensor's sampling rate must be above 0 Hz, not {rate_hz}.")
        self.segments = (*needed, *others)
        self._half_s = 0.5 / rate_hz
        self._waiting: list[deque[_Row]] = [deque() for _ in self.segments]
        self._heard_s = [-inf] * len(self.segments)
        self._patience_s = [LONGEST_WAIT_S] * len(needed) + [LONGEST_WAIT_FOR_OTHERS_S] * len(others)
        self._distal = len(needed) - 1
        self._told_s = -inf

    def add(self, segment: Segment, samples: ImuSamples, time_s: FloatArray) -> Iterator[Tick]:
        """Take a run of samples with the time (n,) of each; give the ticks that nobody is waited for any more.

        A sample with a value that is no number, or from before the last tick, is a missing one.
        """
        if segment not in self.segments or not len(samples):
            return
        column = self.segments.index(segment)
        values = np.hstack([samples.acc_m_s2, samples.gyr_rad_s])
        rows = zip(time_s.tolist(), samples.sensor_time_us.tolist(), values.tolist(), strict=True)
        whole = np.asarray(np.isfinite(values).all(axis=1)).tolist()
        self._waiting[column].extend(
            row for row, is_whole in zip(rows, whole, strict=True) if is_whole and row[0] > self._told_s + self._half_s
        )
        self._heard_s[column] = max(self._heard_s[column], float(time_s[-1]))
        yield from self._complete()

    def _complete(self) -> Iterator[Tick]:
        newest_s = max(self._heard_s)
        while (now_s := min((one[0][0] for one in self._waiting if one), default=inf)) < inf:
            for heard_s, patience_s in zip(self._heard_s, self._patience_s, strict=True):
                if heard_s < now_s - self._half_s and newest_s <= now_s + patience_s:
                    return
            yield self._take(now_s)

    def _take(self, now_s: float) -> Tick:
        rows = [one.popleft() if one and one[0][0] <= now_s + self._half_s else None for one in self._waiting]
        values = np.array([MISSING if row is None else row[2] for row in rows])
        distal = rows[self._distal]
        self._told_s = now_s
        return Tick(now_s, None if distal is None else distal[1], values[:, :3], values[:, 3:])
