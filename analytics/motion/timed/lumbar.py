"""Standing up and sitting down as one sensor at the lower back sees it: by how far, and how fast, it is lifted.

The vertical velocity is the vertical acceleration's integral, with a slow leak so that what an accelerometer is wrong
by does not pile up. A stretch of upward velocity that lifts the sensor far and fast enough is a stand, a downward one a
sit. Bending while standing turns the sensor but hardly lowers it; walking lifts it by a few centimetres. It sees no
half-way stands as such, and slow ones only against a practice stand: where a thigh can wear a sensor, use that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.motion.timed.transition import Transition

LEAK_S = 3.0
"""Time constant of both high-pass filters: longer than a stand, short enough to forget an error within seconds."""
ONSET_M_S = 0.05
"""A stretch of one direction begins where the velocity passes this, and ends where it comes back to nothing."""
START_ERROR_S, END_ERROR_S = 0.5, 0.15
"""tests/analytics/motion/test_timed_lumbar.py measures them. An accelerometer's bias may begin a stretch too early."""
LONGEST_GAP_S = 0.3


@dataclass(frozen=True, slots=True)
class Lift:
    """How far and how fast, at most, the sensor was lifted, as the leaking integral tells it."""

    height_m: float
    speed_m_s: float


QUICK_STAND = Lift(0.4, 0.7)
"""What a healthy person's stand from a chair is like; without a practice stand, it is the measure."""
LEAST_SHARE = 0.55
"""A stand or a sit reaches this share of the practice stand in both."""
LEAST_PRACTICE = Lift(0.15, 0.3)
"""What a stand of 1.5 s is like. After slower ones, the leak's answer is as large as they are."""


class LumbarChair:
    """Online: vertical specific force in, a transition out when it has just ended.

    A sit is only looked for after a stand and the other way round, since the leak answers a quick movement with a
    slower one the other way.
    """

    def __init__(self, practice: Lift = QUICK_STAND, *, standing: bool = False) -> None:
        self._least = Lift(LEAST_SHARE * practice.height_m, LEAST_SHARE * practice.speed_m_s)
        self._standing = standing
        self._velocity = _VerticalVelocity()
        self._stretch = _Stretch()

    def update(self, time_s: float, vertical_m_s2: float) -> Transition | None:
        """vertical_m_s2: specific force along the earth's vertical, about 9.8 at rest; of an accelerometer alone, the
        length of its reading, which is nearly that."""
        upward_m_s = self._velocity.update(time_s, vertical_m_s2)
        wanted_m_s = -upward_m_s if self._standing else upward_m_s
        if self._stretch.goes_on(time_s, wanted_m_s):
            return None
        ended, self._stretch = self._stretch, _Stretch()
        lift = ended.lift
        if lift.height_m < self._least.height_m or lift.speed_m_s < self._least.speed_m_s:
            return None
        self._standing = not self._standing
        times_s = ended.start_s, ended.middle_s, time_s
        return Transition(self._standing, *times_s, 1.0, True, START_ERROR_S, END_ERROR_S)


def practice_lift(times_s: Iterable[float], vertical_m_s2: Iterable[float]) -> Lift:
    """The stand in a recording that holds one, begun sitting still. Raises UnmeasurableError where it is too slow."""
    velocity, stretch, highest = _VerticalVelocity(), _Stretch(), Lift(0.0, 0.0)
    for time_s, vertical in zip(times_s, vertical_m_s2, strict=True):
        upward_m_s = velocity.update(time_s, vertical)
        if not stretch.goes_on(time_s, upward_m_s):
            highest = max(highest, stretch.lift, key=lambda lift: lift.height_m)
            stretch = _Stretch()
    if highest.height_m < LEAST_PRACTICE.height_m or highest.speed_m_s < LEAST_PRACTICE.speed_m_s:
        raise UnmeasurableError(
            "The sensor at the lower back could not make out this stand: it was too slow. Wear it on the thigh."
        )
    return highest


class _VerticalVelocity:
    """Leaking integral of the vertical acceleration; starts anew after a gap."""

    def __init__(self) -> None:
        self._time_s: float | None = None
        self._mean_m_s2 = 0.0
        self._m_s = 0.0

    def update(self, time_s: float, vertical_m_s2: float) -> float:
        step_s = None if self._time_s is None else time_s - self._time_s
        self._time_s = time_s
        if step_s is None or step_s > LONGEST_GAP_S:
            self._mean_m_s2, self._m_s = vertical_m_s2, 0.0
            return 0.0
        self._mean_m_s2 += step_s / LEAK_S * (vertical_m_s2 - self._mean_m_s2)
        self._m_s += step_s * (vertical_m_s2 - self._mean_m_s2 - self._m_s / LEAK_S)
        return self._m_s


class _Stretch:
    """A run of velocity in one direction."""

    def __init__(self) -> None:
        self._points: list[tuple[float, float]] = []
        self._height_m = 0.0
        self._speed_m_s = 0.0

    def goes_on(self, time_s: float, speed_m_s: float) -> bool:
        """Take a speed; False once it is over, or has not begun."""
        if speed_m_s <= (0.0 if self._points else ONSET_M_S):
            return False
        if self._points:
            self._height_m += speed_m_s * (time_s - self._points[-1][0])
        self._points.append((time_s, self._height_m))
        self._speed_m_s = max(self._speed_m_s, speed_m_s)
        return True

    @property
    def lift(self) -> Lift:
        return Lift(self._height_m, self._speed_m_s)

    @property
    def start_s(self) -> float:
        return self._points[0][0]

    @property
    def middle_s(self) -> float:
        return next(time_s for time_s, height_m in self._points if height_m >= self._height_m / 2)
