"""Whether this computer's calendar can be right. A Raspberry Pi has no clock that runs while it is switched off.

Nothing that is measured depends on the calendar (clock.py). Certificates, the dates of sessions and the end of
restrictions do, so that a calendar that cannot be right is told, also where no clinic is within reach to compare it
with (uplink/dates.py does that, and moves what was dated wrong once the calendar is set).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from device_gateway.conditions import Conditions, Trouble

from .clock import Clock

WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)
"""When this program was written: no gateway runs it before. To be moved on with a release."""
PERIOD_S = 10.0


class CalendarWatch:
    """Sets the condition while the calendar cannot be right, and clears what it set itself."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._told = False

    def check(self, utc: datetime) -> None:
        """Look at what the calendar shows now."""
        wrong = utc < WRITTEN
        if wrong:
            self._conditions.set(
                Trouble.CLOCK_WRONG,
                f"This gateway's calendar shows {utc:%d %B %Y}, which cannot be: sessions are recorded, but "
                "restrictions may not apply and the clinic may not be reached; connect it to the internet, which sets "
                "it.",
            )
        elif self._told:
            self._conditions.clear(Trouble.CLOCK_WRONG)
        self._told = wrong


async def watch_calendar(clock: Clock, conditions: Conditions) -> None:
    """Check again and again until cancelled."""
    watch = CalendarWatch(conditions)
    while True:
        watch.check(clock.utc())
        await asyncio.sleep(PERIOD_S)
