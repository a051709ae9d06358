"""Turning points of a signal, and the movements between them. Arrays in, small values out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analytics.signals.samples import FloatArray

NEAR = 0.1
"""A movement starts and ends within this share of its excursion of its turning points, where it is slow."""
TWINS = 0.8
"""What consists of parts this much alike is several repetitions."""
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


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """Out and back, once or several times, between two turns of one kind.

    start, end: indices, end included. turned, back: of its first and last turn. ways: (2k,) lengths between turns.
    """

    start: int
    end: int
    turned: int
    back: int
    top: bool
    ways: FloatArray

    def moved(self, ticks: int) -> Movement:
        return replace(
            self, start=self.start + ticks, end=self.end + ticks, turned=self.turned + ticks, back=self.back + ticks
        )

    @property
    def excursion(self) -> float:
        return float(self.ways.mean() if len(self.ways) == 2 else self.ways.max())


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some seconds of poses (n, 6), along one direction x (n,), with its turns."""

    pose: FloatArray
    x: FloatArray
    turns: list[Turn]

    def movement(self, first: int, cycles: int) -> Movement:
        """From turns[first] over so many cycles, less the rest before it sets out and after it came back."""
        at = [turn.index for turn in self.turns[first : first + 2 * cycles + 1]]
        ways = np.abs(np.diff(self.x[at]))
        out, back = self.x[at[0] : at[1] + 1], self.x[at[-2] : at[-1] + 1]
        start = at[0] + int(np.flatnonzero(np.abs(out - out[0]) <= NEAR * ways[0])[-1])
        end = at[-2] + int(np.flatnonzero(np.abs(back - back[-1]) <= NEAR * ways[-1])[0])
        return Movement(start, end, at[1], at[-2], self.turns[first].top, ways)

    def set_out_late(self, one: Movement, ticks: int) -> Movement:
        """The same, set out at most so long before its end: what was before were other movements, that end in it."""
        start = min(max(one.start, one.end - ticks), one.turned - 1)
        ways = one.ways.copy()
        ways[0] = abs(self.x[one.turned] - self.x[start])
        return replace(one, start=start, ways=ways)

    def back_early(self, one: Movement, ticks: int) -> Movement:
        """The same, back at most so long after its start: it goes on into other movements."""
        end = max(min(one.end, one.start + ticks), one.back + 1)
        ways = one.ways.copy()
        ways[-1] = abs(self.x[one.back] - self.x[end])
        return replace(one, end=end, ways=ways)

    def shape(self, one: Movement) -> FloatArray:
        return shape(self.pose[one.start : one.end + 1])

    def several(self, first: int, cycles: int) -> bool:
        """Whether what begins at turns[first] is as many repetitions as it has cycles, and not one."""
        shapes = [self.shape(self.movement(first + 2 * k, 1)) for k in range(cycles)]
        return cycles > 1 and min(float(shapes[0] @ other) for other in shapes[1:]) > TWINS


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
