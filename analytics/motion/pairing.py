"""Two sensors, each on its own clock and rate, brought to common instants: those of the distal sensor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from analytics.motion.orientation import OrientedSample
from analytics.motion.quaternion import Quaternion, Vector, between

LONGEST_WAIT_S = 10.0
"""A sample waits this long for the other sensor's; what is older when new samples come is given up."""


@dataclass(frozen=True, slots=True)
class JointSample:
    """Both segments at one instant. `restarted`: a heading is another than at the sample before."""

    time_s: float
    sensor_time_us: int
    proximal: Quaternion
    distal: Quaternion
    proximal_rate_rad_s: Vector
    distal_rate_rad_s: Vector
    restarted: bool


class SensorPair:
    """Gives a joint sample for each distal sample as soon as the proximal sensor has passed its instant.

    Which samples come out does not depend on how they were cut into packets, nor on which sensor's packets come
    first, as long as neither is more than LONGEST_WAIT_S behind.
    """

    def __init__(self) -> None:
        self._proximal: deque[OrientedSample] = deque()
        self._distal: deque[OrientedSample] = deque()
        self._restarted = True

    def add_proximal(self, samples: list[OrientedSample]) -> list[JointSample]:
        """Take samples of the proximal sensor, return what they complete."""
        if samples:
            self._forget(self._proximal, samples[0].time_s)
            self._proximal.extend(samples)
        return list(self._complete())

    def add_distal(self, samples: list[OrientedSample]) -> list[JointSample]:
        """Take samples of the distal sensor, return what can be completed."""
        if samples:
            self._forget(self._distal, samples[0].time_s)
            self._distal.extend(samples)
        return list(self._complete())

    def _forget(self, waiting: deque[OrientedSample], now_s: float) -> None:
        while len(waiting) > 1 and waiting[0].time_s < now_s - LONGEST_WAIT_S:
            self._drop(waiting)

    def _drop(self, waiting: deque[OrientedSample]) -> None:
        """Drop the oldest, remembering a restart: of a distal sample that is lost, of the proximal one now in front."""
        dropped = waiting.popleft()
        self._restarted |= waiting[0].restarted if waiting is self._proximal else dropped.restarted

    def _complete(self) -> Iterator[JointSample]:
        proximal, distal = self._proximal, self._distal
        while distal and proximal:
            now_s = distal[0].time_s
            while len(proximal) > 1 and proximal[1].time_s <= now_s:
                self._drop(proximal)
            if proximal[0].time_s > now_s:
                self._drop(distal)  # the proximal sensor was not there yet
            elif proximal[0].time_s == now_s:
                yield self._joint(proximal[0], proximal[0], 0.0)
            elif len(proximal) == 1:
                return  # the proximal sensor has not come this far
            elif proximal[1].restarted:
                self._drop(distal)  # the instant lies in the proximal sensor's gap
            else:
                before, after = proximal[0], proximal[1]
                yield self._joint(before, after, (now_s - before.time_s) / (after.time_s - before.time_s))

    def _joint(self, before: OrientedSample, after: OrientedSample, share: float) -> JointSample:
        distal = self._distal.popleft()
        (ax, ay, az), (bx, by, bz) = before.rate_rad_s, after.rate_rad_s
        restarted, self._restarted = self._restarted or distal.restarted, False
        return JointSample(
            distal.time_s,
            distal.sensor_time_us,
            between(before.orientation, after.orientation, share),
            distal.orientation,
            (ax + share * (bx - ax), ay + share * (by - ay), az + share * (bz - az)),
            distal.rate_rad_s,
            restarted,
        )
