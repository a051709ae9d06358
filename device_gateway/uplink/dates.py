"""Puts the dates of sessions right that were begun while the gateway's calendar was wrong.

A small computer without a battery for its clock wakes up in 1970, or where it was switched off, and jumps by years when
it hears of the time. What it measures does not notice, for that is counted on the monotonic clock; dates do. Within one
boot the jump is exactly known, so that sessions begun before it are moved by it, as long as the clinic has not heard of
them; and the clinic's own time, heard with each token, decides before anything is told. What an earlier boot dated
wrongly stays as it was written: how long the computer was off, nobody knows. Which sessions that may be is logged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
from pydantic import ValidationError

from analytics.domain.base import Word
from analytics.domain.session import SessionOpening, SessionReport
from device_gateway.conditions import Conditions, Trouble
from device_gateway.storage.sessions import blobs
from device_gateway.storage.store import Store

WRONG_S = 60.0
"""A session's date may be off by this much: a calendar that is steered, not set, is, and so is a slow network."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

log = logging.getLogger(__name__)


def boot_id() -> str:
    """Names this run of the operating system, over which the monotonic clock counts; empty where it has none."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""


class _Calendar(Word):
    """offset_s: the calendar (Unix time) minus the monotonic clock, when last looked at in this boot. Sessions kept
    after `after_row` were dated by it. confirmed: the clinic's time was the same."""

    boot_id: str
    offset_s: float
    after_row: int
    confirmed: bool = False


class Dates:
    """`look` now and then, and `compare` with the clinic's time before a session is announced there.

    confirm: hears the clinic's time (clocks/calendar.py).
    """

    def __init__(
        self,
        store: Store,
        conditions: Conditions,
        *,
        confirm: Callable[[datetime], None] = lambda _: None,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        now: Callable[[], float] = time.monotonic,
        boot: str | None = None,
    ) -> None:
        self._store = store
        self._conditions = conditions
        self._confirm = confirm
        self._utc = utc
        self._now = now
        self._boot = boot_id() if boot is None else boot

    async def look(self) -> None:
        """Notice that the calendar was set, and move what it dated before. Raises StoreError."""
        now_s = self._now()
        offset_s = self._utc().timestamp() - now_s

        def write(database: apsw.Connection) -> None:
            known = _read(database)
            if known is None or not self._boot or known.boot_id != self._boot:
                _log_doubtful(database, known)
                _keep(database, _Calendar(boot_id=self._boot, offset_s=offset_s, after_row=_last_row(database)))
            elif abs(offset_s - known.offset_s) > WRONG_S:
                span_s = (known.offset_s - 1.0, known.offset_s + now_s + 1.0)
                _move(database, known.after_row, offset_s - known.offset_s, span_s)
                _keep(database, known.model_copy(update={"offset_s": offset_s, "confirmed": False}))
                log.warning("The calendar was set by %.0f s.", offset_s - known.offset_s)

        await self._store.write(write)

    async def compare(self, clinic_time: datetime) -> None:
        """Hold the calendar against the clinic's time, which is that of its records. Raises StoreError."""
        self._confirm(clinic_time)
        utc = self._utc()
        wrong_s = (clinic_time - utc).total_seconds()
        if abs(wrong_s) <= WRONG_S:
            self._conditions.clear(Trouble.CLOCK_WRONG)
            await self._store.write(_confirm)
            return
        self._conditions.set(
            Trouble.CLOCK_WRONG,
            f"This gateway's calendar says {utc:%d %B %Y, %H:%M} UTC, the clinic's {clinic_time:%d %B %Y, %H:%M}. "
            "Sessions go to the clinic by the clinic's date; let this gateway ask the network for the time (NTP).",
        )

        def write(database: apsw.Connection) -> None:
            known = _read(database)
            if known is not None:
                _move(database, known.after_row, wrong_s, None)
                # What is right now must not be moved again, neither by the clinic's time nor when the calendar is set.
                _keep(database, known.model_copy(update={"after_row": _last_row(database), "confirmed": False}))

        await self._store.write(write)


def dated_as(opening: SessionOpening, report: SessionReport) -> SessionReport:
    """A report by the date of its opening, where that was put right while the session ran."""
    late = opening.started_at - report.started_at
    return report.model_copy(update={"started_at": opening.started_at, "ended_at": report.ended_at + late})


def _read(database: apsw.Connection) -> _Calendar | None:
    row: Any = database.execute("SELECT value FROM setting WHERE name = 'calendar'").fetchone()
    return None if row is None else _Calendar.model_validate_json(row[0])


def _keep(database: apsw.Connection, calendar: _Calendar) -> None:
    database.execute(
        "INSERT INTO setting VALUES ('calendar', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (calendar.model_dump_json(),),
    )


def _confirm(database: apsw.Connection) -> None:
    known = _read(database)
    if known is not None and not known.confirmed:
        _keep(database, known.model_copy(update={"confirmed": True}))


def _log_doubtful(database: apsw.Connection, known: _Calendar | None) -> None:
    """Of an earlier boot, whose calendar nobody confirmed."""
    if known is None or known.confirmed:
        return
    rows: Any = database.execute(
        "SELECT id FROM session WHERE rowid > ? AND NOT opening_uploaded ORDER BY rowid", (known.after_row,)
    ).fetchall()
    for (session_id,) in rows:
        log.warning(
            "Session %s was dated by a calendar that nobody confirmed before the computer was started anew: when it "
            "was is not known.",
            session_id,
        )


def _last_row(database: apsw.Connection) -> int:
    row: Any = database.execute("SELECT coalesce(max(rowid), 0) FROM session").fetchone()
    return int(row[0])


def _move(database: apsw.Connection, after_row: int, by_s: float, span_s: tuple[float, float] | None) -> None:
    """Of sessions the clinic has not heard of: those dated within `span_s` (Unix time), or all of them."""
    rows: Any = database.execute(
        f"SELECT rowid, {blobs('opening')} FROM session WHERE rowid > ? AND NOT opening_uploaded",  # noqa: S608
        (after_row,),
    ).fetchall()
    for row, document in rows:
        try:
            opening = SessionOpening.model_validate_json(document)
        except ValidationError:  # which is told where it would be sent
            continue
        if span_s is None or span_s[0] <= opening.started_at.timestamp() <= span_s[1]:
            moved = opening.model_copy(update={"started_at": opening.started_at + timedelta(seconds=by_s)})
            database.execute("UPDATE session SET opening = ? WHERE rowid = ?", (moved.model_dump_json(), row))
