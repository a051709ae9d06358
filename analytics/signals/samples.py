"""What a driver makes of a notification: samples in SI units on the sensor's own clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Resolution:
    """The step of a sensor's integer readings; samples are whole multiples of it."""

    acc_m_s2: float
    gyr_rad_s: float


@dataclass(frozen=True, slots=True)
class ImuSamples:
    """A run of samples of one sensor without a gap inside.

    sensor_time_us: (n,) int64, the sensor's clock, unwrapped, microseconds.
    acc_m_s2: (n, 3) specific force, +9.81 upwards at rest.
    gyr_rad_s: (n, 3) angular rate.
    lost_before: samples that the sensor took but that did not arrive between the previous run and this one.
    """

    sensor_time_us: IntArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    lost_before: int = 0

    def __len__(self) -> int:
        return len(self.sensor_time_us)
