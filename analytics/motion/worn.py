"""All worn sensors as one body: from samples, however they arrive, to the orientation of each at every instant.

Intake per sensor, ticks, one filter for all; and when a sensor's orientation is to be believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from analytics.domain.exercise import Segment
from analytics.motion.orientation.filter import GRAVITY_M_S2, OrientationFilter
from analytics.motion.orientation.intake import CleanSamples, Intake
from analytics.motion.orientation.magnet import MagnetWatch
from analytics.motion.orientation.pace import SamplingPace
from analytics.motion.orientation.readings import FirstReadings
from analytics.motion.ticks import Tick, Ticks
from analytics.signals.samples import FloatArray, ImuSamples

LEAST_SETTLING_S = 0.5
"""After a restart, the accelerometer must have spoken this long before an inclination is believed, and then be quiet
…"""
QUIET_S = 0.3
"""… for this long, so that what it measures is gravity; or else"""
LONGEST_SETTLING_S = 3.0
"""movement must have cancelled out for this long (VQF's tauAcc)."""
QUIET_RAD_S = 0.17
QUIET_M_S2 = 0.5


@dataclass(frozen=True, slots=True)
class SensorNote:
    """Something about a sensor that a person should know. `unusable`: nothing of it is believed any more. `aloud`: to
    be said at once; what is not is for the report alone."""

    segment: Segment
    time_s: float
    sentence: str
    unusable: bool = False
    aloud: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Posture:
    """One instant; a row per segment, in the order of `WornSensors.segments`.

    orientation: (k, 4) sensor to earth, headings arbitrary. rate_rad_s: (k, 3) without the gyroscope's known errors.
    acc_m_s2: (k, 3) specific force.
    known: whether each was measured and is believed. restarted: whose heading is another than when last known.
    """

    time_s: float
    sensor_time_us: int
    orientation: FloatArray
    rate_rad_s: FloatArray
    acc_m_s2: FloatArray
    known: list[bool]
    restarted: list[bool]


class WornSensors:
    """needed: segments without which there is nothing to measure. others: those that add something. All of one rate,
    on common instants."""

    def __init__(self, needed: Sequence[Segment], others: Sequence[Segment], rate_hz: float) -> None:
        self.segments = (*needed, *others)
        self._intakes = {segment: Intake(rate_hz) for segment in self.segments}
        self._paces = {segment: SamplingPace(rate_hz) for segment in self.segments}
        self._readings = {segment: FirstReadings(rate_hz) for segment in self.segments}
        self._magnets = {segment: MagnetWatch() for segment in self.segments}
        self._unusable: set[Segment] = set()
        self._ticks = Ticks(needed, others, rate_hz)
        self._filter = OrientationFilter(rate_hz, len(self.segments))
        self._settling = [_Settling(1.0 / rate_hz) for _ in self.segments]
        self._restarted = [True] * len(self.segments)

    def update(self, segment: Segment, samples: ImuSamples, time_s: FloatArray) -> Iterator[Posture | SensorNote]:
        """Take a run of samples of one worn sensor with the time (n,) of each."""
        clean = self._intakes[segment].update(samples, time_s)
        yield from self._notes(segment, samples, clean, time_s)
        pace = self._paces[segment]
        was_far = pace.fault is not None
        share = pace.update(clean.time_s, clean.sensor_time_us, clean.restarted)
        if pace.fault is not None:
            clean = replace(clean, gyr_rad_s=clean.gyr_rad_s / share[:, np.newaxis])
            if not was_far:
                yield SensorNote(segment, float(clean.time_s[-1]), pace.fault.sentence)
        for tick in self._ticks.add(segment, clean):
            yield self._orient(tick)

    def _notes(
        self, segment: Segment, samples: ImuSamples, clean: CleanSamples, time_s: FloatArray
    ) -> Iterator[SensorNote]:
        for note in clean.notes:
            yield SensorNote(segment, note.time_s, note.sentence, aloud=False)
        readings = self._readings[segment]
        if clean.restarted.any():
            readings.restart()
        for fault in readings.update(clean.gyr_rad_s, clean.acc_m_s2):
            self._unusable.add(segment)
            yield SensorNote(segment, float(clean.time_s[-1]), fault.sentence, unusable=True)
        if samples.mag_ut is not None and (said := self._magnets[segment].update(samples.mag_ut, time_s)):
            yield SensorNote(segment, float(time_s[-1]), said)

    def _orient(self, tick: Tick) -> Posture:
        if tick.restarted.any():
            self._filter.restart(tick.restarted)
            for k in np.flatnonzero(tick.restarted).tolist():
                self._settling[k].begin()
                self._restarted[k] = True
        orientation = self._filter.update(tick.gyr_rad_s, tick.acc_m_s2, clipped=tick.clipped)
        known = tick.measured.tolist()
        for k, settling in enumerate(self._settling):
            if not settling.done and not np.isnan(tick.gyr_rad_s[k, 0]):
                settling.update(tick.gyr_rad_s[k], tick.acc_m_s2[k])
            known[k] = known[k] and settling.done and self.segments[k] not in self._unusable
        restarted = self._restarted
        self._restarted = [one and not is_known for one, is_known in zip(restarted, known, strict=True)]
        rate = self._filter.rate_rad_s(tick.gyr_rad_s)
        return Posture(tick.time_s, tick.sensor_time_us, orientation, rate, tick.acc_m_s2, known, restarted)


class _Settling:
    """Of one sensor whose filter began anew in the midst of movement. At the very beginning nothing has to settle."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._elapsed_s = self._quiet_s = 0.0
        self.done = True

    def begin(self) -> None:
        self._elapsed_s, self._quiet_s, self.done = 0.0, 0.0, False

    def update(self, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> None:
        self._elapsed_s += self._period_s
        quiet = sqrt(gyr_rad_s @ gyr_rad_s) < QUIET_RAD_S and abs(sqrt(acc_m_s2 @ acc_m_s2) - GRAVITY_M_S2) < QUIET_M_S2
        self._quiet_s = self._quiet_s + self._period_s if quiet else 0.0
        self.done = self._elapsed_s >= LONGEST_SETTLING_S or (
            self._elapsed_s >= LEAST_SETTLING_S and self._quiet_s >= QUIET_S
        )
