"""What the Device Information service (Bluetooth SIG, 180A) tells of a sensor."""

from __future__ import annotations

import contextlib
import re

from bleak import BleakClient
from bleak.exc import BleakCharacteristicNotFoundError, BleakGATTProtocolError

from analytics.signals.samples import Source

_FIELDS = {"maker": 0x2A29, "model": 0x2A24, "serial": 0x2A25, "firmware": 0x2A26, "hardware": 0x2A27}
_LONGEST_TEXT_BYTES = 64


async def read_device_information(client: BleakClient, family: str, calibration: str = "") -> Source:
    """Read the texts that are there; one that is missing or refused stays empty."""
    texts: dict[str, str] = {}
    for field, number in _FIELDS.items():
        with contextlib.suppress(BleakCharacteristicNotFoundError, BleakGATTProtocolError):
            value = await client.read_gatt_char(f"0000{number:04x}-0000-1000-8000-00805f9b34fb")
            texts[field] = bytes(value[:_LONGEST_TEXT_BYTES]).split(b"\0")[0].decode(errors="replace").strip()
    return Source(family=family, address=client.address, calibration=calibration, **texts)


def version_numbers(text: str) -> tuple[int, ...]:
    """The first dotted version in a text: (1, 6, 0) of "v1.6.0-rc2"; empty where there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()
