"""The air that links are tested on, and a D-Bus on which tests play BlueZ."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from air import Air

from device_gateway.links.radio import Central, Radio
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio

BUS = """<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>{auth}</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>{more}</policy>
</busconfig>
"""


@pytest.fixture
async def air(until: Callable[..., Awaitable[None]]) -> AsyncIterator[Air]:
    software_link = SoftwareLink(supervision_timeout_s=0.3)
    async with SoftwareRadio(software_link) as radio:
        air = Air(until, software_link, radio, Central(Radio(radio.scanner_backend, radio.client_backend)))
        yield air
        for link in air.links:
            await link.close()
        for sensor in air.sensors:
            await sensor.stop()


@pytest.fixture
async def start_system_bus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Starts a D-Bus of the test's own, which this process takes for the system's; `more` goes into its policy."""
    processes = []

    async def start(more: str = "", auth: str = "EXTERNAL") -> None:
        daemon = shutil.which("dbus-daemon")
        if daemon is None:
            pytest.skip("no dbus-daemon here: apt install dbus-daemon")
        socket, configuration = tmp_path / "bus", tmp_path / "bus.conf"
        configuration.write_text(BUS.format(socket=socket, more=more, auth=auth))
        process = await asyncio.create_subprocess_exec(
            daemon, f"--config-file={configuration}", "--nofork", "--print-address", stdout=asyncio.subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout is not None
        await process.stdout.readline()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={socket}")

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):  # a test has ended it
            process.terminate()
        await process.communicate()


@pytest.fixture
async def system_bus(start_system_bus: Callable[..., Awaitable[None]]) -> None:
    await start_system_bus()
