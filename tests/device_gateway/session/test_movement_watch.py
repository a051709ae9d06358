"""What two sensors are seen to do, from a simulated body's signals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.exercise import Segment
from analytics.simulation.body import SimulatedBody, seated_knee_extensions
from device_gateway.session.movement_watch import Ended, HeldStill, Moved, MovementWatch, Seen

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
RATE_HZ = 50.0


def body(seed: int = 3, repetitions: int = 2, **how: float) -> SimulatedBody:
    return seated_knee_extensions(repetitions, np.random.default_rng(seed), rate_hz=RATE_HZ, **how)


def watch(wearing: SimulatedBody, cuts: list[int], *, lag: int = 0) -> list[Seen]:
    """Both sensors' samples in packets that end at these samples; the shank's come `lag` packets later."""
    watching = MovementWatch({THIGH: RATE_HZ, SHANK: RATE_HZ}, 15.0)
    edges = [0, *cuts, len(wearing.time_s)]
    packets = [slice(a, b) for a, b in pairwise(edges) if a < b]
    seen: list[Seen] = []
    for k in range(len(packets) + lag):
        for segment, place in ((THIGH, k), (SHANK, k - lag)):
            if 0 <= place < len(packets):
                part = packets[place]
                seen += watching.update(segment, wearing.time_s[part], wearing.sensors[segment][1][part])
    return seen


def even_cuts(wearing: SimulatedBody, size: int) -> list[int]:
    return list(range(size, len(wearing.time_s), size))


@pytest.mark.parametrize("seed", range(8))
def test_the_shank_is_the_mover_in_every_movement(seed: int) -> None:
    """Out and back are two, for the body holds between."""
    wearing = body(seed, rest_s=3.0)
    seen = [event for event in watch(wearing, even_cuts(wearing, 5)) if not isinstance(event, HeldStill)]
    assert seen == [Moved(SHANK), Ended(clear=True)] * 4


def test_a_small_movement_is_judged_when_it_is_over() -> None:
    wearing = body(range_deg=20.0, rest_s=3.0)
    seen = watch(wearing, even_cuts(wearing, 5))
    assert [event for event in seen if isinstance(event, Moved)][:1] == [Moved(SHANK)]


def test_resting_before_the_first_movement_is_the_still_pose() -> None:
    wearing = body()
    first = watch(wearing, even_cuts(wearing, 5))[0]
    assert isinstance(first, HeldStill)
    assert 0.05 < first.rms_deg_s < 1.0, "noise of 0.07 °/s on each axis, and a little sway"


def test_both_moving_alike_is_not_clear() -> None:
    wearing = body()
    alike = SimulatedBody(
        wearing.rate_hz, wearing.time_s, {THIGH: wearing.sensors[SHANK], SHANK: wearing.sensors[SHANK]},
        wearing.flexion_deg, wearing.repetitions,
    )  # fmt: skip
    seen = watch(alike, even_cuts(alike, 5))
    assert not any(isinstance(event, Moved) for event in seen)
    assert Ended(clear=False) in seen


def test_a_sensor_that_is_turned_every_way_is_not_believed() -> None:
    """Strapped on while the other lies on the table."""
    time_s = np.arange(0, 8, 1 / RATE_HZ)
    turning = np.radians(60) * np.cos(2 * np.pi * (2.0 * time_s[:, None] + np.array([0.0, 0.25, 0.6])))
    watching = MovementWatch({THIGH: RATE_HZ, SHANK: RATE_HZ}, 15.0)
    seen = watching.update(SHANK, time_s, np.zeros((len(time_s), 3)))
    seen += watching.update(THIGH, time_s, turning)
    assert not any(isinstance(event, Moved) for event in seen)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 600), max_size=30), st.integers(0, 3))
def test_how_samples_are_cut_into_packets_changes_nothing(cuts: list[int], lag: int) -> None:
    wearing = body()
    cuts = sorted(min(cut, len(wearing.time_s)) for cut in cuts)
    if lag:  # the other sensor's samples are waited for, but not for ever
        cuts = sorted({*cuts, *even_cuts(wearing, 50)})
    assert watch(wearing, cuts, lag=lag) == watch(wearing, even_cuts(wearing, 1))
