"""Bounded disk use: what goes, and in which order, when there is not room for everything. See docs/gateway-storage.md.

What the clinic has acknowledged goes first, a whole session at a time, the oldest first, and only when room is short.
What it does not have yet is touched by nothing but the store's own limit, which is announced from four weeks before.
Deleted pages are used again by the file, which never shrinks. A file of a few MB is kept in reserve, so that room can
be made on a disk that is full to its last byte.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from pydantic import ValidationError

from analytics.domain.session import SessionReport
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import StoreError
from device_gateway.settings import GatewaySettings

from .database import RESERVE
from .digests import report_over
from .sessions import blobs
from .store import Store

EASE = 16
"""The acknowledged begin to go when less than this part (1/16) of the store's limit is left."""
LAST = 64
"""The oldest that the clinic does not have goes when less than this part (1/64) is left."""
STAGES_DAYS = (28, 14, 7, 3, 1, 0)
"""Days of exercising that still fit: at each, what is said is said anew."""
USUAL_DAY_BYTES = 6_000_000
"""Half an hour of five sensors at 100 Hz, as long as nothing is known of this patient's days."""
RECENT_SESSIONS = 40
RESERVE_BYTES = 8 * 2**20
"""Twice what the write-ahead log holds before SQLite writes it back (1000 pages of 4 kB)."""
CHECK_EVERY_S = 60.0
_MAY_BE_DROPPED = "report IS NOT NULL AND NOT opening_uploaded AND NOT report_uploaded AND chunk_bytes > 0"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Room:
    """In bytes. in_store: up to the store's limit. on_disk: what the disk lets the store take, with its unused pages.

    acknowledged: what sessions that are wholly at the clinic take. droppable: what finished
    sessions that the clinic knows nothing of take; it goes last. day: what a day of exercising takes.
    """

    in_store: int
    on_disk: int
    acknowledged: int
    droppable: int
    day: int

    @property
    def left(self) -> int:
        return min(self.in_store, self.on_disk)


class Retention:
    """`run` it beside the gateway, or `check` when it matters.

    largest_store_bytes: the store's file never becomes larger. least_free_bytes: left to others on the same disk.
    """

    def __init__(
        self,
        store: Store,
        conditions: Conditions,
        *,
        largest_store_bytes: int,
        least_free_bytes: int,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._store = store
        self._home = store.home
        self._reserve = store.home / RESERVE
        self._conditions = conditions
        self._largest_bytes = largest_store_bytes
        self._least_free_bytes = least_free_bytes
        self._free_bytes = free_bytes

    @classmethod
    def of(cls, settings: GatewaySettings, store: Store, conditions: Conditions) -> Retention:
        return cls(
            store,
            conditions,
            largest_store_bytes=settings.largest_store_bytes,
            least_free_bytes=settings.least_free_bytes,
        )

    async def run(self) -> None:
        while True:
            try:
                await self.check()
            except StoreError as trouble:
                log.warning("%s", trouble)
            except Exception:  # the store must stay bounded whatever one check met
                log.exception("Making room met a fault.")
            await asyncio.sleep(CHECK_EVERY_S)

    async def check(self) -> None:
        """Make room where it is short, and say how many days still fit. Raises StoreError."""
        self._store.tell_damaged()
        await self._store.read(self._bound)
        try:
            room = await self._make_room()
        except StoreError:
            if not self._reserve.exists():
                raise
            self._reserve.unlink(missing_ok=True)
            room = await self._make_room()
        self._announce(room)
        if {condition.code for condition in self._conditions.now()} & {Trouble.DISK_FULL, Trouble.DISK_FAILING}:
            await self._store.keep_settings(disk="tried")  # what was refused may never be tried again; this tells
        self._keep_reserve()

    async def _make_room(self) -> Room:
        room = await self.room()
        while room.left < self._largest_bytes // EASE and await self._store.write(_forget_oldest_acknowledged):
            room = await self.room()
        while room.in_store < self._largest_bytes // LAST:
            dropped = await self._store.write(_drop_oldest_samples)
            if dropped is None:
                break
            log.error("There is no more room: the samples of session %s, which the clinic lacks, are deleted.", dropped)
            room = await self.room()
        return room

    def _keep_reserve(self) -> None:
        """A deletion needs a little room in the log first, which a full disk does not have: the reserve has it."""
        kept_bytes = self._reserve.stat().st_size if self._reserve.exists() else 0
        if kept_bytes >= RESERVE_BYTES or self._free_bytes(self._home) <= 4 * RESERVE_BYTES:
            return
        try:
            with self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        except OSError as trouble:
            log.warning("No room can be kept in reserve: %s", trouble)
            self._reserve.unlink(missing_ok=True)

    async def days_left(self) -> int:
        """Days of exercising that still fit before anything is lost. Raises StoreError."""
        return max(0, self._days(await self.room()))

    async def room(self) -> Room:
        free_bytes = self._free_bytes(self._home)
        return await self._store.read(lambda database: self._measure(database, free_bytes))

    def _bound(self, database: apsw.Connection) -> None:
        database.pragma("max_page_count", self._largest_bytes // database.pragma("page_size"))

    def _measure(self, database: apsw.Connection, free_bytes: int) -> Room:
        page_bytes, pages, unused = (database.pragma(name) for name in ("page_size", "page_count", "freelist_count"))
        acknowledged = database.execute("SELECT total(chunk_bytes) FROM session WHERE report_uploaded").get
        droppable = database.execute(f"SELECT total(chunk_bytes) FROM session WHERE {_MAY_BE_DROPPED}").get  # noqa: S608
        return Room(
            in_store=self._largest_bytes - (pages - unused) * page_bytes,
            on_disk=unused * page_bytes + max(0, free_bytes - self._least_free_bytes),
            acknowledged=int(acknowledged),
            droppable=int(droppable),
            day=_day_bytes(database),
        )

    def _days(self, room: Room) -> int:
        return (room.left + room.acknowledged - self._largest_bytes // LAST) // room.day

    def _announce(self, room: Room) -> None:
        days = self._days(room)
        stage = min((stage for stage in STAGES_DAYS if days <= stage), default=None)
        if stage is None:
            self._conditions.clear(Trouble.DISK_NEARLY_FULL)
        else:
            self._conditions.set(Trouble.DISK_NEARLY_FULL, _sentence(stage, room))


def _sentence(days: int, room: Room) -> str:
    ours = room.in_store <= room.on_disk  # the store's own limit is the nearer one, and not the disk's
    if days > 0:
        fits = "one more day" if days == 1 else f"{days} more days"
        return (
            f"There is room for about {fits} of exercising: connect this gateway to the internet, so that the clinic "
            "receives what was recorded, or free space on its disk. Nothing is lost until then."
        )
    if ours and not room.droppable:
        return (
            "There is no more room, and nothing that is kept may be deleted before the clinic has all of it: connect "
            "this gateway to the internet. What is stored is untouched, but what is measured next may have to wait in "
            "memory and is lost when the gateway stops."
        )
    if ours:
        return (
            "There is no more room: with each new exercise, the recorded movement of the oldest that the clinic "
            "has not received is deleted; its repetitions and report are kept. Connect this gateway to the internet."
        )
    return (
        "There is no more room on the disk: free space on it, or connect this gateway to the internet. What is stored "
        "is untouched, but what is measured next may have to wait in memory and is lost when the gateway stops."
    )


def _day_bytes(database: apsw.Connection) -> int:
    """What a day of exercising takes, from the latest sessions."""
    sessions: list[Any] = database.execute(
        "SELECT chunk_bytes, substr(json_extract(opening, '$.started_at'), 1, 10) FROM session"
        " WHERE chunk_bytes > 0 AND json_valid(opening) ORDER BY rowid DESC LIMIT ?",
        (RECENT_SESSIONS,),
    ).fetchall()
    days = {day for _, day in sessions}
    return sum(size for size, _ in sessions) // len(days) if days else USUAL_DAY_BYTES


def _forget_oldest_acknowledged(database: apsw.Connection) -> bool:
    """Delete the oldest session that is wholly at the clinic; False where there is none."""
    rows: list[Any] = database.execute("SELECT id FROM session WHERE report_uploaded ORDER BY rowid LIMIT 1").fetchall()
    for table in ("chunk", "command"):
        database.executemany(f"DELETE FROM {table} WHERE session_id = ?", rows)  # noqa: S608 - names above
    database.executemany("DELETE FROM session WHERE id = ?", rows)
    return bool(rows)


def _drop_oldest_samples(database: apsw.Connection) -> str | None:
    """Delete the samples of the oldest finished session that the clinic knows nothing of; its report says 0 chunks."""
    sessions: list[Any] = database.execute(
        f"SELECT id FROM session WHERE {_MAY_BE_DROPPED} ORDER BY rowid"  # noqa: S608 - our own words
    ).fetchall()
    for (session_id,) in sessions:
        document: Any = database.execute(
            f"SELECT {blobs('report')} FROM session WHERE id = ?",  # noqa: S608 - a name of ours
            (session_id,),
        ).get
        try:
            report = report_over(SessionReport.model_validate_json(document), [])
        except ValidationError:  # its samples are all that is left of it
            continue
        database.execute("DELETE FROM chunk WHERE session_id = ?", (session_id,))
        database.execute(
            "UPDATE session SET chunk_bytes = 0, report = ? WHERE id = ?", (report.model_dump_json(), session_id)
        )
        return str(session_id)
    return None
