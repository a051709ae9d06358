"""Unit quaternions (w, x, y, z) as arrays (..., 4), for many sensors or many samples at once; leading axes broadcast.

A sensor's quaternion turns a vector from the sensor's frame to its earth frame (FRAMES.md). `quaternion` has the same
for one sample as plain tuples.
"""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import FloatArray


def multiply(a: FloatArray, b: FloatArray) -> FloatArray:
    """Hamilton product (..., 4): turn by `b`, then by `a`."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def conjugate(q: FloatArray) -> FloatArray:
    """Turn back."""
    return np.asarray(q * np.array([1.0, -1.0, -1.0, -1.0]))


def relative(a: FloatArray, b: FloatArray) -> FloatArray:
    """`b` as seen from `a`: a⁻¹ b."""
    return multiply(conjugate(a), b)


def rotate(q: FloatArray, v: FloatArray) -> FloatArray:
    """Turn vectors (..., 3) by quaternions (..., 4)."""
    w, u = q[..., :1], q[..., 1:]
    t = 2.0 * np.cross(u, v)
    return np.asarray(v + w * t + np.cross(u, t))


def from_rotation_vector(vector_rad: FloatArray) -> FloatArray:
    """Quaternions (..., 4) of turns by |vector| about vector (..., 3)."""
    half = np.linalg.norm(vector_rad, axis=-1, keepdims=True) / 2.0
    # np.sinc(a/π) = sin(a)/a is exact at 0, where the formula divides by the angle.
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * vector_rad], axis=-1)


def to_rotation_vector(q: FloatArray) -> FloatArray:
    """The shorter turn (..., 3), its length at most π."""
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., :1])
    return np.asarray(q[..., 1:] * np.where(sine > 0, angle / np.where(sine > 0, sine, 1.0), 2.0))


def about_vertical(angle_rad: FloatArray) -> FloatArray:
    """Turns about the earth's vertical (..., 4): differences of headings (...)."""
    half = np.asarray(angle_rad, dtype=np.float64) / 2.0
    zero = np.zeros_like(half)
    return np.stack([np.cos(half), zero, zero, np.sin(half)], axis=-1)


def angle_between(a: FloatArray, b: FloatArray) -> FloatArray:
    """Angle [rad] of the turn from one orientation to another, 0 … π, exact for small ones too."""
    return np.asarray(np.linalg.norm(to_rotation_vector(relative(a, b)), axis=-1))


def inclination_between(a: FloatArray, b: FloatArray) -> FloatArray:
    """Angle [rad] between two orientations' verticals, whatever their headings: 2 acos of the part of the difference
    about the vertical (Laidig et al. 2021, Data 6:72, eq. 4)."""
    w, x, y, z = np.moveaxis(multiply(a, conjugate(b)), -1, 0)
    return np.asarray(2.0 * np.arctan2(np.hypot(x, y), np.hypot(w, z)))
