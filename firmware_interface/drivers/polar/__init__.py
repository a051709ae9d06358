"""Polar: Verity Sense, H10, OH1, 360."""

from __future__ import annotations

from .driver import PolarH10Driver, PolarVerityDriver

__all__ = ["PolarH10Driver", "PolarVerityDriver"]
