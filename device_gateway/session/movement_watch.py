"""What the two sensors of a joint do before its axis is known: rest, move, which of them moves, and how still it was.

A hinge is moved by the segment beyond it, so the sensor that turns more is the distal one: no pose to take, and the
first movement of the exercise itself is the check.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import degrees, inf, radians, sqrt

import numpy as np

from analytics.domain.exercise import Segment
from analytics.signals.samples import FloatArray

MOVING_RAD_S = radians(10.0)
"""Faster than this is movement: above a cheap gyroscope's bias, below a slow patient; as in motion.calibration."""
REST_AFTER_S = 0.5
"""So long without movement ends one. A little longer than the tracker waits, so that it has spoken first."""
LONGEST_MOVEMENT_S = 15.0
STILL_S = 2.0
CLEARLY_MORE = 2.0
"""The mover turns so many times as far as the other: in seated knee extensions 7, as the thigh lifts by 8 to 11°."""
LEAST_EXPLAINED = 0.9
"""Share of the mover's rotation on one axis, as the tracker asks: strapping a sensor on turns it every way."""
SURELY = 2.0
"""In the middle of a movement it must have gone so many times the least excursion to be judged."""
LOOK_EVERY = 4
LONGEST_WAIT_S = 10.0
"""A sample waits so long for the other sensor's."""


@dataclass(frozen=True, slots=True)
class HeldStill:
    """Both sensors have been quiet for STILL_S; their RMS angular rate about its mean [°/s], the greater of the two."""

    rms_deg_s: float


@dataclass(frozen=True, slots=True)
class Moved:
    """This sensor alone turns, about one axis. Comes once per movement, as soon as it is clear."""

    mover: Segment


@dataclass(frozen=True, slots=True)
class Ended:
    """A movement large enough to be one is over; a hold parts the way out from the way back. `clear`: it `Moved`."""

    clear: bool


Seen = HeldStill | Moved | Ended


class MovementWatch:
    """What is seen does not depend on how samples were cut into packets, nor on which sensor's come first."""

    def __init__(self, rates_hz: Mapping[Segment, float], least_excursion_deg: float) -> None:
        self._periods_s = {segment: 1.0 / rate_hz for segment, rate_hz in rates_hz.items()}
        self._least_rad = radians(least_excursion_deg)
        self._waiting: dict[Segment, deque[tuple[float, list[float]]]] = {segment: deque() for segment in rates_hz}
        self._quiet: dict[Segment, deque[tuple[float, list[float]]]] = {segment: deque() for segment in rates_hz}
        self._rates: dict[Segment, list[list[float]]] = {segment: [] for segment in rates_hz}
        self._path_rad = dict.fromkeys(rates_hz, 0.0)
        self._began_s: float | None = None
        self._last_moving_s = -inf
        self._quiet_since_s = inf
        self._told_still = False
        self._clear = False

    def update(self, segment: Segment, time_s: FloatArray, gyr_rad_s: FloatArray) -> list[Seen]:
        """Take a run of samples of one sensor: session time (n,), angular rate (n, 3)."""
        waiting = self._waiting[segment]
        while waiting and waiting[0][0] < float(time_s[0]) - LONGEST_WAIT_S:
            waiting.popleft()
        waiting.extend(zip(time_s.tolist(), gyr_rad_s.tolist(), strict=True))
        seen: list[Seen] = []
        while all(self._waiting.values()):
            first = min(self._waiting, key=lambda s: self._waiting[s][0][0])
            seen += self._step(first, *self._waiting[first].popleft())
        return seen

    def _step(self, segment: Segment, time_s: float, rate_rad_s: list[float]) -> list[Seen]:
        speed = sqrt(sum(value * value for value in rate_rad_s))
        if speed > MOVING_RAD_S:
            self._last_moving_s = time_s
            self._began_s = time_s if self._began_s is None else self._began_s
        if self._began_s is None:
            return self._rest(segment, time_s, rate_rad_s)
        self._rates[segment].append(rate_rad_s)
        if speed > MOVING_RAD_S:
            self._path_rad[segment] += speed * self._periods_s[segment]
        seen: list[Seen] = []
        over = time_s - self._last_moving_s >= REST_AFTER_S or time_s - self._began_s > LONGEST_MOVEMENT_S
        look = over or len(self._rates[segment]) % LOOK_EVERY == 0
        if look and not self._clear and (mover := self._mover(self._least_rad * (1.0 if over else SURELY))):
            self._clear = True
            seen.append(Moved(mover))
        if over:
            if max(self._path_rad.values()) >= self._least_rad:
                seen.append(Ended(self._clear))
            self._settle(time_s)
        return seen

    def _rest(self, segment: Segment, time_s: float, rate_rad_s: list[float]) -> list[Seen]:
        self._quiet_since_s = min(self._quiet_since_s, time_s)
        quiet = self._quiet[segment]
        quiet.append((time_s, rate_rad_s))
        while quiet[0][0] < time_s - STILL_S:
            quiet.popleft()
        if self._told_still or time_s - self._quiet_since_s < STILL_S:
            return []
        self._told_still = True
        return [HeldStill(max(_rms_deg_s([rate for _, rate in rates]) for rates in self._quiet.values() if rates))]

    def _settle(self, time_s: float) -> None:
        self._began_s, self._quiet_since_s = None, time_s
        self._told_still = self._clear = False
        for segment in self._rates:
            self._rates[segment].clear()
            self._quiet[segment].clear()
            self._path_rad[segment] = 0.0

    def _mover(self, least_rad: float) -> Segment | None:
        """The sensor that has turned so far, clearly more than the other, and about one axis."""
        less, more = sorted(self._path_rad, key=lambda segment: self._path_rad[segment])
        if self._path_rad[more] < least_rad or self._path_rad[more] < CLEARLY_MORE * self._path_rad[less]:
            return None
        rates = np.asarray(self._rates[more])
        shares = np.linalg.eigvalsh(rates.T @ rates)
        return more if shares[2] >= LEAST_EXPLAINED * shares.sum() else None


def _rms_deg_s(rates_rad_s: list[list[float]]) -> float:
    rates = np.asarray(rates_rad_s)
    return degrees(float(np.sqrt(np.mean(np.sum((rates - rates.mean(axis=0)) ** 2, axis=1)))))
