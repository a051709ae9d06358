"""Brings together acceleration and angular rate that a sensor sends as two streams without timestamps."""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import FloatArray


class CountedPairing:
    """Two streams without timestamps, from one chip at one rate: one of each makes a sample, in the order they come.

    slack: how many readings may wait beside those of one notification. Where more do, the other stream has lost some:
    the oldest are left out and counted, so that the two stay together within so many readings, and memory is bounded.
    How many were lost nobody knows.
    """

    def __init__(self, slack: int) -> None:
        self._slack = slack
        self._first, self._second = np.empty((0, 3)), np.empty((0, 3))
        self.left_out = 0

    def add_first(self, values: FloatArray) -> None:
        """Readings (n, 3) of the first stream."""
        self._first = self._joined(self._first, values)

    def add_second(self, values: FloatArray) -> None:
        """Readings (n, 3) of the second."""
        self._second = self._joined(self._second, values)

    def take(self) -> tuple[FloatArray, FloatArray] | None:
        """What is paired: (n, 3) of each, or None."""
        count = min(len(self._first), len(self._second))
        if not count:
            return None
        pairs = self._first[:count], self._second[:count]
        self._first, self._second = self._first[count:], self._second[count:]
        return pairs

    def _joined(self, waiting: FloatArray, values: FloatArray) -> FloatArray:
        surplus = max(0, len(waiting) - self._slack)
        self.left_out += surplus
        return np.concatenate([waiting[surplus:], values])
