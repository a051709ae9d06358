"""How far the knee moves in walking, step by step: flexion of the swing against the straightest it gets."""

from __future__ import annotations

from itertools import pairwise
from math import hypot, sqrt

import numpy as np

from analytics.domain.measure import Measure, Unit
from analytics.motion.measures.curve import LEAST_SAMPLES, LONGEST_GAP_S, even
from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.signals.samples import FloatArray

LEAST_CYCLES = 3
SWING_SHARE = 0.6
"""A swing bends the knee beyond this share of all that it does in the walk; loading the leg bends it to a third."""
SHORTEST_CYCLE_S, LONGEST_CYCLE_S = 0.6, 2.5
"""Between running and a frail person's slow walk; what lies further apart is not two swings of one walk."""
LEAST_SWING_DEG = 15.0
"""Below it the leg stands, or shuffles without bending."""

WALKING_ERROR_DEG = 4.3
"""Of the angle while somebody walks: a mean absolute error of 3.4° against optics, of two sensors on people with a new
knee on a treadmill (J. Funct. Morphol. Kinesiol. 2021, 6(3):60, appendix B), times √(π/2) if errors are normal."""


def knee_walking_range(
    time_s: FloatArray, flexion_deg: FloatArray, angle_error_deg: float = WALKING_ERROR_DEG
) -> Measure:
    """Excursion of the knee per gait cycle: the mean over the cycles.

    time_s, flexion_deg: (n,) knee flexion from thigh and shank; the zero does not matter. Steps with a silence inside
    are left out. angle_error_deg: one standard deviation of an excursion. Raises UnmeasurableError where fewer than
    three whole cycles are found.
    """
    ranges: list[float] = []
    silences = np.flatnonzero(np.diff(time_s) > LONGEST_GAP_S) + 1
    for part in np.split(np.arange(len(time_s)), silences):
        if len(part) >= LEAST_SAMPLES:
            _, (flexion,), rate_hz = even(time_s[part], flexion_deg[part])
            ranges += cycle_ranges_deg(flexion, rate_hz)
    if len(ranges) < LEAST_CYCLES:
        raise UnmeasurableError("Too few steps were seen; walk at least ten steps at your usual pace.")
    error = hypot(angle_error_deg, float(np.std(ranges, ddof=1)) / sqrt(len(ranges)))
    mean = float(np.mean(ranges))
    return Measure(code="knee.walking_range", name="Knee range in walking", value=mean, unit=Unit.DEGREE, error=error)


def cycle_ranges_deg(flexion_deg: FloatArray, rate_hz: float) -> list[float]:
    """Range of each gait cycle in an evenly sampled curve.

    A cycle goes from the straightest knee between two swings to the next such, so that each holds one swing.
    """
    low, high = np.percentile(flexion_deg, (2, 98))
    if high - low < LEAST_SWING_DEG:
        return []
    swings = _swings(flexion_deg, float(low + SWING_SHARE * (high - low)), rate_hz)
    straight = [one + int(np.argmin(flexion_deg[one:other])) for one, other in pairwise(swings)]
    cycles = [
        flexion_deg[one : other + 1]
        for one, other in pairwise(straight)
        if SHORTEST_CYCLE_S <= (other - one) / rate_hz <= LONGEST_CYCLE_S
    ]
    return [float(np.ptp(one)) for one in cycles]


def _swings(flexion_deg: FloatArray, level_deg: float, rate_hz: float) -> list[int]:
    """Samples of greatest flexion, one per stretch above the level; of two too near to each other, the greater."""
    above = np.concatenate([[False], flexion_deg >= level_deg, [False]])
    starts, ends = np.flatnonzero(above[1:] & ~above[:-1]), np.flatnonzero(above[:-1] & ~above[1:])
    swings: list[int] = []
    for start, end in zip(starts, ends, strict=True):
        peak = int(start + np.argmax(flexion_deg[start:end]))
        if swings and (peak - swings[-1]) / rate_hz < SHORTEST_CYCLE_S:
            if flexion_deg[peak] > flexion_deg[swings[-1]]:
                swings[-1] = peak
        else:
            swings.append(peak)
    return swings
