"""One person at a timed test: from the postures and angles of a tracker, when it may begin and what it came to.

The chair tests ask for a practice stand first, which shows what a whole one is; walking asks only for the knee's angle.
"Go" is said by whoever runs the session. What was not seen whole has no result: a stand may be missing from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import degrees, inf

import numpy as np

from analytics.domain.exercise import Exercise, Part, Segment, Side
from analytics.domain.session import TestResult
from analytics.domain.timed_test import Measures
from analytics.motion.angles.gravity import inclination_about_rad
from analytics.motion.measures import UnmeasurableError
from analytics.motion.quaternion import Vector, conjugate, rotate
from analytics.motion.timed.chair import FIVE, THIRTY_S, five_times, thirty_seconds
from analytics.motion.timed.practice import Practice, PracticeStand
from analytics.motion.timed.thigh import LONGEST_GAP_S, ThighChair
from analytics.motion.timed.transition import Transition
from analytics.motion.timed.walking import knee_walking_range
from analytics.motion.worn import Posture
from analytics.signals.samples import FloatArray

UP: Vector = (0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class TestReady:
    """ "Go" may be said."""

    time_s: float


@dataclass(frozen=True, slots=True)
class TestNotReady:
    """What was done to begin was not enough. The sentence says what to do again."""

    time_s: float
    sentence: str


@dataclass(frozen=True, slots=True)
class TestDone:
    """The test that "go" began has ended."""

    time_s: float
    result: TestResult


TestEvent = TestReady | TestNotReady | TestDone

LOST = "The sensor was out of reach during the test, so something may be missing. Rest, then do the test again."
NOT_OVER = "The test was ended before it was over, so it has no result."


class TimedTestRun:
    """segments: rows of the postures. Raises ValueError for an exercise that is no test, or one that nobody can time
    yet, and for a chair test without a sensor on the thigh."""

    def __init__(self, exercise: Exercise, side: Side, segments: Sequence[Segment]) -> None:
        if exercise.test is None:
            raise ValueError(f"{exercise.name} is no timed test.")
        self._test, thigh = exercise.test, Part.THIGH.on(side)
        self._walks = self._test.measures is Measures.RANGE
        if not self._walks and (self._test.repetitions, self._test.seconds) not in {(FIVE, None), (None, THIRTY_S)}:
            raise ValueError(f"{exercise.name} cannot be timed: chair tests are of five times or of 30 s.")
        if not self._walks and thigh not in segments:
            raise ValueError(f"{exercise.name} needs a sensor on the {thigh.replace('_', ' ')}; none was given.")
        self._row = 0 if self._walks else list(segments).index(thigh)
        self._practice = Practice()
        self._chair: _Chair | None = None
        self._transitions: list[Transition] = []
        self._walk: list[tuple[float, float]] = []
        self._ready = self._followed = False
        self._go_s: float | None = None
        self._known_s = -inf

    @property
    def ready(self) -> bool:
        """Whether "go" may be said."""
        return self._ready

    def go(self, time_s: float) -> None:
        """ "Go" was said; once more is another try. Raises RuntimeError before it may be said."""
        if not self._ready:
            raise RuntimeError('"Go" was said before the test may begin; wait for TestReady.')
        self._go_s = time_s
        self._walk.clear()

    def follow(self, time_s: float, angle_deg: float) -> None:
        """Take one primary angle; the zero does not matter."""
        self._followed = True
        if self._walks and self._go_s is not None:
            self._walk.append((time_s, angle_deg))

    def add(self, posture: Posture) -> Iterator[TestEvent]:
        """Take one instant, whatever is known of it."""
        now_s = posture.time_s
        if not self._ready and (event := self._prepare(posture)) is not None:
            self._ready = isinstance(event, TestReady)
            yield event
        if self._chair and posture.known[self._row]:
            moved = self._chair.update(now_s, np.array(_up(posture, self._row)))
            self._transitions += [moved] if moved else []
        if self._go_s is not None and (result := self._result(self._go_s, now_s)) is not None:
            yield self._over(now_s, result)
        if posture.known[self._row]:
            self._known_s = now_s

    def finish(self) -> Iterator[TestEvent]:
        """No more samples come."""
        if self._go_s is not None:
            yield self._over(self._known_s, TestResult(measure=None, notes=(NOT_OVER,)))

    def _prepare(self, posture: Posture) -> TestReady | TestNotReady | None:
        if self._walks:
            return TestReady(posture.time_s) if self._followed else None
        if not posture.known[self._row]:
            return None
        up, acc, rate = _up(posture, self._row), posture.acc_m_s2[self._row], posture.rate_rad_s[self._row]
        shown = self._practice.update(posture.time_s, up, rate, float(acc @ up))
        if isinstance(shown, PracticeStand):
            self._chair = _Chair(shown)
            return TestReady(posture.time_s)
        return None if shown is None else TestNotReady(posture.time_s, shown)

    def _result(self, go_s: float, now_s: float) -> TestResult | None:
        if not self._walks and now_s - self._known_s > LONGEST_GAP_S:
            return TestResult(measure=None, notes=(LOST,))
        try:
            return self._measured(go_s, now_s)
        except UnmeasurableError as why:
            return TestResult(measure=None, notes=(str(why),))

    def _measured(self, go_s: float, now_s: float) -> TestResult | None:
        """What it came to, once that is known."""
        if self._test.measures is Measures.TIME:
            done = five_times(self._transitions, go_s)
        elif not self._walks:
            done = thirty_seconds(self._transitions, go_s, now_s=now_s)
        elif self._test.seconds is None or now_s < go_s + self._test.seconds:
            return None
        elif not self._walk:
            raise UnmeasurableError(LOST)
        else:
            time_s, angle_deg = np.array(self._walk).T
            return TestResult(measure=knee_walking_range(time_s, angle_deg))
        return None if done is None else TestResult(measure=done.measure, notes=done.notes)

    def _over(self, now_s: float, result: TestResult) -> TestDone:
        self._go_s = None
        return TestDone(now_s, result)


class _Chair:
    """Stands and sits of one thigh, whose sensor is strapped on anyhow."""

    def __init__(self, stand: PracticeStand) -> None:
        axis = np.cross(stand.standing, stand.seated)
        self._axis, self._seated = axis / np.linalg.norm(axis), stand.seated
        self._thigh = ThighChair(stand.full_deg)

    def update(self, time_s: float, up: FloatArray) -> Transition | None:
        """up: (3,) the vertical in the sensor."""
        return self._thigh.update(time_s, degrees(float(inclination_about_rad(up, self._axis, self._seated))))


def _up(posture: Posture, row: int) -> Vector:
    w, x, y, z = posture.orientation[row].tolist()
    return rotate(conjugate((w, x, y, z)), UP)
