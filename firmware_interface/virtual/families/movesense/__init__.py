"""Virtual sensors of Movesense, by its GATT SensorData Protocol."""

from __future__ import annotations

from .firmware import MovesenseFirmware

__all__ = ["MovesenseFirmware"]
