"""What the filter's estimates may be off by: a Kalman filter on the errors of inclination (2), velocity (3), bias (3)
and gyroscope matrix (9), for many sensors at once.

The inclination's error is a small turn about the earth's x and y. There is none about the vertical: without
magnetometer the heading is what the filter says it is, and an error that grows without bound would only spoil the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analytics.motion.orientation.magnetic import MagneticSettings
from analytics.motion.orientation.rest import RestSettings
from analytics.motion.orientation.turning import matrices
from analytics.signals.samples import BoolArray, FloatArray

STATES = 17
_TILT, _VELOCITY, _BIAS, _MATRIX = slice(0, 2), slice(2, 5), slice(5, 8), slice(8, 17)
_OBSERVED = slice(2, 8)
"""Velocity and bias are what is observed."""


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """Standard deviations, as physics and data sheets have them. On BROAD the error changes by a tenth at most between
    half and twice of velocity_m_s and of matrix_share.

    velocity_m_s, velocity_s: how fast a body part moves in an exercise, and for how long it keeps to it.
    matrix_share: scale and cross-axis error of a consumer gyroscope, ±0.5 to 1 % in data sheets; _drift in an hour.
    gyr_noise_deg_sqrt_s: angle random walk, generous for what a model leaves out. bias_drift: VQF's 0.1°/s in 100 s.
    blind_*: what a reading at the end of its range may be wrong by.
    """

    stretch_s: float = 0.1
    velocity_m_s: float = 0.7
    velocity_s: float = 0.5
    first_tilt_deg: float = 10.0
    gyr_noise_deg_sqrt_s: float = 0.03
    acc_noise_m_s_sqrt_s: float = 0.05
    bias_deg_s: float = 0.5
    bias_drift_deg_s_sqrt_s: float = 0.01
    matrix_share: float = 0.005
    matrix_drift_share: float = 0.001
    rest_velocity_m_s: float = 0.01
    rest_bias_deg_sqrt_s: float = 0.03
    blind_gyr_rad_s: float = 5.0
    blind_acc_m_s2: float = 20.0
    rest: RestSettings = field(default_factory=lambda: RestSettings(largest_bias_deg_s=5.0))
    magnetic: MagneticSettings = field(default_factory=MagneticSettings)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Sums over the samples between two corrections, per sensor: seconds (k,); push_m_s (k, 3) ∫R a; turned_s
    (k, 3, 3) ∫R; swept_rad (k, 3, 9) ∫R ⊗ ω, what each entry of the gyroscope matrix turns by; blind_s (k, 2) time
    with gyroscope and accelerometer clipped."""

    seconds: FloatArray
    push_m_s: FloatArray
    turned_s: FloatArray
    swept_rad: FloatArray
    blind_s: FloatArray


class StretchSamples:
    """The samples between two corrections, kept until they are summed up: ten at once cost as much as one."""

    def __init__(self, samples: int, sensors: int) -> None:
        self._seconds = np.zeros((samples, sensors))
        self._orientation = np.zeros((samples, sensors, 4))
        self._rate_rad_s, self._acc_m_s2 = np.zeros((2, samples, sensors, 3))
        self._clipped = np.zeros((samples, sensors, 2), dtype=bool)
        self._count = 0

    @property
    def full(self) -> bool:
        return self._count == len(self._seconds)

    def add(
        self,
        seconds: FloatArray,
        orientation: FloatArray,
        rate_rad_s: FloatArray,
        acc_m_s2: FloatArray,
        clipped: BoolArray | None,
    ) -> None:
        """One sample of each sensor; seconds (k,) is 0 where there is none."""
        i = self._count
        self._seconds[i], self._orientation[i] = seconds, orientation
        self._rate_rad_s[i], self._acc_m_s2[i] = rate_rad_s, acc_m_s2
        self._clipped[i] = False if clipped is None else clipped
        self._count += 1

    def restart(self, rows: BoolArray) -> None:
        """Forget what these rows (k,) have seen."""
        self._seconds[:, rows] = 0.0

    def summed(self) -> Stretch:
        """Of a full stretch; the next sample begins another."""
        self._count = 0
        seconds = self._seconds
        turned = matrices(self._orientation.reshape(-1, 4)).reshape(*seconds.shape, 3, 3) * seconds[:, :, None, None]
        return Stretch(
            seconds=seconds.sum(axis=0),
            push_m_s=np.einsum("nkij,nkj->ki", turned, self._acc_m_s2),
            turned_s=turned.sum(axis=0),
            swept_rad=np.einsum("nkij,nkl->kijl", turned, self._rate_rad_s).reshape(-1, 3, 9),
            blind_s=np.einsum("nkm,nk->km", self._clipped, seconds),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """One step of the filter, with all that smoothing needs. transition, before, after: (k, 17, 17), the covariances
    before and after the observation; change: (k, 17) added to the estimates; heading: (k, 17) what errors at the
    stretch's start turn the heading by until its end."""

    transition: FloatArray
    before: FloatArray
    after: FloatArray
    change: FloatArray
    heading: FloatArray


class ErrorState:
    """covariance: (k, 17, 17) of k sensors' errors."""

    def __init__(self, sensors: int, settings: FilterSettings) -> None:
        self._settings = s = settings
        first = np.empty(STATES)
        first[_TILT], first[_VELOCITY] = np.radians(s.first_tilt_deg), s.velocity_m_s
        first[_BIAS], first[_MATRIX] = np.radians(s.bias_deg_s), s.matrix_share
        self._first = np.diag(first**2)
        growth = np.empty(STATES)  # variance in a second
        growth[_TILT], growth[_VELOCITY] = np.radians(s.gyr_noise_deg_sqrt_s), s.acc_noise_m_s_sqrt_s
        growth[_BIAS], growth[_MATRIX] = np.radians(s.bias_drift_deg_s_sqrt_s), s.matrix_drift_share / 60.0
        self._growth = growth**2
        self._rest_noise = (
            np.repeat([s.rest_velocity_m_s, np.radians(s.rest_bias_deg_sqrt_s) / s.stretch_s**0.5], 3) ** 2
        )
        self.covariance: FloatArray = np.tile(self._first, (sensors, 1, 1))

    @property
    def inclination_error_rad(self) -> FloatArray:
        """Standard deviation (k,)."""
        return np.asarray(np.sqrt(self.covariance[:, 0, 0] + self.covariance[:, 1, 1]))

    def restart(self, rows: BoolArray) -> None:
        """Inclination and velocity are lost, bias and matrix are not."""
        lost = slice(0, _BIAS.start)
        self.covariance[rows, lost, :] = 0.0
        self.covariance[rows, :, lost] = 0.0
        self.covariance[rows, lost, lost] = self._first[lost, lost]

    def update(self, stretch: Stretch, misfit: FloatArray, resting: BoolArray) -> Correction:
        """misfit: (k, 6) velocity and bias as observed less as estimated; the bias is believed at rest only."""
        transition, heading = self._transition(stretch)
        grown = transition[:, : _BIAS.start]  # what else there is stays as it is
        before = self.covariance.copy()
        before[:, : _BIAS.start] = grown @ before
        before[:, :, : _BIAS.start] = before @ grown.swapaxes(1, 2)
        np.einsum("kii->ki", before)[:] += self._noise(stretch)
        observed = before[:, :, _OBSERVED]
        spread = observed[:, _OBSERVED].copy()
        np.einsum("kii->ki", spread)[:] += self._doubt(stretch.seconds, resting)
        gain = observed @ np.linalg.inv(spread)
        after = before - gain @ observed.swapaxes(1, 2)
        self.covariance = 0.5 * (after + after.swapaxes(1, 2))
        change = (gain @ misfit[:, :, None])[:, :, 0]
        return Correction(transition, before, self.covariance, change, heading)

    def _transition(self, stretch: Stretch) -> tuple[FloatArray, FloatArray]:
        """How errors grow into another: θ̇ = R(δM ω - δb), v̇ = θ × R a."""
        sensors = len(stretch.seconds)
        turn = np.zeros((sensors, 3, STATES))
        turn[:, :, _BIAS] = -stretch.turned_s
        turn[:, :, _MATRIX] = stretch.swept_rad
        x, y, z = stretch.push_m_s.T
        crossed = np.zeros((sensors, 3, 2))  # θ × push for θ about x and y
        crossed[:, 1, 0], crossed[:, 2, 0] = -z, y
        crossed[:, 0, 1], crossed[:, 2, 1] = z, -x
        transition = np.tile(np.eye(STATES), (sensors, 1, 1))
        transition[:, _TILT] += turn[:, :2]
        # What tilts during the stretch has pushed for half of it.
        transition[:, _VELOCITY] += 0.5 * crossed @ turn[:, :2]
        transition[:, _VELOCITY, _TILT] += crossed
        return transition, turn[:, 2]

    def _noise(self, stretch: Stretch) -> FloatArray:
        noise = stretch.seconds[:, None] * self._growth
        if stretch.blind_s.any():
            blind = stretch.blind_s * [self._settings.blind_gyr_rad_s, self._settings.blind_acc_m_s2]
            noise[:, :5] += np.repeat(blind**2, [2, 3], axis=1)
        return noise

    def _doubt(self, seconds: FloatArray, resting: BoolArray) -> FloatArray:
        """Variance (k, 6) of what is observed. A velocity kept to for velocity_s says that once, not at every stretch;
        where there was no sample, and for the bias in motion, nothing is said."""
        s = self._settings
        moving = np.full((len(seconds), 6), 1e6)
        moving[:, :3] = (s.velocity_m_s**2 * s.velocity_s / np.maximum(seconds, 1e-9))[:, None]
        return np.where((resting & (seconds > 0.0))[:, None], self._rest_noise, moving)
