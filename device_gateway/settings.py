"""What a person decides about a gateway: the keys of its file, `gateway.toml`."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from analytics.domain.exercise import Segment

from .errors import GatewayError

DEVICE_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}|[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


class GatewaySettings(BaseModel):
    """What `Gateway` needs to know. A new key is a field here with a description; the unit stands in its name.

    The defaults serve this computer only; `operations.configuration.Configuration` is the whole file of a home.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(description="the folder of the store, the certificate and its key; only the gateway reads it")
    server_url: str = Field(description="the address of the clinic's server", examples=["https://clinic.example"])
    claim_code: str | None = Field(
        None,
        description="the code from the clinic's Gateways page that gives this gateway to a patient; used once",
        examples=["ABCDE-FGHJK"],
    )
    name: str = Field("Sinew gateway", description="what the clinic calls this gateway; name no person in it")
    host: str = Field("127.0.0.1", description="the address to listen on for phones; 0.0.0.0 is all of them")
    port: int = Field(0, ge=0, le=65535, description="the port to listen on for phones; 0 is any free one")
    advertised_host: str | None = Field(
        None,
        description="the name or address by which phones reach this gateway; found out where it is not given",
        examples=["192.168.1.20"],
    )
    mdns_interfaces: tuple[str, ...] | None = Field(
        None,
        description="the addresses of the network interfaces on which the gateway lets itself be found by mDNS; "
        "an empty list is none, and where it is not given, it is those that it listens on",
        examples=[["192.168.1.20"]],
    )
    adapter_slots: int | None = Field(
        None,
        ge=1,
        le=20,
        description="how many sensors a Bluetooth adapter can hold; what its maker is known for where it is not given",
        examples=[5],
    )
    largest_store_bytes: int = Field(
        8 * 2**30,
        ge=64 * 2**20,
        description="the store never becomes larger; years of daily exercising, on a quarter of a 32 GB card",
    )
    least_free_bytes: int = Field(
        2**30, ge=0, description="so much of the disk is left to others before the store has what the clinic holds go"
    )
    simulated: bool = Field(False, description="the sensors are virtual ones; never a key of the file")


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
