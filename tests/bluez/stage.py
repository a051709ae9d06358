"""The sensors outside the virtual machine, and the serial port by which the guest asks for what happens to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np

from firmware_interface.virtual.hci_server import HciServer
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback
from firmware_interface.virtual.sensor import VirtualSensor
from firmware_interface.virtual.swing import swinging_limb

SENSORS = 5
SHY = "C1:00:00:00:00:06"
TAPS_S = (3.0, 3.3)


@contextlib.asynccontextmanager
async def stage() -> AsyncIterator[dict[str, int]]:
    """Five sensors of the open profile at 100 Hz, and a shy one.

    Yields the TCP ports of their adapter, `hci`, and of the `stage`.
    """
    link = SoftwareLink()
    async with contextlib.AsyncExitStack() as stack:
        sensors = {}
        for number in range(1, SENSORS + 1):
            address, limb = f"C1:00:00:00:00:{number:02X}", swinging_limb(phase_rad=float(number))
            sensors[address] = VirtualSensor(f"Sinew {number}", address, limb, link, loop=True)
            await stack.enter_async_context(sensors[address])
        await stack.enter_async_context(_shy_sensor(link))
        adapter = await stack.enter_async_context(HciServer(link))
        directions = await stack.enter_async_context(await asyncio.start_server(_Director(sensors), "127.0.0.1", 0))
        yield {"hci": adapter.port, "stage": directions.sockets[0].getsockname()[1]}


def _shy_sensor(link: SoftwareLink) -> VirtualSensor:
    """It streams over an encrypted link only, and lies still but for a double tap every 8 s."""
    acc = np.tile([0.0, 0.0, 9.81], (800, 1))
    for time_s in TAPS_S:
        first = round(100 * time_s)
        acc[first : first + 4, 1] += 30.0 * np.array([1.0, -0.6, 0.3, -0.1])
    playback = Playback(100.0, np.arange(len(acc)) / 100, acc, np.zeros_like(acc))
    sensor = VirtualSensor("Sinew 6", SHY, playback, link, loop=True)
    control = sensor.firmware._control
    control.permissions |= control.Permissions.WRITE_REQUIRES_ENCRYPTION
    return sensor


class _Director:
    """Does what a line asks for, as "walk_away C1:00:00:00:00:03", and answers "done"."""

    def __init__(self, sensors: dict[str, VirtualSensor]) -> None:
        self._sensors = sensors

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            direction, address = line.decode().split()
            sensor = self._sensors[address]
            match direction:
                case "disconnect":
                    await sensor.disconnect()
                case "walk_away":
                    sensor.walk_away()
                case "walk_back":
                    sensor.walk_back()
                case "fall_silent":
                    sensor.fall_silent()
                case "ask_to_pair":
                    connection = sensor._peripheral._connection
                    assert connection is not None
                    connection.request_pairing()
            writer.write(b"done\n")
        writer.close()
