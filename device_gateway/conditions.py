"""What is not well with this gateway, now: one register that every part reports to, and all who show it read from.

A part that meets trouble sets its condition and goes on trying; whoever mends it clears it. `sinew gateway status`, the
phone, `/healthz` and `/metrics` all show what stands here, so that none of them can say another thing.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from analytics.domain.live import Condition


class Trouble(StrEnum):
    """The codes, in the order in which they are told: what a person can mend first stands first."""

    BLUETOOTH_NO_ADAPTER = "bluetooth.no_adapter"
    BLUETOOTH_OFF = "bluetooth.off"
    BLUETOOTH_NOT_PERMITTED = "bluetooth.not_permitted"
    BLUETOOTH_NO_SERVICE = "bluetooth.no_service"
    BLUETOOTH_FAILING = "bluetooth.failing"
    BLUETOOTH_FULL = "bluetooth.full"
    DISK_FULL = "disk.full"
    DISK_FAILING = "disk.failing"
    DISK_DAMAGED = "disk.damaged"
    DISK_NEARLY_FULL = "disk.nearly_full"
    RECORDING_FAULT = "recording.fault"
    SENSORS_APART = "sensors.apart"
    CLOCK_WRONG = "clock.wrong"
    CLINIC_UNCLAIMED = "clinic.unclaimed"
    CLINIC_SHUT_OUT = "clinic.shut_out"
    CLINIC_UNREACHABLE = "clinic.unreachable"
    CLINIC_REFUSES = "clinic.refuses"
    ANOTHER_GATEWAY = "clinic.another_gateway"
    MODEL_REFUSED = "model.refused"
    PROGRAM_REFUSED = "program.refused"
    LOCAL_API_DOWN = "local_api.down"
    SCORING_FAULT = "scoring.fault"


class Conditions:
    """The register. `on_change` hears all that stands in it, whenever that changes."""

    def __init__(self, on_change: Callable[[tuple[Condition, ...]], None] = lambda _: None) -> None:
        self._on_change = on_change
        self._sentences: dict[Trouble, str] = {}

    def set(self, trouble: Trouble, sentence: str) -> None:
        """`sentence`: what happened, what it means, what to do."""
        if self._sentences.get(trouble) != sentence:
            self._sentences[trouble] = sentence
            self._on_change(self.now())

    def clear(self, *troubles: Trouble) -> None:
        """These are mended, or never were."""
        found = [trouble for trouble in troubles if self._sentences.pop(trouble, None) is not None]
        if found:
            self._on_change(self.now())

    def now(self) -> tuple[Condition, ...]:
        return tuple(Condition(code=t.value, sentence=self._sentences[t]) for t in Trouble if t in self._sentences)
