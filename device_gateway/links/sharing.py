"""Which sensors share a clock that they were brought to, and who has lost it: people are told, for they can mend it."""

from __future__ import annotations

from collections.abc import Collection

from analytics.domain.exercise import Segment
from device_gateway.conditions import Conditions, Trouble


class Sharing:
    """Each sensor as it was last found, by address. While some share a clock, who has lost it is a condition."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._sharing: set[str] = set()
        self._lost: dict[str, Segment] = {}

    def shares(self, address: str) -> None:
        """Its times are of the others' clock."""
        self._sharing.add(address)
        self._lost.pop(address, None)
        self._tell()

    def is_alone(self, address: str) -> None:
        """Its times are of its own clock, as they were."""
        self._sharing.discard(address)
        self._tell()

    def has_lost(self, address: str, segment: Segment) -> None:
        """It was restarted or has drifted away, while it was worn here."""
        self._sharing.discard(address)
        self._lost[address] = segment
        self._tell()

    def only(self, worn: Collection[str]) -> None:
        """Forget those that are worn no more."""
        self._sharing &= set(worn)
        self._lost = {address: segment for address, segment in self._lost.items() if address in worn}
        self._tell()

    def _tell(self) -> None:
        if not self._sharing or not self._lost:
            self._conditions.clear(Trouble.SENSORS_APART)
            return
        lost = " and ".join(f"the sensor on the {segment.replace('_', ' ')}" for segment in self._lost.values())
        self._conditions.set(
            Trouble.SENSORS_APART,
            f"{lost.capitalize()} lost the clock that the sensors share, by a restart or by drifting away, so movement "
            "is measured less exactly: after the exercise, put the sensors close together and synchronise them anew.",
        )
