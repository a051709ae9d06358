"""What an optical reference says of a chain's joints: which are hinges, about which axis, by which angle, and when."""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import BoolArray, FloatArray

LARGEST_RESIDUAL_DEG = 6.0
LEAST_EXCURSION_DEG = 30.0
"""A joint that turns so far and strays from one axis so little is a hinge."""
BRIDGED_S = 0.1
BRIDGED_RAD_S = 1e-3
"""Nothing that moves turns for so long at a rate as even as this: there the maker filled a gap of the reference."""
LARGEST_OFFSET_S = 0.2
OFFSET_STEP_S = 0.0025


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceHinge:
    """axis: (3,) the hinge's true axis, in the frame of either segment (the mean of both where they differ). angle_rad:
    (n,) signed, NaN where the reference saw nothing. residual_deg: RMS turn across the axis."""

    axis: FloatArray
    angle_rad: FloatArray
    residual_deg: float


def reference_hinge(proximal: FloatArray, distal: FloatArray) -> ReferenceHinge | None:
    """The hinge between two segments from their true orientations (n, 4), NaN where unseen; None where it is none.

    The relative orientations of a hinge lie on a great circle of the unit quaternions.
    """
    q = rotations.relative(proximal, distal)
    seen = np.isfinite(q).all(axis=1)
    if seen.sum() < 4:
        return None
    shares, vectors = np.linalg.eigh(q[seen].T @ q[seen] / seen.sum())
    a, b = vectors[:, 3], vectors[:, 2]
    angle = np.full(len(q), np.nan)
    angle[seen] = np.unwrap(2 * np.arctan2(q[seen] @ b, q[seen] @ a))
    residual_deg = degrees(2 * float(np.sqrt(max(shares[0] + shares[1], 0.0))))
    if residual_deg > LARGEST_RESIDUAL_DEG or degrees(float(np.ptp(angle[seen]))) < LEAST_EXCURSION_DEG:
        return None
    axis = rotations.multiply(b, rotations.conjugate(a))[1:] + rotations.relative(a, b)[1:]
    return ReferenceHinge(axis / np.linalg.norm(axis), angle, residual_deg)


def at_times(time_s: FloatArray, orientation: FloatArray, wanted_s: FloatArray) -> FloatArray:
    """Orientations (n, 4) at other times, along the great arc between neighbours; NaN where a neighbour is missing."""
    later = np.clip(np.searchsorted(time_s, wanted_s, side="right"), 1, len(time_s) - 1)
    share = (wanted_s - time_s[later - 1]) / (time_s[later] - time_s[later - 1])
    turn = rotations.to_rotation_vector(rotations.relative(orientation[later - 1], orientation[later]))
    between = rotations.multiply(orientation[later - 1], rotations.from_rotation_vector(share[:, None] * turn))
    between[(share < 0) | (share > 1)] = np.nan
    return between


def without_bridges(time_s: FloatArray, orientation: FloatArray) -> FloatArray:
    """Orientations (m, 4) with NaN where a gap was filled with an even turn."""
    rate = _rates(time_s, orientation)
    even = np.linalg.norm(np.diff(rate, axis=0), axis=1) < BRIDGED_RAD_S
    even &= np.linalg.norm(rate[1:], axis=1) > 10 * BRIDGED_RAD_S
    cleaned = orientation.copy()
    for first, last in _runs(even):
        if time_s[last + 1] - time_s[first] >= BRIDGED_S:
            cleaned[first + 1 : last + 1] = np.nan
    return cleaned


def clock_offset_s(
    time_s: FloatArray, orientation: FloatArray, reference_s: FloatArray, reference: FloatArray
) -> float:
    """How much earlier than the reference's clock the inertial one shows the same instant, from the correlation of
    angular speeds, both taken from orientations in the same way. Arrays (n, 4) and (m, 4) of one segment."""
    step_s = float(np.median(np.diff(reference_s)))
    middle_s = reference_s[:-1] + step_s / 2
    true = np.linalg.norm(_rates(reference_s, reference), axis=1)
    offsets = np.arange(-LARGEST_OFFSET_S, LARGEST_OFFSET_S + OFFSET_STEP_S, OFFSET_STEP_S)
    alike = np.array([_alike(time_s, orientation, middle_s + offset, step_s, true) for offset in offsets])
    best = int(np.clip(np.argmax(alike), 1, len(offsets) - 2))
    left, top, right = alike[best - 1 : best + 2]
    return float(offsets[best] + OFFSET_STEP_S * (left - right) / (2 * (left - 2 * top + right)))


def _alike(time_s: FloatArray, orientation: FloatArray, middle_s: FloatArray, step_s: float, true: FloatArray) -> float:
    before = at_times(time_s, orientation, middle_s - step_s / 2)
    after = at_times(time_s, orientation, middle_s + step_s / 2)
    speed = rotations.angle_between(before, after) / step_s
    both = np.isfinite(speed) & np.isfinite(true)
    return float(np.corrcoef(speed[both], true[both])[0, 1])


def _rates(time_s: FloatArray, orientation: FloatArray) -> FloatArray:
    turn = rotations.to_rotation_vector(rotations.relative(orientation[:-1], orientation[1:]))
    return np.asarray(turn / np.diff(time_s)[:, None])


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    """First and one past the last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
