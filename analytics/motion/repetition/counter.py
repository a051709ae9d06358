"""Counts repetitions on the joint angle: out from the rest pose, a turning point, and back.

Thresholds adapt to the range this person shows in this session, so that half-range movements after surgery count as
well as full ones. The rest pose is where the last movement ended and is followed while the leg is slow there. Nothing
looks ahead. What begins like a repetition and is none is told as well, with the reason.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from statistics import median

from analytics.motion.repetition.refusal import NotCounted, Reason

ONSET = 0.5
"""A movement has begun this share of the smallest repetition away from the rest pose."""
LEAST_OF_RANGE = 0.3
"""A movement below this share of the usual excursion is not a repetition …"""
RANGE_MEMORY = 5
"""… where usual is the median of so many last ones."""
RETURNED = 0.4
"""Back within this share of the excursion, the movement is over as soon as it slows down."""
NEAR_REST, NEAR_REST_DEG = 0.05, 1.5
"""Within this share of the excursion (and at least so many degrees) of the rest pose, a repetition starts and ends."""
SLOW_DEG_S, SLOW_SHARE = 8.0, 0.1
"""Slow is below the one, or below this share of the movement's greatest speed."""
VELOCITY_WINDOW_S = 0.1
REST_TIME_CONSTANT_S = 2.0
NEW_REST_AFTER_SMALL_S, NEW_REST_AFTER_LARGE_S = 4.0, 30.0
"""A leg still for so long away from its rest pose has a new one. The second holds for an exercise whose hold is shorter
than half of it."""
REACHED = 0.9
"""A target is reached from this share on: the angle itself is known to a few degrees only."""
LONGEST_MOVEMENT_S = 40.0
"""Out and back, without the hold that is asked for. Who swings on for longer has another rest pose."""
LONGEST_STEP_S = 0.3
"""A movement with a longer silence in it is not judged: its turning point may not have been seen."""


class Phase(Enum):
    RESTING = auto()
    OUT = auto()
    BACK = auto()
    LOST = auto()
    """The angle was missing for a while: wait for a rest pose."""


@dataclass(frozen=True, slots=True)
class CountedRepetition:
    """One movement out and back.

    excursion_deg: the larger of the ways out and back. peak_deg: the turning point on the scale that was given.
    curve: (time_s, angle_deg) from start to end. hold_s: time within a twentieth of the excursion of the turning point.
    """

    start_s: float
    peak_s: float
    end_s: float
    excursion_deg: float
    peak_deg: float
    peak_velocity_deg_s: float
    curve: tuple[tuple[float, float], ...]
    hold_s: float = 0.0


class RepetitionCounter:
    """State machine on an angle that grows in the exercise's direction.

    least_excursion_deg: below it nothing is a repetition, whoever moves.
    target_excursion_deg: what the program asks for; a movement that stops short of it is told and not counted. Without
        one, the person's own range is the measure.
    hold_s: how long the exercise asks to hold.
    """

    def __init__(
        self, least_excursion_deg: float, target_excursion_deg: float | None = None, hold_s: float = 0.0
    ) -> None:
        self._least_deg = least_excursion_deg
        self._longest_s = LONGEST_MOVEMENT_S + 2.0 * hold_s
        self._new_rest_s = max(NEW_REST_AFTER_LARGE_S, 2.0 * hold_s)
        self._target_deg = target_excursion_deg
        self._refused: list[NotCounted] = []
        self._phase = Phase.RESTING
        self._recent: deque[tuple[float, float]] = deque()
        self._curve: list[tuple[float, float]] = []
        self._usual: deque[float] = deque(maxlen=RANGE_MEMORY)
        self._rest_deg: float | None = None
        self._peak = (0.0, 0.0)
        self._fastest_deg_s = 0.0
        self._still_s = 0.0

    def interrupt(self) -> None:
        """The angle is not continuous from here on: what was under way is not counted."""
        if self._phase in (Phase.OUT, Phase.BACK):
            self._refuse(Reason.INTERRUPTED)
        self._recent.clear()
        self._curve.clear()
        self._still_s = 0.0
        if self._rest_deg is not None:
            self._phase = Phase.LOST

    def update(self, time_s: float, angle_deg: float) -> CountedRepetition | None:
        """Take one angle. Answers when a repetition has just ended."""
        step_s = time_s - self._recent[-1][0] if self._recent else 0.0
        if abs(step_s) > LONGEST_STEP_S:
            self.interrupt()
        elif step_s <= 0 and self._recent:
            return None  # a sensor's clock was just fitted anew; the next sample is late enough again
        velocity = self._velocity(time_s, angle_deg)
        self._still_s = self._still_s + step_s if abs(velocity) < SLOW_DEG_S else 0.0
        self._curve.append((time_s, angle_deg))
        if self._rest_deg is None:
            self._rest_deg = angle_deg
        if self._phase is Phase.RESTING:
            self._rest(angle_deg, velocity, step_s)
        elif self._phase is Phase.LOST:
            self._find_rest(angle_deg, velocity)
        else:
            return self._move(angle_deg, velocity)
        return None

    def finish(self) -> CountedRepetition | None:
        """Nothing more comes: a movement that is all but back is a repetition."""
        done = self._done() if self._phase is Phase.BACK else None
        if done is None and self._phase in (Phase.OUT, Phase.BACK):
            self._refuse(Reason.TOO_SHORT if self._short else Reason.NOT_RETURNED)
        self._phase = Phase.RESTING
        return done

    def refused(self) -> list[NotCounted]:
        """Movements since the last call that began like a repetition and were not counted."""
        told, self._refused = self._refused, []
        return told

    def _refuse(self, reason: Reason) -> None:
        assert self._rest_deg is not None
        reached_deg, needed_deg = self._peak[1] - self._rest_deg, self._target_deg or self._smallest_deg
        start_s, end_s = (self._curve[0][0], self._curve[-1][0]) if self._curve else (self._peak[0], self._peak[0])
        self._refused.append(NotCounted(start_s, end_s, reason, reached_deg, needed_deg))

    @property
    def _short(self) -> bool:
        assert self._rest_deg is not None
        return self._peak[1] - self._rest_deg < self._smallest_deg

    @property
    def _smallest_deg(self) -> float:
        if self._target_deg is not None:
            return max(self._least_deg, REACHED * self._target_deg)
        return max(self._least_deg, LEAST_OF_RANGE * median(self._usual)) if self._usual else self._least_deg

    def _velocity(self, time_s: float, angle_deg: float) -> float:
        recent = self._recent
        recent.append((time_s, angle_deg))
        while len(recent) > 2 and recent[1][0] <= time_s - VELOCITY_WINDOW_S:
            recent.popleft()
        elapsed_s = time_s - recent[0][0]
        return (angle_deg - recent[0][1]) / elapsed_s if elapsed_s > 0 else 0.0

    def _rest(self, angle_deg: float, velocity: float, step_s: float) -> None:
        assert self._rest_deg is not None
        away = angle_deg - self._rest_deg
        if away < 0:
            self._rest_deg = angle_deg
        elif abs(velocity) < SLOW_DEG_S:
            self._rest_deg += away * min(1.0, step_s / REST_TIME_CONSTANT_S)
        if away <= max(NEAR_REST_DEG, NEAR_REST * (median(self._usual) if self._usual else self._least_deg)):
            del self._curve[:-1]
        if away >= ONSET * self._smallest_deg:
            self._phase, self._peak, self._fastest_deg_s = Phase.OUT, self._curve[-1], abs(velocity)

    def _find_rest(self, angle_deg: float, velocity: float) -> None:
        assert self._rest_deg is not None
        del self._curve[:-1]
        near = self._rest_deg + RETURNED * (median(self._usual) if self._usual else self._least_deg)
        if (angle_deg <= near and velocity > -SLOW_DEG_S) or self._still_s >= NEW_REST_AFTER_LARGE_S:
            self._settle()

    def _move(self, angle_deg: float, velocity: float) -> CountedRepetition | None:
        assert self._rest_deg is not None
        if angle_deg > self._peak[1]:
            self._peak = self._curve[-1]
        self._fastest_deg_s = max(self._fastest_deg_s, abs(velocity))
        excursion = self._peak[1] - self._rest_deg
        if self._still_s >= (NEW_REST_AFTER_SMALL_S if self._short else self._new_rest_s):
            if not self._short:
                self._refuse(Reason.NOT_RETURNED)  # a short one was a new way to sit
            self._settle()
            return None
        if self._curve[-1][0] - self._curve[0][0] > self._longest_s:
            self._refuse(Reason.NOT_RETURNED)
            self._rest_again()
            return None
        if angle_deg > self._rest_deg + RETURNED * excursion:
            self._phase = Phase.OUT
            return None
        self._phase = Phase.BACK
        if velocity <= -max(SLOW_DEG_S, SLOW_SHARE * self._fastest_deg_s):
            return None
        done = self._done()
        if done is None:
            self._refuse(Reason.TOO_SHORT)
        self._settle()
        return done

    def _rest_again(self) -> None:
        """Nobody came back to where this movement began: rest is where it turned in its second half."""
        middle_s = (self._curve[0][0] + self._curve[-1][0]) / 2.0
        rest_deg = min(angle_deg for time_s, angle_deg in self._curve if time_s >= middle_s)
        self._settle()
        self._phase, self._rest_deg = Phase.LOST, rest_deg

    def _settle(self) -> None:
        """Rest here; between quick repetitions, where the turn just was."""
        self._phase, self._rest_deg, self._still_s = Phase.RESTING, min(a for _, a in self._recent), 0.0
        del self._curve[:-1]

    def _done(self) -> CountedRepetition | None:
        assert self._rest_deg is not None
        peak_s, peak_deg = self._peak
        excursion = peak_deg - self._rest_deg
        if self._short:
            return None
        near = max(NEAR_REST_DEG, NEAR_REST * excursion)
        starts = (k for k, (t, a) in enumerate(self._curve) if t < peak_s and a <= self._rest_deg + near)
        ends = (k for k, (t, a) in enumerate(self._curve) if t > peak_s and a <= self._curve[-1][1] + near)
        start, end = max(starts, default=0), min(ends, default=len(self._curve) - 1)
        curve = tuple(self._curve[start : end + 1])
        # A leg that sat half-way out before the first repetition has a shorter way out than back; the range is all.
        excursion = max(excursion, peak_deg - curve[-1][1])
        self._usual.append(excursion)
        held = [t for t, a in curve if a >= peak_deg - near]
        return CountedRepetition(
            curve[0][0], peak_s, curve[-1][0], excursion, peak_deg, self._fastest_deg_s, curve, held[-1] - held[0]
        )
