"""A calendar that jumps by years: order and upload do not notice, and dates are put right before they are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from gateway_at_clinic import entered, uploading

from analytics.domain.base import uuid7
from device_gateway.conditions import Conditions, Trouble
from device_gateway.uplink.dates import Dates, boot_id

HOUR = timedelta(hours=1)


@dataclass
class Computer:
    """One without a battery for its clock: it wakes up in 1970 and has been on for `on_s`."""

    on_s: float = 100.0
    woke: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def now(self) -> float:
        return self.on_s

    def utc(self) -> datetime:
        return self.woke + timedelta(seconds=self.on_s)

    def hears_the_time(self, utc: datetime) -> None:
        self.woke = utc - timedelta(seconds=self.on_s)

    def dates(self, store, conditions: Conditions | None = None, boot: str = "this") -> Dates:
        return Dates(store, conditions or Conditions(), utc=self.utc, now=self.now, boot=boot)


def opening_at(invented, utc: datetime):
    """As a gateway makes it: the identifier's time is the calendar's too."""
    id_ = uuid7(now_ms=int(utc.timestamp() * 1000))
    return invented.opening().model_copy(update={"id": id_, "started_at": utc})


async def keep(store, invented, utc: datetime, *, finished: bool = True):
    opened, data = opening_at(invented, utc), invented.chunk(0, 50)
    await store.keep_opening(opened)
    await store.keep_chunk(opened.id, 0, data)
    if finished:
        await store.keep_report(invented.report(opened, [data]))
    return opened


async def started(store, opened) -> datetime:
    return (await store.upload(opened.id)).opening.started_at


async def test_sessions_before_the_jump_are_moved_by_it_and_those_after_are_not(gateway_store, invented) -> None:
    computer, right = Computer(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    dates = computer.dates(gateway_store)
    await dates.look()
    early = await keep(gateway_store, invented, computer.utc())
    computer.on_s += 3600
    computer.hears_the_time(right)
    quick = await keep(gateway_store, invented, computer.utc(), finished=False)
    for _ in range(2):
        await dates.look()
        assert await started(gateway_store, early) == right - HOUR
        assert await started(gateway_store, quick) == right, "begun after the jump and before it was noticed"


async def test_a_gateway_that_was_started_again_meanwhile_notices_the_jump(gateway_store, invented) -> None:
    computer, right = Computer(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    await computer.dates(gateway_store).look()
    early = await keep(gateway_store, invented, computer.utc())
    computer.on_s += 3600
    computer.hears_the_time(right)
    await computer.dates(gateway_store).look()
    assert await started(gateway_store, early) == right - HOUR


async def test_what_an_earlier_boot_dated_stays(gateway_store, invented) -> None:
    """How long the computer was off between the two, nobody knows."""
    computer = Computer()
    await computer.dates(gateway_store, boot="first").look()
    early = await keep(gateway_store, invented, computer.utc())
    computer.on_s = 100.0
    dates = computer.dates(gateway_store, boot="second")
    await dates.look()
    own = await keep(gateway_store, invented, computer.utc() + timedelta(seconds=5))
    computer.on_s += 3600
    computer.hears_the_time(datetime(2026, 11, 23, 12, tzinfo=UTC))
    await dates.look()
    assert await started(gateway_store, early) == early.started_at
    assert (await started(gateway_store, own)).year == 2026


async def test_sessions_of_an_earlier_boot_whose_date_nobody_confirmed_are_named(
    gateway_store, invented, caplog
) -> None:
    computer = Computer(woke=datetime(2026, 11, 20, tzinfo=UTC))
    dates = computer.dates(gateway_store, boot="first")
    await dates.look()
    sure = await keep(gateway_store, invented, computer.utc())
    await dates.compare(computer.utc())
    await computer.dates(gateway_store, boot="second").look()
    assert str(sure.id) not in caplog.text
    doubtful = await keep(gateway_store, invented, computer.utc())
    await computer.dates(gateway_store, boot="third").look()
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"Session {doubtful.id} was dated by a calendar that nobody confirmed" in line


async def test_an_opening_that_nobody_can_read_keeps_no_other_date_from_being_put_right(
    gateway_store, invented
) -> None:
    computer, right = Computer(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    dates = computer.dates(gateway_store)
    await dates.look()
    spoilt, whole = [await keep(gateway_store, invented, computer.utc()) for _ in range(2)]
    change = "UPDATE session SET opening = CAST(X'7BFFFE7D' AS TEXT) WHERE id = ?"
    await gateway_store.write(lambda database: database.execute(change, (str(spoilt.id),)))
    computer.hears_the_time(right)
    await dates.look()
    assert await started(gateway_store, whole) == right


async def test_the_clinics_time_is_heard_with_each_sign_of_life(shared_clinic, gateway_store) -> None:
    """Not only when there is a session to send: the end of restrictions hangs on it."""
    heard: list[datetime] = []
    async with entered(shared_clinic.url, gateway_store, await shared_clinic.claim_code()) as at:
        dates = Dates(gateway_store, at.conditions, confirm=heard.append)
        async with uploading(at, gateway_store, dates=dates) as uplink:
            assert await uplink.drain(10)
    assert len(heard) == 1
    assert abs(heard[0] - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "woke", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2031, 5, 1, tzinfo=UTC)], ids=["past", "future"]
)
async def test_the_clinic_hears_right_dates_in_the_order_of_life(
    own_clinic, gateway_store, invented, woke: datetime
) -> None:
    """Without NTP, by the clinic's own time; with it, by the jump. One session runs while the calendar is set."""
    own_clinic.start()
    computer = Computer(woke=woke)
    async with entered(own_clinic.url, gateway_store, await own_clinic.claim_code()) as at:
        dates = computer.dates(gateway_store, at.conditions)
        await dates.look()
        first = await keep(gateway_store, invented, computer.utc())
        computer.on_s += 3600
        async with uploading(at, gateway_store, dates=dates) as uplink:
            assert await uplink.drain(20)
            assert f"says {computer.utc():%d %B %Y}" in at.trouble(Trouble.CLOCK_WRONG)
            assert "ask the network for the time" in at.trouble(Trouble.CLOCK_WRONG)
        second = await keep(gateway_store, invented, computer.utc(), finished=False)
        computer.on_s += 3600
        right = datetime.now(UTC)
        computer.hears_the_time(right)
        await gateway_store.keep_report(invented.report(second, [invented.chunk(0, 50)]))
        third = await keep(gateway_store, invented, computer.utc())
        async with uploading(at, gateway_store, dates=dates) as uplink:
            assert await uplink.drain(20)
            assert at.trouble(Trouble.CLOCK_WRONG) == ""
    reports = [own_clinic.report(opened.id) for opened in (first, second, third)]
    minute = timedelta(minutes=1)
    for report, ago in zip(reports, (HOUR, HOUR, 0 * HOUR), strict=True):
        assert abs(report.started_at - (right - ago)) < minute
        assert report.ended_at - report.started_at == timedelta(minutes=5)
    assert await gateway_store.waiting() == []


async def test_sessions_go_up_in_the_order_they_were_kept_whatever_their_dates_say(gateway_store, invented) -> None:
    years = (2026, 1970, 2031, 2020)
    kept = [await keep(gateway_store, invented, datetime(year, 1, 1, tzinfo=UTC)) for year in years]
    assert [session.id for session in await gateway_store.waiting()] == [opened.id for opened in kept]
    assert [upload.id for upload in await gateway_store.uploads()] == [opened.id for opened in kept]


def test_this_run_of_the_operating_system_has_a_name() -> None:
    assert boot_id() == boot_id()
