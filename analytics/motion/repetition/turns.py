"""Turning points of a signal, and the movements between them. Arrays in, small values out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analytics.motion.repetition.pose import RATE_HZ
from analytics.signals.samples import FloatArray

NEAR = 0.1
"""A movement starts and ends within this share of its excursion of its turning points, where it is slow."""
SHAPE_POINTS = 24
_SHAPE_AT = np.linspace(0.0, 1.0, SHAPE_POINTS)


@dataclass(frozen=True, slots=True)
class Turn:
    """index: into the signal. top: whether the signal turns down there."""

    index: int
    top: bool


def turning_points(x: FloatArray, least: float, *, ended: bool) -> list[Turn]:
    """Turns of x (n,) that are followed by a way back of at least `least`, alternating; the first is where x starts.

    ended: the last extreme, though nothing came back from it yet, is a turn as well: the movement has come to rest.
    """
    steps = np.diff(x)
    extremes = np.concatenate([[0], np.flatnonzero(steps[1:] * steps[:-1] <= 0) + 1, [len(x) - 1]])
    values = x[extremes].tolist()
    turns: list[Turn] = []
    low = high = 0
    up: bool | None = None
    for k, value in enumerate(values):
        if up is not False:
            high = k if value > values[high] else high
            if values[high] - value > least:
                turns.append(Turn(int(extremes[high]), True))
                up, low = False, k
                continue
        if up is not True:
            low = k if value < values[low] else low
            if value - values[low] > least:
                turns.append(Turn(int(extremes[low]), False))
                up, high = True, k
    if ended and up is not None:
        turns.append(Turn(int(extremes[high if up else low]), up))
    return turns


@dataclass(frozen=True, slots=True)
class Movement:
    """Out and back, between two turns of one kind.

    start, end: indices, end included. turned: where it turned. top: whether it starts at a top. out, back: how far.
    """

    start: int
    turned: int
    end: int
    top: bool
    out: float
    back: float

    def moved(self, ticks: int) -> Movement:
        return replace(self, start=self.start + ticks, turned=self.turned + ticks, end=self.end + ticks)

    @property
    def excursion(self) -> float:
        return (self.out + self.back) / 2

    @property
    def duration_s(self) -> float:
        return (self.end - self.start) / RATE_HZ


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some seconds of poses (n, 6), along one direction x (n,), with its turns."""

    pose: FloatArray
    x: FloatArray
    turns: list[Turn]

    def movement(self, first: int) -> Movement:
        """From turns[first] to the next but one, less the rest before it sets out and after it came back."""
        begin, turned, finish = (turn.index for turn in self.turns[first : first + 3])
        out, back = self._way(begin, turned), self._way(turned, finish)
        start = begin + int(np.flatnonzero(np.abs(self.x[begin : turned + 1] - self.x[begin]) <= NEAR * out)[-1])
        end = turned + int(np.flatnonzero(np.abs(self.x[turned : finish + 1] - self.x[finish]) <= NEAR * back)[0])
        return Movement(start, turned, end, self.turns[first].top, out, back)

    def set_out_late(self, one: Movement, ticks: int) -> Movement:
        """The same, set out at most so long before its end: what was before were other movements that end in it."""
        start = min(max(one.start, one.end - ticks), one.turned - 1)
        return replace(one, start=start, out=self._way(start, one.turned))

    def back_early(self, one: Movement, ticks: int) -> Movement:
        """The same, back at most so long after its start: it goes on into other movements."""
        end = max(min(one.end, one.start + ticks), one.turned + 1)
        return replace(one, end=end, back=self._way(one.turned, end))

    def shape(self, one: Movement) -> FloatArray:
        return shape(self.pose[one.start : one.end + 1])

    def _way(self, a: int, b: int) -> float:
        return float(abs(self.x[b] - self.x[a]))


def shape(pose: FloatArray) -> FloatArray:
    """How a movement goes, whatever its duration, size and drift: (n, 6) to a vector of length 1.

    The dot product of two is their likeness, 1 for the same.
    """
    at = _SHAPE_AT * (len(pose) - 1)
    before = np.minimum(at.astype(int), len(pose) - 2)
    share = (at - before)[:, None]
    points = pose[before] * (1 - share) + pose[before + 1] * share
    points -= _SHAPE_AT[:, None] * (points[-1] - points[0])
    points -= points.mean(axis=0)
    flat = points.ravel()
    unit: FloatArray = flat / np.sqrt(flat @ flat + 1e-9)
    return unit


def main_direction(pose: FloatArray) -> FloatArray:
    """The unit vector (6,) along which the poses (n, 6) vary most, their steady drift aside."""
    k = np.arange(len(pose)) - (len(pose) - 1) / 2
    rest = pose - pose.mean(axis=0)
    rest -= np.outer(k, (k @ rest) / (k @ k))
    direction: FloatArray = np.linalg.eigh(rest.T @ rest)[1][:, -1]
    return direction
