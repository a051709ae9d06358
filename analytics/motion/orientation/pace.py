"""How many samples a sensor takes for each that it should. Cheap sensors time themselves by an oscillator that may be a
tenth off, and a gyroscope integrated at the rate that was set then turns a tenth too far.

Two things show it: more samples come in a second than should, or, where they were brought to an even grid already, the
sensor's count of its samples runs ahead of the session's clock. A sensor that tells the time is on the grid as it is.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analytics.motion.orientation.readings import Complaint, ReadingFault
from analytics.signals.samples import BoolArray, FloatArray, IntArray

FAR_SHARE = 0.05
"""Clocks of consumer sensors are within 1 %, and what a maker calls 50 Hz within 3 %."""
MOST_SHARE = 1.5
"""No oscillator is further off; a recording that is played faster than life is."""
JITTER_S = 0.1
"""A clock that is fitted to arrivals moves by so much at most while it settles."""
LEAST_S, REFINED_S = 1.0, 5.0
LOOK_EVERY_S = 0.25


class SamplingPace:
    """Of one sensor. `update` gives the same however samples were cut into packets."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._every = max(1, round(LOOK_EVERY_S * rate_hz))
        self._began: tuple[float, int] | None = None
        self._count = 0
        self._share = 1.0
        self._far = False

    @property
    def fault(self) -> ReadingFault | None:
        """What is to be said of it."""
        if not self._far:
            return None
        return ReadingFault(
            Complaint.SAMPLING_RATE,
            f"This sensor takes {self._share * self._rate_hz:.0f} samples a second, not {self._rate_hz:.0f} as set. "
            "Its angle is corrected for that; switch it off and on again before the next session.",
        )

    def update(self, time_s: FloatArray, sensor_time_us: IntArray, restarted: BoolArray) -> FloatArray:
        """Take the times of samples (n,), by the session's clock and by the sensor's own, and which are the first after
        a gap (n,); answer what to divide their angular rates by (n,), so that they add up to what was turned."""
        gaps = np.flatnonzero(restarted).tolist()
        shares = []
        for first, last in pairwise([0, *gaps, len(time_s)]):
            shares.append(self._of_run(time_s[first:last], sensor_time_us[first:last]))
            if last in gaps:
                self._began = None
        return np.concatenate(shares)

    def _of_run(self, time_s: FloatArray, sensor_time_us: IntArray) -> FloatArray:
        shares = np.full(len(time_s), self._share)
        if not len(time_s):
            return shares
        if self._began is None:
            self._began, self._count = (float(time_s[0]), int(sensor_time_us[0])), 0
        for k in range(-self._count % self._every, len(time_s), self._every):
            elapsed_s = float(time_s[k]) - self._began[0]
            if elapsed_s >= LEAST_S:
                told_s = 1e-6 * float(sensor_time_us[k] - self._began[1])
                self._look(elapsed_s, (self._count + k) / self._rate_hz, told_s)
                shares[k:] = self._share
        self._count += len(time_s)
        return shares

    def _look(self, elapsed_s: float, counted_s: float, told_s: float) -> None:
        share = max(counted_s / elapsed_s, told_s / elapsed_s, key=lambda one: abs(one - 1.0))
        if not 1.0 / MOST_SHARE < share < MOST_SHARE:
            return
        newly = not self._far and abs(share - 1.0) > FAR_SHARE + JITTER_S / elapsed_s
        self._far |= newly
        if newly or (self._far and elapsed_s >= REFINED_S):
            self._share = share
