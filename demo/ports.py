"""Free ports on this computer."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from demo.errors import DemoError


def check_port(port: int) -> None:
    """Raises DemoError for a number that no port has."""
    if not 0 <= port <= 65535:
        raise DemoError(f"There is no port {port}: choose one from 1 to 65535 with --port, or 0 for any free one.")


def require_free_port(port: int) -> int:
    """Return `port` when nothing listens on it (0: any free one). Raises DemoError where something does."""
    check_port(port)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as trouble:
            raise DemoError(
                f"Port {port} on this computer is in use or not allowed ({trouble.strerror}). "
                "Stop what uses it, or choose another with --port."
            ) from trouble
        return int(probe.getsockname()[1])


def gateway_folder(home: Path, port: int) -> Path:
    """What the gateway of the server at this port keeps: a gateway belongs to one server's address."""
    return home / f"gateway-{port}"


def server_port(asked: int, home: Path) -> int:
    """The port for the server of this home. Raises DemoError where the one asked for cannot be had.

    For 0 it is the latest that was used and is free, since what a gateway has not uploaded goes up only there.
    """
    if asked == 0:
        for port in _ports_used(home):
            with contextlib.suppress(DemoError):
                return require_free_port(port)
    return require_free_port(asked)


def _ports_used(home: Path) -> list[int]:
    """Those of the gateways that have a folder here, the latest first."""
    folders = sorted(home.glob("gateway-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    names = [folder.name.removeprefix("gateway-") for folder in folders]
    return [int(name) for name in names if name.isdecimal()]
