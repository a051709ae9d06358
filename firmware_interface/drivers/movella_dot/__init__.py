"""Movella DOT, called Xsens DOT before 2023; `gatt` names the source of all that is said of it."""

from __future__ import annotations

from .driver import MovellaDotDriver
from .synchronisation import synchronise

__all__ = ["MovellaDotDriver", "synchronise"]
