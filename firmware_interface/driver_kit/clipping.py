"""Whether readings stand at the end of their range, where a chip tells less than what moved it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.signals.samples import BoolArray, FloatArray


def clipped_counts(counts: NDArray[np.int16]) -> BoolArray:
    """Of 16-bit readings (n, channels): (n,) whether any of a sample stands at the first or last step of full scale."""
    return np.asarray(((counts == -32768) | (counts == 32767)).any(axis=1))


def clipped_values(acc: FloatArray, acc_range: float, gyr: FloatArray, gyr_range: float) -> BoolArray:
    """Of readings (n, 3) in the units of their ranges: (n,) whether any of a sample is within 1/32768 of its range."""
    edge = 1 - 2**-15
    return np.asarray((np.abs(acc) >= acc_range * edge).any(axis=1) | (np.abs(gyr) >= gyr_range * edge).any(axis=1))
