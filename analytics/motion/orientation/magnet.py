"""A magnet near a sensor, from the strength of the field. Angles do without the compass, so nothing becomes wrong by
it; but whoever has put a sensor beside a loudspeaker, or on a steel chair, should hear of it."""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import FloatArray

SENTENCE = (
    "There is a magnet or much steel near this sensor. The angle does not use its compass and stays right; keep it "
    "away all the same if the sensor's compass is used for anything else."
)
MEAN_S = 0.5
FIRST = 20
"""Means that show how strong the field is here, and how much a compass that was never calibrated makes of turning."""
LEAST_SHARE = 0.3
"""Of the strength. In the room in which BROAD was recorded it varies by 12 % at most, and beside a magnet by 20 (4 cm
away) to 82 % (1 cm)."""
OWN_SHARES = 2.0
"""And by so many times what it varied at first."""


class MagnetWatch:
    """Of one sensor. `update` answers once with a sentence, however samples were cut into packets."""

    def __init__(self) -> None:
        self._first: list[float] = []
        self._began_s: float | None = None
        self._sum, self._count = 0.0, 0
        self._told = False

    def update(self, mag_ut: FloatArray, time_s: FloatArray) -> str | None:
        """Take the field (n, 3) at these times (n,); NaN where there is no new reading."""
        if self._told:
            return None
        strengths = np.linalg.norm(mag_ut, axis=1)
        live = np.isfinite(strengths)
        for at_s, strength in zip(time_s[live].tolist(), strengths[live].tolist(), strict=True):
            if self._began_s is not None and at_s - self._began_s >= MEAN_S:
                self._told |= self._is_near(self._sum / self._count)
                self._began_s, self._sum, self._count = None, 0.0, 0
            self._began_s = at_s if self._began_s is None else self._began_s
            self._sum += strength
            self._count += 1
        return SENTENCE if self._told else None

    def _is_near(self, strength: float) -> bool:
        if len(self._first) < FIRST:
            self._first.append(strength)
            return False
        usual = float(np.median(self._first))
        varied = max(abs(one / usual - 1.0) for one in self._first)
        return abs(strength / usual - 1.0) > max(LEAST_SHARE, OWN_SHARES * varied)
