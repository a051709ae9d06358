"""MbientLab MetaMotion."""

from __future__ import annotations

from .driver import MetaMotionDriver

__all__ = ["MetaMotionDriver"]
