"""Chair tests from the thigh's angle: movements of known times, and real squats one after the other."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.motion import rotations
from analytics.motion.measures import UnmeasurableError
from analytics.motion.timed import ThighChair, five_times, thirty_seconds
from tests.support.strokes import chair_stands, position

FULL_DEG = 85.0
USUAL = (1.2, 0.3, 1.3, 0.4)


def seen(time_s, rise_deg, trunk_deg=None):
    chair = ThighChair(FULL_DEG)
    trunk = [None] * len(time_s) if trunk_deg is None else trunk_deg.tolist()
    steps = zip(time_s.tolist(), rise_deg.tolist(), trunk, strict=True)
    return [one for step in steps if (one := chair.update(*step))]


def noisy(rise_deg, deg=1.0, seed=0):
    """Noise as an angle has it: slow, since it comes out of a filter."""
    white = np.random.default_rng(seed).normal(0.0, 1.0, len(rise_deg) + 50)
    slow = np.convolve(white, np.ones(51) / 51**0.5, "valid")
    return rise_deg + deg * slow


stands = st.lists(
    st.tuples(st.floats(0.6, 3.5), st.floats(0.0, 1.5), st.floats(0.6, 3.5), st.floats(0.0, 1.5)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15)
@given(stands, st.sampled_from([25.0, 50.0, 100.0]))
def test_each_stand_is_seen_once_with_its_times(given_stands, rate_hz):
    time_s, rise_deg, moments = chair_stands(given_stands, rate_hz, height=FULL_DEG)
    found = seen(time_s, rise_deg)
    assert [one.up for one in found] == [True, False] * len(given_stands)
    assert all(one.complete for one in found)
    for (up_s, _, down_s, _), (rises_s, stood_s, sits_s), up, down in zip(
        given_stands, moments, found[::2], found[1::2], strict=True
    ):
        assert up.start_s == pytest.approx(rises_s, abs=0.1 + 0.08 * up_s)
        assert up.middle_s == pytest.approx((rises_s + stood_s) / 2, abs=1.5 / rate_hz)
        assert up.end_s == pytest.approx(stood_s, abs=0.1 + 0.07 * up_s)
        assert down.end_s == pytest.approx(sits_s, abs=0.1 + 0.07 * down_s)


def test_times_are_as_good_as_stated():
    """Root mean square error of 100 stands with a degree of noise, from quick to slow: 0.06 s at their ends."""
    rng, ends, starts = np.random.default_rng(5), [], []
    for seed in range(20):
        stands_of_one = [tuple(rng.uniform([0.7, 0.2, 0.7, 0.2], [2.0, 1.0, 2.0, 1.0])) for _ in range(5)]
        time_s, rise_deg, moments = chair_stands(stands_of_one, height=FULL_DEG)
        ups = [one for one in seen(time_s, noisy(rise_deg, seed=seed)) if one.up and one.complete]
        assert len(ups) == 5
        ends += [one.end_s - stood_s for one, (_, stood_s, _) in zip(ups, moments, strict=True)]
        starts += [one.start_s - rises_s for one, (rises_s, _, _) in zip(ups, moments, strict=True)]
    assert np.sqrt(np.mean(np.square(ends))) < ups[0].end_error_s
    assert np.sqrt(np.mean(np.square(starts))) < ups[0].start_error_s


def test_five_times_by_both_protocols():
    time_s, rise_deg, moments = chair_stands([USUAL] * 6, height=FULL_DEG)
    found = seen(time_s, rise_deg)
    go_s = moments[0][0] - 0.3
    seated, standing = five_times(found, go_s), five_times(found, go_s, until_seated=False)
    assert seated.measure.value == pytest.approx(moments[4][2] - go_s, abs=0.2)
    assert standing.measure.value == pytest.approx(moments[4][1] - go_s, abs=0.2)
    assert seated.notes == ()
    unsaid = five_times(found)
    assert unsaid.measure.value == pytest.approx(seated.measure.value - 0.3, abs=0.2)
    assert "first movement" in unsaid.notes[0]
    assert unsaid.measure.error > seated.measure.error


def test_five_times_is_not_done_before_it_is():
    time_s, rise_deg, moments = chair_stands([USUAL] * 5, height=FULL_DEG)
    before = time_s < moments[4][2] - 0.5
    found = seen(time_s[before], rise_deg[before])
    assert five_times(found) is None
    assert five_times(found, until_seated=False) is not None
    assert five_times(found[:8]) is None


def test_a_stand_half_way_is_told_and_not_counted():
    time_s, rise_deg, moments = chair_stands([USUAL] * 6, height=FULL_DEG)
    third = (time_s >= moments[2][0]) & (time_s <= moments[2][2])
    rise_deg = np.where(third, 0.55 * rise_deg, rise_deg)
    result = five_times(seen(time_s, rise_deg), moments[0][0])
    assert result.measure.value == pytest.approx(moments[5][2] - moments[0][0], abs=0.2), "a sixth one was needed"
    assert result.notes == ("This stand was not counted: it came 55 % of the way to standing.",)


def test_fidgeting_on_the_seat_is_nothing():
    time_s = np.arange(3000) / 100.0
    assert seen(time_s, 12.0 * np.sin(2 * np.pi * 0.7 * time_s)) == []


def test_walking_is_no_chair():
    """A thigh swings by ±25° about the vertical."""
    time_s = np.arange(2000) / 100.0
    standing = FULL_DEG * position(time_s - 1.0)
    walking = standing + np.where(time_s > 4.0, 25.0 * np.sin(2 * np.pi * (time_s - 4.0)), 0.0)
    assert [str(one) for one in seen(time_s, walking) if one.complete] == ["stood up"]


def test_the_trunk_tells_when_it_began():
    time_s, rise_deg, moments = chair_stands([USUAL], height=FULL_DEG)
    lean_deg = 35.0 * position((time_s - moments[0][0] + 0.6) / 1.0)
    alone, both = seen(time_s, rise_deg)[0], seen(time_s, rise_deg, lean_deg)[0]
    assert both.start_s == pytest.approx(moments[0][0] - 0.6 + 0.1, abs=0.1)
    assert alone.start_s > both.start_s + 0.4
    assert both.end_s == alone.end_s


def test_thirty_seconds_counts_the_last_one_that_is_half_done():
    """Ten stands of 3.2 s each from "go": the tenth is half done 29.4 s after "go", or 30.4 s after an earlier one."""
    time_s, rise_deg, moments = chair_stands([USUAL] * 12, height=FULL_DEG)
    found = seen(time_s, rise_deg)
    middle_s = (moments[9][0] + moments[9][1]) / 2
    for go_s, expected in ((middle_s - 29.8, 10), (middle_s - 30.2, 9)):
        counted = thirty_seconds(found, go_s, now_s=time_s[-1])
        assert counted.measure.value == expected
    assert thirty_seconds(found, middle_s - 29.8, now_s=time_s[-1], arms_used=True).measure.value == 0


def test_thirty_seconds_waits_for_its_end():
    found = seen(*chair_stands([USUAL] * 2, height=FULL_DEG)[:2])
    assert thirty_seconds(found, 1.0, now_s=31.5) is None
    assert thirty_seconds(found, 1.0, now_s=34.1).measure.value == 2, "someone who rests has done two"


def test_who_stands_at_go_is_asked_to_sit():
    time_s, rise_deg, moments = chair_stands([USUAL] * 6, height=FULL_DEG)
    with pytest.raises(UnmeasurableError, match="sit still on the chair"):
        five_times(seen(time_s, rise_deg), moments[0][1] + 0.1)


def test_a_silence_ends_what_was_under_way():
    time_s, rise_deg, moments = chair_stands([USUAL] * 2, height=FULL_DEG)
    kept = (time_s < moments[0][0] + 0.4) | (time_s > moments[0][0] + 0.9)
    found = seen(time_s[kept], rise_deg[kept])
    assert found[0].start_s > moments[0][0] + 0.8, "its beginning was not seen"


def test_a_thigh_that_does_not_turn_is_no_practice_stand():
    with pytest.raises(ValueError, match="more than 0°"):
        ThighChair(0.0)


@pytest.mark.parametrize("exercise", ["SqDL", "SumoSq", "SqHalfDL"])
def test_a_thigh_cannot_tell_a_squat_from_a_stand(data_folder, exercise):
    """Real thighs: squats one after the other, from the bottom of the first, are stands and sits, each seen once."""
    squats = [_thigh_deg(path) for path in sorted((data_folder / "cmu_exercise_sub22").glob(f"{exercise}_*.npz"))]
    lowest = int(np.argmax(squats[0]))
    turned_deg = np.concatenate([np.full(100, squats[0][lowest]), squats[0][lowest:], *squats[1:], np.zeros(100)])
    rise_deg = float(turned_deg.max()) - turned_deg
    chair = ThighChair(float(turned_deg.max()))
    steps = enumerate(rise_deg.tolist())
    found = [one for k, rise in steps if (one := chair.update(k / 100.0, rise))]
    assert [one.up for one in found if one.complete] == [True] + [False, True] * (len(squats) - 1)


def _thigh_deg(path):
    """How far the right thigh is turned from where it was at first, which is standing."""
    with np.load(path, allow_pickle=False) as stored:
        sensors = json.loads(str(stored["meta"]))["sensors"]
        thigh = stored["quat_imu"][:, sensors.index("RightThigh")].astype(float)
    vertical = rotations.rotate(rotations.conjugate(thigh), np.array([0.0, 0.0, 1.0]))
    return np.degrees(np.arccos(np.clip(vertical @ vertical[0], -1.0, 1.0)))
