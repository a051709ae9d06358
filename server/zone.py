"""The clock on the clinic's wall: which day it is there decides whether a restriction still holds."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

LOCALTIME = Path("/etc/localtime")


class UnknownZoneError(ValueError):
    """There is no such time zone; the message says what to write."""


def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA name such as Europe/Berlin. Raises `UnknownZoneError`."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise UnknownZoneError(
            f"There is no time zone {name!r} on this machine; write an IANA name such as Europe/Berlin."
        ) from error


def local_zone(variable: str | None = None, localtime: Path = LOCALTIME) -> tzinfo:
    """The machine's own zone, with its summer time: as the variable TZ says, else its /etc/localtime, else UTC."""
    named = os.environ.get("TZ", "") if variable is None else variable
    with suppress(UnknownZoneError):
        return zone_named(named)
    # Where it is a link into the zone files its end says the name.
    parts = localtime.resolve().parts
    if "zoneinfo" in parts:
        with suppress(UnknownZoneError):
            return zone_named("/".join(parts[parts.index("zoneinfo") + 1 :]))
    with suppress(OSError, ValueError), localtime.open("rb") as file:
        return ZoneInfo.from_file(file, key="the time of this machine")
    return UTC
