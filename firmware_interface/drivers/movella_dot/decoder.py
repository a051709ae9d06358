"""The stream of one Movella DOT: payloads with acceleration and angular rate become samples."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from analytics.signals.samples import ImuSamples

from ...driver_kit.decoder import Decoder
from ...driver_kit.timeline import Timeline
from ...driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ...errors import DecodeError
from .payload import PayloadMode

ACC_RANGE_G = 16.0
GYR_RANGE_DPS = 2000.0
RAW_MODES = {
    PayloadMode.RATE_QUANTITIES_WITH_MAG: struct.Struct("<I6f"),
    PayloadMode.RATE_QUANTITIES: struct.Struct("<I6f"),
    PayloadMode.CUSTOM_5: struct.Struct("<I10f"),
}
"""Those that hold acceleration and angular rate: the time, an orientation perhaps, and these. What follows is left out:
a magnetic field in no known unit, and filling."""
_ACC_EDGE_M_S2, _GYR_EDGE_DPS = ACC_RANGE_G * STANDARD_GRAVITY_M_S2 * (1 - 2**-15), GYR_RANGE_DPS * (1 - 2**-15)
"""The last step of the chip's 16 bits: beyond, a reading stands at the end of its range."""
_ACC_LIMIT_M_S2, _GYR_LIMIT_DPS = 2 * _ACC_EDGE_M_S2, 2 * _GYR_EDGE_DPS
"""Calibration moves the end of the range by some percent; what is twice as far away is damage."""
_UNIT_TOLERANCE = 1e-3


class MovellaDotDecoder(Decoder):
    """One sample to a notification, with a time but no sequence: losses are counted in the time between samples.

    Readings that no sensor of this family gives show a damaged packet: beyond twice the range, not numbers, or an
    orientation that is no unit quaternion.
    """

    def __init__(self) -> None:
        self._mode = PayloadMode.CUSTOM_5
        self._timeline: Timeline | None = None

    def begin(self, rate_hz: float, mode: int = PayloadMode.CUSTOM_5) -> bool:
        """Set up for a stream of one of RAW_MODES. True where one at this rate goes on."""
        if mode not in RAW_MODES:
            raise ValueError(f"Payload mode {mode} does not hold both acceleration and angular rate.")
        self._mode = PayloadMode(mode)
        if self._timeline is None or self._timeline.rate_hz != rate_hz:
            self._timeline = Timeline(rate_hz)
        return self._timeline.begun

    def end(self) -> None:
        """The sensor was told to stop, or its link was lost: the next stream is another."""
        self._timeline = None

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        if self._timeline is None:
            raise DecodeError("Samples came before the sensor was told how to measure.")
        layout = RAW_MODES[self._mode]
        if len(data) < layout.size:
            raise DecodeError(f"A packet of {len(data)} bytes is shorter than its {layout.size} bytes of readings.")
        time_us, *readings = layout.unpack_from(data)
        orientation, acc, gyr = readings[:-6], readings[-6:-3], readings[-3:]
        # One sample is checked faster without NumPy; a reading that is not a number fails each comparison.
        if not (_all_within(acc, _ACC_LIMIT_M_S2) and _all_within(gyr, _GYR_LIMIT_DPS)):
            raise DecodeError("A packet holds readings far beyond the sensor's range, so it is damaged.")
        if orientation and not abs(sum(part * part for part in orientation) - 1.0) <= _UNIT_TOLERANCE:
            raise DecodeError("A packet's orientation is no unit quaternion, so it is damaged.")
        times_us, lost = self._timeline.place(time_us, 1)
        return [
            ImuSamples(
                sensor_time_us=times_us,
                acc_m_s2=np.array([acc]),
                gyr_rad_s=np.array([gyr]) * DPS_RAD_S,
                lost_before=lost,
                orientation=np.array([orientation]) if orientation else None,
                clipped=np.array([not (_all_within(acc, _ACC_EDGE_M_S2) and _all_within(gyr, _GYR_EDGE_DPS))]),
                source=self.source,
            )
        ]


def _all_within(values: Sequence[float], limit: float) -> bool:
    return all(-limit < value < limit for value in values)
