"""A Movella DOT."""

from __future__ import annotations

from .firmware import MovellaDotFirmware

__all__ = ["MovellaDotFirmware"]
