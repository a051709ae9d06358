"""A Movesense motion stream: halves put together, milliseconds unwrapped, losses counted by time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from analytics.signals.samples import BoolArray, FloatArray, ImuSamples, Resolution

from ...driver_kit.decoder import Decoder
from ...driver_kit.timeline import Timeline
from ...driver_kit.units import DPS_RAD_S
from ...errors import DecodeError
from .payloads import STREAMS, decode_readings, is_whole
from .protocol import Kind

STREAM_REFERENCE = 1
"""The reference of the motion stream's subscription; all others belong to something else."""
GRAVITY_M_S2 = 9.807
"""What the firmware multiplies by: a step of the captures is 0.00239291 m/s², 0.244 mg of 9.807."""
ACC_RANGES_G = (2.0, 4.0, 8.0, 16.0)
GYR_RANGES_DPS = (125.0, 245.0, 500.0, 1000.0, 2000.0)
_ACC_STEP_G = {2.0: 0.061e-3, 4.0: 0.122e-3, 8.0: 0.244e-3, 16.0: 0.488e-3}
_GYR_STEP_DPS = {125.0: 4.375e-3, 245.0: 8.75e-3, 500.0: 17.5e-3, 1000.0: 35e-3, 2000.0: 70e-3}
"""LSM6DS3 data sheet, table 3; the captures show 0.244 mg and 70 mdps."""
_LAST_STEP = 32766
"""Not 32767: the firmware's constants may differ from these in the fifth digit."""
_LONGEST_PART_BYTES = 512


def resolution(acc_range_g: float | None, gyr_range_dps: float | None) -> Resolution:
    """The chip's steps at these ranges; those of its widest where it did not tell, still below its noise (0.65 mg)."""
    return Resolution(
        acc_m_s2=_ACC_STEP_G[acc_range_g or ACC_RANGES_G[-1]] * GRAVITY_M_S2,
        gyr_rad_s=_GYR_STEP_DPS[gyr_range_dps or GYR_RANGES_DPS[-1]] * DPS_RAD_S,
    )


class MovesenseDecoder(Decoder):
    """Time is of whole milliseconds, too coarse for single samples at high rates; but what is lost is whole packets.

    Halves carry no number: where just a second half and the next first are lost, two packets are taken for one.
    """

    def __init__(self) -> None:
        self._stream: str | None = None
        self._timeline = Timeline(1.0)
        self._last_us = 0
        self._ends: dict[str, float] | None = None
        self._first_half = b""

    def begin(
        self,
        stream: str,
        rate_hz: float,
        clock_ms: int | None = None,
        acc_range_g: float | None = None,
        gyr_range_dps: float | None = None,
    ) -> bool:
        """Be ready for a stream (a key of STREAMS). True where it goes on from before a lost link.

        clock_ms: what the sensor's clock has just told. Ranges: None where it does not tell, and clipping is not known.
        """
        same = (stream, rate_hz) == (self._stream, self._timeline.rate_hz)
        if not same or clock_ms is None or clock_ms * 1000 < self._last_us:
            self._timeline = Timeline(rate_hz, tick_us=1000.0, whole_packets=True)
        if clock_ms is not None:
            self._timeline.expect(clock_ms * 1000)
        self._stream = stream
        self._first_half = b""
        self._ends = None
        if acc_range_g is not None and gyr_range_dps is not None:
            acc_end = _LAST_STEP * _ACC_STEP_G[acc_range_g] * GRAVITY_M_S2
            self._ends = {"a": acc_end, "g": _LAST_STEP * _GYR_STEP_DPS[gyr_range_dps], "m": math.inf}
        return self._timeline.begun

    def end(self) -> None:
        """The stream was stopped: what passes until the next is no loss."""
        self._stream = None

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        if self._stream is None:
            raise DecodeError("Samples came before they were asked for.")
        payload = self._joined(data, self._stream)
        if payload is None:
            return []
        time_ms, values, peaks = decode_readings(payload, self._stream)
        measured = dict(zip(STREAMS[self._stream], values, strict=True))
        count = values.shape[1]
        times_us, lost = self._timeline.place(time_ms, count)
        self._last_us = int(times_us[-1])
        return [
            ImuSamples(
                sensor_time_us=times_us,
                acc_m_s2=measured["a"] if "a" in measured else np.full((count, 3), np.nan),
                gyr_rad_s=measured["g"] * DPS_RAD_S if "g" in measured else np.full((count, 3), np.nan),
                lost_before=lost,
                mag_ut=measured.get("m"),
                clipped=self._clipped(measured, peaks, count),
                source=self.source,
            )
        ]

    def _clipped(self, measured: dict[str, FloatArray], peaks: tuple[float, ...], count: int) -> BoolArray | None:
        if self._ends is None:
            return None
        clipped = np.zeros(count, dtype=np.bool_)
        for (sensor, values), peak in zip(measured.items(), peaks, strict=True):
            if peak >= self._ends[sensor]:
                clipped |= (np.abs(values) >= self._ends[sensor]).any(axis=1)
        return clipped

    def _joined(self, data: bytes, stream: str) -> bytes | None:
        """The payload that this notification completes, or None where it is a first half."""
        if not 2 < len(data) <= _LONGEST_PART_BYTES or data[1] != STREAM_REFERENCE:
            raise DecodeError("A notification does not belong to the stream.")
        first, self._first_half = self._first_half, b""
        if data[0] == Kind.DATA_PART2:
            if not first:
                raise DecodeError("The second half of a packet came without its first.")
            return first + data[2:]
        if data[0] != Kind.DATA:
            raise DecodeError(f"A notification of kind {data[0]} came where samples were due.")
        if is_whole(stream, data[2:]):
            return data[2:]
        self._first_half = data[2:]
        if first:
            raise DecodeError("The second half of a packet did not come.")
        return None
