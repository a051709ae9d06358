"""Finds the movement that a person has just repeated: three in a row that resemble each other in every channel.

Nothing is known beforehand: neither the exercise, nor how the sensor is worn, nor how large or quick the movement is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median

import numpy as np

from analytics.motion.repetition.pose import RATE_HZ
from analytics.motion.repetition.turns import Movement, Stretch, Turn, main_direction, turning_points
from analytics.signals.samples import FloatArray

CONFIRMED_AFTER = 3
"""Twice may be chance: two strides to the chair. Three alike are an exercise."""
WINDOWS_S = (10.0, 36.0)
"""Quick repetitions stand out in the short one, slow ones need the long one."""
LEAST_EXCURSIONS = (2.4, 1.6, 1.1, 0.75, 0.5, 0.35, 0.25, 0.17)
"""Sizes of movement tried, largest first [rad, g]: 0.17 is 10°."""
ALIKE, ALIKE_IF_SMALL, SMALL = 0.7, 0.8, 0.3
"""Each pair of the three has at least this likeness; small movements are nearer to noise."""
SHORTEST_S, LONGEST_S = 0.8, 14.0
UNEVEN_WAYS, UNEVEN_TIMES = 0.5, 2.0
"""The shortest way to the longest, and the longest time to the shortest, among the three."""
MERGED = 1.3
"""The first or the last of three that took longer than this, in usual durations, runs into something else."""
LONGEST_BETWEEN_S, LATEST_S = 6.0, 4.0
"""Rest between two of the three, and time since the last of them."""
IMPACT_M_S2, IMPACT_TO_TURNING_M_S = 2.5, 0.8
"""Walking: at every stride the foot strikes the ground. Above both (root mean squares, 8 to 20 Hz), it is no exercise
of the catalogue; quick arm movements have shocks as well, but turn far more."""


@dataclass(slots=True, eq=False)
class Learned:
    """direction: (6,). shapes: of repetitions that start at its top (True) or at its bottom (False).

    until: index up to which repetitions were seen to be alike. likeness: of the usual repetition to its shape.
    """

    direction: FloatArray
    excursion: float
    duration_s: float
    shapes: dict[bool, FloatArray]
    until: int
    likeness: float


def find_repeated(
    pose: FloatArray, impact: FloatArray, turning: FloatArray, is_new: Callable[[int, int], bool], *, ended: bool
) -> Learned | None:
    """The movement that the last samples repeat. pose: (n, 6); impact, turning: (n,) squares, at RATE_HZ.

    is_new: whether nothing was counted yet between two indices. ended: nothing more comes.
    """
    for window_s in WINDOWS_S:
        first = max(0, len(pose) - round(window_s * RATE_HZ))
        if len(pose) - first < 2 * RATE_HZ:
            return None
        direction = main_direction(pose[first:])
        for stretch, begin in _candidates(pose[first:], direction, ended=ended):
            three = _three(stretch, begin)
            if (
                _even(three, len(stretch.x))
                and sum(is_new(first + one.start, first + one.end) for one in three) >= CONFIRMED_AFTER - 1
                and _alike(stretch, three)
                and not _walking(impact, turning, first + three[0].start, first + three[-1].end + 1)
            ):
                learned = _learn(stretch, direction, begin)
                learned.until += first
                return learned
    return None


def _candidates(pose: FloatArray, direction: FloatArray, *, ended: bool) -> Iterator[tuple[Stretch, int]]:
    """Where the last three movements may begin among the turns; large ones first."""
    x = pose @ direction
    reach, last_way = float(np.ptp(x)), float(np.ptp(x[-5:]))
    tried: set[tuple[Turn, ...]] = set()
    for least in (least for least in LEAST_EXCURSIONS if least <= reach):
        turns = turning_points(x, least, ended=ended or last_way < 0.15 * least)
        stretch = Stretch(pose, x, turns)
        for skipped in (0, 1):
            begin = len(turns) - 1 - skipped - 2 * CONFIRMED_AFTER
            these = tuple(turns[max(0, begin) : len(turns) - skipped])
            if begin >= 0 and these not in tried:
                tried.add(these)
                yield stretch, begin


def _three(stretch: Stretch, begin: int) -> list[Movement]:
    """From there on; the first may have other movements before it, and the last after it, that are cut away."""
    three = [stretch.movement(begin + 2 * k) for k in range(CONFIRMED_AFTER)]
    usual = sorted(one.end - one.start for one in three)[CONFIRMED_AFTER // 2]
    if three[0].end - three[0].start > MERGED * usual:
        three[0] = stretch.set_out_late(three[0], usual)
    if three[-1].end - three[-1].start > MERGED * usual:
        three[-1] = stretch.back_early(three[-1], usual)
    return three


def _even(three: list[Movement], length: int) -> bool:
    """Like sizes and times, one soon after the other, and the last one just now."""
    ways = [way for one in three for way in (one.out, one.back)]
    times_s = [one.duration_s for one in three]
    return (
        max(ways) <= 2 * _excursion(three)
        and min(ways) >= UNEVEN_WAYS * max(ways)
        and min(times_s) >= SHORTEST_S
        and max(times_s) <= min(LONGEST_S, UNEVEN_TIMES * min(times_s))
        and max(b.start - a.end for a, b in pairwise(three)) <= LONGEST_BETWEEN_S * RATE_HZ
        and length - three[-1].end <= LATEST_S * RATE_HZ
    )


def _excursion(three: list[Movement]) -> float:
    return median(one.excursion for one in three)


def _alike(stretch: Stretch, three: list[Movement]) -> bool:
    shapes = [stretch.shape(one) for one in three]
    least = ALIKE if _excursion(three) > SMALL else ALIKE_IF_SMALL
    return min(float(a @ b) for a, b in combinations(shapes, 2)) >= least


def _walking(impact: FloatArray, turning: FloatArray, start: int, end: int) -> bool:
    strike, turn = np.sqrt(impact[start:end].mean()), np.sqrt(turning[start:end].mean())
    return bool(strike > IMPACT_M_S2 and strike > IMPACT_TO_TURNING_M_S * turn)


def _learn(stretch: Stretch, direction: FloatArray, begin: int) -> Learned:
    """Repetitions start at rest: at the kind of turn from which the chain of like ways set out."""
    three = _three(stretch, begin)
    duration_s = median(one.duration_s for one in three)
    if begin > 0 and (begin - _chain_start(stretch, begin, _excursion(three), duration_s)) % 2 == 1:
        begin -= 1
        three = _three(stretch, begin)
    other = begin + 1 if begin + 1 + 2 * CONFIRMED_AFTER < len(stretch.turns) else begin - 1
    shapes = {stretch.turns[k].top: _mean_shape(stretch, _three(stretch, k)) for k in (other, begin) if k >= 0}
    top = stretch.turns[begin].top
    shapes.setdefault(not top, -shapes[top])
    return Learned(direction, _excursion(three), duration_s, shapes, three[-1].end, float(np.linalg.norm(shapes[top])))


def _mean_shape(stretch: Stretch, movements: list[Movement]) -> FloatArray:
    mean: FloatArray = np.mean([stretch.shape(one) for one in movements], axis=0)
    return mean


def _chain_start(stretch: Stretch, first: int, excursion: float, duration_s: float) -> int:
    at = [turn.index for turn in stretch.turns]
    while first > 0:
        way = abs(stretch.x[at[first]] - stretch.x[at[first - 1]])
        passed_s = (at[first] - at[first - 1]) / RATE_HZ
        if not 0.4 * excursion < way < 2.0 * excursion or passed_s > 1.5 * duration_s + LONGEST_BETWEEN_S:
            break
        first -= 1
    return first
