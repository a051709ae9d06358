"""Whether the sensors agree on when a knock was: on request, all are held together and struck once, on a table say.

What alignment is worth is stated by the clocks (docs/clocks.md); this lets anybody see it with their own hands.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analytics.domain.exercise import Segment
from analytics.domain.live import Cue, CueLevel
from analytics.signals.samples import FloatArray
from device_gateway.clocks.tap import AROUND_S, TapCheck, tap_check

WAIT_S = 20.0
LOOK_EVERY_S = 0.5
AGREED_MS = 15.0
"""What arrival alone reaches between two sensors (99 of 100; docs/clocks.md)."""

INVITATION = Cue(
    code="knock.asked", text="Hold the sensors together and strike them once on a table.", level=CueLevel.INFO
)
NO_KNOCK = Cue(
    code="knock.none", text="No knock was felt by all sensors: hold them tightly together and try again.",
    level=CueLevel.WARN,
)  # fmt: skip


class KnockCheck:
    """Listens for WAIT_S of session time. `offsets_ms`, by segment, is against the first of `segments`."""

    def __init__(self, segments: tuple[Segment, ...], began_s: float) -> None:
        self.offsets_ms: dict[Segment, float] = {}
        self._began_s = self._looked_s = began_s
        self._heard: dict[Segment, list[tuple[FloatArray, FloatArray]]] = {segment: [] for segment in segments}

    def take(self, segment: Segment, acc_m_s2: FloatArray, time_s: FloatArray) -> Cue | None:
        """Take samples (n, 3), placed on session time (n,). A cue ends the check."""
        if segment not in self._heard:
            return None  # it was not there when the check began
        self._heard[segment].append((time_s, acc_m_s2))
        now_s = float(time_s[-1])
        if now_s - self._looked_s < LOOK_EVERY_S:
            return None
        self._looked_s = now_s
        if self._compare(now_s):
            return _verdict(max(map(abs, self.offsets_ms.values())))
        return NO_KNOCK if now_s - self._began_s > WAIT_S else None

    def _compare(self, now_s: float) -> bool:
        """Whether all felt one knock, long enough ago for each to have told of it."""
        if not all(self._heard.values()):
            return False
        heard = {segment: _joined(parts) for segment, parts in self._heard.items()}
        latest_s = min(time_s[-1] for time_s, _ in heard.values()) - AROUND_S
        first, *others = heard
        found: dict[Segment, TapCheck] = {}
        for segment in others:
            check = tap_check(*heard[first], *heard[segment])
            if check is None or check.at_s > latest_s or check.at_s > now_s - AROUND_S:
                return False
            found[segment] = check
        self.offsets_ms = {segment: round(check.offset_ms, 2) for segment, check in found.items()}
        return bool(found)


def _joined(parts: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    assert all(before[0][-1] <= after[0][0] for before, after in pairwise(parts)), "placed times never go backwards"
    return np.concatenate([time_s for time_s, _ in parts]), np.concatenate([acc for _, acc in parts])


def _verdict(worst_ms: float) -> Cue:
    if worst_ms <= AGREED_MS:
        text, level = f"The sensors agree on the knock within {max(1.0, worst_ms):.0f} ms.", CueLevel.GOOD
    else:
        text = f"The sensors differ by {worst_ms:.0f} ms on the knock: switch them off and on, and try again."
        level = CueLevel.WARN
    return Cue(code="knock.told", text=text, level=level)
