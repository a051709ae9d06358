"""One SQLite file, one thread that touches it, and nothing counted before it is durable.

WAL with synchronous=FULL: a returned write survives `kill -9` and power loss (NORMAL loses the last commits). All work
goes through a single thread, so the event loop never waits for a disk and there is never a second writer. APSW, because
it takes a file system of one's own (`vfs`): the tests cut the power under this very code. See decision 0007.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import math
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Self, TextIO, TypeVar

import apsw

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError, StoreError

from .salvage import damaged_copies, is_damage, is_set_aside, quick_check, salvage, set_aside, sync_folder

DATABASE = "gateway.sqlite3"
RESERVE = "reserve"
"""A file in the store's folder that is given up where room is short; retention.py makes it."""
SALVAGE_DUE = "salvage-due"
"""A file in the store's folder: damage was met while the gateway ran, so the next start does not trust its check."""
SCHEMA_VERSION = 4
CHECK_S = 10.0
"""So long the file is looked over at a start; a whole check of 8 GB on a memory card would take minutes."""
Result = TypeVar("Result")

_DISK = (
    *(apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError, apsw.NoLFSError),
    *(apsw.BusyError, apsw.LockedError, apsw.ProtocolError, apsw.CorruptError, apsw.NotADBError),
)
"""What a disk can do to us. Every other error of SQLite is a fault in this program and goes through as it is."""

log = logging.getLogger(__name__)


class Database:
    """The gateway's file. Open with `await open(folder)`; a coroutine that writes is durable on return.

    `read` and `write` raise StoreError where the disk is full or fails; what was stored before stays as it is.
    """

    def __init__(self, path: Path, conditions: Conditions) -> None:
        self._path = path
        self.conditions = conditions
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._connection: apsw.Connection | None = None
        self._lock: TextIO | None = None

    @property
    def home(self) -> Path:
        """The folder that holds it."""
        return self._path.parent

    @classmethod
    async def open(cls, home: Path, conditions: Conditions | None = None, *, vfs: str | None = None) -> Self:
        """Open or make the store in `home`. conditions: where trouble with the disk is told. vfs: a file system's name.

        Raises GatewayError where the folder or the file cannot be used, or another gateway uses it.
        """
        store = cls(home / DATABASE, conditions or Conditions())
        try:
            store._lock = _lock(home)
            loop = asyncio.get_running_loop()
            store._connection = await loop.run_in_executor(store._thread, _open, store._path, vfs)
        except (OSError, apsw.Error) as trouble:
            await store.close()
            raise GatewayError(_refused(home, trouble)) from trouble
        except GatewayError:
            await store.close()
            raise
        store.tell_damaged()
        return store

    def tell_damaged(self) -> None:
        """Tell of a store that was set aside for as long as it is there."""
        copies = damaged_copies(self._path)
        if not copies:
            self.conditions.clear(Trouble.DISK_DAMAGED)
            return
        self.conditions.set(
            Trouble.DISK_DAMAGED,
            f"Some of what this gateway kept was damaged: it is set aside as {copies[-1].name}, and what could be read "
            "was taken over. The disk or card may be failing: have it replaced, and delete that file when nobody "
            "needs it.",
        )

    async def close(self) -> None:
        if self._connection is not None:
            try:
                await self._do(lambda database: database.close())
            except StoreError as trouble:
                log.warning("%s", trouble)
            self._connection = None
        self._thread.shutdown()
        if self._lock is not None:
            self._lock.close()

    async def read(self, work: Callable[[apsw.Connection], Result]) -> Result:
        """Let `work` look at the database, in the store's own thread, between two writes."""
        return await self._do(work)

    async def write(self, work: Callable[[apsw.Connection], Result]) -> Result:
        """Let `work` change the database: all that it does is durable on return, or nothing of it happened."""

        result = await self._do(lambda database: _in_transaction(database, work))
        self.conditions.clear(Trouble.DISK_FULL, Trouble.DISK_FAILING)
        return result

    async def _do(self, work: Callable[[apsw.Connection], Result]) -> Result:
        database = self._connection
        if database is None:
            raise RuntimeError("the store is not open")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work, database)
        except _DISK as refusal:
            if is_damage(refusal):
                await loop.run_in_executor(self._thread, self._have_it_salvaged)
            trouble, sentence = _told(refusal)
            self.conditions.set(trouble, sentence)
            raise StoreError(sentence) from refusal

    def _have_it_salvaged(self) -> None:
        with contextlib.suppress(OSError):  # a disk that does not take this either is found damaged again
            self._path.with_name(SALVAGE_DUE).touch()


def _lock(home: Path) -> TextIO:
    """Keep a second gateway out of this home for as long as the file is open."""
    made = [folder for folder in (home, *home.parents) if not folder.exists()]
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in made:
        sync_folder(folder.parent)
    lock = (home / "gateway.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise GatewayError(f"Another gateway uses {home} already: stop it, or choose another --home.") from None
    return lock


def _in_transaction(database: apsw.Connection, work: Callable[[apsw.Connection], Result]) -> Result:
    """`with database:` will not do: on a full disk SQLite rolls back by itself, and APSW's rollback then hides why."""
    database.execute("BEGIN IMMEDIATE")
    try:
        result = work(database)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            with contextlib.suppress(*_DISK):
                database.execute("ROLLBACK")
        raise
    return result


def _open(path: Path, vfs: str | None) -> apsw.Connection:
    """The store at `path`; where it is damaged, another one in its place with what could be read."""
    due = path.with_name(SALVAGE_DUE)
    try:
        if path.exists() and (due.exists() or is_set_aside(path)):  # without its log, which lies beside the other name
            raise apsw.CorruptError("as was found before")
        return _connect(path, vfs)
    except apsw.Error as damage:
        if not is_damage(damage):
            raise
        path.with_name(RESERVE).unlink(missing_ok=True)
        aside = set_aside(path)
        log.error("The store is damaged (%s) and set aside as %s.", damage, aside.name)
        _take_over(aside, path, vfs)
        due.unlink(missing_ok=True)
        sync_folder(path.parent)
        return _connect(path, vfs)


def _take_over(aside: Path, path: Path, vfs: str | None) -> None:
    """Begin a new store at `path` with what can be read of the one set aside; there is none until it is whole."""
    saved = path.with_name(f"{path.name}.saved")
    parts = [saved.with_name(f"{saved.name}{ending}") for ending in ("", "-wal", "-journal")]
    _delete(parts)  # of an attempt that a power cut ended
    try:
        fresh = _connect(saved, vfs)
        try:
            fresh.pragma("journal_mode", "OFF")  # it would need as much room again, and half a copy is deleted anyway
            taken = _in_transaction(fresh, lambda database: salvage(aside, database, vfs))
        finally:
            fresh.close()
        _connect(saved, vfs).close()  # on a disk that spoils this too, each start would leave one more copy behind
    except apsw.FullError as full:
        _delete(parts)
        log_file = aside.with_name(f"{aside.name}-wal")
        needed_bytes = sum(file.stat().st_size for file in (aside, log_file) if file.exists())
        raise GatewayError(
            f"Some of what the gateway kept in {path.parent} is damaged, and it needs up to "
            f"{math.ceil(needed_bytes / 1e6)} MB free on that disk to save the rest: free as much and start it again. "
            "Nothing was deleted."
        ) from full
    except BaseException:
        _delete(parts)
        raise
    log.error("Rows taken over from it: %s.", dict(taken) or "none")
    saved.replace(path)


def _delete(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _connect(path: Path, vfs: str | None) -> apsw.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds the gateway's token
    database = apsw.Connection(str(path), vfs=vfs)
    try:
        database.pragma(
            "locking_mode", "EXCLUSIVE"
        )  # one process owns the file, so no index shared in a file of its own
        database.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # not a byte of a damaged file is changed
        quick_check(database, CHECK_S)
        database.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        _prepare(database, path)
    except BaseException:
        database.close(True)
        raise
    return database


def _prepare(database: apsw.Connection, path: Path) -> None:
    version = database.pragma("user_version")
    if version > SCHEMA_VERSION:
        raise GatewayError(
            f"{path} was written by a newer Sinew: install that version again, or choose another folder with --home."
        )
    database.pragma("journal_mode", "WAL")
    database.pragma("synchronous", "FULL")
    database.pragma("foreign_keys", True)
    for step in range(version + 1, SCHEMA_VERSION + 1):
        schema = resources.files(__package__).joinpath(f"schema_{step}.sql").read_text("utf-8")
        _in_transaction(database, lambda database: database.execute(f"{schema} PRAGMA user_version = {step};"))  # noqa: B023 - called at once


def _refused(home: Path, trouble: Exception) -> str:
    if is_damage(trouble):
        return f"The disk or card that holds {home} cannot be read ({trouble}): have it replaced."
    return f"The gateway cannot keep its data in {home} ({trouble}): choose a folder it may write with --home."


def _told(refusal: apsw.Error) -> tuple[Trouble, str]:
    if isinstance(refusal, apsw.FullError):
        return Trouble.DISK_FULL, (
            "The gateway's disk is full: free some space on it. What is stored is untouched, and what is measured now "
            "waits in memory."
        )
    if is_damage(refusal):
        return Trouble.DISK_FAILING, (
            f"What the gateway keeps is damaged or cannot be read ({refusal}): its disk or card fails, so replace it. "
            "What is measured now waits in memory and is lost when the gateway stops."
        )
    return Trouble.DISK_FAILING, (
        f"The gateway's disk cannot be written ({refusal}): check or replace it. What is stored is untouched, and what "
        "is measured now waits in memory."
    )
