"""Quaternion products and rotation matrices of k sensors in two NumPy calls each: both are linear in the outer product
of two quaternions, and the call, not the arithmetic, is what costs time for a handful of sensors."""

from __future__ import annotations

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

_UNITS = np.eye(4)
_PRODUCT = rotations.multiply(_UNITS[:, None], _UNITS[None, :]).reshape(16, 4)
_MATRIX = (
    rotations.multiply(_PRODUCT.reshape(4, 1, 4, 4)[:, :, 1:], rotations.conjugate(_UNITS)[None, :, None])[..., 1:]
    .transpose(0, 1, 3, 2)
    .reshape(16, 9)
)
"""[(a, b), (i, j)]: component i of the unit quaternions' product a·j·b⁻¹, which is what a turn does to axis j."""


def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """Hamilton products (k, 4) of quaternions (k, 4)."""
    return np.asarray((a[:, :, None] * b[:, None, :]).reshape(-1, 16) @ _PRODUCT)


def matrices(q: FloatArray) -> FloatArray:
    """Rotation matrices (k, 3, 3) of unit quaternions (k, 4)."""
    return np.asarray(((q[:, :, None] * q[:, None, :]).reshape(-1, 16) @ _MATRIX).reshape(-1, 3, 3))


def small_turns(vector_rad: FloatArray) -> FloatArray:
    """Unit quaternions (k, 4) of rotation vectors (k, 3)."""
    half = 0.5 * np.sqrt(np.einsum("ij,ij->i", vector_rad, vector_rad))
    turns = np.empty((len(vector_rad), 4))
    np.cos(half, out=turns[:, 0])
    # A turn below 1e-9 rad may come out shorter; nobody can tell.
    np.multiply(vector_rad, (0.5 * np.sin(half) / np.maximum(half, 1e-9))[:, None], out=turns[:, 1:])
    return turns


def unit(q: FloatArray) -> FloatArray:
    """q (k, 4) at length 1."""
    return np.asarray(q / np.sqrt(np.einsum("ij,ij->i", q, q))[:, None])


def upright(vector: FloatArray) -> FloatArray:
    """The shortest turns (k, 4) that bring vectors (k, 3) to the vertical; about x where one points straight down."""
    x, y, z = (vector / np.linalg.norm(vector, axis=1, keepdims=True)).T
    w = np.sqrt(np.maximum((1.0 + z) / 2.0, 0.0))
    down = w < 1e-6
    half = 0.5 / np.where(down, 1.0, w)
    return np.stack([w * ~down, np.where(down, 1.0, y * half), np.where(down, 0.0, -x * half), 0.0 * x], axis=1)
