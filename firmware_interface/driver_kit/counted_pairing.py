"""Brings together acceleration and angular rate that a sensor sends as two streams without timestamps."""

from __future__ import annotations

from collections import deque

import numpy as np

from analytics.signals.samples import FloatArray

PATIENCE = 4
"""Packets for which two streams may be out of step, before it is believed that one of them has lost some."""


class CountedPairing:
    """Two streams without timestamps, from one chip at one rate: one of each makes a sample, in the order they come.

    What comes of one stream before the other has begun is left out, but for its newest packet. From then on a sensor
    sends them in turn, and the one that comes second in a pair leaves nothing waiting. Packets that come out of turn
    do, and are soon caught up with. Where something still waits after each of PATIENCE packets of that stream, one was
    lost: the oldest are left out, so that the two are in step again and memory is bounded. How many samples were lost
    is not told, for packets may be lost of both.
    """

    def __init__(self) -> None:
        self._waiting: list[FloatArray] = [np.empty((0, 3)), np.empty((0, 3))]
        self._second_in_pair: int | None = None
        self._ahead: deque[int] = deque(maxlen=PATIENCE)

    def add_first(self, values: FloatArray) -> None:
        """Readings (n, 3) of the first stream."""
        self._add(0, values)

    def add_second(self, values: FloatArray) -> None:
        """Readings (n, 3) of the second."""
        self._add(1, values)

    def take(self) -> tuple[FloatArray, FloatArray] | None:
        """What is paired: (n, 3) of each, or None."""
        first, second = self._waiting
        count = min(len(first), len(second))
        if not count:
            return None
        self._waiting = [first[count:], second[count:]]
        return first[:count], second[:count]

    def _add(self, stream: int, values: FloatArray) -> None:
        patience = 0 if self._second_in_pair is None else PATIENCE
        self._leave_out(stream, len(self._waiting[stream]) - patience * len(values))
        self._waiting[stream] = np.concatenate([self._waiting[stream], values])
        if self._second_in_pair is None and len(self._waiting[1 - stream]):
            self._second_in_pair = stream
        if self._second_in_pair == stream:
            self._ahead.append(len(self._waiting[0]) - len(self._waiting[1]))
            self._come_into_step()

    def _come_into_step(self) -> None:
        least, most = min(self._ahead), max(self._ahead)
        if len(self._ahead) == PATIENCE and (least > 0 or most < 0):
            self._leave_out(0, least)
            self._leave_out(1, -most)
            self._ahead.clear()

    def _leave_out(self, stream: int, oldest: int) -> None:
        self._waiting[stream] = self._waiting[stream][max(0, oldest) :]
