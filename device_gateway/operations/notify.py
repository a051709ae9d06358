"""Tells systemd how this service is: sd_notify(3) is one datagram to the socket that NOTIFY_SOCKET names.

Our own ten lines: `sdnotify` on PyPI has not been kept since 2017, and systemd's own bindings want a compiler.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class Notify:
    """`notify("READY=1")`. Says nothing where no service manager listens, as sd_notify does."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address  # @: Linux's abstract namespace
        self.watchdog_s = int(environment.get("WATCHDOG_USEC", 0)) / 1e6
        """systemd kills a service that has not pinged for so long; 0: it does not watch."""

    def __call__(self, *lines: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
            try:
                sending.sendto("\n".join(lines).encode(), self._address)
            except OSError as trouble:  # a service manager that is being replaced; the next ping reaches it
                log.warning("The service manager could not be told: %s", trouble)
