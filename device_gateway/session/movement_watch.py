"""What worn sensors do before a joint's axis is known: hold still, move, and show by a movement which of them is where.

No pose has to be taken for it: resting before the first movement is the still pose, and how far each sensor turns in
that movement is compared with how far its segment should.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from analytics.domain.exercise import Segment
from analytics.motion.calibration import MOVING_RAD_S, StillPose, still_pose, turned_deg, which_is_where
from analytics.motion.calibration.still_pose import STILL_POSE_S
from analytics.signals.samples import FloatArray, ImuSamples

REST_AFTER_S = 0.5
"""So long without movement ends one. A little longer than the tracker waits, so that it has spoken first."""
LONGEST_MOVEMENT_S = 15.0
LEAST_EXPLAINED = 0.9
"""Share of the mover's rotation on one axis, as the tracker asks: strapping a sensor on turns it every way."""
SURELY = 2.0
"""In the middle of a movement it must have gone so many times the least excursion to be judged."""
LOOK_EVERY = 8
LONGEST_WAIT_S = 10.0
"""A sample waits so long for a sensor that is needed."""
LONGEST_WAIT_FOR_OTHERS_S = 0.5
"""One that only helps to tell where others are holds up nobody; what it brings later is not looked at."""

_Sample = tuple[float, list[float]]
"""Time, and angular rate and specific force one after the other."""


@dataclass(frozen=True, slots=True)
class HeldStill:
    """All sensors have been quiet for two seconds; what each showed meanwhile."""

    poses: Mapping[Segment, StillPose]

    @property
    def refusal(self) -> str | None:
        """Why it is no still pose."""
        return next((pose.refusal for pose in self.poses.values() if pose.refusal), None)


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement that shows which sensor is where. Comes once per movement, as soon as it is clear.

    segment_of: said to true.
    """

    segment_of: Mapping[Segment, Segment]


@dataclass(frozen=True, slots=True)
class Ended:
    """A movement large enough to be one is over; a hold parts the way out from the way back. `clear`: it `Moved`."""

    clear: bool


Seen = HeldStill | Moved | Ended


class MovementWatch:
    """What is seen does not depend on how samples were cut into packets, nor on which sensor's come first.

    shares: how far the segments to be told apart should turn, as a share of the one that turns most; with none,
    nothing `Moved`. least_margin: how sure that must be, see `which_is_where`. others: segments whose sensors need not
    be there.
    """

    def __init__(
        self, rates_hz: Mapping[Segment, float], least_excursion_deg: float, others: Collection[Segment] = ()
    ) -> None:
        self.shares: Mapping[Segment, float] = {}
        self.least_margin = 0.0
        self._rates_hz = dict(rates_hz)
        self._least_deg = least_excursion_deg
        self._others = frozenset(others)
        self._newest_s = self._looked_s = -inf
        self._waiting: dict[Segment, deque[_Sample]] = {segment: deque() for segment in rates_hz}
        self._quiet: dict[Segment, deque[_Sample]] = {segment: deque() for segment in rates_hz}
        self._rates: dict[Segment, list[list[float]]] = {segment: [] for segment in rates_hz}
        self._began_s: float | None = None
        self._last_moving_s = -inf
        self._quiet_since_s = inf
        self._told_still = False
        self._clear = False

    def update(self, segment: Segment, samples: ImuSamples, time_s: FloatArray) -> list[Seen]:
        """Take a run of samples of one sensor with the session time (n,) of each."""
        readings = np.hstack([samples.gyr_rad_s, samples.acc_m_s2])
        finite = np.isfinite(readings).all(axis=1)
        waiting = self._waiting[segment]
        while waiting and waiting[0][0] < float(time_s[0]) - LONGEST_WAIT_S:
            waiting.popleft()
        in_time = finite & (time_s >= self._looked_s)
        waiting.extend(zip(time_s[in_time].tolist(), readings[in_time].tolist(), strict=True))
        # A recording may come whole, one sensor after the other: patience counts to where a run begins, not ends.
        self._newest_s = max(self._newest_s, float(time_s[0]))
        seen: list[Seen] = []
        while (first := self._next()) is not None:
            self._looked_s = self._waiting[first][0][0]
            seen += self._step(first, *self._waiting[first].popleft())
        return seen

    def _next(self) -> Segment | None:
        """Whose sample is the oldest, once nobody is waited for who might have an older one."""
        heard = [segment for segment, waiting in self._waiting.items() if waiting]
        if not heard:
            return None
        first = min(heard, key=lambda segment: self._waiting[segment][0][0])
        too_late = self._newest_s - self._waiting[first][0][0] > LONGEST_WAIT_FOR_OTHERS_S
        silent = self._waiting.keys() - heard
        return first if not silent or (too_late and silent <= self._others) else None

    def _step(self, segment: Segment, time_s: float, reading: list[float]) -> list[Seen]:
        x, y, z = rate_rad_s = reading[:3]
        if sqrt(x * x + y * y + z * z) > MOVING_RAD_S:
            self._last_moving_s = time_s
            self._began_s = time_s if self._began_s is None else self._began_s
        if self._began_s is None:
            return self._rest(segment, time_s, reading)
        self._rates[segment].append(rate_rad_s)
        over = time_s - self._last_moving_s >= REST_AFTER_S or time_s - self._began_s > LONGEST_MOVEMENT_S
        if not over and (self._clear or len(self._rates[segment]) % LOOK_EVERY):
            return []
        turned = {one: turned_deg(np.array(rates), self._rates_hz[one]) for one, rates in self._rates.items() if rates}
        seen: list[Seen] = []
        if not self._clear and (shown := self._shown(turned, self._least_deg * (1.0 if over else SURELY))):
            self._clear = True
            seen.append(shown)
        if over:
            if max(turned.values()) >= self._least_deg:
                seen.append(Ended(self._clear))
            self._settle(time_s)
        return seen

    def _rest(self, segment: Segment, time_s: float, reading: list[float]) -> list[Seen]:
        self._quiet_since_s = min(self._quiet_since_s, time_s)
        quiet = self._quiet[segment]
        quiet.append((time_s, reading))
        while quiet[0][0] < time_s - STILL_POSE_S:
            quiet.popleft()
        if self._told_still or time_s - self._quiet_since_s < STILL_POSE_S:
            return []
        held = HeldStill({one: self._pose(one) for one, samples in self._quiet.items() if samples})
        self._told_still = held.refusal is None
        self._quiet_since_s = time_s
        return [held]

    def _pose(self, segment: Segment) -> StillPose:
        readings = np.array([reading for _, reading in self._quiet[segment]])
        return still_pose(readings[:, 3:], readings[:, :3], self._rates_hz[segment])

    def _settle(self, time_s: float) -> None:
        self._began_s, self._quiet_since_s = None, time_s
        self._told_still = self._clear = False
        for segment in self._rates:
            self._rates[segment].clear()
            self._quiet[segment].clear()

    def _shown(self, turned: Mapping[Segment, float], least_deg: float) -> Moved | None:
        """Where the sensors are, if one has turned so far, about one axis, and the others as they should beside it."""
        shares: dict[str, list[float]] = {one: [share] for one, share in self.shares.items() if one in turned}
        if len(shares) < 2:
            return None
        mover = max((Segment(one) for one in shares), key=lambda one: turned[one])
        if turned[mover] < least_deg:
            return None
        where = which_is_where({one: [turned[Segment(one)]] for one in shares}, shares)
        if where.refusal is not None or where.margin < self.least_margin:
            return None
        rates = np.array(self._rates[mover])
        across = np.linalg.eigvalsh(rates.T @ rates)
        if across[2] < LEAST_EXPLAINED * across.sum():
            return None
        return Moved({Segment(sensor): Segment(segment) for sensor, segment in where.segment_of.items()})
