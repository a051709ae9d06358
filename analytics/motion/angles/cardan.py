"""Three angles from a relative orientation and back, in the two sequences that the ISB names.

Z-X-Y is Grood & Suntay's joint coordinate system (1983, J Biomech Eng 105:136): flexion about the proximal z axis,
axial rotation about the distal y axis, the rest about the floating axis between. Y-X-Y is the shoulder's (Wu et al.
2005, J Biomech 38:981). Quaternions (..., 4) turn vectors from the distal frame to the proximal one; angles in rad.
"""

from __future__ import annotations

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

X, Y, Z = np.eye(3)


def zxy(relative: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Angles about z, x' and y'' (...); the middle one is within ±π/2."""
    long_axis, right = _distal_axes(relative)
    flexion = np.arctan2(-long_axis[..., 0], long_axis[..., 1])
    floating = np.arctan2(long_axis[..., 2], np.hypot(long_axis[..., 0], long_axis[..., 1]))
    forward_z = rotations.rotate(relative, np.broadcast_to(X, long_axis.shape))[..., 2]
    return flexion, floating, np.arctan2(-forward_z, right[..., 2])


def from_zxy(about_z: FloatArray, about_x: FloatArray, about_y: FloatArray) -> FloatArray:
    """The relative orientation (..., 4) with these angles."""
    return _product((about_z, Z), (about_x, X), (about_y, Y))


def yxy(relative: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Angles about y, −x' and y'' (...): plane of elevation, elevation within 0 … π, axial rotation."""
    long_axis, right = _distal_axes(relative)
    forward_y = rotations.rotate(relative, np.broadcast_to(X, long_axis.shape))[..., 1]
    plane = np.arctan2(-long_axis[..., 0], -long_axis[..., 2])
    elevation = np.arctan2(np.hypot(long_axis[..., 0], long_axis[..., 2]), long_axis[..., 1])
    return plane, elevation, np.arctan2(-forward_y, right[..., 1])


def from_yxy(plane: FloatArray, elevation: FloatArray, axial: FloatArray) -> FloatArray:
    """The relative orientation (..., 4) with these angles."""
    return _product((plane, Y), (-np.asarray(elevation), X), (axial, Y))


def zxy_rows(about_z: FloatArray, about_x: FloatArray) -> FloatArray:
    """By how much each angle changes with a small turn of the distal segment, seen from the proximal one (..., 3, 3).

    The rows are dual to the joint's three axes. The outer two grow as 1 / cos of the middle angle.
    """
    sine, cosine, tangent = np.sin(about_z), np.cos(about_z), np.tan(about_x)
    zero, one = np.zeros_like(sine), np.ones_like(sine)
    return _rows(
        [sine * tangent, -cosine * tangent, one],
        [cosine, sine, zero],
        [-sine / np.cos(about_x), cosine / np.cos(about_x), zero],
    )


def yxy_rows(plane: FloatArray, elevation: FloatArray) -> FloatArray:
    """The same for plane, elevation and axial rotation; plane and axial rotation grow as 1 / sin of the elevation."""
    sine, cosine = np.sin(plane), np.cos(plane)
    s, c = np.sin(elevation), np.cos(elevation)
    zero, one = np.zeros_like(sine), np.ones_like(sine)
    return _rows(
        [sine * c / s, one, cosine * c / s],
        [-cosine, zero, sine],
        [-sine / s, zero, -cosine / s],
    )


def twist_row(relative: FloatArray) -> FloatArray:
    """The same (..., 3) for the turn about the long axis without regard to the plane of elevation, `twist`."""
    long_axis, _ = _distal_axes(relative)
    return np.asarray((Y + long_axis) / (1.0 + long_axis[..., 1:2]))


def twist(relative: FloatArray) -> FloatArray:
    """Turn about the long axis (...), plane of elevation and axial rotation together: defined where they are not
    each, with the arm at the side."""
    w, _, y, _ = np.moveaxis(relative, -1, 0)
    angle = 2.0 * np.arctan2(y, w)
    return np.asarray(np.angle(np.exp(1j * angle)))


def _distal_axes(relative: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The distal segment's y and z axes in the proximal frame."""
    shape = (*relative.shape[:-1], 3)
    return (
        rotations.rotate(relative, np.broadcast_to(Y, shape)),
        rotations.rotate(relative, np.broadcast_to(Z, shape)),
    )


def _product(*turns: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Turns by an angle (...) about an axis (3,) each, the first outermost."""
    first, second, third = (
        rotations.from_rotation_vector(np.asarray(angle, dtype=np.float64)[..., None] * axis) for angle, axis in turns
    )
    return rotations.multiply(first, rotations.multiply(second, third))


def _rows(*rows: list[FloatArray]) -> FloatArray:
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
