"""sd_notify by our own ten lines, and a watchdog that pings only while there is life."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_gateway.operations.notify import Notify
from device_gateway.operations.watchdog import first_dead, ping_while_alive
from device_gateway.storage.store import Store


class Systemd:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "300000"}

    def heard(self, timeout_s: float = 20.0) -> str:
        self.socket.settimeout(timeout_s)
        return self.socket.recv(4096).decode()

    def silent_for(self, seconds: float) -> bool:
        try:
            return not self.heard(seconds)
        except TimeoutError:
            return True


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    made = Systemd(str(tmp_path / "notify") if request.param == "path" else f"@sinew-test-{os.getpid()}")
    yield made
    made.socket.close()


def test_a_state_is_one_datagram(systemd: Systemd) -> None:
    Notify(systemd.environment)("READY=1", "STATUS=All is well.")
    assert systemd.heard() == "READY=1\nSTATUS=All is well."


def test_where_nobody_listens_nothing_is_said() -> None:
    notify = Notify({})
    notify("READY=1")
    assert notify.watchdog_s == 0


async def test_a_ping_that_is_not_taken_ends_nothing(systemd: Systemd, tmp_path: Path) -> None:
    async def well() -> None:
        return None

    notify = Notify(systemd.environment)
    pinging = asyncio.create_task(ping_while_alive(notify, well, lambda: "well"))
    address, notify._address = notify._address, str(tmp_path / "nobody")
    await asyncio.sleep(0.25)
    assert not pinging.done()
    notify._address = address
    assert "WATCHDOG=1" in await asyncio.to_thread(systemd.heard)
    pinging.cancel()


async def test_a_fault_in_asking_counts_as_dead_and_is_asked_again(systemd: Systemd) -> None:
    answers = iter((ZeroDivisionError(), None, None, None, None, None))

    async def pulse() -> None:
        if (answer := next(answers)) is not None:
            raise answer

    pinging = asyncio.create_task(ping_while_alive(Notify(systemd.environment), pulse, lambda: "well"))
    assert "No sign of life" in await asyncio.to_thread(systemd.heard)
    assert "WATCHDOG=1" in await asyncio.to_thread(systemd.heard)
    pinging.cancel()


async def test_it_pings_while_there_is_life(systemd: Systemd) -> None:
    async def well() -> None:
        return None

    pinging = asyncio.create_task(ping_while_alive(Notify(systemd.environment), well, lambda: "All is well."))
    for _ in range(3):
        assert await asyncio.to_thread(systemd.heard) == "WATCHDOG=1\nSTATUS=All is well."
    pinging.cancel()
    await asyncio.gather(pinging, return_exceptions=True)


async def test_where_something_is_dead_there_is_no_ping_until_it_lives(systemd: Systemd) -> None:
    dead: list[str | None] = ["the uplink"]

    async def pulse() -> str | None:
        return dead[0]

    pinging = asyncio.create_task(ping_while_alive(Notify(systemd.environment), pulse, lambda: "All is well."))
    for _ in range(3):
        assert await asyncio.to_thread(systemd.heard) == "STATUS=No sign of life from the uplink."
    dead[0] = None
    while "WATCHDOG=1" not in await asyncio.to_thread(systemd.heard):
        pass
    pinging.cancel()
    await asyncio.gather(pinging, return_exceptions=True)


async def test_what_does_not_answer_is_dead(systemd: Systemd) -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    pinging = asyncio.create_task(ping_while_alive(Notify(systemd.environment), hangs, lambda: "All is well."))
    assert await asyncio.to_thread(systemd.heard) == "STATUS=No sign of life from a part that did not answer."
    pinging.cancel()
    await asyncio.gather(pinging, return_exceptions=True)


BLOCKS = """
    import asyncio, sys, time
    from device_gateway.operations.notify import Notify
    from device_gateway.operations.watchdog import ping_while_alive

    async def well():
        return None

    async def main():
        pinging = asyncio.create_task(ping_while_alive(Notify(), well, lambda: "All is well."))
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        print("blocked", flush=True)
        time.sleep(600)

    asyncio.run(main())
"""


def test_a_blocked_event_loop_stops_the_pings(tmp_path: Path) -> None:
    """In a process of its own, whose loop is truly blocked; the interpreter's other threads run on."""
    systemd = Systemd(str(tmp_path / "notify"))
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(BLOCKS)], env=os.environ | systemd.environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert "WATCHDOG=1" in systemd.heard()
        assert "WATCHDOG=1" in systemd.heard()
        process.stdin.write("block\n")
        process.stdin.flush()
        assert process.stdout.readline() == "blocked\n"
        sent_before = 0
        while not systemd.silent_for(1.0):
            sent_before += 1
            assert sent_before < 5, "it still pings"
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        systemd.socket.close()


async def test_a_store_whose_thread_hangs_shows_no_pulse(gateway_store: Store) -> None:
    assert await first_dead(gateway_store, {}) is None
    let_go = asyncio.Event()
    loop = asyncio.get_running_loop()
    hanging = asyncio.create_task(
        gateway_store.read(lambda _: asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result())
    )
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(first_dead(gateway_store, {}), 0.3)
    finally:
        let_go.set()
        await hanging
    assert await first_dead(gateway_store, {}) is None


async def test_the_first_part_that_is_dead_is_named(gateway_store: Store) -> None:
    assert await first_dead(gateway_store, {"the uplink": True, "the recorder": True}) is None
    assert await first_dead(gateway_store, {"the uplink": True, "the recorder": False}) == "the recorder"
    assert await first_dead(None, {"the uplink": True}) == "the store"
