"""`sinew server` as a process: what it says when it cannot start, and that `kill -9` costs nothing acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from server import command
from server.settings import Settings

ROOT = Path(__file__).parents[2]


class Process:
    """One server on a home folder; `url` after `start`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self.running: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """On the port it had before, so that a client may simply go on."""
        self.running = subprocess.Popen(
            [sys.executable, "-m", "server.command", "--home", str(self.home), "--port", str(self.port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.running.stdout is not None
        said = self.running.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        assert found, f"the server did not say its address but {said!r}"
        self.port = int(found[1])

    def end(self, how: signal.Signals) -> int:
        assert self.running is not None
        self.running.send_signal(how)
        code = self.running.wait(20)
        assert self.running.stdout is not None
        self.running.stdout.close()
        self.running = None
        return code


@pytest.fixture
def process(clinic_home: Path) -> Iterator[Process]:
    found = Process(clinic_home)
    yield found
    if found.running is not None:
        found.end(signal.SIGKILL)


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """Runs the command in this process and gives the one sentence it must end with."""
    mask = os.umask(0o022)

    def run(home: Path, *arguments: str) -> str:
        assert command.main(["--home", str(home), "--port", "0", *arguments]) == 1
        (line,) = capsys.readouterr().err.strip().splitlines()
        return line

    yield run
    os.umask(mask)


def test_it_starts_on_an_empty_home_answers_and_stops_in_order(tmp_path: Path, refusal) -> None:
    process = Process(tmp_path / "new" / "home")
    process.start()
    try:
        assert httpx2.get(f"{process.url}/healthz").json() == {"status": "ok"}
        assert httpx2.get(f"{process.url}/", headers={"Accept": "text/html"}).status_code == 303
        assert process.home.stat().st_mode & 0o777 == 0o700
        assert (process.home / "clinic.sqlite3").stat().st_mode & 0o777 == 0o600
        assert re.search(r"Another server is already using .*choose another --home", refusal(process.home))
    finally:
        assert process.end(signal.SIGTERM) == 0
    assert not (process.home / "clinic.sqlite3-wal").exists(), "an orderly stop leaves one file"


def test_a_port_in_use_is_one_sentence(tmp_path: Path, refusal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(tmp_path, "--port", str(port))
    assert re.search(rf"Another program is using port {port} .*choose another --port", said)


def test_a_home_that_cannot_be_used_is_one_sentence(tmp_path: Path, refusal) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    for home in (file, file / "below"):
        assert re.search(r"cannot be used \(.*\)\. Make it writable", refusal(home))
    assert file.read_text() == "not a folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_without_permission_is_one_sentence(tmp_path: Path, refusal) -> None:
    tmp_path.chmod(0o500)
    assert "cannot be used (Permission denied)" in refusal(tmp_path / "home")


def test_a_damaged_database_is_one_sentence_and_stays_as_it_is(clinic_home: Path, refusal) -> None:
    path = clinic_home / "clinic.sqlite3"
    path.write_bytes(b"damaged" * 1000)
    said = refusal(clinic_home)
    assert re.search(r"is damaged \(.*\)\. It was not touched; put the latest backup in its place", said)
    assert path.read_bytes() == b"damaged" * 1000


def test_a_database_that_is_no_file_is_one_sentence(tmp_path: Path, refusal) -> None:
    (tmp_path / "clinic.sqlite3").mkdir()
    assert re.search(r"cannot be opened \(.*\)\. End other programs .* make it a file", refusal(tmp_path))


def test_a_database_that_another_program_holds_is_not_called_damaged(clinic_home: Path, refusal) -> None:
    with closing(sqlite3.connect(clinic_home / "clinic.sqlite3", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        said = refusal(clinic_home)
    assert re.search(r"cannot be opened \(database is locked\)\. End other programs that use it", said)


def test_a_disk_without_room_for_the_database_is_one_sentence(tmp_path: Path, refusal) -> None:
    """A limit on the size of files stands for the disk: a real write finds no room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        said = refusal(tmp_path / "home")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert re.search(r"cannot be written \(.*\)\. Free some space", said)


def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    with pytest.raises(command.StartError, match="Free some space"):
        command.check_disk(Settings(home=tmp_path, least_free_bytes=1 << 62))
    command.check_disk(Settings(home=tmp_path, least_free_bytes=1))


@pytest.mark.parametrize(("port", "words"), [("99999", "no port 99999"), ("-1", "no port -1")])
def test_an_impossible_port_is_one_sentence(tmp_path: Path, refusal, port: str, words: str) -> None:
    assert words in refusal(tmp_path, f"--port={port}")


def test_an_address_that_is_not_ours_is_one_sentence(tmp_path: Path, refusal) -> None:
    assert "Choose another --host" in refusal(tmp_path, "--host", "192.0.2.1")


class Uploader:
    """Sends chunks of one session in order, each until it is acknowledged, whatever becomes of the server."""

    def __init__(self, process: Process, token: str, make, number: int) -> None:
        self.process, self.make, self.number = process, make, number
        self.headers = {"Authorization": f"Bearer {token}"}
        self.acknowledged: dict[int, bytes] = {}
        self.attempts = 0
        self.stop = False

    async def send(self, client: httpx2.AsyncClient, path: str, content: bytes, headers: dict[str, str]) -> None:
        while True:
            self.attempts += 1
            try:
                answer = await client.put(f"{self.process.url}/api/v1/{path}", content=content, headers=headers)
                assert answer.status_code in {200, 201}, answer.text
                return
            except httpx2.TransportError:
                await asyncio.sleep(0.2)

    async def run(self) -> None:
        opening = self.make.opening(self.number)
        headers = self.headers | {"Content-Type": "application/json"}
        async with httpx2.AsyncClient(timeout=3, trust_env=False) as client:
            await self.send(client, f"sessions/{opening.id}", opening.model_dump_json().encode(), headers)
            while not self.stop:
                number = len(self.acknowledged)
                data = self.make.chunk(self.number * 100_000 + number, samples=200)
                path = f"sessions/{opening.id}/chunks/{number}"
                await self.send(client, path, data, self.headers | self.make.digest(data))
                self.acknowledged[number] = hashlib.sha256(data).digest()


def stored(home: Path) -> tuple[dict[tuple[str, int], bytes], int]:
    with closing(sqlite3.connect(home / "clinic.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        rows = connection.execute("SELECT session_id, number, data FROM chunk").fetchall()
    return {(session, number): hashlib.sha256(data).digest() for session, number, data in rows}, len(rows)


def kill_in_mid_upload(process: Process, make, token: str, *, kills: int, uploaders: int = 3) -> int:
    """Upload while the server is killed again and again; what was acknowledged must be there, once, byte for byte."""
    rng = random.Random(kills)
    process.start()
    senders = [Uploader(process, token, make, number) for number in range(1, uploaders + 1)]

    async def upload() -> None:
        await asyncio.gather(*(sender.run() for sender in senders))

    thread = threading.Thread(target=asyncio.run, args=(upload(),))
    thread.start()
    try:
        for kill in range(kills):
            before = sum(len(sender.acknowledged) for sender in senders)
            while sum(len(sender.acknowledged) for sender in senders) < before + 5:
                assert thread.is_alive(), "an uploader met an answer that it should not have"
                threading.Event().wait(0.01)
            threading.Event().wait(rng.uniform(0, 0.1))
            assert process.end(signal.SIGKILL) == -signal.SIGKILL
            if kill == kills - 1:
                for sender in senders:
                    sender.stop = True
            process.start()
    finally:
        for sender in senders:
            sender.stop = True
        thread.join(30)
    assert not thread.is_alive()
    process.end(signal.SIGKILL)
    found, rows = stored(process.home)
    expected = {
        (make.opening(sender.number).id.hex, number): sha256
        for sender in senders
        for number, sha256 in sender.acknowledged.items()
    }
    assert len(expected) >= kills * 5
    assert {key: found.get(key) for key in expected} == expected, "an acknowledged chunk is lost or changed"
    assert rows == len(found) == len(expected), "a chunk is there twice, or one that was never acknowledged"
    return rows


def test_kill_9_in_mid_upload_loses_nothing_acknowledged(process: Process, clinic_seed, make) -> None:
    kill_in_mid_upload(process, make, clinic_seed.tokens["gateway"], kills=1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_kill_9_twenty_five_times(process: Process, clinic_seed, make) -> None:
    kill_in_mid_upload(process, make, clinic_seed.tokens["gateway"], kills=25, uploaders=4)
