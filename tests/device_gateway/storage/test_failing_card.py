"""A memory card that dies: unreadable sectors, no room for a second copy, damage met while the gateway runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import GatewayError, StoreError
from device_gateway.storage import database as database_module
from device_gateway.storage.salvage import damaged_copies
from device_gateway.storage.store import Store

CHUNKS = 30
PAGE_BYTES = 4096


class Card(apsw.VFS):
    """`bad_pages` of the file of this inode cannot be read; a copy that is being made finds `room_bytes`."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.name = name
        self.inode = 0
        self.bad_pages: set[int] = set()
        self.code: int | None = apsw.SQLITE_IOERR_READ
        self.spoils_copies = False
        self.room_bytes = 10**12

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802 - APSW's name
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, card: Card, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._card = card
        self._is_bad = Path(path).exists() and Path(path).stat().st_ino == card.inode
        self._is_copy = ".saved" in path
        self._is_bad |= card.spoils_copies and self._is_copy

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if self._is_bad and offset // PAGE_BYTES in self._card.bad_pages:
            trouble = apsw.IOError("bad sector")
            if self._card.code is not None:
                trouble.extendedresult = self._card.code
            raise trouble
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._is_copy and offset + len(data) > self._card.room_bytes:
            raise apsw.FullError("no room")
        super().xWrite(data, offset)


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    card = Card(f"card-{tmp_path.name}")
    yield card
    card.unregister()


def page_of(path: Path, data: bytes) -> int:
    return path.read_bytes().index(data) // PAGE_BYTES


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)


async def found_in(store: Store, opened) -> set[bytes]:
    upload = await store.upload(opened.id)
    assert upload is not None
    return {(await store.chunk(opened.id, number))[0] for number in upload.chunks_waiting}


@pytest.mark.parametrize("checked_s", [10.0, -1.0], ids=["met by the check", "met later"])
async def test_what_stands_on_sound_sectors_is_taken_over(
    tmp_path: Path, kept, card: Card, monkeypatch: pytest.MonkeyPatch, checked_s: float
) -> None:
    opened, chunks = kept
    monkeypatch.setattr(database_module, "CHECK_S", checked_s)
    path = tmp_path / "gateway.sqlite3"
    card.inode, card.bad_pages = path.stat().st_ino, {page_of(path, chunks[15][:400])}
    if checked_s > 0:
        card.code = None
    conditions = Conditions()
    store = await Store.open(tmp_path, conditions, vfs=card.name)
    if checked_s < 0:
        with pytest.raises(StoreError, match="damaged or cannot be read"):
            await store.read(lambda database: database.execute("SELECT data FROM chunk").fetchall())
        await store.close()
        store = await Store.open(tmp_path, conditions, vfs=card.name)
    assert "set aside as" in next(c.sentence for c in conditions.now() if c.code == Trouble.DISK_DAMAGED)
    found = await found_in(store, opened)
    assert found < set(chunks)
    assert len(found) > CHUNKS / 2
    assert await store.setting("identity") == "who I am"
    await store.close()


async def test_an_unreadable_first_sector_does_not_keep_the_gateway_from_starting(
    tmp_path: Path, kept, card: Card
) -> None:
    path = tmp_path / "gateway.sqlite3"
    card.inode, card.bad_pages = path.stat().st_ino, {0}
    store = await Store.open(tmp_path, vfs=card.name)
    assert len(damaged_copies(path)) == 1
    await store.close()


async def test_a_card_that_spoils_the_copy_too_is_not_filled_with_copies(tmp_path: Path, kept, card: Card) -> None:
    path = tmp_path / "gateway.sqlite3"
    card.inode, card.bad_pages, card.spoils_copies = path.stat().st_ino, {30}, True
    for _ in range(2):
        with pytest.raises(GatewayError, match=r"cannot be read .*: have it replaced"):
            await Store.open(tmp_path, vfs=card.name)
        assert len(damaged_copies(path)) == 1
        assert not any(".saved" in name for name in os.listdir(tmp_path))


async def test_without_room_for_a_second_copy_it_says_how_much_it_needs(tmp_path: Path, kept, card: Card) -> None:
    opened, chunks = kept
    path, reserve = tmp_path / "gateway.sqlite3", tmp_path / "reserve"
    spoil(path, page_of(path, chunks[15][:400]))
    reserve.write_bytes(bytes(1000))
    card.room_bytes = 100_000
    for _ in range(2):
        with pytest.raises(GatewayError, match=r"up to 1 MB free .* Nothing was deleted"):
            await Store.open(tmp_path, vfs=card.name)
        assert not reserve.exists()
        assert not any(".saved" in name for name in os.listdir(tmp_path)), "no half-made copy takes room"
    card.room_bytes = 10**12
    store = await Store.open(tmp_path, vfs=card.name)
    assert len(await found_in(store, opened)) > CHUNKS / 2
    assert len(damaged_copies(path)) == 1
    await store.close()


async def test_what_only_the_log_holds_outlives_starts_without_room(tmp_path: Path, kept, card: Card) -> None:
    _, chunks = kept
    home = tmp_path / "killed"
    home.mkdir()
    store = await Store.open(tmp_path)
    await store.keep_settings(only="in the log")
    for name in ("gateway.sqlite3", "gateway.sqlite3-wal"):
        (home / name).write_bytes((tmp_path / name).read_bytes())
    await store.close()
    spoil(home / "gateway.sqlite3", page_of(home / "gateway.sqlite3", chunks[15][:400]))
    card.room_bytes = 100_000
    for _ in range(2):
        with pytest.raises(GatewayError, match="MB free"):
            await Store.open(home, vfs=card.name)
    card.room_bytes = 10**12
    store = await Store.open(home, vfs=card.name)
    assert await store.setting("only") == "in the log"
    await store.close()


async def test_a_copy_takes_no_more_room_than_what_is_kept(tmp_path: Path, kept, card: Card) -> None:
    """Its journal would take as much again."""
    _, chunks = kept
    path = tmp_path / "gateway.sqlite3"
    spoil(path, page_of(path, chunks[15][:400]))
    sizes: list[int] = []
    write = _File.xWrite

    def measured(self: _File, data: bytes, offset: int) -> None:
        write(self, data, offset)
        sizes.append(sum(part.stat().st_size for part in tmp_path.glob("*.saved*")))

    _File.xWrite = measured
    try:
        await (await Store.open(tmp_path, vfs=card.name)).close()
    finally:
        _File.xWrite = write
    assert max(sizes) <= damaged_copies(path)[0].stat().st_size


async def test_damage_that_the_check_does_not_reach_is_mended_at_the_next_start(
    tmp_path: Path, kept, invented, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, chunks = kept
    path = tmp_path / "gateway.sqlite3"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database_module, "CHECK_S", -1.0)
        database = apsw.Connection(str(path))
        root = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_chunk_1'").get
        database.close()
        spoil(path, root - 1)
        store = await Store.open(tmp_path)
        with pytest.raises(StoreError, match="replace it"):
            await store.keep_chunk(opened.id, CHUNKS, b"x")
        await store.close()
        for copies in (1, 1):
            store = await Store.open(tmp_path)
            assert len(damaged_copies(path)) == copies, "salvaged once"
            assert await found_in(store, opened) == set(chunks)
            await store.keep_chunk(opened.id, CHUNKS, chunks[0])
            await store.mark_chunk(opened.id, CHUNKS)
            await store.close()
    assert re.fullmatch(r"gateway\.sqlite3\.damaged-01", damaged_copies(path)[0].name)


@pytest.mark.parametrize("base", [0, 20_000, 10**12])
async def test_rows_that_begin_at_a_high_number_are_found(tmp_path: Path, invented, base: int) -> None:
    """As where retention has deleted for years; the first of them stand on a damaged page."""
    store = await Store.open(tmp_path)
    opened = invented.opening()
    chunks = [invented.chunk(number) for number in range(60)]
    await store.keep_opening(opened)
    for number, data in enumerate(chunks):
        await store.keep_chunk(opened.id, number, data)
    await store.write(lambda database: database.execute("UPDATE chunk SET rowid = rowid + ?", (base,)))
    await store.close()
    path = tmp_path / "gateway.sqlite3"
    image = path.read_bytes()
    pattern = b"|".join(re.escape(data[:300]) for data in chunks[:2])
    for page in {match.start() // PAGE_BYTES for match in re.finditer(pattern, image)}:
        if image[page * PAGE_BYTES] == 0x0D:  # a leaf of a table: SQLite's file format, section 1.6
            spoil(path, page)
    store = await Store.open(tmp_path)
    assert len(damaged_copies(path)) == 1
    found = await found_in(store, opened)
    assert not {chunks[0], chunks[1]} & found
    assert len(found) > 40
    await store.close()


async def test_names_of_damaged_copies_never_collide(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sqlite3"

    async def damaged() -> list[str]:
        path.write_bytes(b"x" * 1000)
        await (await Store.open(tmp_path)).close()
        return [copy.name.removeprefix(f"{path.name}.") for copy in damaged_copies(path)]

    await damaged()
    assert await damaged() == ["damaged-01", "damaged-02"]
    path.with_name("gateway.sqlite3.damaged-01").unlink()
    assert await damaged() == ["damaged-02", "damaged-03"]
    path.with_name("gateway.sqlite3.damaged-99").touch()
    path.with_name("gateway.sqlite3.damaged-100-wal").touch()
    assert await damaged() == ["damaged-02", "damaged-03", "damaged-99", "damaged-101"], "a log may be left behind"
