"""A store that cannot be read is set aside and never deleted; what can still be read of it begins the next one.

Row by row, because damage is rarely everywhere: settings (who this gateway is), and of every session that the clinic
does not have all, each chunk whose bytes still have the digest they were stored with.
"""

from __future__ import annotations

import bisect
import hashlib
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
from pydantic import ValidationError

from analytics.domain.session import SessionOpening, SessionReport

from .digests import report_over

INCOMPLETE = (
    "A part of this session was lost to a damaged disk after its upload had begun; the clinic keeps what it has."
)
LOST_ROWS_IN_A_ROW = 10_000
"""So many numbers of rows are tried one by one behind the last readable one; then in strides that double, for where
retention has deleted for long, rows begin at any number."""
LARGEST_ROWID = 2**63 - 1
_READING = {apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_CORRUPTFS, apsw.SQLITE_IOERR_DATA}
_UNREADABLE = (apsw.CorruptError, apsw.NotADBError, apsw.IOError, UnicodeDecodeError)
"""What reading a row of a damaged file may raise; the last where bits turned in a text."""

log = logging.getLogger(__name__)


def is_damage(trouble: Exception) -> bool:
    """Whether what is on the disk is spoilt, or on a sector that can no longer be read (EIO)."""
    if isinstance(trouble, apsw.IOError):
        return getattr(trouble, "extendedresult", apsw.SQLITE_IOERR) in _READING
    return isinstance(trouble, (apsw.CorruptError, apsw.NotADBError))


def quick_check(database: apsw.Connection, within_s: float) -> None:
    """Look at the file's structure for so long at most. Raises CorruptError where something is found."""
    ends_s = time.monotonic() + within_s
    database.set_progress_handler(lambda: time.monotonic() > ends_s, 20)
    try:
        verdict = database.execute("PRAGMA quick_check(1)").get
    except apsw.InterruptError:
        return
    except apsw.IOError as trouble:  # a check only reads
        raise apsw.CorruptError(f"cannot be read: {trouble}") from trouble
    finally:
        database.set_progress_handler(None)
    if verdict != "ok":
        raise apsw.CorruptError(str(verdict))


def damaged_copies(path: Path) -> list[Path]:
    """The stores that were set aside, first to last; a write-ahead log beside one is not told."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted((copy for copy in found if not copy.name.endswith("-wal")), key=_number)


def _number(copy: Path) -> int:
    """Of a store that was set aside, or of the log beside one."""
    number = re.search(r"damaged-(\d+)", copy.name)
    return int(number[1]) if number else 0


def is_set_aside(path: Path) -> bool:
    """Whether the store at `path` has another name already, and the next one was not finished."""
    return any(copy.samefile(path) for copy in damaged_copies(path))


def set_aside(path: Path) -> Path:
    """Give a damaged store another name besides its own, and its write-ahead log that name instead.

    The file keeps its first name until the next store takes its place, so that a power cut meanwhile begins this anew.
    """
    copies = damaged_copies(path)
    aside = next((copy for copy in copies if copy.samefile(path)), None)
    if aside is None:
        taken = max(map(_number, path.parent.glob(f"{path.name}.damaged-*")), default=0)
        aside = path.with_name(f"{path.name}.damaged-{taken + 1:02}")
        aside.hardlink_to(path)
    log_file = path.with_name(f"{path.name}-wal")
    if log_file.exists():
        log_file.replace(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    sync_folder(path.parent)
    return aside


def sync_folder(folder: Path) -> None:
    """A new or changed name in a folder is durable once the folder is synced."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def salvage(aside: Path, fresh: apsw.Connection, vfs: str | None = None) -> Counter[str]:
    """Copy what can be read of a damaged store into an empty one; how many rows of each table.

    Raises apsw.Error where the empty one cannot be written.
    """
    taken: Counter[str] = Counter()
    try:
        old = apsw.Connection(str(aside), vfs=vfs)
    except apsw.Error:
        return taken
    try:
        old.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        old.pragma("locking_mode", "EXCLUSIVE")
        for (table,) in fresh.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").fetchall():
            taken[str(table)] = _copy(old, fresh, str(table))
        _mend(fresh)
    finally:
        old.close(True)
    return taken


def _copy(old: apsw.Connection, fresh: apsw.Connection, table: str) -> int:
    try:
        known = {row[1] for row in old.execute(f"PRAGMA table_info({table})").fetchall()}
    except _UNREADABLE as trouble:
        log.warning("Of the damaged store's table %s nothing can be read: %s", table, trouble)
        return 0
    if not known:  # a newer release has made this table
        return 0
    columns = [str(row[1]) for row in fresh.execute(f"PRAGMA table_info({table})").fetchall() if row[1] in known]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names from our own schema
    copied = 0
    for row in _rows(old, table, columns):
        if _is_whole(table, dict(zip(columns, row, strict=True))):
            try:
                fresh.execute(insert, row)
            except apsw.ConstraintError:  # of a session that is not taken over, or with a column that must not be empty
                continue
            copied += 1
    return copied


def _rows(old: apsw.Connection, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Every row that can be read, in order; those on damaged pages are stepped over."""
    one = f"SELECT rowid, {', '.join(columns)} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT 1"  # noqa: S608

    def behind(rowid: int) -> Any:
        """The row behind this number, None behind the last, or what keeps it from being read."""
        try:
            row: Any = old.execute(one, (rowid,)).fetchone()
        except _UNREADABLE as trouble:
            return trouble
        return apsw.CorruptError("led back") if row is not None and row[0] <= rowid else row

    rowid = 0
    while True:
        row = behind(rowid)
        if isinstance(row, Exception):
            row = _behind_the_unreadable(behind, rowid, row)
        if row is None:
            return
        rowid = row[0]
        yield row[1:]


def _behind_the_unreadable(behind: Callable[[int], Any], rowid: int, trouble: Exception) -> Any:
    """The next row that can be read, or None. A sector that fails (IOError) costs seconds each time it is tried."""
    by_one = 1 if isinstance(trouble, apsw.IOError) else LOST_ROWS_IN_A_ROW
    for bad in range(rowid + 1, rowid + by_one):
        if not isinstance(row := behind(bad), Exception):
            return row
    bad, stride = rowid + by_one, 1
    while bad + stride <= LARGEST_ROWID:
        if not isinstance(behind(bad + stride), Exception):
            between = range(bad, bad + stride + 1)
            first = bisect.bisect_left(between, True, key=lambda number: not isinstance(behind(number), Exception))
            return behind(between[first])
        bad, stride = bad + stride, 2 * stride
    return None


def _mend(fresh: apsw.Connection) -> None:
    """Make sessions that lost chunks whole again: what is left of them is counted anew.

    Where streams stood behind a chunk that may be lost says nothing of the one that is now the last.
    """
    fresh.execute("UPDATE session SET bookmarks = NULL")
    fresh.execute(
        "UPDATE session SET chunk_bytes ="
        " (SELECT coalesce(sum(length(data)), 0) FROM chunk WHERE session_id = session.id)"
    )
    sessions: list[Any] = fresh.execute("SELECT id, opening_uploaded, report FROM session").fetchall()
    for session_id, is_known, document in sessions:
        chunks: list[Any] = fresh.execute(
            "SELECT rowid, number, sha256 FROM chunk WHERE session_id = ? ORDER BY number", (session_id,)
        ).fetchall()
        report = SessionReport.model_validate_json(document) if document is not None else None
        if [number for _, number, _ in chunks] == list(range(report.chunk_count if report else len(chunks))):
            continue
        if is_known:  # the clinic holds chunks under the old numbers, and waits for the lost ones
            fresh.execute("UPDATE session SET problem = ? WHERE id = ?", (INCOMPLETE, session_id))
            continue
        fresh.executemany(
            "UPDATE chunk SET number = ? WHERE rowid = ?", [(new, row) for new, (row, _, _) in enumerate(chunks)]
        )
        if report is not None:
            mended = report_over(report, [sha256 for _, _, sha256 in chunks])
            fresh.execute("UPDATE session SET report = ? WHERE id = ?", (mended.model_dump_json(), session_id))


def _is_whole(table: str, row: dict[str, Any]) -> bool:
    """Whether a row is worth taking over: as it was written, and not all at the clinic."""
    if table == "chunk":
        return isinstance(row["data"], bytes) and hashlib.sha256(row["data"]).digest() == row["sha256"]
    if table == "session":
        try:
            SessionOpening.model_validate_json(row["opening"])
            if row["report"] is not None:
                SessionReport.model_validate_json(row["report"])
        except ValidationError:
            return False
        return not row["report_uploaded"]
    return True
