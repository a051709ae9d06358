"""Virtual sensors of SensorStim Capture2Go."""

from __future__ import annotations

from .firmware import Capture2GoFirmware

__all__ = ["Capture2GoFirmware"]
