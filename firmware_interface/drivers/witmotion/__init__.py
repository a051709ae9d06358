"""WitMotion BWT901BLE and its kin."""

from __future__ import annotations

from .driver import WitMotionDriver

__all__ = ["WitMotionDriver"]
