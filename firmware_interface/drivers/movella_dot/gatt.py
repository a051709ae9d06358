"""The GATT layout of a Movella DOT.

Source of this package, unless another is named: Movella, "Movella DOT BLE Service Specification", XD0506P revision C,
July 2023; its sections are given as §. All numbers are little-endian (§1.3).
"""

from __future__ import annotations


def _uuid(number: int) -> str:
    """§1.1."""
    return f"1517{number:04x}-4947-11e9-8646-d663bd873d93"


CONFIGURATION_SERVICE = _uuid(0x1000)
DEVICE_INFO = _uuid(0x1001)
DEVICE_CONTROL = _uuid(0x1002)
DEVICE_REPORT = _uuid(0x1004)

MEASUREMENT_SERVICE = _uuid(0x2000)
MEASUREMENT_CONTROL = _uuid(0x2001)
LONG_PAYLOAD = _uuid(0x2002)
MEDIUM_PAYLOAD = _uuid(0x2003)
SHORT_PAYLOAD = _uuid(0x2004)
HEADING_CONTROL = _uuid(0x2006)
HEADING_RESULT = _uuid(0x2007)

BATTERY_SERVICE = _uuid(0x3000)
BATTERY = _uuid(0x3001)

MESSAGE_SERVICE = _uuid(0x7000)
MESSAGE_CONTROL = _uuid(0x7001)
MESSAGE_ACKNOWLEDGEMENT = _uuid(0x7002)
MESSAGE_NOTIFICATION = _uuid(0x7003)

PAYLOAD_BYTES = {LONG_PAYLOAD: 63, MEDIUM_PAYLOAD: 40, SHORT_PAYLOAD: 20}
"""What a notification is filled up to with zeros (§3.2 to §3.4)."""
