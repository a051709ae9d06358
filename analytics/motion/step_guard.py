"""Steps bend a knee as an exercise does. What is as quick as a step is counted once it is clear that nobody walks.

A slow repetition is told at once; a quick one waits until a window of acceleration about it was looked at for the
regular shaking of steps, at most four seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf

import numpy as np

from analytics.motion.calibration.walking import HOP_S, WINDOW_S, steps
from analytics.motion.repetition import CountedRepetition, NotCounted, Reason
from analytics.signals.samples import FloatArray

QUICK_S = 1.5
"""A stride of healthy people takes 1.0 to 1.2 s, of people in pain or of age up to 1.5 s."""
WATCHED_HZ = 25.0
LEAST_LOOKS = 2
LEAST_ALIKE = 0.6
"""How alike one step is to the next. One quick repetition amid rest is like itself turned round to 0.55 (simulated)."""


class StepGuard:
    """Takes the specific force of one sensor beyond the joint, sample by sample, and repetitions as they are counted;
    gives those that hold, in their order."""

    def __init__(self, rate_hz: float) -> None:
        self._every = max(1, round(rate_hz / WATCHED_HZ))
        self._rate_hz = rate_hz / self._every
        self._size, self._hop = round(WINDOW_S * self._rate_hz), round(HOP_S * self._rate_hz)
        self._group: list[float] = []
        self._strength: deque[float] = deque(maxlen=self._size)
        self._since_look = 0
        self._begun_s = inf
        self._walked_s: deque[float] = deque(maxlen=8)
        self._waiting: deque[CountedRepetition] = deque()

    def feel(self, time_s: float, acc_m_s2: FloatArray) -> None:
        """Take one sample (3,)."""
        self._begun_s = min(self._begun_s, time_s)
        self._group.append(float(np.sqrt(acc_m_s2 @ acc_m_s2)))
        if len(self._group) < self._every:
            return
        self._strength.append(sum(self._group) / self._every)
        self._group.clear()
        self._since_look += 1
        if self._since_look >= self._hop and len(self._strength) == self._size:
            self._since_look = 0
            if steps(np.array(self._strength), self._rate_hz, LEAST_ALIKE):
                self._walked_s.append(time_s)

    @property
    def walked_s(self) -> float:
        """When a window of walking ended last; minus infinity where none did."""
        return self._walked_s[-1] if self._walked_s else -inf

    def offer(self, one: CountedRepetition) -> None:
        """A repetition was just counted."""
        self._waiting.append(one)

    def release(self, now_s: float) -> Iterator[CountedRepetition | NotCounted]:
        """Those about which is decided."""
        while self._waiting:
            one = self._waiting[0]
            quick = one.end_s - one.start_s < QUICK_S
            if quick and now_s < one.start_s + WINDOW_S + HOP_S:
                return
            self._waiting.popleft()
            yield self._judge(one) if quick else one

    def flush(self) -> Iterator[CountedRepetition | NotCounted]:
        """Nothing more comes."""
        yield from self.release(inf)

    def _judge(self, one: CountedRepetition) -> CountedRepetition | NotCounted:
        """A step, if two windows that hold it whole were of walking; a set of quick repetitions may look so once. Of
        what began with the first sample no second window is whole."""
        until_s = one.start_s + WINDOW_S + (HOP_S if one.start_s < self._begun_s + HOP_S else 0.0)
        since_s = one.end_s
        walked = sum(since_s <= look_s <= until_s for look_s in self._walked_s)
        if walked >= LEAST_LOOKS:
            return NotCounted(one.start_s, one.end_s, Reason.WALKING)
        return one
