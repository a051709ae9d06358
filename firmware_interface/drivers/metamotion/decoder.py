"""MetaMotion streams to samples. They carry neither time nor sequence, and come as one stream per quantity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics.signals.samples import BoolArray, FloatArray, ImuSamples, Resolution

from ...driver_kit.clipping import clipped_counts
from ...driver_kit.counted_pairing import CountedPairing
from ...driver_kit.decoder import Decoder
from ...driver_kit.timeline import CountedTimeline
from ...driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ...errors import DecodeError
from .commands import (
    ACC_DATA,
    ACCELEROMETER,
    CHIPS,
    GYROSCOPE,
    FusionData,
    decode_corrected_acc,
    decode_corrected_gyr,
    decode_quaternion,
)

GYR_STEPS_PER_DPS_AT_2000 = 16.4  # so full scale is 1998 °/s (API specification, "FSR scales")
_SINGLE_BYTES, _PACKED_BYTES = 2 + 6, 2 + 3 * 6


def resolution(acc_range_g: int, gyr_range_dps: int) -> Resolution:
    """The step of 16-bit readings at these ranges."""
    return Resolution(
        acc_m_s2=acc_range_g * STANDARD_GRAVITY_M_S2 / 32768,
        gyr_rad_s=gyr_range_dps / 2000 / GYR_STEPS_PER_DPS_AT_2000 * DPS_RAD_S,
    )


class MetaMotionDecoder(Decoder):
    """Readings of one chip, taken at one rate, so that they are paired in the order in which they come."""

    def __init__(self) -> None:
        self.begin()

    def begin(
        self,
        rate_hz: float = 100.0,
        chip: str = "BMI270",
        acc_range_g: int = 16,
        gyr_range_dps: int = 2000,
        fusion: bool = False,
    ) -> None:
        known = CHIPS[chip]
        self._fusion = fusion
        self._step = resolution(acc_range_g, gyr_range_dps)
        self._acc_streams = ((ACCELEROMETER, ACC_DATA, _SINGLE_BYTES), (ACCELEROMETER, known.packed_acc, _PACKED_BYTES))
        self._gyr_streams = ((GYROSCOPE, known.gyr_data, _SINGLE_BYTES), (GYROSCOPE, known.packed_gyr, _PACKED_BYTES))
        self._timeline = CountedTimeline(rate_hz)
        self._pairing = CountedPairing()
        self._fused: dict[str, FloatArray] = {}

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        return self._decode_fusion(data) if self._fusion else self._decode_counts(data)

    def _decode_counts(self, data: bytes) -> Sequence[ImuSamples]:
        stream = (*data[:2], len(data))
        if stream in self._acc_streams:
            self._pairing.add_first(np.frombuffer(data, "<i2", offset=2).reshape(-1, 3).astype(np.float64))
        elif stream in self._gyr_streams:
            self._pairing.add_second(np.frombuffer(data, "<i2", offset=2).reshape(-1, 3).astype(np.float64))
        else:
            raise DecodeError(f"This is no stream of a MetaMotion that was asked for: {data[:20].hex()}.")
        if (paired := self._pairing.take()) is None:
            return ()
        acc, gyr = paired
        clipped = clipped_counts(np.concatenate(paired, axis=1).astype(np.int16))
        return [self._samples(acc * self._step.acc_m_s2, gyr * self._step.gyr_rad_s, clipped=clipped)]

    def _decode_fusion(self, data: bytes) -> Sequence[ImuSamples]:
        """Whether a corrected reading was clipped cannot be known: its bias has been taken off."""
        match data[1] if len(data) >= 2 else None:
            case FusionData.CORRECTED_ACC:
                self._fused["acc"] = _one(decode_corrected_acc(data).vector)
            case FusionData.CORRECTED_GYR:
                self._fused["gyr"] = _one(decode_corrected_gyr(data).vector) * DPS_RAD_S
            case FusionData.QUATERNION:
                self._fused["orientation"] = _one(decode_quaternion(data))
            case _:
                raise DecodeError(f"This is no stream of a MetaMotion's fusion: {data[:20].hex()}.")
        if len(self._fused) < 3:
            return ()
        fused, self._fused = self._fused, {}
        return [self._samples(fused["acc"], fused["gyr"], orientation=fused["orientation"])]

    def _samples(
        self,
        acc_m_s2: FloatArray,
        gyr_rad_s: FloatArray,
        *,
        clipped: BoolArray | None = None,
        orientation: FloatArray | None = None,
    ) -> ImuSamples:
        return ImuSamples(
            sensor_time_us=self._timeline.place(len(acc_m_s2)),
            acc_m_s2=acc_m_s2,
            gyr_rad_s=gyr_rad_s,
            clipped=clipped,
            orientation=orientation,
            source=self.source,
        )


def _one(values: Sequence[float]) -> FloatArray:
    reading = np.array([values])
    if not np.isfinite(reading).all():
        raise DecodeError("A reading of a MetaMotion's fusion is not a number.")
    return reading
