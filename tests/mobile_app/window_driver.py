"""Drives a Kivy window without its main loop: frames, taps and pictures, on real OpenGL."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from kivy.base import EventLoop
from kivy.core.window import Window


def pump(frames: int = 3, *, seconds: float = 0.0) -> None:
    """Draw some frames, for at least so long."""
    EventLoop.status = "started"
    end = time.monotonic() + seconds
    while frames > 0 or time.monotonic() < end:
        EventLoop.idle()
        frames -= 1


def tap(widget: Any) -> None:
    """A finger on the middle of a widget. Fails when the widget cannot be seen there."""
    from kivy.tests.common import UnitTestTouch  # noqa: PLC0415

    x, y = widget.to_window(widget.center_x, widget.center_y)
    assert 0 <= x <= Window.width, f"x = {x} is outside the window"
    assert 0 <= y <= Window.height, f"y = {y} is outside the window"
    touch = UnitTestTouch(x, y)
    touch.touch_down()
    pump(2)
    touch.touch_up()
    pump(2, seconds=0.06)  # ButtonBehavior holds a button down for a moment


def save_picture(path: Path) -> None:
    """Save what the window shows. Kivy puts a number before the ending, which is taken away again."""
    Window.dispatch("on_draw")
    written = Window.screenshot(name=str(path))
    os.replace(written, path)
