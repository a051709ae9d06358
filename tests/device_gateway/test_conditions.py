"""The register of what is not well."""

from __future__ import annotations

from analytics.domain.live import Condition
from device_gateway.conditions import Conditions, Trouble

FULL = Condition(code="disk.full", sentence="Full.")
OFF = Condition(code="bluetooth.off", sentence="Off.")


def test_whatever_changes_is_told_whole_and_in_one_order() -> None:
    told: list[tuple[Condition, ...]] = []
    conditions = Conditions(told.append)
    conditions.set(Trouble.DISK_FULL, "Full.")
    conditions.set(Trouble.BLUETOOTH_OFF, "Off.")
    conditions.clear(Trouble.DISK_FULL, Trouble.DISK_FAILING)
    assert told == [(FULL,), (OFF, FULL), (OFF,)]
    assert conditions.now() == (OFF,)


def test_what_stands_already_is_not_told_again() -> None:
    told: list[tuple[Condition, ...]] = []
    conditions = Conditions(told.append)
    conditions.set(Trouble.DISK_FULL, "Full.")
    conditions.set(Trouble.DISK_FULL, "Full.")
    conditions.clear(Trouble.BLUETOOTH_OFF)
    assert told == [(FULL,)]
