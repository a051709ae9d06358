"""Free ports on this computer."""

from __future__ import annotations

import socket

from demo.errors import DemoError


def require_free_port(port: int) -> int:
    """Return `port` when nothing listens on it (0: any free one). Raises DemoError where something does."""
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
