"""How far a joint may move today: a warning at once when it goes further."""

from __future__ import annotations

from analytics.domain.live import Cue, CueLevel

BACK_UNDER_DEG = 5.0
"""So far under the limit the joint must have come before the next warning: about twice an angle's error, so that one
movement about the limit warns once."""


class MovementLimit:
    """Watches excursions [°], sample by sample."""

    def __init__(self, limit_deg: float) -> None:
        self._limit_deg = limit_deg
        self._warned = False

    def check(self, excursion_deg: float) -> Cue | None:
        """The warning, where this sample is the one that calls for it."""
        if self._warned:
            self._warned = excursion_deg > self._limit_deg - BACK_UNDER_DEG
        elif excursion_deg > self._limit_deg:
            self._warned = True
            return Cue(code="movement_limit", text=f"Not further than {self._limit_deg:g}° today.", level=CueLevel.WARN)
        return None
