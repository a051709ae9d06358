"""Arduino boards with Arduino's sketches."""

from __future__ import annotations

from .nano import NanoFirmware
from .nicla import NiclaFirmware

__all__ = ["NanoFirmware", "NiclaFirmware"]
