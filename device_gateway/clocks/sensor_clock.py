"""Where a sensor's clock lies on the gateway's, and how sure that is (docs/clocks.md)."""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import FloatArray, IntArray
from firmware_interface.driver_kit.clock_bounds import ClockBounds

from .envelope import DelayEnvelope
from .offset import Bias, OffsetBounds

CRYSTAL_PPM, CRYSTAL_WINDOWS = 50.0, 150
"""One standard deviation of skew before anything is known (active clocks are held to ±50 ppm by the Bluetooth Core),
and five minutes: longer, the slow change of a crystal with temperature would bend the line."""
COUNTED_PPM, COUNTED_WINDOWS = 30_000.0, 8
"""The same for a sensor without timestamps, whose samples are counted: its rate is the maker's word, or measured, and a
sample that is lost shifts its count for good, so that the fit must follow."""
JUMP_S = 2.0
"""A sample that arrives so long before the fit says it was taken is of a clock that was set; no radio is that early."""
LEAST_PACE = 0.75
"""When the fit moves back, placed samples keep at least this share of their spacing until it has caught up."""
LONGEST_INTERVAL_S = 0.050
"""Of a connection, as Linux asks for it where nobody else does (net/bluetooth/hci_core.c: le_conn_max_interval 0x0028).
So much every arrival may be late without anyone knowing."""
SETTLED_S = 4.0
"""After two windows of the envelope a sensor's own line is good enough to tell whether it goes with its group's."""


class SensorClock:
    """Places one connection's samples on the gateway's session time.

    `observe` each packet's last sample with its arrival, `bound` it by exchanges where the sensor answers them, then
    `place` its samples. Arrival and placed times are session seconds; sensor times are microseconds, unwrapped. Placed
    times never go backwards, nor before `not_before_s`. counted: the sensor has no clock, its times are a count.

    Sensors that were brought to one clock `join` a group, which is a SensorClock that no sensor has to itself: the line
    under the arrivals of all. What is wrong with that line is the same for all, so they agree with each other better
    than any of them with the gateway.
    """

    def __init__(self, not_before_s: float = -np.inf, *, counted: bool = False) -> None:
        self._placed_s = not_before_s
        self._placed_us: int | None = None
        self._origin_us: int | None = None
        self._envelope = DelayEnvelope(
            COUNTED_PPM if counted else CRYSTAL_PPM, COUNTED_WINDOWS if counted else CRYSTAL_WINDOWS
        )
        self._offset = OffsetBounds()
        self._bias: Bias | None = None
        self._group: SensorClock | None = None

    @property
    def shared(self) -> bool:
        """Whether samples are placed by the line of a group."""
        return self._group is not None

    @property
    def exchanges(self) -> int:
        """How often the sensor has told its clock."""
        return self._offset.count

    def join(self, group: SensorClock) -> None:
        """Be placed by this line, for as long as arrivals bear out that the sensor's times are of the group's clock."""
        self._group = group
        self._leave_if_apart()

    def jumped(self, sensor_time_us: int, arrival_s: float) -> bool:
        """Whether the sensor's clock was set since the last packet: it ran back, or far ahead. A new fit is needed."""
        newest_s = self._envelope.newest_s
        if newest_s is None:
            return False
        sensor_s = self._since_origin_s(sensor_time_us)
        return sensor_s < newest_s or arrival_s < sensor_s + self._delay_s(sensor_s) - JUMP_S

    def observe(self, sensor_time_us: int, arrival_s: float) -> None:
        """Note that a packet whose last sample was taken at this sensor time arrived now."""
        if self._origin_us is None:
            self._origin_us = sensor_time_us
        sensor_s = self._since_origin_s(sensor_time_us)
        if self._envelope.add(sensor_s, arrival_s - sensor_s):
            self._bias = self._offset.bias(self._envelope.line)
        self._leave_if_apart()
        if self._group is not None:
            self._group.observe(sensor_time_us, arrival_s)

    def bound(self, exchange: ClockBounds) -> None:
        """Take in an exchange. One that contradicts the fit is of a clock that was set meanwhile, and is left out."""
        if self._origin_us is None:
            return
        heard_s = self._since_origin_s(exchange.sensor_heard_us)
        told_s = self._since_origin_s(exchange.sensor_told_us)
        soonest_s, latest_s = exchange.asked_s - heard_s, exchange.heard_s - told_s
        if soonest_s - JUMP_S <= self._delay_s(heard_s) <= latest_s + JUMP_S:
            self._offset.add(heard_s, soonest_s)
            self._bias = self._offset.bias(self._envelope.line)

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
        fit = self._fit
        if fit._origin_us is None:
            raise RuntimeError("a sensor's clock was asked for before its first packet")
        rate = 1.0 + fit._envelope.line.slope
        return round(fit._delay_s(0.0) * 1e6 - rate * fit._origin_us), rate

    @property
    def skew_ppm(self) -> float:
        """How much faster than the gateway's the sensor's clock runs."""
        return -self._fit._envelope.line.slope * 1e6

    @property
    def residual_ms(self) -> float:
        """95th percentile of how far recent arrivals lie from their envelope."""
        return self._fit._envelope.residual_s() * 1e3

    @property
    def uncertainty_ms(self) -> float | None:
        """How far the newest sample may be placed from the truth, 95 %; None before the first packet.

        The line's own scatter, and what is constant: after exchanges the least wait, otherwise a connection interval.
        """
        fit = self._fit
        newest_s = fit._envelope.newest_s
        if newest_s is None:
            return None
        constant_s = max(LONGEST_INTERVAL_S, fit._envelope.residual_s())
        if fit._bias is not None:
            constant_s = fit._bias.half_width_s
        return (constant_s + 1.96 * fit._envelope.line.sd_at(newest_s)) * 1e3

    @property
    def _fit(self) -> SensorClock:
        """Whose line samples are placed by: the group's once it has heard anything, or its own."""
        group = self._group
        return self if group is None or group._origin_us is None else group

    def _leave_if_apart(self) -> None:
        """Leave a group that this sensor's times are not of: another root's, or one it has drifted away from.

        The group's line is the lower edge of all, so a sensor that drifted ahead pulls it, and the others leave.
        """
        newest_s, fit = self._envelope.newest_s, self._fit
        if fit is self or newest_s is None or self._origin_us is None or fit._origin_us is None:
            return
        group_s = newest_s + (self._origin_us - fit._origin_us) * 1e-6
        apart_s = newest_s + self._delay_s(newest_s) - group_s - fit._delay_s(group_s)
        if abs(apart_s) > JUMP_S or (newest_s >= SETTLED_S and apart_s > LONGEST_INTERVAL_S):
            self._group = None

    def _since_origin_s(self, sensor_time_us: int) -> float:
        assert self._origin_us is not None
        return (sensor_time_us - self._origin_us) * 1e-6

    def _delay_s(self, sensor_s: float) -> float:
        """Session time minus sensor time since the first packet."""
        return self._envelope.line.at(sensor_s) - (self._bias.seconds if self._bias else 0.0)


def keep_forwards(model_s: FloatArray, sensor_time_us: IntArray, floor_s: float) -> FloatArray:
    """Times (n,) as the clock's line gives them, but none before `floor_s` nor at less than LEAST_PACE."""
    pace_s = LEAST_PACE * 1e-6 * (sensor_time_us - sensor_time_us[0])
    placed_s = np.maximum.accumulate(np.maximum(model_s - pace_s, floor_s)) + pace_s
    return np.asarray(placed_s, dtype=np.float64)
