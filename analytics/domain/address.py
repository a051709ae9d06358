"""Where a clinic's server is: one rule for the phone and the gateway, for both send health data there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def checked_url(url: str) -> str:
    """The clinic's address without a slash at its end. Raises ValueError, with a sentence, for what is no address, and
    for plain http to any but this machine."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"'{url}' is not a clinic's address. It looks like https://clinic.example.")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise ValueError(
            f"'{url}' would send passwords and health data unprotected. Use the clinic's https:// address; "
            "http:// is for a server on this computer only."
        )
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
