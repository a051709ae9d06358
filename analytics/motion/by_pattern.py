"""An exercise without a single angle, followed by the pattern of one sensor's movement: circles, pendulums.

Three repetitions alike show what one is; or one was shown before.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analytics.motion.events import Calibrated, RepetitionDone, TrackerEvent
from analytics.motion.measuring import Measuring
from analytics.motion.repetition.demonstrated_counter import DemonstratedCounter
from analytics.motion.repetition.movement_counter import CountedMovement, MovementCounter
from analytics.motion.worn import Posture


class ByPattern:
    """The first row of every `Posture` is followed."""

    def __init__(self, measuring: Measuring, shown: DemonstratedCounter | None = None) -> None:
        self._measuring = measuring
        self._counter = shown or MovementCounter()
        self._count = 0

    def update(self, one: Posture) -> Iterator[TrackerEvent]:
        """Take one instant."""
        if one.known[0]:
            found = self._counter.update(np.array([one.time_s]), one.acc_m_s2[:1], one.rate_rad_s[:1])
            yield from self._told(found)

    def finish(self) -> Iterator[TrackerEvent]:
        """No more samples come."""
        yield from self._told(self._counter.finish())

    def _told(self, found: list[CountedMovement]) -> Iterator[TrackerEvent]:
        for one in found:
            if not self._count:
                yield Calibrated(None)
            self._count += 1
            yield RepetitionDone(
                number=self._count,
                start_s=one.start_s,
                peak_s=one.turned_s,
                end_s=one.end_s,
                excursion_deg=None,
                excursion_error_deg=None,
                peak_flexion_deg=None,
                peak_velocity_deg_s=None,
                motion=None,
                measures=self._measuring.compensations(one.start_s, one.end_s),
            )
        yield from self._counter.refused()
