"""Whether this computer's calendar can be right. A Raspberry Pi has no clock that runs while it is switched off.

Nothing that is measured depends on the calendar (clock.py). Certificates, the dates of sessions and the end of
restrictions do, so that a calendar that cannot be right is told, also where no clinic is within reach to compare it
with (uplink/dates.py does that, and moves what was dated wrong once the calendar is set).

One from before this program cannot be right. One that is ahead could be: it is held against the last time that the
clinic or the network (NTP) told, which is kept over restarts, and believed for a while beyond.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError

from .clock import Clock

WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)
"""When this program was written: no gateway runs it before. To be moved on with a release."""
BELIEVED = timedelta(days=35)
"""So long nobody need confirm the calendar: four weeks without internet are a gateway's ordinary life, and a week on
top is for whoever comes to mend it. Restrictions after an operation last for weeks: one that a wrong calendar lifts is
lifted by this much too early at most."""
KEPT_EVERY = timedelta(days=1)
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
"""Touched at each answer of a time server, and gone with each boot (systemd-timesyncd.service(8), FILES); its time is
that answer's, whatever is done to the calendar afterwards. The kernel's own word, adjtimex(2), may not even be read
under the service's ProtectClock=yes."""
SETTING = "calendar_confirmed"
PERIOD_S = 10.0

log = logging.getLogger(__name__)


class CalendarWatch:
    """Sets the condition while the calendar cannot be right, and clears what it set itself.

    kept: what `to_keep` gave before the restart.
    """

    def __init__(self, conditions: Conditions, kept: str | None = None, *, synchronised: Path = SYNCHRONISED) -> None:
        self._conditions = conditions
        self._synchronised = synchronised
        self._confirmed = self._kept = _read(kept)
        self._outdone: datetime | None = None
        self._told = False

    def confirm(self, utc: datetime) -> None:
        """The clinic has told the time, which counts, whatever was confirmed before.

        Whether the calendar agrees is told with it (uplink/dates.py): what that finds stays until the next doubt.
        """
        self._confirmed, self._outdone, self._told = utc, _touched(self._synchronised), False

    def check(self, utc: datetime) -> None:
        """Look at what the calendar shows now."""
        network = _touched(self._synchronised)
        if network is not None and network != self._outdone:
            self._confirmed = network if self._confirmed is None else max(network, self._confirmed)
        sentence = self._doubt(utc)
        if sentence:
            self._conditions.set(Trouble.CLOCK_WRONG, sentence)
        elif self._told:
            self._conditions.clear(Trouble.CLOCK_WRONG)
        self._told = bool(sentence)

    def to_keep(self) -> str | None:
        """What is to be kept over a restart, where that is new."""
        if self._confirmed is None or (self._kept and abs(self._confirmed - self._kept) < KEPT_EVERY):
            return None
        self._kept = self._confirmed
        return self._confirmed.isoformat()

    def _doubt(self, utc: datetime) -> str:
        if utc < WRITTEN:
            return (
                f"This gateway's calendar shows {utc:%d %B %Y}, which cannot be: sessions are recorded, but "
                "restrictions may not apply and the clinic may not be reached; connect it to the internet, which sets "
                "it."
            )
        if self._confirmed is not None and utc > self._confirmed + BELIEVED:
            return (
                f"This gateway's calendar shows {utc:%d %B %Y}, and nobody has confirmed it since "
                f"{self._confirmed:%d %B %Y}: sessions are recorded, but no restriction is taken to have ended; "
                "connect it to the internet, which sets it."
            )
        return ""


async def watch_calendar(clock: Clock, watch: CalendarWatch, keep: Callable[[str], Awaitable[None]]) -> None:
    """Check again and again until cancelled; `keep` takes what the next start is to know."""
    while True:
        watch.check(clock.utc())
        if (confirmed := watch.to_keep()) is not None:
            try:
                await keep(confirmed)
            except GatewayError as trouble:
                log.warning("When the calendar was confirmed is not kept: %s", trouble)
        await asyncio.sleep(PERIOD_S)


def _read(kept: str | None) -> datetime | None:
    with contextlib.suppress(ValueError):
        read = datetime.fromisoformat(kept) if kept else None
        return read if read is not None and read.tzinfo is not None else None
    return None  # from a damaged store: nothing is known, as at first


def _touched(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None
