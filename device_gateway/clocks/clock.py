"""Time in the gateway: its own clock, and where each sensor's clock lies on it.

A sample arrives late by a delay that varies with the radio's connection events and never falls below what the link
takes at best. The lower envelope of (arrival minus sensor time) is therefore the sensor's clock, whereas arrival itself
is not. Window minima of the delay are fitted by a robust line; the slope is held by what crystals can do, so that a
short or jittery connection is placed by its offset alone and a long one by its own skew.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from datetime import UTC, datetime

import numpy as np

from analytics.signals.samples import FloatArray, IntArray

WINDOW_S = 2.0
"""One delay minimum is kept per window: with 8 % lost connection events, 40 packets hold several undelayed ones."""
WINDOW_PACKETS = 20
"""...and a window is not closed before this many, so that a minimum means as much when a replay runs faster."""
KEPT_WINDOWS = 150
"""Five minutes: longer, the slow change of a crystal with temperature would bend the line."""
CRYSTAL_PPM = 50.0
"""One standard deviation of skew before anything is known (active clocks are held to ±50 ppm by the Bluetooth Core)."""
COUNTED_PPM = 30_000.0
"""The same for a sensor without timestamps, whose samples are counted: its rate is the maker's word, or measured."""
COUNTED_WINDOWS = 8
"""Of such a sensor few windows are kept: a sample that is lost shifts its count for good, and the fit must follow."""
LEAST_SPREAD_S = 0.001
"""Window minima are never trusted to better than a host's scheduling."""
JUMP_S = 2.0
"""A sample that arrives so long before the fit says it was taken is of a clock that was set; no radio is that early."""
LEAST_PACE = 0.5
"""When the fit moves back, placed samples keep at least this share of their spacing until it has caught up."""


class Clock:
    """Seconds that run `speed` times as fast as the machine's: a replay at speed 20 lives a minute in three seconds.

    All that is measured in a patient's time (chunk length, session time) is asked of this clock. What belongs to the
    machine or the network (a radio's supervision timeout, an upload's back-off) stays in the machine's own seconds.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        return time.monotonic() * self.speed

    def utc(self) -> datetime:
        """The calendar, at its usual pace."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


class SensorClock:
    """Places one connection's samples on the gateway's session time.

    `observe` each packet's last sample with its arrival, then `place` its samples. Arrival and placed times are session
    seconds; sensor times are microseconds, unwrapped. Placed times never go backwards, nor before `not_before_s`.
    counted: the sensor has no clock, and its times are a count of samples.
    """

    def __init__(self, not_before_s: float = -np.inf, *, counted: bool = False) -> None:
        self._tolerance_ppm = COUNTED_PPM if counted else CRYSTAL_PPM
        self._placed_s = not_before_s
        self._placed_us: int | None = None
        self._origin_us: int | None = None
        self._minima: deque[tuple[float, float]] = deque(maxlen=COUNTED_WINDOWS if counted else KEPT_WINDOWS)
        self._recent: deque[tuple[float, float]] = deque(maxlen=1000)
        self._window_start_s = 0.0
        self._window_packets = 0
        self._window_minimum = (0.0, np.inf)
        self._offset_s = np.inf
        self._slope = 0.0

    def jumped(self, sensor_time_us: int, arrival_s: float) -> bool:
        """Whether the sensor's clock was set since the last packet: it ran back, or far ahead. A new fit is needed."""
        if self._origin_us is None or not self._recent:
            return False
        sensor_s = (sensor_time_us - self._origin_us) * 1e-6
        expected_s = sensor_s + self._offset_s + self._slope * sensor_s
        return sensor_s < self._recent[-1][0] or arrival_s < expected_s - JUMP_S

    def observe(self, sensor_time_us: int, arrival_s: float) -> None:
        """Note that a packet whose last sample was taken at this sensor time arrived now."""
        if self._origin_us is None:
            self._origin_us = sensor_time_us
        sensor_s = (sensor_time_us - self._origin_us) * 1e-6
        delay_s = arrival_s - sensor_s
        self._recent.append((sensor_s, delay_s))
        self._window_packets += 1
        if delay_s < self._window_minimum[1]:
            self._window_minimum = (sensor_s, delay_s)
        if not self._minima:  # before the first window is complete: offset only
            self._offset_s = min(self._offset_s, delay_s)
        if self._window_packets >= WINDOW_PACKETS and sensor_s - self._window_start_s >= WINDOW_S:
            self._minima.append(self._window_minimum)
            self._window_start_s, self._window_packets, self._window_minimum = sensor_s, 0, (0.0, np.inf)
            delays_s = np.array(self._recent)[:, 1]
            # The least of n delays scatters by about their spread over n.
            scatter_s = float(np.percentile(delays_s, 95) - np.min(delays_s)) / WINDOW_PACKETS
            self._offset_s, self._slope = _robust_line(
                np.array(self._minima), max(LEAST_SPREAD_S, scatter_s), self._tolerance_ppm
            )

    def place(self, sensor_time_us: IntArray) -> FloatArray:
        """Session time [s] of samples (n,), in the order taken. Needs one observation first."""
        offset_us, rate = self.line()
        model_s = 1e-6 * (offset_us + rate * sensor_time_us.astype(np.float64))
        floor_s = self._placed_s
        if self._placed_us is not None:
            floor_s += LEAST_PACE * 1e-6 * float(sensor_time_us[0] - self._placed_us)
        placed_s = keep_forwards(model_s, sensor_time_us, floor_s)
        self._placed_s, self._placed_us = float(placed_s[-1]), int(sensor_time_us[-1])
        return placed_s

    def line(self) -> tuple[int, float]:
        """The fit as (offset [µs], rate): session time [µs] = offset + rate × sensor time [µs]."""
        if self._origin_us is None:
            raise RuntimeError("a sensor's clock was asked for before its first packet")
        rate = 1.0 + self._slope
        return round(self._offset_s * 1e6 - rate * self._origin_us), rate

    @property
    def skew_ppm(self) -> float:
        """How much faster than the gateway's the sensor's clock runs."""
        return -self._slope * 1e6

    @property
    def residual_ms(self) -> float:
        """95th percentile of how far recent arrivals lie from the fit."""
        if not self._recent:
            return 0.0
        sensor_s, delay_s = np.array(self._recent).T
        return float(np.percentile(np.abs(delay_s - self._offset_s - self._slope * sensor_s), 95) * 1e3)


def keep_forwards(model_s: FloatArray, sensor_time_us: IntArray, floor_s: float) -> FloatArray:
    """Times (n,) as the clock's line gives them, but none before `floor_s` nor at less than LEAST_PACE."""
    pace_s = LEAST_PACE * 1e-6 * (sensor_time_us - sensor_time_us[0])
    placed_s = np.maximum.accumulate(np.maximum(model_s - pace_s, floor_s)) + pace_s
    return np.asarray(placed_s, dtype=np.float64)


def _robust_line(minima: FloatArray, least_spread_s: float, tolerance_ppm: float) -> tuple[float, float]:
    """Offset [s] and slope of delay over sensor time, from window minima (n, 2) that scatter by no less than given.

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
        stiffness = (spread_s / (tolerance_ppm * 1e-6)) ** 2
        slope = float(np.sum(weight * (sensor_s - middle_s) * (delay_s - level_s)))
        slope /= float(np.sum(weight * (sensor_s - middle_s) ** 2)) + stiffness
        offset_s = level_s - slope * middle_s
    return offset_s, slope
