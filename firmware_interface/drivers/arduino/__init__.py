"""Arduino's own sketches: Nicla Sense ME and Nano 33 BLE Sense."""

from __future__ import annotations

from .nano import NanoDriver
from .nicla import NiclaDriver

__all__ = ["NanoDriver", "NiclaDriver"]
