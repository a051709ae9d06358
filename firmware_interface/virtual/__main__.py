"""Virtual sensors in a process of their own, with a Bluetooth adapter that reaches them offered over TCP (HCI)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable

from .families import FIRMWARES
from .hci_server import HciServer
from .link import SoftwareLink
from .sensor import VirtualSensor
from .swing import swinging_limb

_PROG = "python -m firmware_interface.virtual"
_READY = """Once the adapter can be reached, the line READY HOST PORT is printed, which tells where: connect there with
SoftwareRadio.over_tcp(HOST, PORT). End it with SIGTERM or Ctrl+C."""


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl+C. Returns 0 then, 1 where that is not possible; the reason is printed."""
    options = _parser().parse_args(argv)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(options))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        print(f"{_PROG}: port {options.port} cannot be used ({reason}): choose another.", file=sys.stderr)
        return 1
    return 0


def virtual_sensors(options: argparse.Namespace) -> tuple[SoftwareLink, list[VirtualSensor]]:
    """What the options ask for, not yet switched on."""
    link = SoftwareLink(connection_interval_s=options.connection_interval_ms / 1000)
    sensors = [
        VirtualSensor(
            f"Sinew {number}",
            f"C1:00:00:00:00:{number:02X}",
            swinging_limb(options.rate, phase_rad=float(number)),
            link,
            firmware=FIRMWARES[options.family],
            loop=True,
            queue_loss=options.queue_loss,
            clock_drift_ppm=options.drift_ppm,
        )
        for number in range(1, options.sensors + 1)
    ]
    return link, sensors


async def _serve(options: argparse.Namespace) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    link, sensors = virtual_sensors(options)
    async with contextlib.AsyncExitStack() as stack:
        for sensor in sensors:
            await stack.enter_async_context(sensor)
        server = await stack.enter_async_context(HciServer(link, port=options.port))
        print(f"READY {server.host} {server.port}", flush=True)
        await over.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROG, description=__doc__, epilog=_READY)
    families = f"which sensors: {', '.join(FIRMWARES)} (default open_imu)"
    parser.add_argument("--family", choices=FIRMWARES, default="open_imu", metavar="FAMILY", help=families)
    for option, metavar, kind, default, least, greatest, purpose in (
        ("--sensors", "N", int, 5, 1, 32, "how many, at C1:00:00:00:00:01 and up"),
        ("--rate", "HZ", float, 100.0, 1, 1000, "samples per second"),
        ("--drift-ppm", "PPM", float, 0.0, -10_000, 10_000, "how much faster their crystals are than true time"),
        ("--queue-loss", "P", float, 0.0, 0, 1, "how likely a packet is lost before it is sent"),
        ("--connection-interval-ms", "MS", float, 0.0, 0, 4000, "between connection events; 0 delivers at once"),
        ("--port", "PORT", int, 0, 0, 65535, "TCP port of the adapter; 0 takes one that is free"),
    ):
        text = f"{purpose} ({least:g} to {greatest:g}, default {default:g})"
        parser.add_argument(option, type=_within(kind, least, greatest), default=default, metavar=metavar, help=text)
    return parser


def _within(kind: type[int] | type[float], least: float, greatest: float) -> Callable[[str], float]:
    def checked(text: str) -> float:
        value = kind(text)
        if not least <= value <= greatest:  # nan is not
            raise argparse.ArgumentTypeError(f"'{text}' is not within {least:g} to {greatest:g}")
        return value

    checked.__name__ = kind.__name__  # argparse says "invalid int value"
    return checked


if __name__ == "__main__":
    sys.exit(main())
