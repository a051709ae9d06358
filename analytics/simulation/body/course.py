"""Smooth functions of time with their first two derivatives, from which exact angular rates and accelerations follow.

A course is an array (3, ...): value, rate and acceleration over the last axis. Courses add and scale as arrays do.
"""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import FloatArray


def minimum_jerk(time_s: FloatArray, start_s: float, duration_s: float) -> FloatArray:
    """From 0 to 1 as a reaching person moves (Flash & Hogan 1985, J Neurosci 5:1688): at rest before and after."""
    p = np.clip((time_s - start_s) / duration_s, 0.0, 1.0)
    return np.stack(
        [
            p**3 * (10 - 15 * p + 6 * p**2),
            30 * (p * (1 - p)) ** 2 / duration_s,
            60 * p * (1 - p) * (1 - 2 * p) / duration_s**2,
        ]
    )


def envelope(time_s: FloatArray, duration_s: float, ramp_s: float) -> FloatArray:
    """1 within 0 … duration, rising and falling with minimum jerk over ramp_s at either end."""
    return minimum_jerk(time_s, 0.0, ramp_s) - minimum_jerk(time_s, duration_s - ramp_s, ramp_s)


def cruise(time_s: FloatArray, duration_s: float, ramp_s: float) -> FloatArray:
    """The integral of `envelope`: the way [s] of someone who sets off, goes at speed 1 and stops."""

    def way(start_s: float) -> FloatArray:
        since = np.maximum(time_s - start_s, 0.0)
        p = np.minimum(since / ramp_s, 1.0)
        return np.asarray(ramp_s * p**4 * (2.5 - 3 * p + p**2) + np.maximum(since - ramp_s, 0.0))

    speed = envelope(time_s, duration_s, ramp_s)
    return np.stack([way(0.0) - way(duration_s - ramp_s), speed[0], speed[1]])


def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Course of a·b."""
    return np.stack([a[0] * b[0], a[1] * b[0] + a[0] * b[1], a[2] * b[0] + 2 * a[1] * b[1] + a[0] * b[2]])


def chain(outer: tuple[FloatArray, FloatArray, FloatArray], inner: FloatArray) -> FloatArray:
    """Course of f(inner), where outer is f, f′ and f″ taken at inner's values."""
    f, first, second = outer
    return np.stack([f, first * inner[1], second * inner[1] ** 2 + first * inner[2]])


def sine(angle: FloatArray) -> FloatArray:
    """Course of the sine of a course of angles [rad]."""
    s, c = np.sin(angle[0]), np.cos(angle[0])
    return chain((s, c, -s), angle)


def wander(time_s: FloatArray, band_hz: tuple[float, float], rng: np.random.Generator, waves: int = 6) -> FloatArray:
    """An irregular movement within a band of frequencies, of standard deviation 1: a few sines of random phase."""
    total = np.zeros((3, *time_s.shape))
    for frequency_hz in np.geomspace(*band_hz, waves) * rng.uniform(0.9, 1.1, waves):
        omega, angle = 2 * np.pi * frequency_hz, 2 * np.pi * (frequency_hz * time_s + rng.uniform())
        s = np.sin(angle)
        total += np.stack([s, omega * np.cos(angle), -(omega**2) * s])
    return np.asarray(total * np.sqrt(2.0 / waves))
