"""How far segments lean away from how they stood when a repetition began: how people help themselves.

Only the vertical is used, so no heading enters, nor how the sensor sits on its segment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from analytics.domain.exercise import Segment
from analytics.motion.worn import Posture
from analytics.signals.samples import FloatArray

REMEMBERED_S = 60.0
"""Longer than a repetition with its hold."""


class Leaning:
    """Remembers the last minute."""

    def __init__(self, segments: Sequence[Segment], rate_hz: float) -> None:
        self._segments = tuple(segments)
        self._past: deque[tuple[float, FloatArray]] = deque(maxlen=round(REMEMBERED_S * rate_hz))

    def add(self, posture: Posture) -> None:
        """Take one instant; what is not known there is left out."""
        w, x, y, z = posture.orientation.T
        up = np.array([x * z - w * y, y * z + w * x, w * w + z * z - 0.5]) * 2.0
        self._past.append((posture.time_s, np.where(posture.known, up, np.nan)))

    def between(self, start_s: float, end_s: float) -> Mapping[Segment, float]:
        """The most that each segment leant away [°] from how it stood at the start, where it was seen then."""
        ups = np.array([up for time_s, up in self._past if start_s <= time_s <= end_s])
        if not len(ups):
            return MappingProxyType({})
        away = np.degrees(np.arccos(np.clip((ups * ups[0]).sum(axis=1), -1.0, 1.0)))
        most = np.max(np.nan_to_num(away, nan=-1.0), axis=0).tolist()
        return MappingProxyType({s: lean for s, lean in zip(self._segments, most, strict=True) if lean >= 0.0})
