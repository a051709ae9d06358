"""Brings together what a sensor measures at once but sends as several streams with timestamps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analytics.signals.samples import BoolArray, FloatArray, IntArray

LONGEST_WAIT = 1024
"""Samples that one stream waits for another, before the oldest are given up: memory stays bounded.

A frame of a sensor that compresses holds up to 500 of them, and two of one stream may come between two of another.
"""


class PairedRun(NamedTuple):
    """times_us: (n,), first: (n, k) as it came, second: (n, m) at the same times, lost_before: of the first stream."""

    times_us: IntArray
    first: FloatArray
    second: FloatArray
    lost_before: int


class TimedPairing:
    """Two streams with timestamps: the second is interpolated, linearly, at the times of the first.

    Where times agree, as they do of one chip at one rate, nothing is changed. Samples of the first stream are given out
    once the second has passed them; those that fall into a gap of the second longer than `longest_gap_us` are left out
    and counted as lost. What came before both streams had begun is left out too, and is nobody's loss.
    """

    def __init__(self, longest_gap_us: float) -> None:
        self._longest_gap_us = longest_gap_us
        self._first = _Waiting()
        self._second = _Waiting()
        self._left_out = 0
        self._begun = False

    def add_first(self, times_us: IntArray, values: FloatArray, lost_before: int = 0) -> None:
        """A run of the stream whose times are kept: times (n,) rising, values (n, k)."""
        self._left_out += self._first.add(times_us, values, lost_before)

    def add_second(self, times_us: IntArray, values: FloatArray) -> None:
        """A run of the stream that is interpolated: times (n,) rising, values (n, m)."""
        self._second.add(times_us, values)

    def take(self) -> list[PairedRun]:
        """Runs that are complete."""
        if not (self._first and self._second):
            return []
        ready = int(self._first.times_us.searchsorted(self._second.times_us[-1], side="right"))
        if not ready:
            return []
        times_us, values, lost = self._first.head(ready)
        after = self._second.times_us.searchsorted(times_us)
        same = self._second.times_us[after] == times_us
        if same.all() and self._begun and not (self._left_out or lost.any()):
            run = PairedRun(times_us, values, self._second.values[after], 0)
            self._first.drop(ready)
            self._second.drop(int(after[-1]))
            return [run]
        return self._take_some(times_us, values, lost, after, same)

    def _take_some(
        self, times_us: IntArray, values: FloatArray, lost: IntArray, after: IntArray, same: BoolArray
    ) -> list[PairedRun]:
        """Runs of the samples that have a partner. Those behind the last such go on waiting.

        For the second stream may have jumped ahead, as a damaged time makes it do, and come back.
        """
        partners, paired = self._between(times_us, after, same)
        kept = np.flatnonzero(paired)
        if not len(kept):
            return []
        last = int(kept[-1])
        missing = np.cumsum(np.where(paired, lost, lost + 1))[kept]
        lost_before = np.diff(missing, prepend=-self._left_out)
        if not self._begun:
            self._begun, lost_before[0] = True, 0
        self._left_out = 0
        times_us, values, partners = times_us[kept], values[kept], partners[kept]
        self._first.drop(last + 1)
        # The second's last reading that is not later may be needed once more, to interpolate from.
        self._second.drop(int(after[last]) - (not same[last]))
        begins = [0, *(np.flatnonzero(lost_before[1:]) + 1).tolist()]
        return [
            PairedRun(times_us[begin:end], values[begin:end], partners[begin:end], int(lost_before[begin]))
            for begin, end in zip(begins, [*begins[1:], len(kept)], strict=True)
        ]

    def _between(self, times_us: IntArray, after: IntArray, same: BoolArray) -> tuple[FloatArray, BoolArray]:
        """The second stream at these times, given its readings that are not earlier, and where that can be said."""
        second, before = self._second, np.maximum(after - 1, 0)
        before_us, after_us = second.times_us[before], second.times_us[after]
        paired = same | ((after > 0) & (after_us - before_us <= self._longest_gap_us))
        share = ((times_us - before_us) / np.maximum(after_us - before_us, 1))[:, None]
        between = second.values[before] + share * (second.values[after] - second.values[before])
        return np.where(same[:, None], second.values[after], between), paired


class SlowerStream:
    """Readings of a slower stream with timestamps, each given to the sample that was taken nearest to it."""

    def __init__(self) -> None:
        self._readings = _Waiting()

    def add(self, times_us: IntArray, values: FloatArray) -> None:
        """Readings: times (n,) rising, values (n, k)."""
        self._readings.add(times_us, values)

    def has_passed(self, time_us: int) -> bool:
        """Whether a reading has come that is as late as this."""
        return bool(self._readings) and bool(self._readings.times_us[-1] >= time_us)

    def at(self, times_us: IntArray, period_us: float) -> FloatArray:
        """(n, k) readings of samples at these times, a period apart; NaN in those that have no new one.

        Readings that belong to earlier samples come too late and are left out.
        """
        found = np.full((len(times_us), self._readings.values.shape[1]), np.nan)
        here = int(self._readings.times_us.searchsorted(times_us[-1] + period_us / 2, side="right"))
        came_us, values, _ = self._readings.head(here)
        edges_us = np.append(times_us[0] - period_us / 2, (times_us[1:] + times_us[:-1]) / 2)
        sample = edges_us.searchsorted(came_us, side="right") - 1
        found[sample[sample >= 0]] = values[sample >= 0]
        self._readings.drop(here)
        return found


class _Waiting:
    """Samples of one stream in the order of their times, with what was lost before each."""

    def __init__(self) -> None:
        self.times_us: IntArray = np.empty(0, np.int64)
        self.values: FloatArray = np.empty((0, 3))
        self._lost: IntArray = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self.times_us)

    def add(self, times_us: IntArray, values: FloatArray, lost_before: int = 0) -> int:
        """How many samples this cost: those that waited when the clock was set back, or for too long."""
        cost = self._give_up(len(self)) if len(self) and times_us[0] <= self.times_us[-1] else 0
        lost = np.zeros(len(times_us), np.int64)
        lost[0] = lost_before
        if len(self):
            times_us, lost = np.concatenate((self.times_us, times_us)), np.concatenate((self._lost, lost))
            values = np.concatenate((self.values, values))
        self.times_us, self.values, self._lost = times_us, values, lost
        return cost + self._give_up(len(self) - LONGEST_WAIT)

    def head(self, count: int) -> tuple[IntArray, FloatArray, IntArray]:
        return self.times_us[:count], self.values[:count], self._lost[:count]

    def drop(self, count: int) -> None:
        """The oldest of them."""
        if count > 0:
            self.times_us, self.values, self._lost = self.times_us[count:], self.values[count:], self._lost[count:]

    def _give_up(self, count: int) -> int:
        """Drop the oldest, and say how many samples they are with those that had been lost before each."""
        cost = 0 if count <= 0 else count + int(self._lost[:count].sum())
        self.drop(count)
        return cost
