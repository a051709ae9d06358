"""One worn sensor by itself, through the same path as all of them."""

from __future__ import annotations

from types import SimpleNamespace

from analytics.domain.exercise import Segment
from analytics.motion.worn import SensorNote, WornSensors


class OneSensor:
    """`update` answers with the samples whose orientation is known; `faults` are why nothing of it is believed."""

    def __init__(self, rate_hz):
        self._worn = WornSensors((Segment.CHEST,), (), rate_hz)
        self.faults = []

    def update(self, samples, time_s):
        found = []
        for one in self._worn.update(Segment.CHEST, samples, time_s):
            if isinstance(one, SensorNote):
                self.faults += [one] if one.unusable else []
            elif one.known[0]:
                found.append(
                    SimpleNamespace(
                        time_s=one.time_s,
                        orientation=tuple(one.orientation[0].tolist()),
                        rate_rad_s=one.rate_rad_s[0],
                        restarted=one.restarted[0],
                    )
                )
        return found
