"""Standing up and sitting down as a sensor on the thigh sees it, with or without one on the trunk.

Between chair and standing the thigh turns by about a right angle and the trunk comes back to where it was, so the thigh
alone tells the two apart. It stays on the seat while the trunk already leans forward, though: only a trunk sensor, or
the word "go", tells when the movement began.
"""

from __future__ import annotations

from collections import deque

from analytics.motion.timed.transition import Transition

STANDING_SHARE, SITTING_SHARE = 0.8, 0.25
"""Standing and sitting begin at these shares of the full way: far enough apart that a half-way stand is neither."""
ATTEMPT_SHARE = 0.3
"""A start that came less far is fidgeting on the seat, not an attempt to stand."""
SLOW_DEG_S, SLOW_SHARE = 5.0, 0.05
"""Movement has stopped below the one, or below this share of its greatest speed."""
VELOCITY_WINDOW_S = 0.1
START_ERROR_S, END_ERROR_S = 0.15, 0.1
"""tests/analytics/motion/test_timed_thigh.py measures them. The trunk's lean before the thigh moves comes on top."""
LONGEST_GAP_S = 0.3
"""After a longer silence what is under way is not judged."""


class ThighChair:
    """Online: an angle in, a transition out when it has just ended.

    full_deg: how far the thigh turns from sitting to standing in the practice stand that the protocols ask for. The
    person sits when the first angle comes.
    """

    def __init__(self, full_deg: float) -> None:
        if not full_deg > 0:
            raise ValueError(f"The thigh must turn by more than 0° from sitting to standing, not {full_deg}.")
        self._full_deg = full_deg
        self._recent: deque[tuple[float, float]] = deque()
        self._trunk_recent: deque[tuple[float, float]] = deque()
        self._standing = False
        self._begin()

    def update(self, time_s: float, rise_deg: float, trunk_deg: float | None = None) -> Transition | None:
        """rise_deg: turn of the thigh from its sitting pose, positive to standing. trunk_deg: lean of the trunk; where
        it is given, a rise starts with whichever of the two moves first."""
        if self._recent and time_s - self._recent[-1][0] > LONGEST_GAP_S:
            self._recent.clear()
            self._trunk_recent.clear()
            self._begin()
        velocity = _velocity(self._recent, time_s, rise_deg)
        trunk_velocity = _velocity(self._trunk_recent, time_s, trunk_deg) if trunk_deg is not None else 0.0
        return self._move(time_s, rise_deg / self._full_deg, velocity, abs(trunk_velocity) < SLOW_DEG_S)

    def _begin(self) -> None:
        """Wait for the next movement."""
        self._start_s: float | None = None
        self._middle_s: float | None = None
        self._furthest = 0.0
        self._fastest_deg_s = 0.0

    def _move(self, time_s: float, share: float, velocity: float, trunk_still: bool) -> Transition | None:
        """share: of the full way, from sitting. From here on, `done` is the share of the way that is to be done now."""
        done, speed = (1.0 - share, -velocity) if self._standing else (share, velocity)
        resting = self._furthest < ATTEMPT_SHARE and speed < SLOW_DEG_S and trunk_still
        if self._start_s is None or (resting and done < ATTEMPT_SHARE):
            self._start_s, self._fastest_deg_s = time_s, 0.0
        if self._middle_s is None and done >= 0.5:
            self._middle_s = time_s
        self._furthest = max(self._furthest, done)
        self._fastest_deg_s = max(self._fastest_deg_s, speed)
        enough = 1.0 - SITTING_SHARE if self._standing else STANDING_SHARE
        if done >= enough and speed < max(SLOW_DEG_S, SLOW_SHARE * self._fastest_deg_s):
            return self._end(time_s, complete=True)
        if self._furthest >= ATTEMPT_SHARE and done <= ATTEMPT_SHARE / 2:
            return self._end(time_s, complete=False)
        return None

    def _end(self, time_s: float, *, complete: bool) -> Transition:
        start_s = time_s if self._start_s is None else self._start_s
        middle_s = time_s if self._middle_s is None else self._middle_s
        up, reached = not self._standing, self._furthest
        ended = Transition(up, start_s, middle_s, time_s, reached, complete, START_ERROR_S, END_ERROR_S)
        if complete:
            self._standing = not self._standing
        self._begin()
        return ended


def _velocity(recent: deque[tuple[float, float]], time_s: float, angle_deg: float) -> float:
    """Mean rate [°/s] over the last VELOCITY_WINDOW_S, this sample included."""
    recent.append((time_s, angle_deg))
    while len(recent) > 2 and recent[1][0] <= time_s - VELOCITY_WINDOW_S:
        recent.popleft()
    elapsed_s = time_s - recent[0][0]
    return (angle_deg - recent[0][1]) / elapsed_s if elapsed_s > 0 else 0.0
