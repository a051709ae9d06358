"""A calendar that cannot be right is told until it is set."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from device_gateway.clocks.calendar import WRITTEN, CalendarWatch, watch_calendar
from device_gateway.clocks.clock import Clock
from device_gateway.conditions import Conditions, Trouble

TODAY = datetime(2027, 3, 1, 12, tzinfo=UTC)


def told(conditions: Conditions) -> str:
    return "".join(c.sentence for c in conditions.now() if c.code == Trouble.CLOCK_WRONG)


def test_a_calendar_from_before_this_program_is_wrong_until_it_is_set() -> None:
    """As a Raspberry Pi without internet starts, and as NTP then mends it."""
    conditions = Conditions()
    watch = CalendarWatch(conditions)
    watch.check(datetime(1970, 1, 1, tzinfo=UTC))
    assert "shows 01 January 1970, which cannot be" in told(conditions)
    watch.check(WRITTEN - timedelta(seconds=1))
    assert "which cannot be" in told(conditions)
    watch.check(TODAY)
    assert told(conditions) == ""


def test_what_the_clinic_says_of_a_calendar_that_could_be_right_stands() -> None:
    conditions = Conditions()
    watch = CalendarWatch(conditions)
    conditions.set(Trouble.CLOCK_WRONG, "The clinic's calendar says another day.")
    watch.check(TODAY)
    assert told(conditions) == "The clinic's calendar says another day."


class SetByNtp(Clock):
    moment = datetime(2020, 1, 1, tzinfo=UTC)

    def utc(self) -> datetime:
        return self.moment


async def test_the_gateway_watches_by_itself(monkeypatch: pytest.MonkeyPatch, until) -> None:
    monkeypatch.setattr("device_gateway.clocks.calendar.PERIOD_S", 0.01)
    conditions, clock = Conditions(), SetByNtp()
    task = asyncio.create_task(watch_calendar(clock, conditions))
    try:
        await until(lambda: told(conditions) != "")
        clock.moment = TODAY
        await until(lambda: told(conditions) == "")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_time_that_is_measured_does_not_know_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """NTP may set the calendar by years in mid-session: the session's seconds go on as before."""
    clock = Clock()
    before_s = clock.now()
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert 0.0 <= clock.now() - before_s < 60.0
