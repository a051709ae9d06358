"""Virtual sensors of Polar: Verity Sense, H10, OH1, 360."""

from __future__ import annotations

from .firmware import H10Firmware, VerityFirmware

__all__ = ["H10Firmware", "VerityFirmware"]
