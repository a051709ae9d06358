"""Puts the samples of an exported recording into order, and says from which on they must be sent again (§5.2.2.11)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.signals.samples import FloatArray, ImuSamples, IntArray, Source

from ...driver_kit.units import DPS_RAD_S
from ...errors import DecodeError
from .payload import Records, records_clipped
from .recording import UNLIMITED_S, FileData

_CLOCK_WRAP = 1 << 32


@dataclass(frozen=True, slots=True)
class Exported:
    """A run of recorded samples without a gap inside.

    time_us: (n,) the sensor's clock, unwrapped. records: (n,) what was selected. lost_before: samples that the sensor's
    memory holds damaged. received: samples so far. share: of the time that the recording was to last; None where it was
    to run until it was stopped, because a sensor does not tell how much it holds.
    """

    time_us: IntArray
    records: Records
    lost_before: int
    received: int
    share: float | None

    def samples(self, source: Source | None = None) -> ImuSamples:
        """In SI units; NaN and None for what was not selected. The magnetic field has no unit, so it is left out."""
        names = self.records.dtype.names or ()

        def readings(name: str, unit: float = 1.0) -> FloatArray:
            if name not in names:
                return np.full((len(self.records), 3), np.nan)
            with np.errstate(invalid="ignore"):  # some of what is not a number warns when it is widened
                return np.asarray(self.records[name].astype(np.float64) * unit)

        return ImuSamples(
            sensor_time_us=self.time_us,
            acc_m_s2=readings("acc_m_s2"),
            gyr_rad_s=readings("gyr_dps", DPS_RAD_S),
            lost_before=self.lost_before,
            orientation=readings("quaternion") if "quaternion" in names else None,
            clipped=records_clipped(self.records),
            source=source,
        )


class Export:
    """Samples are numbered from 0, and a sensor that is asked sends all from a number on: only the next is of use.

    layout: of a record, with its time. seconds: as the file's info tells. next: the sample that is wanted. attempts:
    how often the sensor was asked for it, for the asker to count. pending: samples that `take` would give.
    """

    def __init__(self, layout: np.dtype[np.void], seconds: int = UNLIMITED_S) -> None:
        self.next = 0
        self.pending = 0
        self.attempts = 0
        self._layout = layout
        self._seconds = seconds
        self._newest = -1
        self._highest = -1
        self._asked = False
        self._runs: list[tuple[int, list[bytes]]] = [(0, [])]
        self._received = 0
        self._first_us: int | None = None
        self._last_us = 0

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be missing. How many samples there are a sensor does not tell."""
        return self._highest < self.next

    def add(self, data: FileData) -> bool:
        """Take a sample. True where samples must be asked for again, from `next` on. Raises DecodeError."""
        if data.valid and len(data.record) != self._layout.itemsize:
            raise DecodeError(f"An exported sample has {len(data.record)} bytes instead of {self._layout.itemsize}.")
        missing = data.number > self.next and not (self._asked and data.number > self._newest)
        self._newest, self._highest = data.number, max(data.number, self._highest)
        if missing:
            self._asked = True
        elif data.number == self.next:
            self._append(data)
        return missing

    def begun_again(self) -> None:
        """The sensor sends the file from its beginning."""
        self._newest, self._asked = -1, False

    def take(self) -> list[Exported]:
        """What has come in order since the last time."""
        runs, self._runs, self.pending = self._runs, [(0, [])], 0
        if not runs[-1][1]:
            self._runs = [runs.pop()]  # its damaged samples are told with the next good one
        return [self._exported(lost, records) for lost, records in runs if records]

    def _append(self, data: FileData) -> None:
        self.next += 1
        self.attempts, self._asked = 0, False
        lost, records = self._runs[-1]
        if data.valid:
            records.append(data.record)
            self.pending += 1
        elif records:
            self._runs.append((1, []))
        else:
            self._runs[-1] = (lost + 1, records)

    def _exported(self, lost: int, parts: list[bytes]) -> Exported:
        records = np.frombuffer(b"".join(parts), self._layout)
        ticks = records["timestamp_us"].astype(np.int64)
        if self._first_us is None:
            self._first_us = self._last_us = int(ticks[0])
        steps = np.diff(ticks, prepend=self._last_us % _CLOCK_WRAP) % _CLOCK_WRAP
        time_us = self._last_us + np.cumsum(steps)
        self._last_us = int(time_us[-1])
        self._received += len(records)
        elapsed_s = (self._last_us - self._first_us) / 1e6
        share = None if self._seconds == UNLIMITED_S else min(1.0, elapsed_s / max(1, self._seconds))
        return Exported(time_us, records, lost, self._received, share)
