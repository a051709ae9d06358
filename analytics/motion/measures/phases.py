"""The parts of a repetition: the way out, the hold at the turning point, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.motion.measures.curve import derivative
from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.signals.samples import FloatArray

SLOW_SHARE = 0.05
"""A movement begins and ends where its speed passes this share of its greatest, as is usual for single movements. A
smooth stroke loses 6 % of its duration at each end to it."""
NEAR_SHARE = 0.1
"""Slow counts as holding or resting only so near, as a share of the range: a stop half-way belongs to the way. The
first and the last slow moment there bound a hold, so that trembling in it does not end it."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Sample indices: the movement starts, arrives at its turning point, leaves it, and ends."""

    start: int
    arrive: int
    leave: int
    end: int

    @property
    def out(self) -> slice:
        return slice(self.start, self.arrive + 1)

    @property
    def back(self) -> slice:
        return slice(self.leave, self.end + 1)


def away_from_rest(angle_deg: FloatArray) -> FloatArray:
    """The curve with its turning point upwards, whichever direction the exercise has. Both ends tell: the leg may have
    been half-way out before the first repetition."""
    moved = angle_deg - (angle_deg[0] + angle_deg[-1]) / 2.0
    return np.asarray(moved if moved.max() >= -moved.min() else -moved)


def phases_of(angle_deg: FloatArray, rate_hz: float) -> Phases:
    """Parts of one repetition (n,), evenly sampled, that starts and ends near its rest pose."""
    away = away_from_rest(angle_deg)
    velocity = derivative(away, rate_hz)
    peak = int(np.argmax(away))
    if not 0 < peak < len(away) - 1:
        raise UnmeasurableError("The movement has no turning point: it was cut before it came back.")
    rise, fall = float(away[peak] - away[:peak].min()), float(away[peak] - away[peak:].min())
    speed = np.abs(velocity)
    slow_out = speed <= SLOW_SHARE * speed[: peak + 1].max()
    slow_back = speed <= SLOW_SHARE * speed[peak:].max()
    index = np.arange(len(away))
    before, after = index <= peak, index >= peak
    low_before = before & (away < away[peak] - NEAR_SHARE * rise)
    low_after = after & (away < away[peak] - NEAR_SHARE * fall)
    rising = before & (index > index[low_before].max(initial=-1))
    falling = after & (index < index[low_after].min(initial=len(away)))
    resting = before & slow_out & (away <= away[:peak].min() + NEAR_SHARE * rise)
    returned = after & slow_back & (away <= away[peak:].min() + NEAR_SHARE * fall)
    return Phases(
        start=int(index[resting].max(initial=0)),
        arrive=int(index[rising & slow_out].min(initial=peak)),
        leave=int(index[falling & slow_back].max(initial=peak)),
        end=int(index[returned].min(initial=len(away) - 1)),
    )
