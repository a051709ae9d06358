"""What worn sensors are seen to do, from a simulated body's signals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.exercise import Segment
from analytics.motion.calibration.still_pose import LARGEST_RMS_DEG_S
from analytics.signals.samples import FloatArray, ImuSamples
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from device_gateway.session.movement_watch import Ended, HeldStill, Moved, MovementWatch, Seen

THIGH, SHANK, CHEST = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK, Segment.CHEST
RATE_HZ = 50.0
AS_SAID = Moved({THIGH: THIGH, SHANK: SHANK})


def body(seed: int = 3, repetitions: int = 2, **how: float) -> SimulatedBody:
    return seated_knee_extensions(repetitions, np.random.default_rng(seed), rate_hz=RATE_HZ, **how)


def watching(**shares: float) -> MovementWatch:
    watch = MovementWatch({Segment(one): RATE_HZ for one in shares}, 15.0, {CHEST})
    watch.shares = {Segment(one): share for one, share in shares.items()}
    return watch


def knee() -> MovementWatch:
    return watching(right_thigh=0.0, right_shank=1.0)


def samples(time_s: FloatArray, acc: FloatArray, gyr: FloatArray) -> ImuSamples:
    return ImuSamples(np.round(time_s * 1e6).astype(np.int64), acc, gyr)


def watch(wearing: SimulatedBody, cuts: list[int], *, lag: int = 0, by: MovementWatch | None = None) -> list[Seen]:
    """Both sensors' samples in packets that end at these samples; the shank's come `lag` packets later."""
    by = by or knee()
    edges = [0, *cuts, len(wearing.time_s)]
    packets = [slice(a, b) for a, b in pairwise(edges) if a < b]
    seen: list[Seen] = []
    for k in range(len(packets) + lag):
        for segment, place in ((THIGH, k), (SHANK, k - lag)):
            if 0 <= place < len(packets):
                part = packets[place]
                acc, gyr = (one[part] for one in wearing.sensors[segment])
                seen += by.update(segment, samples(wearing.time_s[part], acc, gyr), wearing.time_s[part])
    return seen


def even_cuts(wearing: SimulatedBody, size: int) -> list[int]:
    return list(range(size, len(wearing.time_s), size))


@pytest.mark.parametrize("seed", range(8))
def test_every_movement_shows_which_is_the_shank(seed: int) -> None:
    """Out and back are two, for the body holds between."""
    wearing = body(seed, rest_s=3.0)
    seen = [event for event in watch(wearing, even_cuts(wearing, 5)) if not isinstance(event, HeldStill)]
    assert seen == [AS_SAID, Ended(clear=True)] * 4


def test_a_small_movement_is_judged_when_it_is_over() -> None:
    wearing = body(range_deg=20.0, rest_s=3.0)
    seen = watch(wearing, even_cuts(wearing, 5))
    assert [event for event in seen if isinstance(event, Moved)][:1] == [AS_SAID]


def test_resting_before_the_first_movement_is_the_still_pose() -> None:
    wearing = body()
    first = watch(wearing, even_cuts(wearing, 5))[0]
    assert isinstance(first, HeldStill)
    assert first.refusal is None
    for segment, pose in first.poses.items():
        assert 0.05 < pose.rms_deg_s < 1.0, "noise of 0.07 °/s on each axis, and a little sway"
        down = wearing.sensors[segment][0][:100].mean(axis=0)
        assert pose.up == pytest.approx(down / np.linalg.norm(down), abs=0.002)
        assert pose.gravity_m_s2 == pytest.approx(9.81, abs=0.15)


def test_a_pose_that_is_not_still_or_has_no_gravity_says_so_and_the_next_may_be_good() -> None:
    time_s = np.arange(0, 6, 1 / RATE_HZ)
    gyr = np.zeros((len(time_s), 3))
    gyr[:, 0] = np.where(time_s < 2.5, np.radians(1.5 * LARGEST_RMS_DEG_S) * np.sqrt(2) * np.sin(9 * time_s), 0.0)
    up = np.tile([0.0, 0.0, 9.81], (len(time_s), 1))
    seen = watching(right_shank=1.0).update(SHANK, samples(time_s, up, gyr), time_s)
    told = [event.refusal for event in seen if isinstance(event, HeldStill)]
    assert len(told) == 2
    assert "not still" in (told[0] or "")
    assert told[1] is None
    (in_g, *_) = watching(right_shank=1.0).update(SHANK, samples(time_s, up / 9.81, 0 * gyr), time_s)
    assert "1.0 instead of 9.8" in in_g.refusal


def test_both_moving_alike_is_not_clear() -> None:
    wearing = body()
    alike = SimulatedBody(
        wearing.rate_hz, wearing.time_s, {THIGH: wearing.sensors[SHANK], SHANK: wearing.sensors[SHANK]},
        wearing.flexion_deg, wearing.repetitions,
    )  # fmt: skip
    seen = watch(alike, even_cuts(alike, 5))
    assert not any(isinstance(event, Moved) for event in seen)
    assert Ended(clear=False) in seen


def test_where_nothing_is_expected_nothing_is_concluded() -> None:
    wearing = body()
    by = MovementWatch({THIGH: RATE_HZ, SHANK: RATE_HZ}, 15.0)
    seen = watch(wearing, even_cuts(wearing, 5), by=by)
    assert {type(event) for event in seen} == {HeldStill, Ended}


def test_how_sure_it_must_be_can_be_asked_for() -> None:
    """The thigh lifts by a third of what the shank turns."""
    wearing = body(thigh_motion=5.0)
    by = knee()
    assert AS_SAID in watch(wearing, even_cuts(wearing, 5), by=by)
    by = knee()
    by.least_margin = 1.6
    assert not any(isinstance(event, Moved) for event in watch(wearing, even_cuts(wearing, 5), by=by))


def test_a_sensor_that_is_turned_every_way_is_not_believed() -> None:
    """Strapped on while the other lies on the table."""
    time_s = np.arange(0, 8, 1 / RATE_HZ)
    turning = np.radians(60) * np.cos(2 * np.pi * (2.0 * time_s[:, None] + np.array([0.0, 0.25, 0.6])))
    turning[time_s > 6.0] = 0.0
    lying = np.tile([0.0, 0.0, 9.81], (len(time_s), 1))
    by = knee()
    seen = by.update(SHANK, samples(time_s, lying, np.zeros_like(lying)), time_s)
    seen += by.update(THIGH, samples(time_s, lying, turning), time_s)
    assert not any(isinstance(event, Moved) for event in seen)
    assert Ended(clear=False) in seen


@pytest.mark.parametrize("chest_worn", [True, False])
def test_a_sensor_that_is_not_needed_takes_part_and_holds_up_nobody(chest_worn: bool) -> None:
    """Shank and chest are exchanged: what is said to be on the chest turns, and the shank does not."""
    wearing = body(rest_s=3.0)
    by = watching(right_thigh=0.0, right_shank=1.0, chest=0.0)
    resting = (np.tile([0.0, 9.81, 0.0], (len(wearing.time_s), 1)), np.zeros((len(wearing.time_s), 3)))
    worn = {THIGH: wearing.sensors[THIGH], SHANK: wearing.sensors[SHANK]}
    if chest_worn:
        worn = {THIGH: wearing.sensors[THIGH], SHANK: resting, CHEST: wearing.sensors[SHANK]}
    seen: list[Seen] = []
    for first in range(0, len(wearing.time_s), 5):
        part = slice(first, first + 5)
        for segment, (acc, gyr) in worn.items():
            seen += by.update(segment, samples(wearing.time_s[part], acc[part], gyr[part]), wearing.time_s[part])
    moved = [event.segment_of for event in seen if isinstance(event, Moved)]
    assert moved
    as_found = {THIGH: THIGH, SHANK: CHEST, CHEST: SHANK} if chest_worn else {THIGH: THIGH, SHANK: SHANK}
    assert all(one == as_found for one in moved)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 600), max_size=30), st.integers(0, 3))
def test_how_samples_are_cut_into_packets_changes_nothing(cuts: list[int], lag: int) -> None:
    wearing = body()
    cuts = sorted(min(cut, len(wearing.time_s)) for cut in cuts)
    if lag:  # the other sensor's samples are waited for, but not for ever
        cuts = sorted({*cuts, *even_cuts(wearing, 50)})
    assert watch(wearing, cuts, lag=lag) == watch(wearing, even_cuts(wearing, 1))
