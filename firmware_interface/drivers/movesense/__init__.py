"""Movesense, by its GATT SensorData Protocol."""

from __future__ import annotations

from .driver import MovesenseDriver

__all__ = ["MovesenseDriver"]
