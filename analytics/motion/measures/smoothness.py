"""How smooth a movement is: one stroke, or many small ones. Both figures are below zero, and nearer to it is smoother.

SPARC holds on a gyroscope's angular velocity as it is; LDLJ, differentiated twice more, follows noise and skin, and is
given for comparison. Neither holds on a velocity integrated from acceleration. Sources: Balasubramanian et al. 2015
(J. NeuroEng. Rehabil. 12:112, doi 10.1186/s12984-015-0090-9); for inertial sensors, Melendez-Calderon et al. 2021
(Front. Bioeng. Biotechnol. 8:558771).
"""

from __future__ import annotations

import numpy as np

from analytics.motion.measures.curve import derivative
from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.signals.samples import FloatArray

HIGHEST_HZ = 10.0
LEAST_AMPLITUDE = 0.05
"""The spectrum counts up to the highest frequency at which it is still so high, and never beyond HIGHEST_HZ."""
STILL = 1e-6
"""A movement whose greatest speed is below this (rad/s, or °/s) is none."""


def sparc(speed: FloatArray, rate_hz: float) -> float:
    """Spectral arc length of a speed (n,), sampled evenly, in whatever unit; padded sixteenfold.

    A minimum-jerk movement has −1.41; the unit and pauses before and after do not matter much, stops inside do.
    """
    if len(speed) < 4 or np.max(np.abs(speed)) < STILL:
        raise UnmeasurableError("The joint did not move.")
    length = 2 ** (int(np.ceil(np.log2(len(speed)))) + 4)
    frequency = np.fft.rfftfreq(length, 1.0 / rate_hz)
    spectrum = np.abs(np.fft.rfft(speed, length))
    spectrum = spectrum / spectrum.max()
    kept = np.flatnonzero((spectrum >= LEAST_AMPLITUDE) & (frequency <= HIGHEST_HZ))
    frequency, spectrum = (one[kept[0] : kept[-1] + 1] for one in (frequency, spectrum))
    return -float(np.hypot(np.diff(frequency) / (frequency[-1] - frequency[0]), np.diff(spectrum)).sum())


def angular_jerk(rate: FloatArray, rate_hz: float) -> FloatArray:
    """Second derivative, as seen from the room, of an angular rate: (n,) about a fixed axis, or (n, 3) [rad/s] as the
    turning sensor sees it."""
    jerk = derivative(rate, rate_hz, 2)
    if rate.ndim == 1:
        return jerk
    # d/dt in the room is d/dt in the sensor plus ω×; the first derivative is the same in both, since ω×ω = 0.
    return np.asarray(jerk + np.cross(rate, derivative(rate, rate_hz, 1)))


def ldlj(rate: FloatArray, jerk: FloatArray, rate_hz: float) -> float:
    """Log dimensionless jerk −ln(T³/ω²max ∫|d²ω/dt²|² dt) of an angular rate (n,) or (n, 3) and its second derivative.

    A minimum-jerk movement has −ln 204.8 = −5.32. It takes the whole movement and nothing about it: a pause of 10 % of
    the duration at an end lowers it by 3 ln 1.1 = 0.29.
    """
    fastest = float(np.max(_magnitude(rate)))
    if len(rate) < 4 or fastest < STILL:
        raise UnmeasurableError("The joint did not move.")
    duration_s = (len(rate) - 1) / rate_hz
    return -float(np.log(duration_s**3 / fastest**2 * np.trapezoid(_magnitude(jerk) ** 2, dx=1.0 / rate_hz)))


def _magnitude(values: FloatArray) -> FloatArray:
    return np.abs(values) if values.ndim == 1 else np.asarray(np.linalg.norm(values, axis=1))
