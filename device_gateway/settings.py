"""What a person decides about a gateway when starting it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from analytics.domain.exercise import Segment

from .errors import GatewayError

DEVICE_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}|[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """home: folder of the store, the certificate and its key. port 0: any free one.

    claim_code: what the clinic's page shows for this patient; needed once, until the home holds an identity.
    advertised_host: the name or address under which a phone reaches this gateway; found out when None.
    """

    home: Path
    server_url: str
    claim_code: str | None = None
    name: str = "Sinew gateway"
    host: str = "127.0.0.1"
    port: int = 0
    advertised_host: str | None = None
    simulated: bool = False


def parse_sensor(text: str) -> tuple[str, Segment]:
    """Read ADDRESS=SEGMENT, as in `C4:64:E3:00:00:01=right_thigh`. Raises GatewayError saying what is wrong."""
    address, separator, segment = text.partition("=")
    address = address.strip().upper()
    if not separator or not DEVICE_ADDRESS.fullmatch(address):
        raise GatewayError(
            f"'{text}' does not name a sensor: write its Bluetooth address, '=', and where it is worn, "
            "as in C4:64:E3:00:00:01=right_thigh."
        )
    try:
        return address, Segment(segment.strip().lower())
    except ValueError:
        raise GatewayError(f"'{segment}' is not a place to wear a sensor: use one of {', '.join(Segment)}.") from None
