"""How far the envelope of arrivals lies after a sensor's clock, as two-way exchanges tell.

Arrivals alone cannot say: a constant part of the delay looks like another clock. A question that the gateway asked
cannot have been heard before it was asked, so it bounds the clock from the other side.

The middle of an exchange (NTP's offset) is not used, because radio delays are not symmetric: a question waits between
nothing and a whole connection interval for the next connection event, the answer always waits a whole interval, since
the sensor reads the question when that event is over. The middle of the exchange with the least round trip is
therefore late by half an interval. Instead, questions are asked at random moments: how long they wait is then
uniform between zero and the interval, and the least of n waits is known to within about an interval over n.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from .envelope import Line

LEAST_EXCHANGES = 6
"""Before, how long questions wait is not known."""
KEPT_EXCHANGES = 160
UPPER = 0.75
"""The longest wait is told by this quantile of them, since where a connection event is lost some are longer still."""
MISSED = 0.05
"""How likely the least wait may be longer than stated."""
HOST_S = 0.004
"""So long a question may take, every time, through operating system and radio to where the sensor reads its clock."""


class Bias(NamedTuple):
    """How much earlier than the envelope samples were taken, and the half width of what that may be (95 %)."""

    seconds: float
    half_width_s: float


class OffsetBounds:
    """The questions of one connection: when asked, and at which sensor time heard."""

    def __init__(self) -> None:
        self.count = 0
        self._asked: deque[tuple[float, float]] = deque(maxlen=KEPT_EXCHANGES)

    def add(self, sensor_s: float, asked_delay_s: float) -> None:
        """Take one exchange: when the question was asked, minus the sensor's time when it heard it."""
        self.count += 1
        self._asked.append((sensor_s, asked_delay_s))

    def bias(self, line: Line) -> Bias | None:
        """What lies between the questions and this envelope; None before there are enough of them."""
        if len(self._asked) < LEAST_EXCHANGES:
            return None
        sensor_s, delay_s = np.array(self._asked).T
        room_s = np.sort(line.offset_s + line.slope * sensor_s - delay_s)
        least_s = float(room_s[0])
        longest_wait_s = float(np.quantile(room_s, UPPER) - least_s) / UPPER
        # Of n uniform waits, the least is longer than a share x of the longest with probability (1 - x)^n.
        least_wait_s = longest_wait_s * (1.0 - MISSED ** (1.0 / len(room_s))) + HOST_S
        least_wait_s = min(least_wait_s, max(least_s, 0.0))  # nor can a sample have been taken after it arrived
        return Bias(least_s - least_wait_s / 2, least_wait_s / 2)
