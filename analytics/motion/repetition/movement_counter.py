"""Counts repetitions from one worn sensor, where an exercise has no single angle: no calibration, no training.

The first three repetitions, alike in rotation and specific force, show the movement; from then on each is compared with
what was learned, and the buffered past is counted at once (so the count starts with 3). The likeness asked for depends
on what came before: within a set little is asked, after a pause one movement alone must be very much alike, or wait
until the next like it follows. Learning goes on: another movement that repeats is learned as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from analytics.motion.repetition.learning import LONGEST_S, WINDOWS_S, Learned, find_repeated
from analytics.motion.repetition.pose import RATE_HZ, Pose, PoseStream
from analytics.motion.repetition.refusal import NotCounted, Reason
from analytics.motion.repetition.turns import Movement, Stretch, main_direction, turning_points
from analytics.signals.samples import FloatArray

LOOK_EVERY_TICKS = round(0.5 * RATE_HZ)
BUFFER_TICKS = round(WINDOWS_S[-1] * RATE_HZ)
ALIKE_IN_SET, ALIKE_ALONE = 0.6, 0.85
"""The likeness asked for within a set, and of one movement alone after a pause."""
LESS_THAN_USUAL = 0.2
"""Who repeats precisely is held to it: so much less alike than usual is something else."""
TEMPO_COST, SIZE_COST = 0.1, 0.1
"""What a movement of another tempo, or a larger one, loses of its likeness per factor e."""
SET_GOES_ON_S, SET_GOES_ON_DURATIONS = 1.0, 0.5
"""A repetition that begins so soon after the last one (both summed) belongs to the same set."""
MERGED, MERGED_COST = (1.0, 0.8, 1.25), 0.1
"""Where another movement runs into a repetition without a rest between, so many usual durations of it are tried, and
so much more likeness is asked for. At 0.05, 0.1 and 0.15, with LESS_THAN_USUAL at 0.2 or 0.25, 95 to 97 % of the sets
of `sinew evaluate` are within one and 0.09 to 0.21 repetitions a minute false; at 0.15 it misses more (89 to 95 %)."""
SHARED_TICKS = 2
"""Two repetitions may meet, not overlap."""
AT_REST = 0.06
"""Having moved less than this share of the usual excursion for a fifth of a second."""
HYSTERESIS = 0.35
"""Turns are ways of at least this share of the usual excursion."""
COMES_BACK = 0.55
"""The way back is at least this share of the way out, or the other way round."""
SMALLEST, LARGEST = 0.3, 2.0
QUICKEST, SLOWEST, SHORTEST_IN_SET_S = 0.2, 2.2, 0.55
"""Beyond these shares of the usual excursion and duration, nothing is the same exercise."""
RECENT_S, RECENT_REPETITIONS = 30.0, 4
"""What shows the main direction now."""
RENEWAL = 0.2
"""How much each repetition changes what is usual."""


@dataclass(frozen=True, slots=True)
class CountedMovement:
    """One repetition. turned_s: its turning point. likeness: to what was learned, 1 for the same. told_s: when it could
    be told."""

    start_s: float
    turned_s: float
    end_s: float
    likeness: float
    told_s: float


class MovementCounter:
    """`update` takes samples as they come and gives the same answers however they were cut into packets."""

    def __init__(self) -> None:
        self._stream = PoseStream()
        self._refused: list[NotCounted] = []
        self._learned: Learned | None = None
        self._restart()

    def update(self, time_s: FloatArray, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> list[CountedMovement]:
        """time_s: (n,) increasing. acc_m_s2, gyr_rad_s: (n, 3). Repetitions come as soon as they are certain."""
        return [one for pose in self._stream.update(time_s, acc_m_s2, gyr_rad_s) for one in self._add(pose)]

    def finish(self) -> list[CountedMovement]:
        """Nothing more comes: a movement that is all but back is a repetition."""
        return self._look(ended=True)

    def refused(self) -> list[NotCounted]:
        """Movements since the last call that were like a repetition and were not counted."""
        told, self._refused = self._refused, []
        return told

    def _restart(self) -> None:
        """Nothing is known of before; what was learned is kept."""
        if self._learned:
            self._learned.until = -1
        self._rows = np.empty((2 * BUFFER_TICKS, 9))
        self._length = 0
        self._counted: list[tuple[int, int]] = []
        self._waiting: tuple[Movement, float] | None = None
        self._scanned = 0

    def _add(self, pose: Pose) -> list[CountedMovement]:
        found = []
        if pose.restarted and self._length:
            found = self._look(ended=False)
            self._interrupt()
            self._restart()
        if self._length == len(self._rows):
            self._forget(BUFFER_TICKS)
        self._rows[self._length] = (pose.time_s, *pose.vector, pose.impact, pose.turning)
        self._length += 1
        return found + (self._look(ended=False) if self._length % LOOK_EVERY_TICKS == 0 else [])

    def _interrupt(self) -> None:
        """What is under way when samples fail is not counted."""
        self._give_up(ended=True)
        recent = self._rows[max(0, self._length - 5) : self._length]
        if self._learned and np.ptp(recent[:, 1:7] @ self._learned.direction) >= AT_REST * self._learned.excursion:
            start_s = float(self._rows[self._scanned, 0]) if self._counted else float(recent[0, 0])
            self._refused.append(NotCounted(start_s, float(recent[-1, 0]), Reason.INTERRUPTED))

    def _forget(self, ticks: int) -> None:
        self._give_up(ended=self._waiting is not None and self._waiting[0].start < ticks)
        self._rows[:-ticks] = self._rows[ticks:].copy()
        self._length -= ticks
        self._scanned = max(0, self._scanned - ticks)
        self._counted = [(a - ticks, b - ticks) for a, b in self._counted if b > ticks]
        if self._learned:
            self._learned.until -= ticks
        if self._waiting:
            one, likeness = self._waiting
            self._waiting = one.moved(-ticks), likeness

    def _look(self, *, ended: bool) -> list[CountedMovement]:
        found = self._follow(self._learned, ended) if self._learned else []
        first = max(0, self._length - BUFFER_TICKS)
        pose, impact, turning = self._part(first)
        learned = find_repeated(
            pose, impact, turning, lambda start, end: self._is_new(first + start, first + end), ended=ended
        )
        if learned is None:
            self._give_up(ended=ended)
            return found
        learned.until += first
        self._learned, self._scanned, self._waiting = learned, first, None
        return found + self._follow(learned, ended)

    def _give_up(self, *, ended: bool) -> None:
        """What waited for one like it has waited long enough: for its beginning and its end."""
        if self._waiting and self._learned:
            waited_s = (self._length - self._waiting[0].end) / RATE_HZ
            longest_s = SET_GOES_ON_S + (SET_GOES_ON_DURATIONS + SLOWEST) * self._learned.duration_s
            if ended or waited_s > longest_s:
                self._refuse(self._waiting[0])
                self._waiting = None

    def _part(self, first: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        rows = self._rows[first : self._length]
        return rows[:, 1:7], rows[:, 7], rows[:, 8]

    def _is_new(self, start: int, end: int) -> bool:
        """Whether no part of it was counted already, but for the rest between two."""
        return all(min(end, b) - max(start, a) <= SHARED_TICKS for a, b in self._counted)

    def _follow(self, learned: Learned, ended: bool) -> list[CountedMovement]:
        found: list[CountedMovement] = []
        while True:
            first = max(0, self._scanned - round(RATE_HZ), self._length - BUFFER_TICKS)
            pose = self._part(first)[0]
            if len(pose) < RATE_HZ / 2:
                return found
            x = pose @ learned.direction
            rests = ended or float(np.ptp(x[-5:])) < AT_REST * learned.excursion
            stretch = Stretch(pose, x, turning_points(x, HYSTERESIS * learned.excursion, ended=rests))
            took = self._take(learned, first, stretch)
            if took is None:
                return found
            found += took

    def _take(self, learned: Learned, first: int, stretch: Stretch) -> list[CountedMovement] | None:
        """The next repetition from where was scanned last; None where there is none."""
        least = max(ALIKE_IN_SET, learned.likeness - LESS_THAN_USUAL)
        for k in range(len(stretch.turns) - 2):
            whole = stretch.movement(k)
            tries = [whole] + [one for part in MERGED for one in _parts(stretch, whole, part * learned.duration_s)]
            for one in tries:
                start, end = first + one.start, first + one.end
                if start < self._scanned - SHARED_TICKS or not self._is_new(start, end):
                    continue
                form = stretch.shape(one)
                likeness = _likeness(learned, one, form)
                if likeness >= least + (0.0 if one is whole else MERGED_COST):
                    self._scanned = end
                    return self._judge(learned, one.moved(first), form, likeness)
        return None

    def _judge(self, learned: Learned, one: Movement, form: FloatArray, likeness: float) -> list[CountedMovement]:
        last = self._waiting[0].end if self._waiting else max((b for _, b in self._counted), default=-BUFFER_TICKS)
        goes_on = (one.start - last) / RATE_HZ <= SET_GOES_ON_S + SET_GOES_ON_DURATIONS * learned.duration_s
        goes_on = goes_on or one.start <= learned.until
        waiting, self._waiting = self._waiting, None
        if waiting and not goes_on:
            self._refuse(waiting[0])
        if not goes_on and likeness < ALIKE_ALONE:
            self._waiting = one, likeness
            return []
        counted = [self._count(*waiting)] if waiting and goes_on else []
        counted.append(self._count(one, likeness))
        self._renew(learned, one, form, likeness)
        return counted

    def _count(self, one: Movement, likeness: float) -> CountedMovement:
        self._counted.append((one.start, one.end))
        start_s, turned_s, end_s, told_s = self._rows[[one.start, one.turned, one.end, self._length - 1], 0].tolist()
        return CountedMovement(start_s, turned_s, end_s, likeness, told_s)

    def _refuse(self, one: Movement) -> None:
        times = self._rows[:, 0]
        self._refused.append(NotCounted(float(times[one.start]), float(times[one.end]), Reason.ALONE))

    def _renew(self, learned: Learned, one: Movement, form: FloatArray, likeness: float) -> None:
        """What is usual follows the person: tempo and range change within a set, and so does the main direction."""
        learned.excursion += RENEWAL * (one.excursion - learned.excursion)
        learned.likeness += RENEWAL * (likeness - learned.likeness)
        learned.duration_s += RENEWAL * (one.duration_s - learned.duration_s)
        learned.shapes[one.top] += RENEWAL * (form - learned.shapes[one.top])
        begin = max(self._counted[-RECENT_REPETITIONS:][0][0], one.end - round(RECENT_S * RATE_HZ), 0)
        recent = self._rows[begin : one.end + 1, 1:7]
        if len(recent) >= RATE_HZ:
            direction = main_direction(recent)
            learned.direction = direction if direction @ learned.direction >= 0 else -direction


def _parts(stretch: Stretch, whole: Movement, duration_s: float) -> list[Movement]:
    ticks = round(duration_s * RATE_HZ)
    return [stretch.set_out_late(whole, ticks), stretch.back_early(whole, ticks)]


def _likeness(learned: Learned, one: Movement, form: FloatArray) -> float:
    """To what was learned; 0 where its size or its time rules it out."""
    tempo, size = one.duration_s / learned.duration_s, max(one.out, one.back) / learned.excursion
    possible = (
        SHORTEST_IN_SET_S < one.duration_s < LONGEST_S
        and QUICKEST < tempo < SLOWEST
        and SMALLEST < size < LARGEST
        and min(one.out, one.back) >= COMES_BACK * max(one.out, one.back)
    )
    if not possible:
        return 0.0
    usual = learned.shapes[one.top]
    likeness = float(form @ usual) / float(np.linalg.norm(usual))
    return likeness - TEMPO_COST * abs(log(tempo)) - SIZE_COST * max(0.0, log(size))
