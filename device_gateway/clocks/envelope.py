"""The line under which no packet's delay falls: a sensor's clock as arrivals alone show it.

A sample arrives late by a delay that varies with the radio's connection events and never falls below what the link
takes at best. The lower envelope of (arrival minus sensor time) is therefore the sensor's clock, whereas arrival itself
is not. Window minima of the delay are fitted by a robust line; the slope is held by what crystals can do, so that a
short or jittery connection is placed by its offset alone and a long one by its own skew. Where the gateway itself had
no time for seconds, whole windows arrive late; what no crystal could have fallen behind by is left out of the fit.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from analytics.signals.samples import FloatArray

WINDOW_S = 2.0
"""One delay minimum is kept per window: with 8 % lost connection events, 40 packets hold several undelayed ones."""
WINDOW_PACKETS = 20
"""...and a window is not closed before this many, so that a minimum means as much when a replay runs faster."""
LEAST_SPREAD_S = 0.001
"""Window minima are never trusted to better than a host's scheduling."""
STALLED_S = 0.1
"""What is later than this, a few lost connection events included, was not held up by the radio."""
LARGEST_SKEW = 4.0
"""Standard deviations of the skew: what is beyond them is no skew."""


class Line(NamedTuple):
    """Delay over sensor time, both in seconds, and the standard deviations of its level and slope about `middle_s`."""

    offset_s: float
    slope: float
    middle_s: float
    level_sd_s: float
    slope_sd: float

    def at(self, sensor_s: float) -> float:
        return self.offset_s + self.slope * sensor_s

    def sd_at(self, sensor_s: float) -> float:
        return math.hypot(self.level_sd_s, self.slope_sd * (sensor_s - self.middle_s))


class DelayEnvelope:
    """tolerance_ppm: standard deviation of the clock's skew before anything is known; kept_windows: what is fitted."""

    def __init__(self, tolerance_ppm: float, kept_windows: int) -> None:
        self._tolerance = tolerance_ppm * 1e-6
        self._minima: deque[tuple[float, float]] = deque(maxlen=kept_windows)
        self._recent: deque[tuple[float, float]] = deque(maxlen=1000)
        self._window_start_s, self._window_arrival_s = 0.0, -math.inf
        self._window_packets = 0
        self._window_minimum = (0.0, math.inf)
        self.line = Line(math.inf, 0.0, 0.0, LEAST_SPREAD_S, self._tolerance)

    @property
    def newest_s(self) -> float | None:
        """Sensor time of the newest packet; None before the first."""
        return self._recent[-1][0] if self._recent else None

    def add(self, sensor_s: float, delay_s: float) -> bool:
        """Take one packet's sensor time and delay; True where the line is another now."""
        self._recent.append((sensor_s, delay_s))
        self._window_packets += 1
        if delay_s < self._window_minimum[1]:
            self._window_minimum = (sensor_s, delay_s)
        # By both clocks: what comes all at once after a stall is one window, and its last packets are hardly late.
        arrival_s = sensor_s + delay_s
        lasted_s = min(sensor_s - self._window_start_s, arrival_s - self._window_arrival_s)
        if self._window_packets >= WINDOW_PACKETS and lasted_s >= WINDOW_S:
            self._minima.append(self._window_minimum)
            self._window_start_s, self._window_arrival_s = sensor_s, arrival_s
            self._window_packets, self._window_minimum = 0, (0.0, math.inf)
            recent_s, delays_s = np.array(self._recent).T
            level_s = delays_s - self.line.slope * recent_s
            level_s = level_s[level_s <= np.min(level_s) + STALLED_S] - np.min(level_s)
            # The least of n delays scatters by about their spread over n.
            scatter_s = float(np.percentile(level_s, 95)) / WINDOW_PACKETS
            minima = _not_stalled(np.array(self._minima), self._tolerance)
            self.line = _robust_line(minima, max(LEAST_SPREAD_S, scatter_s), self._tolerance)
            return True
        if not self._minima and delay_s < self.line.offset_s:  # before the first window is complete: offset only
            self.line = Line(delay_s, 0.0, sensor_s, LEAST_SPREAD_S, self._tolerance)
            return True
        return False

    def residual_s(self, share: float = 0.95) -> float:
        """How far this share of recent arrivals lies from the line at most."""
        if not self._recent:
            return 0.0
        sensor_s, delay_s = np.array(self._recent).T
        return float(np.quantile(np.abs(delay_s - self.line.offset_s - self.line.slope * sensor_s), share))


def _not_stalled(minima: FloatArray, tolerance: float) -> FloatArray:
    """Those of the window minima (n, 2) that are not so late, beside another, that no skew could be the reason."""
    sensor_s, delay_s = minima.T
    skewed_s = LARGEST_SKEW * tolerance * (sensor_s - sensor_s[0])
    since_s = np.minimum.accumulate(delay_s - skewed_s) + skewed_s
    until_s = np.minimum.accumulate((delay_s + skewed_s)[::-1])[::-1] - skewed_s
    return np.asarray(minima[delay_s <= np.minimum(since_s, until_s) + STALLED_S])


def _robust_line(minima: FloatArray, least_spread_s: float, tolerance: float) -> Line:
    """Delay over sensor time from window minima (n, 2) that scatter by no less than given.

    Least squares with Huber's weights for the scatter (a window that was congested throughout must not pull), and with
    the clock's tolerance as a normal prior on the slope.
    """
    sensor_s, delay_s = minima.T
    offset_s, slope = float(np.min(delay_s)), 0.0
    for _ in range(8):
        residual_s = delay_s - offset_s - slope * sensor_s
        spread_s = max(least_spread_s, 1.4826 * float(np.median(np.abs(residual_s - np.median(residual_s)))))
        weight = np.minimum(1.0, 1.345 * spread_s / np.maximum(np.abs(residual_s), 1e-12))
        middle_s = float(np.average(sensor_s, weights=weight))
        level_s = float(np.average(delay_s, weights=weight))
        information = float(np.sum(weight * (sensor_s - middle_s) ** 2)) + (spread_s / tolerance) ** 2
        slope = float(np.sum(weight * (sensor_s - middle_s) * (delay_s - level_s))) / information
        offset_s = level_s - slope * middle_s
    level_sd_s = spread_s / math.sqrt(float(np.sum(weight)))
    return Line(offset_s, slope, middle_s, level_sd_s, spread_s / math.sqrt(information))
