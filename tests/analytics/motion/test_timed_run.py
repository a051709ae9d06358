"""Timed tests from practice stand to result, by the sensors of simulated people whose times are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion.timed import run
from analytics.motion.tracker import Tracker
from analytics.motion.worn import Posture, WornSensors
from analytics.signals.samples import ImuSamples
from analytics.simulation.body import SITTING, STANDING, Part, rest, simulate, sit_down, stand_up

THIGH = Segment.RIGHT_THIGH
FIVE, THIRTY, WALK = (
    exercise(code) for code in ("sit_to_stand.five", "sit_to_stand.thirty_seconds", "knee.walking_range")
)
PRACTICE = (rest(2.0, SITTING), stand_up(), rest(1.0, STANDING), sit_down(), rest(2.0, SITTING))
GO_S = 10.0
MOVED_S = 2.5
"""Of the three seconds that `sit_down` takes, after which the body is at rest."""


@cache
def worn(parts: tuple[Part, ...], seed: int = 0, rate_hz: float = 50.0) -> tuple[Posture, ...]:
    session = simulate(list(parts), [str(THIGH)], np.random.default_rng(seed), rate_hz=rate_hz)
    acc, gyr = session.sensors[str(THIGH)]
    samples = ImuSamples(np.round(session.time_s * 1e6).astype(np.int64), acc, gyr)
    found = WornSensors((THIGH,), (), rate_hz).update(THIGH, samples, session.time_s)
    return tuple(one for one in found if isinstance(one, Posture))


def told(test, postures, go_s=GO_S, end=True):
    """Events of one try; "go" comes when its time has come, if it may."""
    went = False
    for posture in postures:
        if not went and test.ready and go_s is not None and posture.time_s >= go_s:
            test.go(go_s)
            went = True
        yield from test.add(posture)
    if end:
        yield from test.finish()


def five(postures, **more):
    return list(told(run.TimedTestRun(FIVE, Side.RIGHT, (THIGH,)), postures, **more))


@pytest.mark.parametrize(("seed", "rate_hz"), [(0, 50.0), (1, 100.0), (2, 25.0)])
def test_five_stands_are_timed_from_go_until_seated(seed, rate_hz):
    parts = (*PRACTICE, *(stand_up(), sit_down()) * 5, rest(2.0, SITTING))
    ready, done = five(worn(parts, seed, rate_hz))
    assert isinstance(ready, run.TestReady)
    assert 8.5 < ready.time_s < GO_S
    seated_s = 11.0 + 5 * 6.0 - 3.0 + MOVED_S
    assert done.result.measure.value == pytest.approx(seated_s - GO_S, abs=3 * done.result.measure.error)
    assert done.time_s < seated_s + 0.3
    assert done.result.notes == ()


def test_thirty_seconds_count_the_last_one_that_is_half_done():
    pause = rest(2.0, SITTING)
    postures = worn((*PRACTICE, pause, *(stand_up(), sit_down()) * 4, pause, stand_up(), sit_down(), pause))
    half_of_fifth_s = 11.0 + 2.0 + 4 * 6.0 + 2.0 + 1.75
    for go_s, stands in ((half_of_fifth_s - 29.7, 5), (half_of_fifth_s - 30.3, 4)):
        test = run.TimedTestRun(THIRTY, Side.RIGHT, (THIGH,))
        _, done = told(test, postures, go_s)
        assert done.result.measure.value == stands
        assert go_s + 30.0 < done.time_s < go_s + 33.1


def test_who_begins_standing_is_not_counted_the_wrong_way_round():
    parts = (rest(2.0, STANDING), sit_down(), rest(2.0, SITTING), stand_up(), rest(2.0, STANDING), sit_down())
    (ready,) = five(worn((*parts, rest(2.0, SITTING))), go_s=None)
    assert ready.time_s > 14.0, "sitting down to begin with is no stand"


def half_stand():
    """Up by a little more than a third of the way, held for 2 s, and back."""
    whole = stand_up()
    up = tuple(one._replace(change_deg=tuple(0.4 * deg for deg in one.change_deg)) for one in whole.moves)
    back = tuple(
        one._replace(start_s=one.start_s + 4.5, change_deg=tuple(-deg for deg in one.change_deg)) for one in up
    )
    return Part(8.0, SITTING, SITTING, whole.held, up + back)


def test_a_practice_stand_half_way_is_told():
    events = five(worn((rest(2.0, SITTING), half_stand())), go_s=None)
    assert [type(one) for one in events] == [run.TestNotReady]
    assert events[0].sentence == "Your thigh turned by 36° only. Stand up fully, then sit down again."


def test_a_practice_stand_without_a_pause_is_told():
    """Who hardly stands still before sitting down does not show what standing is."""
    up, down = stand_up(), sit_down()
    back = tuple(one._replace(start_s=one.start_s + 2.3) for one in down.moves)
    (told_,) = five(
        worn((rest(2.0, SITTING), Part(6.0, SITTING, SITTING, up.held, up.moves + back), rest(1.0, SITTING))), go_s=None
    )
    assert "stay standing for a moment" in told_.sentence


def test_sitting_down_only_is_neither_a_stand_nor_a_fault():
    assert five(worn((rest(2.0, STANDING), sit_down(), rest(2.0, SITTING))), go_s=None) == []


def test_a_lost_sensor_ends_the_test_without_a_figure():
    parts = (*PRACTICE, *(stand_up(), sit_down()) * 5, rest(2.0, SITTING))
    kept = [one for one in worn(parts) if not 17.0 < one.time_s < 20.0]
    _, done = five(kept)
    assert done.result.measure is None
    assert "out of reach" in done.result.notes[0]
    assert done.time_s < 20.1


def test_what_is_broken_off_has_no_result():
    parts = (*PRACTICE, *(stand_up(), sit_down()) * 3)
    _, done = five(worn(parts))
    assert done.result.measure is None
    assert "no result" in done.result.notes[0]
    assert [type(one) for one in five(worn(parts), end=False)] == [run.TestReady]


def test_who_stands_at_go_is_asked_to_sit():
    parts = (*PRACTICE, stand_up(), rest(2.0, STANDING), sit_down(), rest(2.0, SITTING))
    _, done = five(worn(parts), go_s=14.5)
    assert done.result.measure is None
    assert "sit still on the chair" in done.result.notes[0]


def test_another_go_is_another_try():
    parts = (*PRACTICE, stand_up(), rest(2.0, STANDING), sit_down(), *(stand_up(), sit_down()) * 5, rest(2.0, SITTING))
    postures, test = worn(parts), run.TimedTestRun(FIVE, Side.RIGHT, (THIGH,))
    first = [one for one in postures if one.time_s < 18.5]
    _, wrong = told(test, first, 14.5, end=False)
    (done,) = told(test, postures[len(first) :], 19.0)
    assert wrong.result.measure is None
    assert done.result.measure.value == pytest.approx(19.0 + 30.0 - 3.0 + MOVED_S - 19.0, abs=0.3)


def test_a_tracker_runs_it():
    parts = (*PRACTICE, *(stand_up(), sit_down()) * 5, rest(2.0, SITTING))
    segments = (THIGH, Segment.RIGHT_SHANK)
    session = simulate(list(parts), map(str, segments), np.random.default_rng(3), rate_hz=50.0)
    tracker, found = Tracker(FIVE, Side.RIGHT, dict.fromkeys(segments, 50.0)), []
    for first in range(0, len(session.time_s), 25):
        part = slice(first, first + 25)
        time_s = session.time_s[part]
        if time_s[0] == GO_S:
            tracker.go(GO_S)
        for segment in segments:
            acc, gyr = session.sensors[str(segment)]
            samples = ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc[part], gyr[part])
            found += tracker.update(segment, samples, time_s)
    (done,) = (one for one in found if isinstance(one, run.TestDone))
    assert done.result.measure.value == pytest.approx(11.0 + 30.0 - 3.0 + MOVED_S - GO_S, abs=0.3)


def walked(test, *, cycles=60, go_s=5.0, lost=(0.0, 0.0)):
    """A knee that bends by 60° in each second, angles only."""
    for k in range(cycles * 100):
        time_s = k / 100.0
        instant = Posture(time_s, 0, np.zeros((1, 4)), np.zeros((1, 3)), np.zeros((1, 3)), [False], [False])
        if time_s == go_s:
            test.go(go_s)
        yield from test.add(instant)
        if not lost[0] <= time_s < lost[1]:
            test.follow(time_s, 60.0 * np.exp(-((((time_s % 1.0) - 0.7) / 0.1) ** 2)))
    yield from test.finish()


def test_walking_ends_by_itself_with_the_range_of_its_steps():
    ready, done = walked(run.TimedTestRun(WALK, Side.RIGHT, (THIGH, Segment.RIGHT_SHANK)), cycles=70)
    assert isinstance(ready, run.TestReady)
    assert done.time_s == pytest.approx(5.0 + WALK.test.seconds)
    assert done.result.measure.value == pytest.approx(60.0, abs=0.5)
    assert done.result.measure.error > 4.0


def test_a_walk_begun_anew_forgets_the_first_try():
    test = run.TimedTestRun(WALK, Side.RIGHT, (THIGH, Segment.RIGHT_SHANK))
    list(walked(test, cycles=30))
    for k in range(100):
        test.follow(30.0 + k / 100.0, 90.0)
    (done,) = walked(test, cycles=70)
    assert done.result.measure.value == pytest.approx(60.0, abs=0.5)


@pytest.mark.parametrize(("lost", "measured"), [((20.0, 24.5), True), ((5.0, 70.0), False)])
def test_steps_that_were_not_seen_are_left_out(lost, measured):
    test = run.TimedTestRun(WALK, Side.RIGHT, (THIGH, Segment.RIGHT_SHANK))
    _, done = walked(test, cycles=70, lost=lost)
    assert (done.result.measure is not None) is measured
    assert measured or "out of reach" in done.result.notes[0]


def test_go_waits_for_the_practice_stand():
    test = run.TimedTestRun(FIVE, Side.RIGHT, (THIGH,))
    with pytest.raises(RuntimeError, match="TestReady"):
        test.go(1.0)


def test_what_cannot_be_timed_is_refused():
    with pytest.raises(ValueError, match="no timed test"):
        run.TimedTestRun(exercise("knee.squat"), Side.RIGHT, (THIGH,))
    with pytest.raises(ValueError, match="needs a sensor on the left thigh"):
        run.TimedTestRun(FIVE, Side.LEFT, (THIGH,))
    ten = FIVE.model_copy(update={"test": FIVE.test.model_copy(update={"repetitions": 10})})
    with pytest.raises(ValueError, match="five times or of 30 s"):
        run.TimedTestRun(ten, Side.RIGHT, (THIGH,))
