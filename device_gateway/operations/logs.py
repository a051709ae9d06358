"""What the gateway writes about itself: structured, spare, and without a word about the person it serves.

Fields of a JSON line: time (UTC), level, room, event, and `session` where the part that logs passes it as `extra`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

REPEATED_S = 60.0
"""The same sentence is written once in so long: a fault that recurs for weeks must not fill the disk."""
MOST_REMEMBERED = 1000
QUIET = ("bleak", "bumble", "device_gateway.live.api", "dbus_fast", "httpcore2", "httpx2", "websockets", "zeroconf")
"""Never below WARNING: at DEBUG these write what they carry, as frames with a physiotherapist's words and tokens."""


class RoomFormatter(JsonFormatter):
    """One JSON object per line; `room` is the part of the gateway that speaks."""

    def __init__(self) -> None:
        super().__init__(["time", "level", "room", "message"], rename_fields={"message": "event", "exc_info": "fault"})

    def format(self, record: logging.LogRecord) -> str:
        record.time = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z"
        record.level = record.levelname.lower()
        record.room = room(record.name)
        return super().format(record)


def room(logger: str) -> str:
    """`links` for `device_gateway.links.link`, `bleak` for `bleak.backends.scanner`."""
    first, *rest = logger.split(".")
    return rest[0] if first == "device_gateway" and rest else first


class Sparing(logging.Filter):
    """Lets the same sentence through once in REPEATED_S, and says how often it was left out meanwhile.

    now_s: a monotonic clock, since the calendar may jump by years.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key, now_s = (record.name, record.levelno, record.getMessage()), self._now_s()
        said_s, left_out = self._said.get(key, (-REPEATED_S, 0))
        if now_s - said_s < REPEATED_S:
            self._said[key] = said_s, left_out + 1
            return False
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[key] = now_s, 0
        if left_out:
            record.msg, record.args = f"{key[2]} (and {left_out} times since it was last written)", ()
        return True


def configure_logs(
    level: str, form: str, stream: TextIO | None = None, environment: Mapping[str, str] = os.environ
) -> logging.Handler:
    """Send all logs to `stream` (standard error), which systemd reads where it has set JOURNAL_STREAM.

    Returns the handler, for who wants to take it away again.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    if form == "json" or (form == "auto" and "JOURNAL_STREAM" in environment):
        handler.setFormatter(RoomFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(Sparing())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("device_gateway").setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
