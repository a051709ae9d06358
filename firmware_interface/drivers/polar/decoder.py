"""From Polar's data frames to samples: accelerometer, gyroscope and magnetometer come in streams of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.signals.samples import FloatArray, ImuSamples, IntArray, Resolution

from ...driver_kit.decoder import Decoder
from ...driver_kit.timed_pairing import LONGEST_WAIT, PairedRun, SlowerStream, TimedPairing
from ...driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ...errors import DecodeError
from .control import Measurement
from .frame import GAUSS_UT, Frame, decode_frame
from .timeline import FrameTimeline

_LARGEST_COUNT = 32768
_SMALL_FACTOR = 0.01
_FLOAT_RANGE = 1.25
"""16 bits of floating-point readings reach this far beyond full scale: gyroscopes tell up to 15 % more than it."""
_NOTHING: FloatArray = np.empty((0, 4))


class _Stream:
    """One measurement: its clock, and how its readings become SI. A step is the least difference that it tells."""

    def __init__(self, rate_hz: float, range_si: float, factor: float, step_si: float) -> None:
        self.setup = (rate_hz, range_si, factor, step_si)
        self.timeline = FrameTimeline(rate_hz)
        self.factor = factor
        # Truncated to whole steps, a reading at the end of the range, or of 16 bits, stands just below it.
        self.clipped_from = min(range_si - 1.5 * step_si, (_LARGEST_COUNT - 1.5) * step_si)
        self.step_si = step_si
        self._waiting = _NOTHING

    def place(self, frame: Frame) -> tuple[IntArray, FloatArray, int]:
        """Times (n,), readings in SI with a fourth column of 1 where clipped (n, 4), and what was lost before."""
        scale = frame.unit * self.factor if frame.has_factor else frame.unit
        readings = np.empty((len(frame.readings), 4))
        np.multiply(frame.readings, scale, out=readings[:, :3])
        sizes = np.abs(frame.readings)
        readings[:, 3] = 0.0
        if sizes.max() * scale >= self.clipped_from:
            readings[:, 3] = sizes.max(axis=1) * scale >= self.clipped_from
            # 16 bits of steps are written down, from -32768 to 32767.
            if np.abs(readings[:, :3] + self.step_si / 2).max() > _LARGEST_COUNT * self.step_si:
                raise DecodeError(f"A frame holds a reading of {frame.measurement.name} that cannot be.")
        waiting, self._waiting = self._waiting, readings
        times_us, lost = self.timeline.place(frame.last_ns, len(readings))
        if len(times_us) > len(readings):
            readings = np.concatenate((waiting, readings))
        self._waiting = _NOTHING
        return times_us, readings, lost


class PolarDecoder(Decoder):
    """Samples have the accelerometer's times. With a gyroscope and a magnetometer they wait until those have come."""

    def __init__(self) -> None:
        self.resolution = Resolution(0.0, 0.0)
        self._streams: dict[Measurement, _Stream] = {}
        self._pairing = TimedPairing(0.0)
        self._field = SlowerStream()
        self._waiting: list[PairedRun] = []

    def begin(
        self,
        *,
        rate_hz: float,
        acc_range_g: float,
        acc_factor: float = 1.0,
        gyr_rate_hz: float = 0.0,
        gyr_range_dps: float = 0.0,
        gyr_factor: float = 1.0,
        mag_rate_hz: float = 0.0,
        mag_factor: float = 1.0,
        running: bool = False,
    ) -> bool:
        """Set up for the accelerometer at `rate_hz` and the other streams at their rates; 0 where they are not on.

        A factor is what the answer to the start told, or 1. running: the device has streamed since before, so its clock
        has gone on. True where these streams are those of before, and what was lost meanwhile is counted.
        """
        acc_step = STANDARD_GRAVITY_M_S2 * acc_step_g(acc_factor)
        gyr_step = DPS_RAD_S * (gyr_factor if gyr_factor < 1 else _FLOAT_RANGE * gyr_range_dps / _LARGEST_COUNT)
        mag_step = GAUSS_UT * mag_factor
        streams = {Measurement.ACC: _Stream(rate_hz, acc_range_g * STANDARD_GRAVITY_M_S2, acc_factor, acc_step)}
        if gyr_rate_hz:
            streams[Measurement.GYRO] = _Stream(gyr_rate_hz, gyr_range_dps * DPS_RAD_S, gyr_factor, gyr_step)
        if mag_rate_hz:
            streams[Measurement.MAG] = _Stream(mag_rate_hz, np.inf, mag_factor, mag_step)
        before = {measurement: stream.setup for measurement, stream in self._streams.items()}
        if running and before == {measurement: stream.setup for measurement, stream in streams.items()}:
            for stream in self._streams.values():
                stream.timeline.expect_gap()
            return True
        self.resolution = Resolution(acc_step, gyr_step)
        self._streams, self._waiting, self._field = streams, [], SlowerStream()
        self._pairing = TimedPairing(longest_gap_us=2.5e6 / min(rate_hz, gyr_rate_hz or rate_hz))
        return False

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        frame = decode_frame(data)
        stream = self._streams.get(frame.measurement)
        if stream is None:
            raise DecodeError(f"A frame of {frame.measurement.name} came, which was not asked for.")
        times_us, readings, lost = stream.place(frame)
        if frame.measurement is Measurement.MAG:
            self._field.add(times_us, readings[:, :3])
        elif frame.measurement is Measurement.GYRO:
            self._pairing.add_second(times_us, readings)
        elif Measurement.GYRO in self._streams:
            self._pairing.add_first(times_us, readings, lost)
        else:
            self._waiting.append(PairedRun(times_us, readings, _no_readings(len(times_us)), lost))
        self._waiting += self._pairing.take()
        return self._complete()

    def _complete(self) -> list[ImuSamples]:
        """The runs whose magnetic field has come, or has been waited for too long."""
        if Measurement.MAG not in self._streams:
            runs, self._waiting = self._waiting, []
            return [self._samples(run, None) for run in runs]
        period_us = 1e6 / self._streams[Measurement.ACC].timeline.rate_hz
        complete = []
        while self._waiting and (
            self._field.has_passed(int(self._waiting[0].times_us[-1]) + round(period_us / 2))
            or sum(len(run.times_us) for run in self._waiting) > LONGEST_WAIT
        ):
            run = self._waiting.pop(0)
            complete.append(self._samples(run, self._field.at(run.times_us, period_us)))
        return complete

    def _samples(self, run: PairedRun, mag_ut: FloatArray | None) -> ImuSamples:
        return ImuSamples(
            sensor_time_us=run.times_us,
            acc_m_s2=run.first[:, :3],
            gyr_rad_s=run.second[:, :3],
            lost_before=run.lost_before,
            mag_ut=mag_ut,
            # Between two angular rates stands a share of each, so of a clipped one too.
            clipped=run.first[:, 3] + run.second[:, 3] > 0,
            source=self.source,
        )


def acc_step_g(factor: float) -> float:
    """What one count of acceleration is: of frames of type 0 the factor in g, of the others the factor in mg.

    The answer to a start does not say which will come, but the factor does: 16 bits of 16 g are 0.0005 g a count.
    """
    return factor if factor < _SMALL_FACTOR else factor * 1e-3


def _no_readings(count: int) -> FloatArray:
    """Of a sensor without a gyroscope: none is clipped either."""
    return np.tile([np.nan, np.nan, np.nan, 0.0], (count, 1))
