"""The joint angle of a session at an even rate, for drawing."""

from __future__ import annotations

from array import array

import numpy as np

from analytics.domain.session import AngleTrace

RATE_HZ = 10.0
LONGEST_BRIDGE_S = 0.5
"""A longer silence of a sensor is drawn as a gap, not as a line through it."""


class TraceCollector:
    """Takes angles in order and gives them at 10 Hz, linear between neighbours."""

    def __init__(self) -> None:
        self._time_s = array("d")
        self._flexion_deg = array("d")

    def add(self, time_s: float, flexion_deg: float) -> None:
        self._time_s.append(time_s)
        self._flexion_deg.append(flexion_deg)

    def trace(self) -> AngleTrace | None:
        """None where there was no angle at all."""
        if not self._time_s:
            return None
        time_s, flexion_deg = np.array(self._time_s), np.array(self._flexion_deg)
        count = int((time_s[-1] - time_s[0]) * RATE_HZ + 1e-6) + 1
        grid_s = time_s[0] + np.arange(count) / RATE_HZ
        after = np.searchsorted(time_s, grid_s, side="left").clip(max=len(time_s) - 1)
        before = np.maximum(after - (time_s[after] > grid_s), 0)
        silent = time_s[after] - time_s[before] > LONGEST_BRIDGE_S
        values = np.interp(grid_s, time_s, flexion_deg)
        return AngleTrace(
            start_s=round(float(time_s[0]), 3),
            rate_hz=RATE_HZ,
            flexion_deg=tuple(None if gap else round(float(v), 2) for v, gap in zip(values, silent, strict=True)),
        )
