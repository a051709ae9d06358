"""Where in the home's network this computer is reached."""

from __future__ import annotations

import ipaddress
import socket

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
NO_NETWORK = "127.0.0.1"


def reachable_host(host: str) -> str:
    """The address others reach this computer by, where it listens on all of them; NO_NETWORK while it has none."""
    if host not in EVERYWHERE:
        return host
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Asks the routing table about an address of RFC 5737; a datagram socket sends nothing by this.
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return NO_NETWORK


def is_here(address: str) -> bool:
    """Whether one of this computer's interfaces has this IP address now."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether nobody but this computer reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
