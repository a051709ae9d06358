"""Where a Polar stream stands: frames that carry the time of their last sample, and no sequence."""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import IntArray

from ...driver_kit.timeline import LONGEST_GAP_S
from ...errors import DecodeError

RATE_TOLERANCE = 0.05
"""How far a chip's rate may be off; Polar publishes no figure.

It cannot hide a lost frame: a full one holds at least 36 samples of six bytes, and seldom more than 130.
"""
LONGEST_SILENCE_S = 3600.0
"""After a longer one nobody asks what was lost, and a clock that was set meanwhile does not look like a loss."""
_JITTER = 0.5
_LEARNING = 1 / 8


class FrameTimeline:
    """Spreads the samples of a frame evenly between its own time and the last frame's (Polar's PmdTimeStampUtils.kt).

    Of the first frame, and of one before which something was lost, they are a period apart; it is learnt from the
    frames before. A frame whose time does not continue the stream is more often damaged than true, so it waits for the
    next: where that one continues it, the clock itself has been set, and both are placed.
    """

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._nominal_ns = self._period_ns = 1e9 / rate_hz
        self._last_ns: int | None = None
        self._waiting: tuple[int, int] | None = None
        self._longest_gap_s = LONGEST_GAP_S

    def expect_gap(self) -> None:
        """A silence comes to its end, in which the clock ran on."""
        self._longest_gap_s = LONGEST_SILENCE_S

    def place(self, last_ns: int, count: int) -> tuple[IntArray, int]:
        """Times [µs] of a frame's samples (count,), rising, and how many were lost before it, by time.

        There are more times where the frame before had to wait: its samples' come first. Raises DecodeError where the
        frame's own time does not continue the stream.
        """
        lost, period_ns, placed = 0, self._period_ns, count
        if self._last_ns is not None:
            before_ns, counted = self._last_ns, self._lost_between(self._last_ns, last_ns, count)
            if counted is None:
                before_ns, placed = self._after_waiting(last_ns, count)
            if not counted:
                period_ns = (last_ns - before_ns) / count
                self._period_ns += _LEARNING * (period_ns - self._period_ns)
            lost = counted or 0
        self._last_ns, self._waiting, self._longest_gap_s = last_ns, None, LONGEST_GAP_S
        last_us, rest_ns = divmod(last_ns, 1000)  # 64 bits of nanoseconds are more than a float holds exactly
        times_us = np.arange(1 - placed, 1) * (period_ns / 1000) + rest_ns / 1000
        return np.rint(times_us).astype(np.int64) + last_us, lost

    def _after_waiting(self, last_ns: int, count: int) -> tuple[int, int]:
        """The time of the frame that waits, and the samples of it and this one, where this one continues it."""
        waiting, self._waiting = self._waiting, (last_ns, count)
        if waiting is None or self._lost_between(waiting[0], last_ns, count) != 0:
            raise DecodeError(
                "A frame's time does not continue the stream; it is left out unless the next one fits it."
            )
        return waiting[0], waiting[1] + count

    def _lost_between(self, before_ns: int, last_ns: int, count: int) -> int | None:
        """Samples missing between two frames; None where the time between cannot be."""
        elapsed_ns = last_ns - before_ns
        # By the rate that was told, so that damaged frames, however many, can teach nothing that shuts out true ones.
        missing = elapsed_ns / self._nominal_ns - count
        tolerance = _JITTER + RATE_TOLERANCE * count
        if missing < -tolerance or elapsed_ns > self._longest_gap_s * 1e9:
            return None
        return 0 if missing <= tolerance else max(1, round(elapsed_ns / self._period_ns) - count)
