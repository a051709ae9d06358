"""A calendar that cannot be right is told until it is set."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from device_gateway.clocks.calendar import BELIEVED, WRITTEN, CalendarWatch, watch_calendar
from device_gateway.clocks.clock import Clock
from device_gateway.conditions import Conditions, Trouble
from device_gateway.errors import StoreError
from device_gateway.session.choosing import day_of_restrictions

TODAY = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NEVER = Path("/nonexistent/synchronized")


def told(conditions: Conditions) -> str:
    return "".join(c.sentence for c in conditions.now() if c.code == Trouble.CLOCK_WRONG)


def test_a_calendar_from_before_this_program_is_wrong_until_it_is_set() -> None:
    """As a Raspberry Pi without internet starts, and as NTP then mends it."""
    conditions = Conditions()
    watch = CalendarWatch(conditions, synchronised=NEVER)
    watch.check(datetime(1970, 1, 1, tzinfo=UTC))
    assert "shows 01 January 1970, which cannot be" in told(conditions)
    watch.check(WRITTEN - timedelta(seconds=1))
    assert "which cannot be" in told(conditions)
    watch.check(TODAY)
    assert told(conditions) == ""


def test_what_the_clinic_says_of_a_calendar_that_could_be_right_stands() -> None:
    conditions = Conditions()
    watch = CalendarWatch(conditions, synchronised=NEVER)
    conditions.set(Trouble.CLOCK_WRONG, "The clinic's calendar says another day.")
    watch.check(TODAY)
    assert told(conditions) == "The clinic's calendar says another day."


@pytest.mark.parametrize("days", [1, 28, 35, 36, 1700])
def test_a_calendar_that_nobody_confirmed_for_too_long_lifts_no_restriction(days: int) -> None:
    """Over a restart without internet: what the clinic told before is kept."""
    conditions = Conditions()
    before = CalendarWatch(Conditions(), synchronised=NEVER)
    before.confirm(TODAY)
    watch = CalendarWatch(conditions, before.to_keep(), synchronised=NEVER)
    later = TODAY + days * DAY
    watch.check(later)
    believed = days <= 35
    assert (told(conditions) == "") is believed
    assert day_of_restrictions(later.date(), conditions) == (later.date() if believed else date.min)
    if not believed:
        assert f"shows {later:%d %B %Y}, and nobody has confirmed it since 01 March 2027" in told(conditions)
    watch.confirm(later)
    conditions.clear(Trouble.CLOCK_WRONG)  # as Dates does that compares the two
    watch.check(later + DAY)
    assert told(conditions) == ""


def test_a_time_server_confirms_too_and_the_clinic_counts_most(tmp_path: Path) -> None:
    conditions, touched = Conditions(), tmp_path / "synchronized"
    watch = CalendarWatch(conditions, TODAY.isoformat(), synchronised=touched)
    watch.check(TODAY + 40 * DAY)
    assert told(conditions) != ""
    touched.touch()
    os.utime(touched, times=((TODAY + 39 * DAY).timestamp(),) * 2)
    watch.check(TODAY + 40 * DAY)
    assert told(conditions) == ""
    os.utime(touched, times=((TODAY - DAY).timestamp(),) * 2)  # long ago: the last word counts
    watch.check(TODAY + 60 * DAY)
    assert told(conditions) == ""
    watch.confirm(TODAY)
    watch.check(TODAY + 60 * DAY)
    assert told(conditions) != "", "the calendar ran ahead when it was confirmed before"


def test_what_is_kept_is_written_once_a_day_and_a_damaged_one_is_as_none() -> None:
    watch = CalendarWatch(Conditions(), "not a time", synchronised=NEVER)
    assert watch.to_keep() is None
    watch.confirm(TODAY)
    assert watch.to_keep() == TODAY.isoformat()
    watch.confirm(TODAY + DAY / 2)
    assert watch.to_keep() is None
    watch.confirm(TODAY - 2 * DAY)
    assert watch.to_keep() == (TODAY - 2 * DAY).isoformat(), "the clinic has put it right"


class SetByNtp(Clock):
    moment = datetime(2020, 1, 1, tzinfo=UTC)

    def utc(self) -> datetime:
        return self.moment


async def test_the_gateway_watches_by_itself(monkeypatch: pytest.MonkeyPatch, until) -> None:
    monkeypatch.setattr("device_gateway.clocks.calendar.PERIOD_S", 0.01)
    conditions, clock, kept = Conditions(), SetByNtp(), []

    async def keep(confirmed: str) -> None:
        kept.append(confirmed)
        if len(kept) == 1:
            raise StoreError("The disk is full.")

    watch = CalendarWatch(conditions, synchronised=NEVER)
    task = asyncio.create_task(watch_calendar(clock, watch, keep))
    try:
        await until(lambda: told(conditions) != "")
        clock.moment = TODAY
        await until(lambda: told(conditions) == "")
        watch.confirm(TODAY)
        await until(lambda: len(kept) == 1)
        watch.confirm(TODAY + DAY)
        await until(lambda: len(kept) == 2)
        clock.moment = TODAY + BELIEVED + 2 * DAY
        await until(lambda: told(conditions) != "")
        assert [datetime.fromisoformat(each) for each in kept] == [TODAY, TODAY + DAY]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_the_clinic_s_word_stands_against_what_a_time_server_had_said(tmp_path: Path) -> None:
    """That was wrong by years, and is still to be seen."""
    conditions, ahead, touched = Conditions(), TODAY + 1000 * DAY, tmp_path / "synchronized"
    touched.touch()
    os.utime(touched, times=(ahead.timestamp(),) * 2)
    watch = CalendarWatch(conditions, synchronised=touched)
    watch.check(ahead)
    assert told(conditions) == ""
    watch.confirm(TODAY)
    watch.check(ahead)
    assert told(conditions) != ""
    assert watch.to_keep() == TODAY.isoformat()


def test_what_the_clinic_finds_wrong_stays_wrong() -> None:
    conditions = Conditions()
    watch = CalendarWatch(conditions, TODAY.isoformat(), synchronised=NEVER)
    watch.check(TODAY + 50 * DAY)
    watch.confirm(TODAY + 30 * DAY)
    conditions.set(Trouble.CLOCK_WRONG, "It is 20 days ahead, says the clinic.")
    watch.check(TODAY + 50 * DAY)
    assert told(conditions) == "It is 20 days ahead, says the clinic."


def test_a_kept_date_without_a_zone_counts_as_none() -> None:
    conditions = Conditions()
    CalendarWatch(conditions, "2027-01-01", synchronised=NEVER).check(TODAY)
    assert told(conditions) == ""


def test_time_that_is_measured_does_not_know_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """NTP may set the calendar by years in mid-session: the session's seconds go on as before."""
    clock = Clock()
    before_s = clock.now()
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert 0.0 <= clock.now() - before_s < 60.0
