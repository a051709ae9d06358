"""A gateway that had no time for seconds hears everything at once afterwards: nothing may be misplaced or lost by that.

A whole recording at life's pace, its packets carried by a radio with connection events, while the gateway stands still
now and then: it hears nothing for 10 or 40 s, then all of one sensor, then all of the other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from analytics.domain.exercise import Segment, Side
from analytics.exercises import exercise
from analytics.motion.events import RepetitionDone
from analytics.motion.grid import TimeGrid
from analytics.motion.tracker import Tracker
from analytics.signals.recording import Recording, load_recording
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.sensor_clock import SensorClock

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
SKEW_PPM = {THIGH: 40.0, SHANK: -40.0}
RATE_OFF = {THIGH: 0.01, SHANK: -0.01}
INTERVAL_S, BATCH = 0.030, 2

TEN, TEN_SOON = [(30.0, 10.0)], [(3.0, 10.0)]
FORTY, FORTY_SOON = [(60.0, 40.0)], [(5.0, 40.0)]
MOSTLY = [(at_s, 15.0) for at_s in np.arange(8.0, 220.0, 20.0).tolist()]


class Packet(NamedTuple):
    arrival_s: float
    segment: Segment
    taken_s: FloatArray
    samples: ImuSamples


@pytest.fixture(scope="module")
def knee(data_folder: Path) -> Recording:
    """Thirty seated knee extensions of a real person at 25 Hz."""
    return load_recording(data_folder / "uci_physical_therapy" / "s1_e1_test.npz")


def carried(
    knee: Recording, stalls: list[tuple[float, float]], *, counted: bool = False, each_s: float = 0.0
) -> list[Packet]:
    """All packets in the order in which the gateway heard them; it takes `each_s` for one of those that waited."""
    return sorted(
        (p for segment in (THIGH, SHANK) for p in _of_sensor(knee, segment, stalls, counted=counted, each_s=each_s)),
        key=lambda packet: packet.arrival_s,
    )


def _of_sensor(
    knee: Recording, segment: Segment, stalls: list[tuple[float, float]], *, counted: bool, each_s: float
) -> Iterator[Packet]:
    rng, (acc, gyr) = random.Random(segment), knee.sensors[segment]
    pace = 1.0 + (RATE_OFF[segment] if counted else SKEW_PPM[segment] * 1e-6)
    ticks_us = 10**9 + np.round(knee.time_s * pace * 1e6).astype(np.int64)
    free_s = 0.0
    for first in range(0, len(ticks_us), BATCH):
        part = slice(first, first + BATCH)
        taken_s = knee.time_s[part]
        arrival_s = (taken_s[-1] // INTERVAL_S + 1 + (rng.random() < 0.08)) * INTERVAL_S + rng.expovariate(1 / 0.0015)
        for start_s, seconds in stalls:
            if start_s <= arrival_s < start_s + seconds:
                # After all of the thigh's, all of the shank's.
                arrival_s = start_s + seconds + (0.05 if segment is SHANK else 0.0)
        free_s = max(arrival_s, free_s + (each_s if free_s > arrival_s else 1e-6))
        yield Packet(free_s, segment, taken_s, ImuSamples(ticks_us[part], acc[part], gyr[part]))


def placed(packets: list[Packet], *, counted: bool = False) -> Iterator[tuple[Packet, FloatArray]]:
    """Each packet with the times (n,) that its sensor's clock gives it."""
    clocks = {segment: SensorClock(counted=counted) for segment in (THIGH, SHANK)}
    for packet in packets:
        clock = clocks[packet.segment]
        clock.observe(int(packet.samples.sensor_time_us[-1]), packet.arrival_s)
        yield packet, clock.place(packet.samples.sensor_time_us)


def late_ms(packets: list[Packet], *, counted: bool = False) -> FloatArray:
    """By how much samples are placed too late, from 2 s on."""
    late = [time_s - packet.taken_s for packet, time_s in placed(packets, counted=counted) if packet.taken_s[0] >= 2.0]
    return np.concatenate(late) * 1e3


def repetitions(knee: Recording, packets: list[Packet]) -> list[RepetitionDone]:
    grid = TimeGrid((THIGH, SHANK))
    tracker = Tracker(exercise("knee.extension.seated"), Side.RIGHT, dict.fromkeys((THIGH, SHANK), knee.rate_hz))
    runs = (
        run
        for packet, time_s in placed(packets)
        for run in grid.take(packet.segment, knee.rate_hz, packet.samples, time_s)
    )
    told = [event for run in runs for event in tracker.update(run.segment, run.samples, run.time_s)]
    return [event for event in (*told, *tracker.finish()) if isinstance(event, RepetitionDone)]


@pytest.fixture(scope="module")
def undisturbed(knee: Recording) -> list[RepetitionDone]:
    return repetitions(knee, carried(knee, []))


@pytest.mark.parametrize(
    "stalls",
    [FORTY_SOON, *(pytest.param(stalls, marks=pytest.mark.long) for stalls in (TEN, TEN_SOON, FORTY, MOSTLY))],
)
def test_no_repetition_is_lost_or_changed_by_a_stall(
    knee: Recording, undisturbed: list[RepetitionDone], stalls: list[tuple[float, float]]
) -> None:
    found = repetitions(knee, carried(knee, stalls))
    assert len(undisturbed) == 30
    assert [one.start_s for one in found] == pytest.approx([one.start_s for one in undisturbed], abs=0.1)
    assert [one.end_s for one in found] == pytest.approx([one.end_s for one in undisturbed], abs=0.1)
    assert [one.excursion_deg for one in found] == pytest.approx([one.excursion_deg for one in undisturbed], abs=1.0)


@pytest.mark.parametrize("stalls", [TEN, TEN_SOON, FORTY, FORTY_SOON, MOSTLY])
@pytest.mark.parametrize("counted", [False, True], ids=["timestamps", "counted"])
def test_what_came_late_is_placed_where_it_was_taken(
    knee: Recording, stalls: list[tuple[float, float]], counted: bool
) -> None:
    """Within what the radio leaves open anyway; a sensor that only counts is 1 % off its rate for 10 s at least."""
    late = late_ms(carried(knee, stalls, counted=counted), counted=counted)
    assert np.abs(late).max() <= (150.0 if counted else 50.0)


@pytest.mark.parametrize(("each_s", "late_s"), [(0.01, 4.0), (0.04, 19.0)])
def test_a_gateway_that_catches_up_slowly_is_not_taken_for_a_slow_crystal(
    knee: Recording, each_s: float, late_s: float
) -> None:
    """It works off at eight times, or at twice, the pace at which samples come."""
    packets = carried(knee, [(40.0, 40.0)], each_s=each_s)
    assert max(p.arrival_s - p.taken_s[-1] for p in packets if p.taken_s[0] > 80.0) > late_s
    assert np.abs(late_ms(packets)).max() <= 50.0
