"""What must be settled before Kivy is imported for the first time."""

from __future__ import annotations

import logging
import os
from pathlib import Path

PHONE_WIDTH, PHONE_HEIGHT = 412, 860
"""Window size on a desktop [px]: a common phone's screen in density-independent pixels."""


def prepare(kivy_home: Path, *, offscreen: bool = False) -> None:
    """Set Kivy's environment. Values that are already set in the environment win, except those that protect data.

    Without KIVY_LOG_MODE=PYTHON, importing Kivy sets the root logger to NOTSET with a console and a file handler, and
    `websockets` then writes every frame of a session, with its health data, to disk.
    """
    kivy_home.mkdir(parents=True, exist_ok=True)
    os.environ |= {"KIVY_LOG_MODE": "PYTHON", "KIVY_NO_FILELOG": "1", "KIVY_NO_CONFIG": "1", "KIVY_NO_ARGS": "1"}
    os.environ["KIVY_HOME"] = str(kivy_home)
    # What Kivy tells on the way (optional input devices and clipboard helpers that are not there) helps no patient;
    # that there is no window at all, `open_window` says itself.
    logging.getLogger("kivy").addFilter(_matters)  # not a level: Kivy's configuration sets that anew
    # Any other window provider than SDL ends the whole process where there is no display.
    os.environ.setdefault("KIVY_WINDOW", "sdl2")
    if offscreen:
        os.environ["SDL_VIDEODRIVER"] = "offscreen"
        os.environ["KIVY_METRICS_DENSITY"] = "1"


def _matters(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR and not record.getMessage().startswith(("Cutbuffer", "Input: MTDev"))


def configure_window() -> None:
    """Size and drawing of the window that the next import of `kivy.core.window` opens."""
    from kivy.config import Config  # noqa: PLC0415  the environment comes first

    Config.set("graphics", "width", str(PHONE_WIDTH))
    Config.set("graphics", "height", str(PHONE_HEIGHT))
    # Smooth* instructions smooth their own edges; multisampling would only double the cost of a frame.
    Config.set("graphics", "multisamples", "0")
    Config.set("kivy", "exit_on_escape", "0")
    Config.set("input", "mouse", "mouse,disable_multitouch")


def open_window() -> bool:
    """Open the window; False where this machine has no screen and no OpenGL ES 2 to draw with."""
    configure_window()
    try:
        from kivy.core.window import Window  # noqa: PLC0415
    except SystemExit:  # how Kivy says that no window provider worked
        return False
    return Window is not None
