"""What reaches the filter: samples without holes, each with what is wrong with it; and notes for the report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics.motion.orientation.clipping import LEAST_ACC_M_S2, LEAST_GYR_RAD_S, RangeEnd
from analytics.signals.samples import BoolArray, FloatArray, ImuSamples, IntArray

NO_GYR_RAD_S, NO_ACC_M_S2 = 1e4, 4e4
"""Beyond these, in any unit that a reading may come in by mistake, it is no value: 10 000 °/s and 4000 g."""
BRIDGED_GAP_S = 0.1
"""A gap this long is filled by straight lines between the samples about it; a knee hardly changes course in that
time."""
EVEN = 1.4
"""Fewer sampling periods than this from one sample to the next are surely no gap; what is more is looked at closely."""


class Fault(StrEnum):
    BRIDGED = "bridged"
    GAP = "gap"
    NO_VALUE = "no_value"
    GYROSCOPE_CLIPPED = "gyroscope_clipped"
    ACCELEROMETER_CLIPPED = "accelerometer_clipped"


_SENTENCES = {
    Fault.BRIDGED: "{n} samples were missing and were filled in from those about them.",
    Fault.GAP: "The sensor was not heard for too long; its angle begins anew.",
    Fault.NO_VALUE: "{n} samples came without a value and were left out.",
    Fault.GYROSCOPE_CLIPPED: "The sensor turned faster than it can measure ({n} samples); its angle is less sure now.",
    Fault.ACCELEROMETER_CLIPPED: "The sensor was knocked harder than it can measure ({n} samples).",
}


@dataclass(frozen=True, slots=True)
class IntakeNote:
    """fault: what was found; time_s: when it began; samples: how many; 0 for a gap."""

    fault: Fault
    time_s: float
    samples: int

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.fault].format(n=self.samples)


@dataclass(frozen=True, slots=True, eq=False)
class CleanSamples:
    """Samples one period apart. measured: (n,) False where filled in. restarted: (n,) True after a gap too long to
    fill. clipped: (n, 2) gyroscope and accelerometer at the end of their range.
    """

    time_s: FloatArray
    sensor_time_us: IntArray
    gyr_rad_s: FloatArray
    acc_m_s2: FloatArray
    clipped: BoolArray
    measured: BoolArray
    restarted: BoolArray
    notes: tuple[IntakeNote, ...]

    def __len__(self) -> int:
        return len(self.time_s)


class Intake:
    """Of one sensor. `update` gives the same samples however they were cut into packets."""

    def __init__(self, rate_hz: float) -> None:
        if not rate_hz > 0:
            raise ValueError(f"A sensor's sampling rate must be above 0 Hz, not {rate_hz}.")
        self._period_s = 1.0 / rate_hz
        self._even_s = min(EVEN * self._period_s, self._period_s + BRIDGED_GAP_S)
        self._gyr_end, self._acc_end = RangeEnd(LEAST_GYR_RAD_S), RangeEnd(LEAST_ACC_M_S2)
        self._last: FloatArray | None = None

    def update(self, samples: ImuSamples, time_s: FloatArray) -> CleanSamples:
        """Take a run of samples with their gateway times (n,)."""
        # Times are filled in like readings; as float64 microseconds are exact for 285 years.
        rows = np.empty((len(samples), 8))
        rows[:, :3], rows[:, 3:6] = samples.gyr_rad_s, samples.acc_m_s2
        rows[:, 6], rows[:, 7] = time_s, samples.sensor_time_us
        told, notes = samples.clipped, list[IntakeNote]()
        finite = np.isfinite(rows)
        finite[:, :3] &= np.abs(rows[:, :3]) < NO_GYR_RAD_S
        finite[:, 3:6] &= np.abs(rows[:, 3:6]) < NO_ACC_M_S2
        if not finite.all():
            # A sample without a value is a missing sample; the next one finds the gap.
            valued = np.asarray(finite.all(axis=1))
            notes += _noted(Fault.NO_VALUE, ~valued, time_s)
            rows, told = rows[valued], None if told is None else told[valued]
        clipped = self._clipped(rows[:, :3], rows[:, 3:6], told)
        if clipped.any():
            notes += _noted(Fault.GYROSCOPE_CLIPPED, clipped[:, 0], rows[:, 6])
            notes += _noted(Fault.ACCELEROMETER_CLIPPED, clipped[:, 1], rows[:, 6])

        steps_s, last = self._steps_s(rows[:, 7]), rows[:1] if self._last is None else self._last
        self._last = rows[-1:] if len(rows) else self._last
        measured, restarted = np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
        if not all(0.0 < step_s < self._even_s for step_s in steps_s.tolist()):
            missing, restarted = self._gaps(steps_s)
            notes += [
                IntakeNote(Fault.BRIDGED, float(rows[i, 6]) - missing[i] * self._period_s, int(missing[i]))
                for i in np.flatnonzero(missing)
            ]
            notes += [IntakeNote(Fault.GAP, float(rows[i, 6]), 0) for i in np.flatnonzero(restarted)]
            rows, row, measured = _filled(rows, last, missing)
            clipped, restarted = clipped[row], restarted[row]
        return CleanSamples(
            time_s=rows[:, 6],
            sensor_time_us=np.rint(rows[:, 7]).astype(np.int64),
            gyr_rad_s=rows[:, :3],
            acc_m_s2=rows[:, 3:6],
            clipped=clipped,
            measured=measured,
            restarted=restarted,
            notes=tuple(notes),
        )

    def _steps_s(self, ticks_us: FloatArray) -> FloatArray:
        """The sensor's time from one sample to the next, the last one of the run before included."""
        before = ticks_us[:1] - round(1e6 * self._period_s) if self._last is None else self._last[:, 7]
        ticks_us = np.concatenate([before, ticks_us])
        return (ticks_us[1:] - ticks_us[:-1]) / 1e6

    def _gaps(self, steps_s: FloatArray) -> tuple[IntArray, BoolArray]:
        """Before each sample: how many to fill in, and whether to begin anew instead."""
        lost = (steps_s <= 0.0) | (steps_s - self._period_s > BRIDGED_GAP_S)
        return np.where(lost, 0, np.maximum(np.round(steps_s / self._period_s) - 1, 0)).astype(np.int64), lost

    def _clipped(self, gyr: FloatArray, acc: FloatArray, told: BoolArray | None) -> BoolArray:
        found = np.empty((len(gyr), 2), dtype=bool)
        found[:, 0], found[:, 1] = self._gyr_end.update(gyr), self._acc_end.update(acc)
        if told is None:
            return found
        # The driver's mark is for both sensors; it is about the one that is nearer to its end.
        gyr_nearer = self._gyr_end.nearer(gyr) >= self._acc_end.nearer(acc)
        return found & told[:, None] | (told & ~found.any(axis=1))[:, None] & np.stack(
            [gyr_nearer, ~gyr_nearer], axis=1
        )


def _noted(fault: Fault, marked: BoolArray, time_s: FloatArray) -> list[IntakeNote]:
    """One note for what is marked in this run of samples, if any is."""
    count = int(marked.sum())
    return [IntakeNote(fault, float(time_s[int(marked.argmax())]), count)] if count else []


def _filled(rows: FloatArray, last: FloatArray, missing: IntArray) -> tuple[FloatArray, IntArray, BoolArray]:
    """rows (n, m) with as many straight steps before each as are missing; beside it the row each belongs to, and
    whether it is that row itself. last: (1, m) the row before the first."""
    before = np.vstack([last, rows])[:-1]
    end = np.cumsum(missing + 1)
    row = np.repeat(np.arange(len(rows)), missing + 1)
    to_go = end[row] - 1 - np.arange(len(row))
    filled = rows[row] - (to_go / (missing[row] + 1))[:, None] * (rows[row] - before[row])
    return filled, row, to_go == 0
