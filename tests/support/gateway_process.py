"""A gateway in a process of its own, its Bluetooth adapter reached over TCP: to be measured, and killed without mercy.

Run as a program it is that gateway: it begins a session at once and says where it listens. When its standard input ends
it finishes the session, uploads all it has, and says how it fared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from five_sensors import WORN

if TYPE_CHECKING:
    from small_clinic import SmallClinic

from device_gateway.app import Gateway
from device_gateway.clocks.clock import Clock
from device_gateway.links.radio import Radio
from device_gateway.settings import GatewaySettings
from firmware_interface import open_profile as profile
from firmware_interface.virtual.radio import SoftwareRadio

DRAIN_S = 300.0
LARGEST_LINE_BYTES = 2**26


Launch = Callable[..., Awaitable[asyncio.subprocess.Process]]


async def launched(*command: str) -> asyncio.subprocess.Process:
    """Python here, with its standard input and output in our hands."""
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)}, limit=LARGEST_LINE_BYTES,
    )  # fmt: skip


@dataclass
class GatewayProcess:
    """`said` is what it said when it was up: live_url, certificate_sha256, live_token, session_id."""

    process: asyncio.subprocess.Process
    said: dict[str, Any]

    @classmethod
    async def start(
        cls, home: Path, clinic: SmallClinic, hci_port: int, *options: str, speed: float = 1.0,
        program: str = __file__, launch: Launch = launched,
    ) -> GatewayProcess:  # fmt: skip
        process = await launch(
            program, "--home", str(home), "--server", clinic.url, "--claim", clinic.claim_code, "--hci", str(hci_port),
            "--speed", str(speed), *options,
        )  # fmt: skip
        return cls(process, await _line(process))

    @property
    def pid(self) -> int:
        return self.process.pid

    async def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self.process.kill()
        await self.process.wait()

    async def finish(self) -> dict[str, Any]:
        """Have it finish its session, upload and end. Returns: report, heard, uploaded, peak_rss_mb, cpu_s, machine."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        told = await _line(self.process)
        assert await self.process.wait() == 0
        return told


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    assert line, f"the gateway ended with {await process.wait()}; its own words are above"
    said: dict[str, Any] = json.loads(line)
    return said


def witness(radio: SoftwareRadio, heard: list[tuple[str, int, float]]) -> Radio:
    """The radio, noting of each packet (not resent) its sensor, its last sample's time [µs] and when it came."""

    class WitnessedClient(radio.client_backend):  # type: ignore[name-defined, misc]
        async def start_notify(
            self, characteristic: Any, callback: Callable[[bytearray], None], **options: Any
        ) -> None:
            def notice(data: bytearray) -> None:
                now_s = time.monotonic()
                if characteristic.uuid == profile.DATA_UUID and not data[0] & profile.Flag.RESENT:
                    heard.append((self.address, int.from_bytes(data[4:8], "little") + (data[1] - 1) * 10_000, now_s))
                callback(data)

            await super().start_notify(characteristic, notice, **options)

    return Radio(radio.scanner_backend, WitnessedClient)


async def _serve(options: argparse.Namespace) -> None:
    told = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    heard: list[tuple[str, int, float]] = []
    settings = GatewaySettings(home=options.home, server_url=options.server, claim_code=options.claim, simulated=True)
    async with SoftwareRadio.over_tcp("127.0.0.1", options.hci) as radio:
        used_radio = witness(radio, heard) if options.note_arrivals else _plain(radio)
        gateway = Gateway(settings, sensors=WORN, radio=used_radio, clock=Clock(options.speed))
        await gateway.start()
        try:
            opening = await gateway.start_session()
            _say(
                live_url=gateway.live_url, certificate_sha256=gateway.certificate_sha256,
                live_token=gateway.live_token, session_id=str(opening.id),
            )  # fmt: skip
            await told.read()
            cpu_s, peak_rss_mb = time.process_time(), _peak_rss_mb()
            report = await gateway.finish_session()
            uploaded = await gateway.drain(DRAIN_S)
        finally:
            await gateway.close()
    _say(
        report=report.model_dump(mode="json"), heard=heard, uploaded=uploaded, peak_rss_mb=peak_rss_mb,
        cpu_s=cpu_s, machine=platform.machine(),
    )  # fmt: skip


def _peak_rss_mb() -> float:
    """Of this program alone, whereas getrusage's also knows what the process was before it (VmHWM, proc(5))."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _plain(radio: SoftwareRadio) -> Radio:
    return Radio(radio.scanner_backend, radio.client_backend)


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--claim", required=True)
    parser.add_argument("--hci", type=int, required=True)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--note-arrivals", action="store_true", help="say when each packet came")
    asyncio.run(_serve(parser.parse_args()))
