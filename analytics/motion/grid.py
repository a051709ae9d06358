"""All sensors' samples at common instants, an even grid on session time; a gap of a sensor stays a gap.

Each sensor is brought to the grid by itself, as soon as its next sample has passed an instant, so that one which is
silent holds up no other and nothing waits for longer than one of its own samples. What is interpolated is linear
between neighbours, never across a gap; the angular rate is the mean since the instant before, so that the turning it
adds up to is the sensor's own, whatever the rates are and however the clock's line is corrected meanwhile. (Where grid
and sensor are equally fast and nothing is corrected, that mean is linear between neighbours as well.)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from analytics.domain.exercise import Segment
from analytics.signals.samples import FloatArray, ImuSamples, IntArray

LONGEST_STEP = 3.0
"""More of a sensor's periods than this without a sample are a gap, also where nothing was counted as lost."""
EARLY_S = 10.0
"""Samples kept while a sensor that is needed has not yet told its rate; all are on the grid once it has."""


class GridRun(NamedTuple):
    """A run of one segment's samples on the grid. `lost_before` counts the instants that its gap left out."""

    segment: Segment
    rate_hz: float
    samples: ImuSamples
    time_s: FloatArray


class TimeGrid:
    """Of the segments whose samples are wanted, the fastest of the `needed` ones gives the grid its rate.

    `others` hold up nobody: they are on it from when they come.
    """

    def __init__(self, needed: Collection[Segment], others: Collection[Segment] = ()) -> None:
        self._rates_hz: dict[Segment, float | None] = dict.fromkeys(needed)
        self._segments = frozenset((*needed, *others))
        self._early: deque[tuple[Segment, float, ImuSamples, FloatArray]] = deque()
        self._sensors: dict[Segment, _SensorOnGrid] = {}
        self.rate_hz = 0.0

    def take(self, segment: Segment, rate_hz: float, samples: ImuSamples, time_s: FloatArray) -> Iterator[GridRun]:
        """Take a run of one sensor's samples, placed on session time (n,), and give what it completes on the grid."""
        if segment not in self._segments or not len(samples):
            return
        self._early.append((segment, rate_hz, samples, time_s))
        if not self.rate_hz:
            if segment in self._rates_hz:
                self._rates_hz[segment] = rate_hz
            while self._early[0][3][-1] < time_s[-1] - EARLY_S:
                self._early.popleft()
            known = [rate for rate in self._rates_hz.values() if rate]
            if len(known) < len(self._rates_hz):
                return
            self.rate_hz = max(known)
            self._sensors = {segment: _SensorOnGrid(self.rate_hz) for segment in self._segments}
        while self._early:
            early_segment, early_rate_hz, early_samples, early_time_s = self._early.popleft()
            for placed in self._sensors[early_segment].take(early_samples, early_time_s, 1.0 / early_rate_hz):
                yield GridRun(early_segment, self.rate_hz, *placed)


class _Sample(NamedTuple):
    """time_s: on the session. values: (10,) sensor time [µs], acceleration, angular rate, and angle turned [rad]."""

    time_s: float
    values: FloatArray


class _SensorOnGrid:
    """What is remembered of one sensor: its newest sample, which number the next instant has, and what was turned.

    The angle turned is counted from the last instant given out, where one was since the last gap.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._last: _Sample | None = None
        self._next: int | None = None
        self._turns_known = False

    def take(self, samples: ImuSamples, time_s: FloatArray, period_s: float) -> Iterator[tuple[ImuSamples, FloatArray]]:
        """The instants up to the newest sample; those about a gap are of the run that has a sample nearest to them.

        So each run reaches half a period beyond its ends, and a gap of n samples leaves out n instants.
        """
        turned = np.zeros((len(samples), 3))
        values = np.column_stack([samples.sensor_time_us, samples.acc_m_s2, samples.gyr_rad_s, turned])
        half = np.zeros(10)
        half[0] = period_s / 2 * 1e6
        if self._last is not None and self._is_gap(self._last, samples, time_s, period_s):
            end = _Sample(self._last.time_s + period_s / 2, self._last.values + half)
            yield from self._up_to(self._last, np.array([end.time_s]), end.values[np.newaxis], samples)
            self._last = None
        if self._last is None:
            self._turns_known = False
            self._last = _Sample(float(time_s[0]) - period_s / 2, values[0] - half)
        yield from self._up_to(self._last, time_s, values, samples)

    def _up_to(
        self, last: _Sample, time_s: FloatArray, values: FloatArray, samples: ImuSamples
    ) -> Iterator[tuple[ImuSamples, FloatArray]]:
        time_s, values = np.concatenate([[last.time_s], time_s]), np.vstack([last.values, values])
        step_s = np.diff(values[:, 0]) * 1e-6
        values[1:, 7:] = values[0, 7:] + np.cumsum(np.nan_to_num(values[1:, 4:7]) * step_s[:, np.newaxis], axis=0)
        first = math.ceil(time_s[0] * self._rate_hz)
        first = first if self._next is None else max(first, self._next)
        numbers = np.arange(first, math.ceil(time_s[-1] * self._rate_hz))
        self._last = _Sample(float(time_s[-1]), values[-1])
        if not len(numbers):
            return
        instants_s = numbers / self._rate_hz
        on_grid = _between(instants_s, time_s, values)
        rate = np.diff(on_grid[:, 7:], axis=0, prepend=np.zeros((1, 3))) * self._rate_hz
        rate[np.isnan(on_grid[:, 4:7])] = np.nan
        if not self._turns_known:
            rate[0] = on_grid[0, 4:7]
        lost = 0 if self._next is None else first - self._next
        self._next, self._turns_known = int(numbers[-1]) + 1, True
        self._last.values[7:] -= on_grid[-1, 7:]
        sensor_time_us = np.rint(on_grid[:, 0]).astype(np.int64)
        nearest = _nearest(instants_s, time_s[1:])
        yield (
            ImuSamples(
                sensor_time_us,
                on_grid[:, 1:4],
                rate,
                lost,
                mag_ut=None if samples.mag_ut is None else samples.mag_ut[nearest],
                clipped=None if samples.clipped is None else samples.clipped[nearest],
                source=samples.source,
            ),
            instants_s,
        )

    def _is_gap(self, last: _Sample, samples: ImuSamples, time_s: FloatArray, period_s: float) -> bool:
        steps_s = (float(time_s[0]) - last.time_s, float(samples.sensor_time_us[0] - last.values[0]) * 1e-6)
        return samples.lost_before > 0 or min(steps_s) <= 0 or max(steps_s) > LONGEST_STEP * period_s


def _nearest(instants_s: FloatArray, time_s: FloatArray) -> IntArray:
    """(m,) the sample that is nearest to each instant."""
    after = np.clip(np.searchsorted(time_s, instants_s), 1, max(1, len(time_s) - 1))
    before = after - 1
    after = np.minimum(after, len(time_s) - 1)
    return np.asarray(np.where(instants_s - time_s[before] <= time_s[after] - instants_s, before, after))


def _between(instants_s: FloatArray, time_s: FloatArray, values: FloatArray) -> FloatArray:
    """(m, k) linear between the samples (n, k)."""
    after = np.clip(np.searchsorted(time_s, instants_s), 1, len(time_s) - 1)
    share = (instants_s - time_s[after - 1]) / (time_s[after] - time_s[after - 1])
    return np.asarray(values[after - 1] + share[:, np.newaxis] * (values[after] - values[after - 1]))
