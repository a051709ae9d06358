"""Which sensor is worn where: what the gateway was started with, and what was assigned by tapping since."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from analytics.domain.exercise import Segment

SETTING = "sensors"
"""Under this name the store keeps it: a JSON object, Bluetooth address to segment."""
_WORN: TypeAdapter[dict[str, Segment]] = TypeAdapter(dict[str, Segment])

log = logging.getLogger(__name__)


def recall(worn: dict[str, Segment], kept: str | None) -> None:
    """Add what is kept to what the gateway was started with, which wins where both name a sensor or a place."""
    if kept is None:
        return
    try:
        earlier = _WORN.validate_json(kept)
    except ValidationError:
        log.warning("Which sensors are worn where cannot be read any more: assign them anew, by tapping.")
        return
    for address, segment in earlier.items():
        if address not in worn and segment not in worn.values():
            worn[address] = segment


def place(worn: dict[str, Segment], address: str, segment: Segment) -> list[str]:
    """This sensor is now worn here, and nowhere else. Returns those that are worn no more."""
    released = [each for each, where in worn.items() if where is segment and each != address]
    for each in released:
        del worn[each]
    worn[address] = segment
    return released


def to_keep(worn: Mapping[str, Segment]) -> str:
    """What `recall` reads again."""
    return _WORN.dump_json(dict(worn)).decode()
