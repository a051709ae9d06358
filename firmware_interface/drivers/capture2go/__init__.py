"""SensorStim Capture2Go."""

from __future__ import annotations

from .driver import Capture2GoDriver

__all__ = ["Capture2GoDriver"]
