"""What a driver makes of notifications: samples in SI units on the sensor's own clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Resolution:
    """The step of a sensor's integer readings; samples are whole multiples of it.

    Of a sensor that sends floating point: the step in which they are recorded, which is below its noise.
    """

    acc_m_s2: float
    gyr_rad_s: float


@dataclass(frozen=True, slots=True)
class Source:
    """Which device samples come from. What a device does not tell is empty.

    calibration: who corrected the readings, as "factory" or "none"; nothing is claimed where the maker says nothing.
    """

    family: str
    address: str
    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    hardware: str = ""
    calibration: str = ""


@dataclass(frozen=True, slots=True)
class ImuSamples:
    """A run of samples of one sensor without a gap inside.

    sensor_time_us: (n,) int64, the sensor's clock, unwrapped, microseconds. Of a sensor without timestamps, the count
        of its samples in nominal periods (the stream's settings say so).
    acc_m_s2: (n, 3) specific force, +9.81 upwards at rest. NaN where the sensor has no accelerometer.
    gyr_rad_s: (n, 3) angular rate. NaN where the sensor has no gyroscope.
    lost_before: samples that the sensor took but that did not arrive between the previous run and this one; 0 as well
        where the sensor gives no means of knowing.
    mag_ut: (n, 3) magnetic flux density [µT], or None; NaN in samples without a new reading.
    orientation: (n, 4) the sensor's own estimate, quaternions w, x, y, z, sensor to earth, or None; NaN in samples that
        it was not told for.
    clipped: (n,) whether a reading stands at the end of its range, or None where that cannot be known.
    """

    sensor_time_us: IntArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    lost_before: int = 0
    mag_ut: FloatArray | None = None
    orientation: FloatArray | None = None
    clipped: BoolArray | None = None
    source: Source | None = None

    def __len__(self) -> int:
        return len(self.sensor_time_us)
