"""What one worn sensor goes through, as one signal: how far it has turned [rad] beside the specific force [g].

Both scales agree by nature: a sensor turned by one radian sees gravity move by about one g. The rotation vector is the
angular rate summed up in the sensor's own frame, without a reference: it drifts by what remains of the gyroscope's bias
(estimated whenever the sensor rests), so only its changes within a few seconds are used. Causal, one sample at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, hypot, pi

import numpy as np

from analytics.signals.samples import FloatArray

RATE_HZ = 20.0
"""Everything after this runs at this rate: no repetition needs more, and any sensor sends nearly as much."""
TURNING_CUT_OFF_HZ, FORCE_CUT_OFF_HZ = 6.0, 2.3
"""Of two equal first-order filters in a row, -3 dB together at 0.64 of it (4 and 1.5 Hz): rehabilitation is slower."""
FORCE_WEIGHT = 0.7
"""Specific force [g] to rotation [rad]. From 0.5 to 1 the counts hardly change."""
IMPACT_BAND_HZ = (8.0, 20.0)
STANDARD_GRAVITY_M_S2 = 9.80665
LONGEST_STEP_S = 1.0
"""A longer silence: what was before it says nothing about what comes."""
RESTING_SPREAD_RAD_S, GREATEST_BIAS_RAD_S, BIAS_TIME_CONSTANT_S = 0.07, 0.1, 3.0
MEAN_TIME_CONSTANT_S, SPREAD_TIME_CONSTANT_S = 1.06, 0.53


@dataclass(frozen=True, slots=True)
class Pose:
    """At one tick. vector: rotation (3) [rad] and weighted specific force (3) [g]. impact: squared force in the
    impact band [(m/s²)²]. turning: squared angular rate [(rad/s)²]. restarted: nothing before belongs to it."""

    time_s: float
    vector: tuple[float, ...]
    impact: float
    turning: float
    restarted: bool


class PoseStream:
    """`update` answers with the poses whose ticks have passed; how samples were cut into packets changes nothing."""

    def __init__(self) -> None:
        self._time_s: float | None = None
        self._tick_s = 0.0

    def update(self, time_s: FloatArray, acc_m_s2: FloatArray, gyr_rad_s: FloatArray) -> list[Pose]:
        """time_s: (n,). acc_m_s2, gyr_rad_s: (n, 3). Samples with a NaN and samples not later than the last are left
        out."""
        rows = np.concatenate([acc_m_s2, gyr_rad_s], axis=1, dtype=np.float64)
        usable = np.isfinite(rows).all(axis=1)
        times, kept = np.asarray(time_s, dtype=np.float64)[usable].tolist(), rows[usable].tolist()
        return [pose for t, row in zip(times, kept, strict=True) for pose in self._add(t, row)]

    def _add(self, time_s: float, row: list[float]) -> Iterator[Pose]:
        acc, gyr = row[:3], row[3:]
        if self._time_s is None or time_s - self._time_s > LONGEST_STEP_S:
            restarted = True
            self._start(time_s, acc, gyr)
        elif time_s <= self._time_s:
            return
        else:
            restarted = False
        before_s, before = self._time_s, self._now
        self._advance(time_s - before_s if before_s is not None else 0.0, acc, gyr)
        self._time_s = time_s
        if restarted:
            before_s, before = time_s, self._now
        while self._tick_s <= time_s:
            share = (
                (self._tick_s - before_s) / (time_s - before_s) if before_s is not None and time_s > before_s else 1.0
            )
            values = [a + share * (b - a) for a, b in zip(before, self._now, strict=True)]
            yield Pose(self._tick_s, tuple(values[:6]), values[6], values[7], restarted)
            restarted = False
            self._ticks += 1
            self._tick_s = self._origin_s + self._ticks / RATE_HZ

    def _start(self, time_s: float, acc: list[float], gyr: list[float]) -> None:
        self._time_s = None
        self._origin_s = self._tick_s = time_s
        self._ticks = 0
        self._turning = [*gyr, *gyr]
        self._force = [*acc, *acc]
        self._band = {hz: [*acc, *acc] for hz in IMPACT_BAND_HZ}
        self._mean, self._spread, self._bias = gyr, 1.0, [0.0, 0.0, 0.0]
        self._rotation = [0.0, 0.0, 0.0]
        self._now: list[float] = []

    def _advance(self, step_s: float, acc: list[float], gyr: list[float]) -> None:
        """All filters by one sample; step_s is 0 for the first."""
        turning = _two_poles(self._turning, gyr, TURNING_CUT_OFF_HZ, step_s)
        force = _two_poles(self._force, acc, FORCE_CUT_OFF_HZ, step_s)
        low, high = (_two_poles(self._band[hz], acc, 1.55 * hz, step_s) for hz in IMPACT_BAND_HZ)
        self._follow_bias(turning, step_s)
        for i in range(3):
            self._rotation[i] += (turning[i] - self._bias[i]) * step_s
        self._now = [
            *self._rotation,
            *(FORCE_WEIGHT / STANDARD_GRAVITY_M_S2 * value for value in force),
            sum((b - a) ** 2 for a, b in zip(low, high, strict=True)),
            sum(value**2 for value in gyr),
        ]

    def _follow_bias(self, turning: list[float], step_s: float) -> None:
        gain = 1.0 - exp(-step_s / MEAN_TIME_CONSTANT_S)
        self._mean = [m + gain * (x - m) for m, x in zip(self._mean, turning, strict=True)]
        off = hypot(*(x - m for m, x in zip(self._mean, turning, strict=True)))
        self._spread += (1.0 - exp(-step_s / SPREAD_TIME_CONSTANT_S)) * (off - self._spread)
        if self._spread < RESTING_SPREAD_RAD_S and max(map(abs, self._mean)) < GREATEST_BIAS_RAD_S:
            gain = min(1.0, step_s / BIAS_TIME_CONSTANT_S)
            self._bias = [b + gain * (m - b) for b, m in zip(self._bias, self._mean, strict=True)]


def _two_poles(state: list[float], value: list[float], cut_off_hz: float, step_s: float) -> list[float]:
    """Two first-order filters in a row, for a step of any length. state: (6,) both filters, changed in place."""
    gain = 1.0 - exp(-2.0 * pi * cut_off_hz * step_s)
    for i in range(3):
        state[i] += gain * (value[i] - state[i])
        state[3 + i] += gain * (state[i] - state[3 + i])
    return state[3:]
