"""VQF: orientation of k sensors at once, as published.

Written from D. Laidig and T. Seel, "VQF: Highly accurate IMU orientation estimation with bias estimation and magnetic
disturbance rejection", Information Fusion 91 (2023), arXiv 2203.17024; section numbers are the paper's. The gyroscope
is integrated; what the accelerometer measured is turned by that into a nearly inertial frame and low-passed there,
where accelerations cancel out; that vector shows by how much the frame is inclined.

This is what the exercises' own filter (`filter`) is measured against.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analytics.motion.orientation.lowpass import Lowpass, held
from analytics.motion.orientation.magnetic import MagneticHeading, MagneticSettings
from analytics.motion.orientation.rest import RestDetector, RestSettings
from analytics.motion.orientation.turning import matrices, product, small_turns, unit, upright
from analytics.signals.samples import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class VqfSettings:
    """Values of the paper's table 2."""

    tau_acc_s: float = 3.0
    bias_sigma_init_deg_s: float = 0.5
    bias_forgetting_s: float = 100.0
    bias_sigma_motion_deg_s: float = 0.1
    bias_vertical_forgetting: float = 0.0001
    bias_sigma_rest_deg_s: float = 0.03
    rest: RestSettings = field(default_factory=RestSettings)
    magnetic: MagneticSettings = field(default_factory=MagneticSettings)


class Vqf:
    """One sample of k sensors in, their orientations out."""

    def __init__(self, rate_hz: float, sensors: int, settings: VqfSettings | None = None) -> None:
        self._settings = s = settings or VqfSettings()
        self._period_s = 1.0 / rate_hz
        self._rest = RestDetector(self._period_s, sensors, s.rest)
        self._magnetic = MagneticHeading(self._period_s, sensors, s.magnetic)
        self._vertical = Lowpass(s.tau_acc_s, self._period_s, sensors, 3)
        self._seen = Lowpass(s.tau_acc_s, self._period_s, sensors, 11)
        self._strapdown, self._correction = np.tile([1.0, 0.0, 0.0, 0.0], (2, sensors, 1))
        self.bias_rad_s: FloatArray = np.zeros((sensors, 3))
        # The paper keeps variances in (0.01°/s)²; the estimate is the same in any unit.
        self._covariance = np.tile(np.eye(3) * s.bias_sigma_init_deg_s**2, (sensors, 1, 1))
        drift = 0.1**2 * self._period_s / s.bias_forgetting_s
        # Measurement noise at which the steady state has the wanted standard deviation (section 3.4).
        motion, rest = (sigma**4 / drift + sigma**2 for sigma in (s.bias_sigma_motion_deg_s, s.bias_sigma_rest_deg_s))
        self._drift = drift
        self._motion_noise = np.array([motion, motion, motion / s.bias_vertical_forgetting])
        self._rest_noise = np.full(3, rest)

    @property
    def resting(self) -> BoolArray:
        return self._rest.resting

    @property
    def disturbed(self) -> BoolArray:
        """Whether the magnetic field is (k,)."""
        return self._magnetic.disturbed

    @property
    def bias_covariance_deg2_s2(self) -> FloatArray:
        return self._covariance

    def update(self, gyr_rad_s: FloatArray, acc_m_s2: FloatArray, mag_ut: FloatArray | None = None) -> FloatArray:
        """One sample (k, 3) of each sensor; a row with NaN has none and keeps its state. Answers (k, 4): with
        magnetometer earth is east-north-up, without it the heading is arbitrary."""
        finite = np.asarray(np.isfinite(gyr_rad_s + acc_m_s2).all(axis=1))
        live = None if finite.all() else finite
        self._rest.update(gyr_rad_s, acc_m_s2, live)
        step = small_turns((gyr_rad_s - self.bias_rad_s) * self._period_s)
        self._strapdown = held(unit(product(self._strapdown, step)), self._strapdown, live)
        tilt = self._incline(acc_m_s2, live)
        orientation = product(self._correction, self._strapdown)
        self._learn_bias(matrices(orientation), tilt, live)
        if mag_ut is None:
            return orientation
        return self._magnetic.update(orientation, np.where(finite[:, None], mag_ut, np.nan), self._rest.rate_rad_s)

    def _incline(self, acc: FloatArray, live: BoolArray | None) -> FloatArray:
        """Section 3.2: turn the low-passed vector upright. Answers its horizontal components (k, 2) before."""
        inertial = (matrices(self._strapdown) @ acc[:, :, None])[:, :, 0]
        low = self._vertical.update(inertial, live)
        earth = (matrices(self._correction) @ low[:, :, None])[:, :, 0]
        earth /= np.linalg.norm(earth, axis=1, keepdims=True)
        self._correction = held(unit(product(upright(earth), self._correction)), self._correction, live)
        return earth[:, :2]

    def _learn_bias(self, rotation: FloatArray, tilt: FloatArray, live: BoolArray | None) -> None:
        """Section 3.4: a Kalman filter on the bias, which at rest is the rate itself, and in motion shows in how the
        inclination needs correcting; what is about the vertical then shows in nothing and is slowly forgotten."""
        bias = self.bias_rad_s[:, :, None]
        level = (rotation @ bias)[:, :2, 0]
        seen = self._seen.update(np.concatenate([rotation.reshape(-1, 9), level], axis=1), live)
        rotation, level = seen[:, :9].reshape(-1, 3, 3), seen[:, 9:]
        moving = -(rotation @ bias)[:, :, 0]
        moving[:, :2] += level + tilt[:, ::-1] * [-1.0 / self._period_s, 1.0 / self._period_s]
        resting = self._rest.resting[:, None]
        error = np.where(resting, self._rest.rate_rad_s - self.bias_rad_s, moving)
        observed = np.where(resting[:, :, None], np.eye(3), rotation)
        noise = np.where(resting, self._rest_noise, self._motion_noise)

        covariance = self._covariance + np.eye(3) * (
            self._drift * (np.einsum("kii->ki", self._covariance) < self._settings.bias_sigma_init_deg_s**2)[:, None, :]
        )
        crossed = covariance @ observed.swapaxes(1, 2)
        gain = crossed @ np.linalg.inv(observed @ crossed + np.eye(3) * noise[:, None, :])
        limit = np.radians(self._settings.rest.largest_bias_deg_s)
        change = (gain @ np.clip(error, -limit, limit)[:, :, None])[:, :, 0]
        self.bias_rad_s = held(np.clip(self.bias_rad_s + change, -limit, limit), self.bias_rad_s, live)
        self._covariance = held(covariance - gain @ observed @ covariance, self._covariance, live)
