"""One knock that two sensors felt: how far apart their clocks place it. A check of their alignment, not a means to it.

Both are struck together, or one against the other, after they were found. The magnitude of acceleration needs no
knowledge of how they are worn; its cross-correlation about the knock is read between samples by a parabola through its
peak (Boucher & Hassab 1981, IEEE Trans. ASSP 29(3), 549–555).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analytics.signals.samples import FloatArray

KNOCK_M_S2 = 8.0
"""Weaker than this above rest is no knock."""
AROUND_S = 0.3
"""What is compared: so much before and after the knock."""
STEP_S = 0.001
LEAST_LIKENESS = 0.6


class TapCheck(NamedTuple):
    """offset_ms: how much later the second sensor's knock is placed. likeness: correlation of the two, up to 1."""

    at_s: float
    offset_ms: float
    likeness: float


def tap_check(
    first_s: FloatArray, first_acc_m_s2: FloatArray, second_s: FloatArray, second_acc_m_s2: FloatArray
) -> TapCheck | None:
    """Compare the strongest knock of the first sensor, times (n,) and acceleration (n, 3), with the second's.

    None where there is no knock, or the second sensor felt none like it at that time.
    """
    one, other = _shock(first_acc_m_s2), _shock(second_acc_m_s2)
    if not len(one) or not len(other) or one.max() < KNOCK_M_S2 or other.max() < KNOCK_M_S2:
        return None
    at_s = float(first_s[int(np.argmax(one))])
    around_s = at_s + np.arange(-AROUND_S, AROUND_S + STEP_S / 2, STEP_S)
    a, b = (np.interp(around_s, time_s, shock) for time_s, shock in ((first_s, one), (second_s, other)))
    energy = float(np.sqrt((a @ a) * (b @ b)))
    likeness = np.correlate(b, a, mode="full") / energy if energy else np.zeros(1)
    peak = int(np.argmax(likeness))
    if likeness[peak] < LEAST_LIKENESS or not 0 < peak < len(likeness) - 1:
        return None
    before, top, after = likeness[peak - 1 : peak + 2]
    curve = before - 2 * top + after
    between = 0.5 * (before - after) / curve if curve else 0.0
    lag = peak - (len(a) - 1) + between
    return TapCheck(at_s, float(lag * STEP_S * 1e3), float(top))


def _shock(acc_m_s2: FloatArray) -> FloatArray:
    """(n,) how far the magnitude of acceleration is from its usual one."""
    magnitude = np.linalg.norm(acc_m_s2, axis=1)
    return np.asarray(np.abs(magnitude - np.median(magnitude)) if len(magnitude) else magnitude, dtype=np.float64)
