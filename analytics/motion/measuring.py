"""What is measured of each repetition that a tracker counted, from the angles and postures it has seen.

A movement is measured with a little of the rest about it. What comes after its end may not be there yet when it is
told, and is not waited for: the curve then ends with the repetition, whose angle is all but back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from math import inf

import numpy as np

from analytics.domain.body import Direction, Joint
from analytics.domain.exercise import Compensation, Exercise, RepetitionKind, Segment, Side
from analytics.domain.exercise import Posture as Position
from analytics.domain.measure import Measure
from analytics.domain.program import WeightBearing
from analytics.motion.measures import UnmeasurableError, measures_of
from analytics.motion.measures.compensation import Way, compensation, way_of
from analytics.motion.repetition import CountedRepetition
from analytics.motion.worn import Posture

REMEMBERED_S = 60.0
"""Longer than a repetition with its hold."""
REST_ABOUT_S = 0.5
LONGEST_GAP_S = 0.3
"""What a segment did in a longer silence is not known."""
COMPENSATION_HZ = 25.0
"""Trunks and limbs lean and turn slowly."""


class Measuring:
    """Remembers the last minute.

    segments: rows of the postures. rate_hz: of postures and angles.
    """

    def __init__(self, exercise: Exercise, side: Side, segments: Sequence[Segment], rate_hz: float) -> None:
        self._exercise = exercise
        self._watched: list[tuple[Compensation, Way, list[int]]] = []
        for one in exercise.compensations:
            needs = [part.on(side) for part in one.needs]
            if set(needs) <= set(segments) and (way := way_of(exercise, one)) is not None:
                self._watched.append((one, way, [segments.index(segment) for segment in needs]))
        self._every = max(1, round(rate_hz / COMPENSATION_HZ))
        self._hz = rate_hz / self._every
        self._instant = 0
        self._postures: deque[Posture] = deque(maxlen=round(REMEMBERED_S * self._hz))
        self._angles: deque[tuple[float, float]] = deque(maxlen=round(REMEMBERED_S * rate_hz))
        self._last_end_s = -inf

    def add(self, posture: Posture) -> None:
        """Take one instant of all sensors."""
        if self._watched and self._instant % self._every == 0:
            self._postures.append(posture)
        self._instant += 1

    def follow(self, time_s: float, angle_deg: float) -> None:
        """Take one primary angle; the zero does not matter. A time that was had before starts the past from there
        anew."""
        while self._angles and self._angles[-1][0] >= time_s:
            self._angles.pop()
        self._angles.append((time_s, angle_deg))

    def of(self, repetition: CountedRepetition, error_deg: float) -> tuple[Measure, ...]:
        """All that was measured of it; what it does not allow to be measured is left out. error_deg: one standard
        deviation of its excursion."""
        found = self._of_angle(repetition, error_deg)
        self._last_end_s = repetition.end_s
        return (*found, *self.compensations(repetition.start_s, repetition.end_s))

    def compensations(self, start_s: float, end_s: float) -> tuple[Measure, ...]:
        """How people helped themselves between two moments, as far as their sensors tell."""
        past = [one for one in self._postures if start_s <= one.time_s <= end_s]
        found = []
        for one, way, rows in self._watched:
            there = [posture for posture in past if all(posture.known[row] for row in rows)]
            if _complete([start_s, *(posture.time_s for posture in there), end_s]):
                orientation = np.array([posture.orientation[rows] for posture in there])
                found.append(compensation(one, way, orientation, self._hz))
        return tuple(found)

    def _of_angle(self, repetition: CountedRepetition, error_deg: float) -> Iterable[Measure]:
        if self._exercise.repetition.kind is RepetitionKind.WALKING:
            return ()
        since_s = max(self._last_end_s, repetition.start_s - REST_ABOUT_S)
        curve: Sequence[tuple[float, float]] = repetition.curve
        if self._angles and self._angles[0][0] <= repetition.start_s:
            curve = [one for one in self._angles if since_s <= one[0] <= repetition.end_s + REST_ABOUT_S]
        try:
            time_s, angle_deg = np.array(curve).T
            found = measures_of(
                time_s, angle_deg, angle_error_deg=error_deg, eccentric_first=eccentric_first(self._exercise)
            )
        except UnmeasurableError:
            return ()
        return found.values()


def eccentric_first(exercise: Exercise) -> bool:
    """Whether gravity does the way out, and muscles brake it: a leg that carries the body bends, or an upright trunk or
    head leaves the upright. All else is lifted, pushed or pulled first."""
    if exercise.angle is None:
        return False
    if exercise.joint in {Joint.HIP, Joint.KNEE, Joint.ANKLE}:
        carries = exercise.weight_bearing in {WeightBearing.PARTIAL, WeightBearing.AS_TOLERATED}
        return carries and exercise.direction in {Direction.FLEXION, Direction.DORSIFLEXION}
    upright = exercise.posture in {Position.SITTING, Position.STANDING, Position.KNEELING}
    bends = exercise.direction in {Direction.FLEXION, Direction.EXTENSION, Direction.LATERAL_FLEXION}
    return exercise.joint in {Joint.TRUNK, Joint.NECK} and upright and bends


def beyond_limit(exercise: Exercise, measures: Iterable[Measure]) -> tuple[str, ...]:
    """Cue codes of the compensations that went beyond their limits by more than their own error, the furthest first."""
    limits = {f"compensation.{one.cue}": one for one in exercise.compensations}
    beyond = [
        (one.value / limit.limit_deg, limit.cue)
        for one in measures
        if (limit := limits.get(one.code)) and one.value - (one.error or 0.0) > limit.limit_deg
    ]
    return tuple(cue for _, cue in sorted(beyond, reverse=True))


def _complete(times_s: Sequence[float]) -> bool:
    return len(times_s) > 2 and max(np.diff(times_s)) <= LONGEST_GAP_S
