"""Finds repetitions of one demonstration by subsequence dynamic time warping, as samples come.

One column of the warping matrix is kept per start that is still possible (the SPRING recurrence: Sakurai, Faloutsos,
Yamamuro 2007, "Stream monitoring under the time warping distance"; one exemplar for rehabilitation: Sarsfield et al.
2019). Steps of the warping path go by at most two samples, so a repetition takes between half and twice the
demonstration's time: the band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.signals.samples import FloatArray

PATIENCE, OVERLAP = 0.25, 0.1
"""Shares of the demonstration: a match is told once nothing better came for the one; the next may share the other."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a part of the stream is most like the demonstration: indices, end included, and the mean cost per step."""

    start: int
    end: int
    cost: float


class SubsequenceWarping:
    """demonstration: (m, d), one row per sample at the stream's rate. limit: a match costs at most so much per row.

    The cost of two rows is the squared distance of their values, in units of the demonstration's own variance.
    """

    def __init__(self, demonstration: FloatArray, limit: float) -> None:
        if len(demonstration) < 2 or not np.isfinite(demonstration).all():
            raise ValueError("A demonstration needs two samples or more, all of them numbers; show the movement again.")
        self._rows = np.asarray(demonstration, dtype=np.float64)
        self._scale = 1.0 / max(float(((self._rows - self._rows.mean(axis=0)) ** 2).sum(axis=1).mean()), 1e-12)
        self._limit = limit * len(self._rows)
        m = len(self._rows)
        self._cost, self._start = np.full((2, m), np.inf), np.zeros((2, m), dtype=np.int64)
        self._now = -1
        self._best: Match | None = None

    def update(self, row: FloatArray) -> Match | None:
        """Take one row (d,). Answers with a match once nothing better came for a while."""
        self._now += 1
        local = self._scale * ((self._rows - row) ** 2).sum(axis=1)
        cost, start = self._column(local)
        self._cost, self._start = np.stack([self._cost[1], cost]), np.stack([self._start[1], start])
        told = None
        if self._best and self._now - self._best.end >= PATIENCE * len(self._rows):
            told, self._best = self._best, None
            self._cost[self._start < told.end - OVERLAP * len(self._rows)] = np.inf
        total, begin = float(self._cost[1, -1]), int(self._start[1, -1])
        if total <= self._limit and (self._best is None or total < self._best.cost * len(self._rows)):
            self._best = Match(begin, self._now, total / len(self._rows))
        return told

    def finish(self) -> Match | None:
        """Nothing more comes."""
        told, self._best = self._best, None
        return told

    def _column(self, local: FloatArray) -> tuple[FloatArray, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
        """Costs of the best paths to the new row: from (t-1, i-1), (t-1, i-2) or (t-2, i-1), so that neither side
        stands still. What a step leaps over in the demonstration is paid for as well."""
        m = len(local)
        cost, start = np.full(m, np.inf), np.full(m, self._now, dtype=np.int64)
        (older, last), (older_start, last_start) = self._cost, self._start
        one, leap, wait = np.full(m, np.inf), np.full(m, np.inf), np.full(m, np.inf)
        one[1:] = last[:-1] + local[1:]
        leap[2:] = last[:-2] + local[1:-1] + local[2:]
        wait[1:] = older[:-1] + local[1:]
        cost[0] = local[0]
        ways = np.stack([one, leap, wait])
        choice = ways[:, 1:].argmin(axis=0)
        k = np.arange(1, m)
        cost[1:] = ways[choice, k]
        starts = np.stack([last_start[k - 1], last_start[np.maximum(k - 2, 0)], older_start[k - 1]])
        start[1:] = starts[choice, k - 1]
        return cost, start
