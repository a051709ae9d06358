"""Orientation of one worn sensor from its accelerometer and gyroscope, honest about gaps.

The filter is VQF without magnetometer (Laidig & Seel, Information Fusion 91, 2023): indoors a magnetometer makes joint
angles worse, so headings stay arbitrary and `heading` and `joint_angle` deal with that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from vqf import VQF

from analytics.motion.quaternion import Quaternion, Vector
from analytics.signals.samples import FloatArray, ImuSamples

BRIDGED_GAP_S = 0.1
"""A gap this long is filled by straight lines between the samples about it; a knee hardly changes course in that
time."""
LEAST_SETTLING_S = 0.5
"""After a restart, the accelerometer must have spoken this long before an inclination is believed, and then be quiet
…"""
QUIET_S = 0.3
"""… for this long, so that what it measures is gravity; or else"""
LONGEST_SETTLING_S = 3.0
"""the filter's own time constant (VQF's tauAcc) must have passed."""
LARGEST_BIAS_DEG_S = 5.0
"""VQF believes 2; the thigh units of Yurtman & Barshan have up to 2.6 on an axis, and then their heading turns by 75°
a minute."""
QUIET_RAD_S = 0.17
QUIET_M_S2 = 0.5
GRAVITY_M_S2 = 9.81


@dataclass(frozen=True, slots=True)
class OrientedSample:
    """One sample with its orientation. `restarted`: the filter began anew since the last one, so its heading is
    another."""

    time_s: float
    sensor_time_us: int
    orientation: Quaternion
    rate_rad_s: Vector
    restarted: bool


class SensorOrientation:
    """Orientation of one sensor, one sample in, at most one out. Samples that cannot be trusted yet give none."""

    def __init__(self, rate_hz: float) -> None:
        if not rate_hz > 0:
            raise ValueError(f"A sensor's sampling rate must be above 0 Hz, not {rate_hz}.")
        self._period_s = 1.0 / rate_hz
        self._filter = VQF(self._period_s, biasClip=LARGEST_BIAS_DEG_S)
        self._last: tuple[int, FloatArray, FloatArray] | None = None
        self._restarted = True
        self._settled = True
        self._settling_s = 0.0
        self._quiet_s = 0.0

    def update(self, samples: ImuSamples, time_s: FloatArray) -> list[OrientedSample]:
        """Take a run of samples with their gateway times (n,) and return the samples whose orientation is known."""
        oriented = []
        acc = np.ascontiguousarray(samples.acc_m_s2, dtype=np.float64)
        gyr = np.ascontiguousarray(samples.gyr_rad_s, dtype=np.float64)
        sensor_times_us = samples.sensor_time_us.tolist()
        finite = np.asarray(np.isfinite(np.hstack([acc, gyr])).all(axis=1))
        for i, at_s in enumerate(time_s.tolist()):
            if not finite[i]:
                continue  # a sample without a value is a missing sample; the next one finds the gap
            self._cross_gap(sensor_times_us[i], acc[i], gyr[i])
            self._filter.update(gyr[i], acc[i])
            self._last = (sensor_times_us[i], acc[i], gyr[i])
            if self._settled or self._settle(acc[i], gyr[i]):
                w, x, y, z = self._filter.getQuat6D().tolist()
                bias = self._filter.getBiasEstimate()[0].tolist()
                gx, gy, gz = gyr[i].tolist()
                rate = (gx - bias[0], gy - bias[1], gz - bias[2])
                oriented.append(OrientedSample(at_s, sensor_times_us[i], (w, x, y, z), rate, self._restarted))
                self._restarted = False
        return oriented

    def _cross_gap(self, sensor_time_us: int, acc: FloatArray, gyr: FloatArray) -> None:
        if self._last is None:
            return
        last_us, last_acc, last_gyr = self._last
        step_s = (sensor_time_us - last_us) / 1e6
        missing = round(step_s / self._period_s) - 1
        if missing == 0:
            return
        if step_s <= 0 or step_s - self._period_s > BRIDGED_GAP_S:
            self._restart()
            return
        for k in range(1, missing + 1):
            share = k / (missing + 1)
            self._filter.update(last_gyr + share * (gyr - last_gyr), last_acc + share * (acc - last_acc))

    def _restart(self) -> None:
        """Begin anew, keeping what is known of the gyroscope's bias."""
        bias, sigma = self._filter.getBiasEstimate()
        self._filter.resetState()
        self._filter.setBiasEstimate(bias, sigma)
        self._restarted, self._settled, self._settling_s, self._quiet_s = True, False, 0.0, 0.0

    def _settle(self, acc: FloatArray, gyr: FloatArray) -> bool:
        self._settling_s += self._period_s
        quiet = sqrt(gyr @ gyr) < QUIET_RAD_S and abs(sqrt(acc @ acc) - GRAVITY_M_S2) < QUIET_M_S2
        self._quiet_s = self._quiet_s + self._period_s if quiet else 0.0
        self._settled = self._settling_s >= LONGEST_SETTLING_S or (
            self._settling_s >= LEAST_SETTLING_S and self._quiet_s >= QUIET_S
        )
        return self._settled
