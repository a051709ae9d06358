"""What listeners hear: everything in order, the newest angle when they are slow, and the same state for all."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.exercise import Segment
from analytics.domain.live import (
    AngleEvent,
    Condition,
    ConditionsEvent,
    Cue,
    CueEvent,
    CueLevel,
    LiveEvent,
    RepetitionEvent,
    SensorEvent,
    SensorState,
    SessionState,
    Snapshot,
    StateEvent,
    parse_live_event,
)
from analytics.domain.session import Form, FormLabel, Repetition
from device_gateway.live.hub import ANGLE_INTERVAL_S, MOST_WAITING_EVENTS, Listener, LiveHub, fold


def angle(degrees: float) -> AngleEvent:
    return AngleEvent(sequence=0, time_s=1.0, sensor_time_us=1, flexion_deg=degrees, excursion_deg=0.0)


def repetition(number: int) -> RepetitionEvent:
    done = Repetition(
        number=number, start_s=1, peak_s=2, end_s=3, excursion_deg=70, excursion_error_deg=2, peak_flexion_deg=20,
        peak_velocity_deg_s=60, form=Form(label=FormLabel.CORRECT, probability=0.9),
    )  # fmt: skip
    return RepetitionEvent(sequence=0, set_number=1, count_in_set=number, repetition=done)


async def hear(listener: Listener, count: int) -> list[LiveEvent]:
    return [parse_live_event(await asyncio.wait_for(listener.next(), 1)) for _ in range(count)]


async def is_silent(listener: Listener) -> bool:
    try:
        await asyncio.wait_for(listener.next(), 0.02)
    except TimeoutError:
        return True
    return False


async def test_the_first_message_is_a_snapshot_of_now() -> None:
    hub = LiveHub()
    hub.publish(Snapshot(sequence=0, state=SessionState.EXERCISING, exercise="knee.extension.seated"))
    hub.publish(repetition(4))
    (first,) = await hear(hub.join(), 1)
    assert isinstance(first, Snapshot)
    assert (first.sequence, first.exercise, first.repetitions, first.total_repetitions) == (
        2, "knee.extension.seated", 4, 4,
    )  # fmt: skip


async def test_a_sessions_begin_mends_nothing_for_who_listens() -> None:
    hub = LiveHub()
    hub.publish(ConditionsEvent(conditions=(Condition(code="disk.full", sentence="Full."),)))
    listener = hub.join()
    await listener.next()
    hub.publish(Snapshot(state=SessionState.CONNECTING))
    heard, joined = parse_live_event(await listener.next()), parse_live_event(await hub.join().next())
    assert heard == joined
    assert [condition.code for condition in heard.conditions] == ["disk.full"]


async def test_a_slow_listener_misses_old_angles_and_nothing_else() -> None:
    hub = LiveHub()
    slow = hub.join()
    await hear(slow, 1)
    for number in range(1, 6):
        hub.publish(angle(number))
        await asyncio.sleep(ANGLE_INTERVAL_S * 1.5)
        hub.publish(repetition(number))
    hub.publish(angle(99))
    await asyncio.sleep(ANGLE_INTERVAL_S * 1.5)
    heard = await hear(slow, 6)
    assert [event.kind for event in heard] == [*["repetition"] * 5, "angle"]
    assert isinstance(heard[-1], AngleEvent)
    assert heard[-1].flexion_deg == 99
    sequences = [event.sequence for event in heard]
    assert sequences == sorted(set(sequences))
    assert await is_silent(slow)


@pytest.mark.parametrize(
    ("text", "few", "many"), [("", MOST_WAITING_EVENTS, MOST_WAITING_EVENTS + 1), ("x" * 2**18, 3, 4)]
)
async def test_one_far_behind_gets_one_snapshot_for_all_it_missed(text: str, few: int, many: int) -> None:
    """Whether it is the number of events or their size; up to the bound, it is told everything."""
    for count, expected in ((few, ["cue"] * few), (many, ["snapshot"])):
        hub = LiveHub()
        slow, quick = hub.join(), hub.join()
        await hear(slow, 1)
        await hear(quick, 1)
        for number in range(count):
            hub.publish(CueEvent(cue=Cue(code=str(number), text=text, level=CueLevel.INFO)))
            assert [event.sequence for event in await hear(quick, 1)] == [number + 1]
        heard = await hear(slow, len(expected))
        assert [event.kind for event in heard] == expected
        assert heard[-1].sequence == count
        assert heard[-1].cue is not None
        assert heard[-1].cue.code == str(count - 1), "the newest is not left out"
        hub.publish(repetition(1))
        assert [(event.kind, event.sequence) for event in await hear(slow, 1)] == [("repetition", count + 1)]
        assert await is_silent(slow)


async def test_of_the_samples_of_one_packet_the_newest_is_told_at_once() -> None:
    hub = LiveHub()
    listener = hub.join()
    await hear(listener, 1)
    for degrees in (1, 2, 3):
        hub.publish(angle(degrees))
    (heard,) = await hear(listener, 1)
    assert isinstance(heard, AngleEvent)
    assert (heard.flexion_deg, heard.sequence) == (3, 1)
    assert await is_silent(listener)


async def test_a_quick_listener_hears_everything_without_gaps() -> None:
    hub = LiveHub()
    quick = hub.join()
    await hear(quick, 1)
    for number in range(1, 4):
        hub.publish(angle(number))
        hub.publish(repetition(number))
        assert [event.kind for event in await hear(quick, 2)] == ["angle", "repetition"]
        await asyncio.sleep(ANGLE_INTERVAL_S * 1.5)
    hub.leave(quick)
    hub.publish(repetition(9))
    assert await is_silent(quick)


async def test_angles_come_at_most_60_times_a_second_and_end_with_the_newest() -> None:
    hub = LiveHub()
    listener, heard = hub.join(), []

    async def listen() -> None:
        while True:
            heard.append(parse_live_event(await listener.next()))

    listening = asyncio.create_task(listen())
    started = asyncio.get_running_loop().time()
    for degrees in range(400):
        hub.publish(angle(degrees))
        await asyncio.sleep(0.0005)
    lasted_s = asyncio.get_running_loop().time() - started
    await asyncio.sleep(ANGLE_INTERVAL_S * 2)
    listening.cancel()
    angles = [event.flexion_deg for event in heard if isinstance(event, AngleEvent)]
    assert len(angles) <= lasted_s * 60 + 3
    assert len(angles) >= 5
    assert angles[0] == 0, "the first comes at once"
    assert angles[-1] == 399, "the newest is never the one left out"


events = st.one_of(
    st.builds(angle, st.floats(0, 130)),
    st.builds(repetition, st.integers(1, 30)),
    st.builds(
        lambda state, set_number: StateEvent(sequence=0, state=state, set_number=set_number),
        st.sampled_from(SessionState), st.integers(1, 3),
    ),
    st.builds(
        lambda text: CueEvent(sequence=0, cue=Cue(code="c", text=text, level=CueLevel.INFO)), st.text(max_size=5)
    ),
    st.builds(
        lambda segment, connected: SensorEvent(
            sequence=0, sensor=SensorState(segment=segment, name="s", connected=connected)
        ),
        st.sampled_from(Segment), st.booleans(),
    ),
)  # fmt: skip


@given(st.lists(events, max_size=30), st.integers(0, 30))
def test_who_joins_late_knows_the_same_as_who_was_there(sequence: list[LiveEvent], join_after: int) -> None:
    async def scenario() -> tuple[Snapshot, Snapshot]:
        hub = LiveHub()
        hub.publish(Snapshot(sequence=0, state=SessionState.CONNECTING))
        for event in sequence[:join_after]:
            hub.publish(event)
        late = hub.join()
        known = parse_live_event(await late.next())
        assert isinstance(known, Snapshot)
        for event in sequence[join_after:]:
            hub.publish(event)
            while known.sequence < hub.snapshot.sequence:
                known = fold(known, parse_live_event(await late.next()))
        return known, hub.snapshot

    known, current = asyncio.run(scenario())
    assert known == current
