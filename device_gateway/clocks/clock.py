"""The gateway's own time: monotonic for all that is measured, the calendar only for dates."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """Seconds that run `speed` times as fast as the machine's: a replay at speed 20 lives a minute in three seconds.

    All that is measured in a patient's time (chunk length, session time) is asked of this clock. What belongs to the
    machine or the network (a radio's supervision timeout, an upload's back-off) stays in the machine's own seconds.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        return time.monotonic() * self.speed

    def utc(self) -> datetime:
        """The calendar, at its usual pace."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)
