"""The exercises' own orientation filter: VQF's idea, that accelerations cancel out over time in a nearly inertial
frame, as one Kalman filter that also learns how the gyroscope errs.

VQF low-passes the specific force with one time constant, so while it waits, whatever the gyroscope gets wrong adds up;
in fast movement that is mostly scale and cross-axis error, of 0.5 % or so. Here the reason why accelerations cancel out
is said instead: a body part keeps to a modest velocity. The filter integrates the velocity that the orientation would
imply, knows that the true one is about zero (strictly so at rest), and what does not fit is shared among inclination,
bias and the gyroscope's 3 × 3 matrix by their covariance. Orientation goes on with every sample; the covariance ten
times a second.
"""

from __future__ import annotations

import numpy as np

from analytics.motion.orientation.error_state import Correction, ErrorState, FilterSettings, StretchSamples
from analytics.motion.orientation.magnetic import MagneticHeading
from analytics.motion.orientation.rest import RestDetector
from analytics.motion.orientation.turning import product, small_turns, unit, upright
from analytics.signals.samples import BoolArray, FloatArray

GRAVITY_M_S2 = 9.81
LEAST_FORCE_M_S2 = 1.0
"""Less than this shows no vertical to begin with: some sensors send zeros first."""


class OrientationFilter:
    """k sensors in step: one sample of each in, their orientations (sensor to earth, z up) out.

    bias_rad_s: (k, 3). matrix: (k, 3, 3) turns a reading without its bias into the rate. correction: what the last
    stretch's end changed, else None.
    """

    def __init__(self, rate_hz: float, sensors: int, settings: FilterSettings | None = None) -> None:
        if not rate_hz > 0:
            raise ValueError(f"A sensor's sampling rate must be above 0 Hz, not {rate_hz}.")
        self._settings = s = settings or FilterSettings()
        self._period_s = 1.0 / rate_hz
        self.stretch_samples = max(1, round(s.stretch_s * rate_hz))
        self._rest = RestDetector(self._period_s, sensors, s.rest)
        self._magnetic = MagneticHeading(self._period_s, sensors, s.magnetic)
        self._errors = ErrorState(sensors, s)
        self._stretch = StretchSamples(self.stretch_samples, sensors)
        self._orientation = np.tile([1.0, 0.0, 0.0, 0.0], (sensors, 1))
        self._fresh, self._some_fresh = np.ones(sensors, dtype=bool), True
        self._all_live = np.ones(sensors, dtype=bool)
        self._velocity_m_s = np.zeros((sensors, 3))
        self.bias_rad_s: FloatArray = np.zeros((sensors, 3))
        self.matrix: FloatArray = np.tile(np.eye(3), (sensors, 1, 1))
        self.correction: Correction | None = None

    @property
    def resting(self) -> BoolArray:
        return self._rest.resting

    @property
    def covariance(self) -> FloatArray:
        """Of the errors of inclination, velocity, bias and matrix (k, 17, 17)."""
        return self._errors.covariance

    @property
    def inclination_error_rad(self) -> FloatArray:
        """Standard deviation (k,) of the inclination, as the filter believes it."""
        return self._errors.inclination_error_rad

    def rate_rad_s(self, gyr_rad_s: FloatArray) -> FloatArray:
        """Readings (k, 3) without the errors known so far."""
        return np.asarray((self.matrix @ (gyr_rad_s - self.bias_rad_s)[:, :, None])[:, :, 0])

    def restart(self, rows: BoolArray) -> None:
        """Begin these sensors (k,) anew after a gap: their orientation is lost, how their gyroscope errs is not."""
        self._rest.restart(rows)
        self._errors.restart(rows)
        self._stretch.restart(rows)
        self._velocity_m_s[rows] = 0.0
        self._fresh |= rows
        self._some_fresh = True

    def update(
        self,
        gyr_rad_s: FloatArray,
        acc_m_s2: FloatArray,
        mag_ut: FloatArray | None = None,
        clipped: BoolArray | None = None,
    ) -> FloatArray:
        """One sample (k, 3) of each sensor; a row with NaN has none and stays where it is. clipped: (k, 2), whether
        gyroscope and accelerometer stand at the end of their range. Answers (k, 4): with magnetometer earth is
        east-north-up, without it each sensor's heading is arbitrary."""
        live, finite = self._all_live, np.isfinite(gyr_rad_s + acc_m_s2)
        if not finite.all():
            live = np.asarray(finite.all(axis=1))
            gyr_rad_s = np.where(live[:, None], gyr_rad_s, self.bias_rad_s)
            acc_m_s2 = np.where(live[:, None], acc_m_s2, 0.0)
        self._rest.update(gyr_rad_s, acc_m_s2, None if live is self._all_live else live)
        self._integrate(gyr_rad_s, acc_m_s2, live, clipped)
        self.correction = self._correct() if self._stretch.full else None
        if mag_ut is None:
            return self._orientation
        return self._magnetic.update(self._orientation, np.where(live[:, None], mag_ut, np.nan), self._rest.rate_rad_s)

    def _integrate(self, gyr: FloatArray, acc: FloatArray, live: BoolArray, clipped: BoolArray | None) -> None:
        seconds: FloatArray = np.where(live, self._period_s, 0.0)
        unbiased = gyr - self.bias_rad_s
        rate = (self.matrix @ unbiased[:, :, None])[:, :, 0]
        self._orientation = product(self._orientation, small_turns(rate * seconds[:, None]))
        if self._some_fresh:
            begin = self._fresh & live & ((acc**2).sum(axis=1) > LEAST_FORCE_M_S2**2)
            self._orientation[begin] = upright(acc[begin])
            self._fresh &= ~begin
            self._some_fresh = bool(self._fresh.any())
        self._stretch.add(seconds, self._orientation, unbiased, acc, clipped)

    def _correct(self) -> Correction:
        """End of a stretch: compare with the velocity that is plausible, and share what does not fit."""
        stretch = self._stretch.summed()
        self._velocity_m_s += stretch.push_m_s
        self._velocity_m_s[:, 2] -= GRAVITY_M_S2 * stretch.seconds
        misfit = np.concatenate([-self._velocity_m_s, self._rest.rate_rad_s - self.bias_rad_s], axis=1)
        correction = self._errors.update(stretch, misfit, self._rest.resting)
        change = correction.change
        tilt = np.concatenate([change[:, :2], np.zeros((len(change), 1))], axis=1)
        self._orientation = unit(product(small_turns(tilt), self._orientation))
        self._velocity_m_s += change[:, 2:5]
        self.bias_rad_s = self.bias_rad_s + change[:, 5:8]
        self.matrix = self.matrix + change[:, 8:].reshape(-1, 3, 3)
        return correction
