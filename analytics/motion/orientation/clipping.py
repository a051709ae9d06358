"""Readings that stand at the end of a sensor's range. What goes beyond is lost, so the filter must not believe them.

Where the driver cannot say, an end of range is recognised by its shape: the largest reading so far, reached steeply,
stands still from one sample to the next. A smooth movement hardly does that; what is held for the end of a range is
given up as soon as a reading goes beyond.
"""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import BoolArray, FloatArray

LEAST_GYR_RAD_S, LEAST_ACC_M_S2 = 4.0, 18.0
"""No consumer sensor's range ends before ±250°/s and ±2 g."""
STEEP_SHARE, STILL_SHARE = 0.02, 0.003
"""A sample's step, as a share of the reading, before and at the end of the range."""
STILL_STEPS = 3
NEAR_SHARE = 0.97
"""The Xsens units of RepoIMU stand between 7.27 and 7.36 rad/s, axis and temperature correction included."""


class RangeEnd:
    """Follows one triad of axes. `update` gives the same however the samples were cut into runs."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._level = self._largest = 0.0
        self._before = np.full((STILL_STEPS + 2, 3), np.nan)

    def update(self, readings: FloatArray) -> BoolArray:
        """Which of the samples (n, 3) have an axis at its end (n,)."""
        x = np.concatenate([self._before, np.abs(readings)])
        self._before = x[-STILL_STEPS - 2 :]
        now, count = x[STILL_STEPS + 2 :], len(readings)
        if not (now > self._least).any():
            return np.zeros(count, dtype=bool)
        step = np.abs(np.diff(x, axis=0))
        stillest = np.max([step[i : i + count] for i in range(2, STILL_STEPS + 2)], axis=0)
        # The range may end just within a step, so that the one before it is the steep one.
        steepest = np.maximum(step[:count], step[1 : count + 1])
        still = (stillest < STILL_SHARE * now) & (steepest > STEEP_SHARE * now)
        # The first element of both carries on from the run before.
        largest = np.maximum.accumulate([self._largest, *now.max(axis=1)])[1:]
        ends = np.where(still & (now > self._least) & (now >= NEAR_SHARE * largest[:, None]), now, 0.0)
        level = np.maximum.accumulate([self._level, *ends.max(axis=1)])[1:]
        self._largest, self._level = float(largest[-1]), float(level[-1])
        reached = now.max(axis=1) >= NEAR_SHARE * level
        return np.asarray(reached & (level > 0.0) & (largest * NEAR_SHARE <= level))

    def nearer(self, readings: FloatArray) -> FloatArray:
        """How near the largest axis of samples (n, 3) is to the smallest range there is; to tell which of two sensors a
        driver's one mark is about."""
        return np.asarray(np.abs(readings).max(axis=1) / self._least)
