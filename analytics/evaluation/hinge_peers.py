"""What others make of the same hinge: qmt with the true axis and with Olsson's, VQF with and without magnetometer.

They are oracles for development, not part of the product; where they are not installed they are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.motion import rotations
from analytics.signals.samples import FloatArray

QMT = "qmt 1d_corr, true axis"
OLSSON = "qmt 1d_corr, Olsson axis"
PLAIN = "VQF 6D"
COMPASS = "VQF 9D"


@dataclass(frozen=True, slots=True, eq=False)
class SensorPair:
    """Two sensors, the proximal one first, evenly in time: arrays (n, 2, 3)."""

    rate_hz: float
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray
    mag: FloatArray | None


def peer_angles_rad(pair: SensorPair, axis: FloatArray, seen: int) -> dict[str, FloatArray]:
    """Angles (n,) of the hinge, by method. All but Olsson's are given the true axis; his may look at the first `seen`
    samples."""
    try:
        import vqf  # noqa: PLC0415 -- a development dependency
    except ImportError:
        return {}
    acc, gyr = _of_each(pair.acc_m_s2), _of_each(pair.gyr_rad_s)
    each = [vqf.VQF(1 / pair.rate_hz).updateBatch(gyr[k], acc[k])["quat6D"] for k in (0, 1)]
    angles = {PLAIN: _twist_rad(rotations.relative(*each), axis)}
    if pair.mag is not None and np.isfinite(pair.mag).all():
        mag = _of_each(pair.mag)
        with_mag = [vqf.VQF(1 / pair.rate_hz).updateBatch(gyr[k], acc[k], mag[k])["quat9D"] for k in (0, 1)]
        angles[COMPASS] = _twist_rad(rotations.relative(*with_mag), axis)
    try:
        import qmt  # noqa: PLC0415 -- a development dependency
    except ImportError:
        return angles
    parts = (x[k][:seen] for x in (acc, gyr) for k in (0, 1))
    found = np.ravel(qmt.jointAxisEstHingeOlsson(*parts, estSettings={"quiet": True})[0])
    angles[QMT] = _corrected_rad(qmt, pair, each, axis)
    angles[OLSSON] = _corrected_rad(qmt, pair, each, found if found @ axis >= 0 else -found)
    return angles


def _corrected_rad(qmt: Any, pair: SensorPair, each: list[FloatArray], axis: FloatArray) -> FloatArray:
    """qmt's heading correction of a hinge over backward windows of 8 s; it interpolates between its estimates, which
    looks up to a second ahead."""
    settings = {"constraint": "1d_corr", "windowTime": 8.0, "alignment": "backward"}
    time_s = np.arange(len(each[0])) / pair.rate_hz
    distal = qmt.headingCorrection(*_of_each(pair.gyr_rad_s), *each, time_s, axis, None, estSettings=settings)[0]
    return _twist_rad(rotations.relative(each[0], distal), axis)


def _of_each(values: FloatArray) -> list[FloatArray]:
    """(n, 3) of both sensors, contiguous as peers want them."""
    return [np.ascontiguousarray(values[:, k]) for k in (0, 1)]


def _twist_rad(q: FloatArray, axis: FloatArray) -> FloatArray:
    return np.asarray(2 * np.arctan2(q[:, 1:] @ axis, q[:, 0]))
