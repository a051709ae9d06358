"""Heading from a magnetometer, and when not to believe it (VQF, section 3.5; Laidig & Seel 2023, table 2)."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from analytics.motion import rotations
from analytics.motion.orientation.lowpass import Lowpass
from analytics.motion.orientation.turning import matrices, product
from analytics.signals.samples import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class MagneticSettings:
    """tau_s: time constant of the correction. The field counts as undisturbed while its strength stays by norm_share
    and its dip by dip_deg to the reference; a new reference must hold for new_s, the first for first_s, of turning
    faster than turning_deg_s. A disturbed field is ignored for longest_rejection_s, then followed at 1 / rejection of
    the gain."""

    tau_s: float = 9.0
    current_tau_s: float = 0.05
    reference_tau_s: float = 20.0
    norm_share: float = 0.1
    dip_deg: float = 10.0
    new_s: float = 20.0
    first_s: float = 5.0
    turning_deg_s: float = 20.0
    least_undisturbed_s: float = 0.5
    longest_rejection_s: float = 60.0
    rejection: float = 2.0


class MagneticField:
    """disturbed: (k,) whether the field now is another than where the heading was learned."""

    def __init__(self, period_s: float, sensors: int, settings: MagneticSettings) -> None:
        self._settings, self._period_s = settings, period_s
        self._gain = 1.0 - exp(-period_s / settings.reference_tau_s)
        self._current = Lowpass(settings.current_tau_s, period_s, sensors, 2)
        self._dip_limit, self._turning_limit = np.radians([settings.dip_deg, settings.turning_deg_s])
        # Strength and dip, a row each; a candidate of negative strength is like no field.
        self._reference = np.zeros((2, sensors))
        self._candidate = np.stack([np.full(sensors, -1.0), np.zeros(sensors)])
        self._candidate_s = np.zeros(sensors)
        self._undisturbed_s = np.zeros(sensors)
        self.disturbed: BoolArray = np.ones(sensors, dtype=bool)

    def update(self, field_ut: FloatArray, rate_rad_s: FloatArray, live: BoolArray) -> None:
        """field_ut: (k, 3) in the earth frame; rate_rad_s: (k, 3) low-passed; live: (k,) with a new reading."""
        s, step = self._settings, self._period_s * live
        strength = np.linalg.norm(np.where(live[:, None], field_ut, 1.0), axis=1)
        dip = -np.arcsin(np.clip(np.where(live, field_ut[:, 2], 0.0) / strength, -1.0, 1.0))
        field = self._current.update(np.stack([strength, dip], axis=1), live).T
        near = self._alike(field, self._reference)
        self._undisturbed_s = np.where(live, np.where(near, self._undisturbed_s + step, 0.0), self._undisturbed_s)
        known = near & (self._undisturbed_s >= s.least_undisturbed_s)
        disturbed = (self.disturbed | ~near) & ~known
        self._reference += self._gain * (field - self._reference) * (known & live)

        same = self._alike(field, self._candidate)
        turning = np.linalg.norm(rate_rad_s, axis=1) >= self._turning_limit
        self._candidate_s = np.where(same, self._candidate_s + step * turning, 0.0)
        self._candidate = np.where(same, self._candidate + self._gain * live * (field - self._candidate), field)
        wanted_s = np.where(self._reference[0] == 0.0, s.first_s, s.new_s)
        accepted = live & same & disturbed & (self._candidate_s >= wanted_s)
        self._reference = np.where(accepted, self._candidate, self._reference)
        self._undisturbed_s[accepted] = s.least_undisturbed_s
        self.disturbed = np.where(live, disturbed & ~accepted, self.disturbed)

    def _alike(self, field: FloatArray, other: FloatArray) -> BoolArray:
        strength, dip = np.abs(field - other)
        return np.asarray((strength < self._settings.norm_share * other[0]) & (dip < self._dip_limit))


class HeadingOffset:
    """radians: (k,) what a heading without magnetometer must be turned by. rejected_s: for how long a disturbed field
    counts as ignored already; online for as long as may be, so that the first readings are followed."""

    def __init__(self, period_s: float, sensors: int, settings: MagneticSettings, rejected_s: float) -> None:
        self._settings, self._period_s = settings, period_s
        self._gain = 1.0 - exp(-period_s / settings.tau_s)
        self._first_gain = np.ones(sensors)
        self._rejected_s = np.full(sensors, rejected_s)
        self.radians: FloatArray = np.zeros(sensors)

    def update(self, field_ut: FloatArray, disturbed: BoolArray, live: BoolArray) -> None:
        """field_ut: (k, 3) in the earth frame without magnetometer; live: (k,) with a new reading."""
        s, step = self._settings, self._period_s * live
        ignored = disturbed & (self._rejected_s <= s.longest_rejection_s)
        gain = np.where(disturbed, np.where(ignored, 0.0, self._gain / s.rejection), self._gain)
        calmer = np.maximum(self._rejected_s - s.rejection * step, 0.0)
        self._rejected_s = np.where(disturbed, self._rejected_s + step * ignored, calmer)
        # The first readings are averaged, until that would be slower than the filter.
        gain = np.maximum(gain, self._first_gain)
        next_gain = self._first_gain / (self._first_gain + 1.0)
        next_gain = np.where(next_gain * s.tau_s < self._period_s, 0.0, next_gain)
        self._first_gain = np.where(live, next_gain, self._first_gain)
        east, north = np.where(live[:, None], field_ut[:, :2], 1.0).T
        away = _wrapped(np.arctan2(east, north) - self.radians)
        self.radians = _wrapped(self.radians + gain * live * away)


class MagneticHeading:
    """Both together, for a filter without magnetometer."""

    def __init__(self, period_s: float, sensors: int, settings: MagneticSettings) -> None:
        self._field = MagneticField(period_s, sensors, settings)
        self._offset = HeadingOffset(period_s, sensors, settings, settings.longest_rejection_s)

    @property
    def disturbed(self) -> BoolArray:
        """Whether the field is (k,)."""
        return self._field.disturbed

    def update(self, orientation: FloatArray, mag_ut: FloatArray, rate_rad_s: FloatArray) -> FloatArray:
        """orientation: (k, 4) without magnetometer; mag_ut: (k, 3), NaN where there is no new reading; rate_rad_s:
        (k, 3) low-passed. Answers the orientation turned to east-north-up."""
        live = np.asarray((mag_ut * mag_ut).sum(axis=1) > 0.0)
        field_ut = (matrices(orientation) @ mag_ut[:, :, None])[:, :, 0]
        self._field.update(field_ut, rate_rad_s, live)
        self._offset.update(field_ut, self._field.disturbed, live)
        return product(rotations.about_vertical(self._offset.radians), orientation)


def _wrapped(angle_rad: FloatArray) -> FloatArray:
    """Angles in -π … π."""
    return np.asarray(angle_rad - 2.0 * np.pi * np.round(angle_rad / (2.0 * np.pi)))
