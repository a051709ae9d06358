"""Virtual sensors in a process of their own, with a Bluetooth adapter that reaches them offered over TCP (HCI)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal

from .hci_server import HciServer
from .link import SoftwareLink
from .sensor import VirtualSensor
from .swing import swinging_limb


def main() -> None:
    """Serve until SIGTERM or Ctrl+C. The line `READY host port` says when and where."""
    parser = argparse.ArgumentParser(prog="python -m firmware_interface.virtual", description=__doc__)
    parser.add_argument("--sensors", type=int, default=5, help="how many, at C1:00:00:00:00:01 and up (default 5)")
    parser.add_argument("--rate", type=float, default=100.0, metavar="HZ", help="samples per second (default 100)")
    parser.add_argument("--port", type=int, default=0, help="TCP port of the adapter (default: one that is free)")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.sensors, options.rate, options.port))


async def _serve(sensors: int, rate_hz: float, port: int) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    link = SoftwareLink()
    async with contextlib.AsyncExitStack() as stack:
        for number in range(1, sensors + 1):
            limb = swinging_limb(rate_hz, phase_rad=float(number))
            sensor = VirtualSensor(f"Sinew {number}", f"C1:00:00:00:00:{number:02X}", limb, link, loop=True)
            await stack.enter_async_context(sensor)
        server = await stack.enter_async_context(HciServer(link, port=port))
        print(f"READY {server.host} {server.port}", flush=True)
        await over.wait()


if __name__ == "__main__":
    main()
