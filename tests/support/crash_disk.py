"""A disk whose power can be cut: a SQLite file system that knows what a sync had reached and what was only written.

After a cut the disk holds all that was synced and any part of the rest, in pieces of 512 bytes: what was written
without a sync may be there, torn, or missing, in any order. Names of files behave likewise: a new or a deleted file
counts once its folder was synced, which SQLite does with the first sync of a journal (os_unix.c, isNewJrnl) and after a
delete.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR_BYTES = 512
_JOURNAL = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL


@dataclass(eq=False)
class _Contents:
    """What one file holds. `waiting`: (offset, bytes) or (length, None) for a truncation, since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.waiting:
            _apply(self.durable, *change)
        self.waiting.clear()

    def after_a_cut(self, rng: random.Random) -> bytes:
        image = bytearray(self.durable)
        for offset, data in self.waiting:
            for piece in [(offset, None)] if data is None else _sectors(offset, data):
                if rng.random() < 0.5:
                    _apply(image, *piece)
        return bytes(image)


def _apply(image: bytearray, offset: int, data: bytes | None) -> None:
    image.extend(bytes(max(0, offset - len(image))))
    if data is None:
        del image[offset:]
    else:
        image[offset : offset + len(data)] = data


def _sectors(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    first = -offset % SECTOR_BYTES
    edges = sorted({0, min(first, len(data)), *range(first, len(data), SECTOR_BYTES), len(data)})
    return [(offset + a, data[a:b]) for a, b in itertools.pairwise(edges)]


class CrashDisk(apsw.VFS):
    """Registered under `name` until `unregister`. The power fails in the `cut_after`th change or sync, or by `cut()`.

    lies: the disk says that it has synced, and has not.
    """

    def __init__(self, name: str, *, cut_after: int | None = None, lies: bool = False) -> None:
        super().__init__(name, "")
        self.name = name
        self.operations = 0
        self.dead = False
        self._cut_after = cut_after
        self._lies = lies
        self._names: dict[str, _Contents] = {}
        self._durable_names: dict[str, _Contents] = {}

    def cut(self) -> None:
        self.dead = True

    def leave(self, folder: Path, rng: random.Random) -> None:
        """Write into `folder` what this disk holds when the power is back."""
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in {**self._names, **self._durable_names}:
            contents = rng.choice([self._names.get(path), self._durable_names.get(path)])
            if contents is not None:
                (folder / Path(path).name).write_bytes(contents.after_a_cut(rng))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802 - APSW's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        held = Path(path).read_bytes() if Path(path).exists() else b""
        file = _File(self, path, name, flags, is_journal=bool(flags[0] & _JOURNAL))
        if path not in self._names:
            file.contents.durable[:] = held
            self._names[path] = file.contents
            if held:
                self._durable_names[path] = file.contents
        file.contents = self._names[path]
        return file

    def xDelete(self, path: str, sync_folder: bool) -> None:  # noqa: N802
        self.step()
        super().xDelete(path, sync_folder)
        self._names.pop(path, None)
        if sync_folder:
            self.sync_folder()

    def sync_folder(self) -> None:
        if not self._lies:
            self._durable_names = dict(self._names)

    def sync(self, contents: _Contents) -> None:
        if not self._lies:
            contents.sync()

    def step(self) -> None:
        """One more change or sync. Raises IOError once the power is gone."""
        self.operations += 1
        if self.operations == self._cut_after:
            self.cut()
        self.refuse_if_dead()

    def refuse_if_dead(self) -> None:
        if self.dead:
            raise apsw.IOError("the power is gone")


class _File(apsw.VFSFile):
    """The file under it is what a running program sees; `contents` is what the disk has."""

    def __init__(
        self, disk: CrashDisk, path: str, name: str | apsw.URIFilename | None, flags: list[int], *, is_journal: bool
    ) -> None:
        super().__init__("", name, flags)
        self.contents = _Contents()
        self._disk = disk
        self._syncs_folder = is_journal

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.refuse_if_dead()
        self.contents.waiting.append((offset, bytes(data)))
        self._disk.step()  # the write in which the power fails may have reached the disk in part
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.refuse_if_dead()
        self.contents.waiting.append((size, None))
        self._disk.step()
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.step()
        self._disk.sync(self.contents)
        if self._syncs_folder:
            self._syncs_folder = False
            self._disk.sync_folder()
