"""Samples of several sensors at common instants, and what becomes of gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.exercise import Segment
from analytics.motion.grid import EARLY_S, GridRun, TimeGrid
from analytics.signals.samples import FloatArray, ImuSamples

THIGH, SHANK = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK
RATE_HZ = 100.0


def rate_at(time_s: FloatArray) -> FloatArray:
    """Angular rate (n, 3) of a limb at session times (n,)."""
    return np.column_stack([np.sin(3 * time_s), np.cos(2 * time_s), 0.5 * np.sin(time_s)])


def turned_between(start_s: float, end_s: float) -> FloatArray:
    fine_s = np.linspace(start_s, end_s, 20_001)
    return np.trapezoid(rate_at(fine_s), fine_s, axis=0)


def run(time_s: FloatArray, lost_before: int = 0, skew_ppm: float = 0.0) -> tuple[ImuSamples, FloatArray]:
    sensor_time_us = np.rint(time_s * (1e6 + skew_ppm)).astype(np.int64) + 5_000_000
    return ImuSamples(sensor_time_us, 9.81 + rate_at(time_s), rate_at(time_s), lost_before), time_s


def times(first: int, count: int, phase: float, rate_hz: float = RATE_HZ) -> FloatArray:
    return 1.0 + (first + phase + np.arange(count)) / rate_hz


def taken(grid: TimeGrid, segment: Segment, *packets: tuple[ImuSamples, FloatArray], rate_hz: float = RATE_HZ) -> list:
    return [done for packet in packets for done in grid.take(segment, rate_hz, *packet)]


def joined(runs: list[GridRun]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Instants, sensor times, acceleration and angular rate of these."""
    return (
        np.concatenate([r.time_s for r in runs]),
        np.concatenate([r.samples.sensor_time_us for r in runs]),
        np.concatenate([r.samples.acc_m_s2 for r in runs]),
        np.concatenate([r.samples.gyr_rad_s for r in runs]),
    )


def both(*, shank_rate_hz: float = RATE_HZ) -> tuple[list[GridRun], list[GridRun]]:
    grid, runs = TimeGrid({THIGH, SHANK}), []
    for k in range(0, 400, 5):
        runs += taken(grid, THIGH, run(times(k, 5, 0.1), skew_ppm=40))
        step = round(5 * shank_rate_hz / RATE_HZ)
        first = round(k * shank_rate_hz / RATE_HZ)
        runs += taken(grid, SHANK, run(times(first, step, 0.7, shank_rate_hz)), rate_hz=shank_rate_hz)
    return [r for r in runs if r.segment == THIGH], [r for r in runs if r.segment == SHANK]


@pytest.mark.parametrize("shank_rate_hz", [100.0, 60.0, 20.0])
def test_both_sensors_come_at_the_same_even_instants(shank_rate_hz: float) -> None:
    thigh, shank = (joined(runs)[0] for runs in both(shank_rate_hz=shank_rate_hz))
    common = np.intersect1d(thigh, shank)
    assert len(common) >= 390, "the same floating-point numbers"
    assert np.diff(common) == pytest.approx(1 / RATE_HZ)


def test_what_was_measured_then_is_told_for_each_instant() -> None:
    thigh, _ = both()
    instants_s, sensor_time_us, acc, gyr = joined(thigh)
    inner = slice(2, -2)
    assert acc[inner] == pytest.approx(9.81 + rate_at(instants_s[inner]), abs=2e-4)
    assert gyr[inner] == pytest.approx(rate_at(instants_s[inner]), abs=2e-4)
    assert sensor_time_us[inner] == pytest.approx(instants_s[inner] * 1_000_040 + 5e6, abs=1)


@pytest.mark.parametrize("shank_rate_hz", [100.0, 60.0, 20.0])
def test_the_turning_is_the_sensors_own(shank_rate_hz: float) -> None:
    _, shank = both(shank_rate_hz=shank_rate_hz)
    instants_s, _, _, gyr = joined(shank)
    turned = gyr[1:].sum(axis=0) / RATE_HZ
    assert turned == pytest.approx(turned_between(instants_s[0], instants_s[-1]), abs=0.6 / shank_rate_hz)


def test_a_line_that_is_corrected_turns_nobody() -> None:
    """Half way, samples are placed 12 ms earlier within 48 ms, as keep_forwards does."""
    time_s = times(0, 400, 0.3)
    placed_s = np.where(time_s < 3.0, time_s, np.maximum(time_s - 0.012, 3.0 + 0.75 * (time_s - 3.0)))
    samples, _ = run(time_s)
    grid, runs = TimeGrid({SHANK}), []
    for k in range(0, 400, 5):
        part = slice(k, k + 5)
        piece = ImuSamples(samples.sensor_time_us[part], samples.acc_m_s2[part], samples.gyr_rad_s[part])
        runs += taken(grid, SHANK, (piece, placed_s[part]))
    _, sensor_time_us, _, gyr = joined(runs)
    start_s, end_s = ((sensor_time_us[[0, -1]] - 5_000_000) * 1e-6).tolist()
    assert gyr[1:].sum(axis=0) / RATE_HZ == pytest.approx(turned_between(start_s, end_s), abs=0.006)
    assert np.diff(sensor_time_us).max() < 1.5 / RATE_HZ * 1e6, "or the tracker would see a gap"


@given(st.integers(1, 60), st.sampled_from([0.01, 0.2, 0.49, 0.51, 0.8, 0.99]), st.integers(1, 7))
def test_a_gap_of_so_many_samples_leaves_out_as_many_instants(lost: int, phase: float, packet: int) -> None:
    grid, runs = TimeGrid({THIGH}), []
    for k in range(0, 70, packet):
        runs += taken(grid, THIGH, run(times(k, packet, phase)))
    after = k + packet + lost
    runs += taken(grid, THIGH, run(times(after, packet, phase), lost), run(times(after + packet, packet, phase)))
    instants = np.rint(np.concatenate([r.time_s for r in runs]) * RATE_HZ).astype(int)
    missing = np.diff(instants) - 1
    assert missing.sum() == lost
    assert np.count_nonzero(missing) == 1
    assert [r.samples.lost_before for r in runs if r.samples.lost_before] == [lost]


@pytest.mark.parametrize("pause_s", [0.05, 1.0, 60.0])
def test_a_silence_that_nobody_counted_is_a_gap_as_well(pause_s: float) -> None:
    grid = TimeGrid({THIGH})
    runs = taken(grid, THIGH, run(times(0, 50, 0.2)), run(times(50, 50, 0.2) + pause_s))
    told = [r.samples.lost_before for r in runs if r.samples.lost_before]
    assert told == [round(pause_s * RATE_HZ)]


def test_a_sensor_that_rebooted_is_not_joined_to_what_it_was() -> None:
    grid = TimeGrid({THIGH})
    first, (again, again_s) = run(times(0, 50, 0.2)), run(times(50, 50, 0.2))
    reset = ImuSamples(again.sensor_time_us - 5_500_000, again.acc_m_s2, again.gyr_rad_s)
    runs = taken(grid, THIGH, first, (reset, again_s))
    sensor_time_us = joined(runs)[1]
    assert sensor_time_us.max() > 5_000_000
    assert ((sensor_time_us < 1_600_000) | (sensor_time_us > 5_900_000)).all(), "no time in between was made up"


def test_a_sample_without_values_gives_instants_without() -> None:
    grid = TimeGrid({THIGH})
    samples, time_s = run(times(0, 50, 0.5))
    samples.gyr_rad_s[20] = np.nan
    instants_s, _, _, gyr = joined(taken(grid, THIGH, (samples, time_s)))
    empty = np.flatnonzero(np.isnan(gyr).any(axis=1))
    assert instants_s[empty] == pytest.approx([1.2, 1.21])
    assert gyr[30:] == pytest.approx(rate_at(instants_s[30:]), abs=1e-3)


def test_a_silent_sensor_holds_up_no_other() -> None:
    grid = TimeGrid({THIGH, SHANK})
    taken(grid, SHANK, run(times(0, 5, 0.2)))
    for k in range(0, 200, 5):
        (done,) = taken(grid, THIGH, run(times(k, 5, 0.2)))[-1:]
        assert done.time_s[-1] > times(k, 5, 0.2)[-1] - 1.01 / RATE_HZ


def test_until_all_have_told_their_rate_ten_seconds_are_kept() -> None:
    grid = TimeGrid({THIGH, SHANK})
    for k in range(0, 3000, 5):
        assert not taken(grid, THIGH, run(times(k, 5, 0.2)))
    runs = taken(grid, SHANK, run(times(3000, 5, 0.2, 50.0) - 30.0, 0), rate_hz=50.0)
    kept = np.concatenate([r.time_s for r in runs if r.segment == THIGH])
    assert kept[-1] - kept[0] == pytest.approx(EARLY_S, abs=0.1)
    assert grid.rate_hz == RATE_HZ


def test_other_segments_are_let_be() -> None:
    assert not taken(TimeGrid({THIGH}), SHANK, run(times(0, 5, 0.2)))
