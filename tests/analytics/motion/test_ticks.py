from __future__ import annotations

import numpy as np
import pytest

from analytics.domain.exercise import Segment
from analytics.motion.orientation.intake import Intake
from analytics.motion.ticks import LONGEST_WAIT_FOR_OTHERS_S, LONGEST_WAIT_S, Ticks
from analytics.signals.samples import ImuSamples

THIGH, SHANK, CHEST = Segment.RIGHT_THIGH, Segment.RIGHT_SHANK, Segment.CHEST
RATE_HZ = 100.0


def run(numbers, value=1.0):
    numbers = np.asarray(numbers)
    acc = np.tile([value, 0.0, 9.81], (len(numbers), 1))
    return ImuSamples(numbers * 10_000, acc, acc * 0.1), numbers / RATE_HZ


class Body:
    """Ticks with the intake of each sensor before them."""

    def __init__(self):
        self.ticks = Ticks((THIGH, SHANK), (CHEST,), RATE_HZ)
        self.intakes = {segment: Intake(RATE_HZ) for segment in self.ticks.segments}

    def add(self, segment, samples, time_s):
        return self.ticks.add(segment, self.intakes[segment].update(samples, time_s))


def ticks():
    return Body()


def test_an_instant_is_told_once_all_have_passed_it():
    one = ticks()
    assert list(one.add(THIGH, *run(range(10), 1.0))) == []
    assert list(one.add(SHANK, *run(range(6), 2.0))) == []
    told = list(one.add(CHEST, *run(range(8), 3.0)))
    assert [tick.time_s for tick in told] == pytest.approx(np.arange(6) / RATE_HZ)
    assert told[-1].acc_m_s2[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert told[-1].sensor_time_us == 50_000
    assert told[-1].gyr_rad_s[2, 2] == pytest.approx(0.981)


def test_a_short_gap_is_filled_in_and_not_measured():
    one = ticks()
    samples, time_s = run(range(5), 2.0)
    samples.acc_m_s2[3, 1] = np.nan
    for segment, numbers in ((THIGH, [0, 1, 4]), (CHEST, range(5))):
        list(one.add(segment, *run(numbers)))
    told = list(one.add(SHANK, samples, time_s))
    assert [tick.time_s for tick in told] == pytest.approx(np.arange(5) / RATE_HZ)
    assert all(np.isfinite(tick.acc_m_s2).all() for tick in told)
    assert [tick.measured.tolist() for tick in told] == [
        [True, True, True],
        [True, True, True],
        [False, True, True],
        [False, False, True],
        [True, True, True],
    ]
    assert not any(tick.restarted.any() for tick in told)


def test_a_long_gap_is_no_number_and_then_a_restart():
    one = ticks()
    for segment, numbers in ((THIGH, [*range(5), *range(25, 30)]), (CHEST, range(30))):
        list(one.add(segment, *run(numbers)))
    told = list(one.add(SHANK, *run(range(30))))
    assert len(told) == 30
    for k, tick in enumerate(told):
        assert np.isnan(tick.gyr_rad_s[:, 0]).tolist() == [5 <= k < 25, False, False]
        assert tick.restarted.tolist() == [k == 25, False, False]


@pytest.mark.parametrize(("silent", "patience_s"), [(SHANK, LONGEST_WAIT_S), (CHEST, LONGEST_WAIT_FOR_OTHERS_S)])
def test_nobody_is_waited_for_for_ever(silent, patience_s):
    one = ticks()
    speaking = [segment for segment in one.ticks.segments if segment != silent]
    told = []
    size = round((patience_s + 10.0) * RATE_HZ)
    for first in range(0, size, 10):
        for segment in speaking:
            told += one.add(segment, *run(range(first, first + 10)))
    assert told[0].time_s == 0.0
    assert told[-1].time_s == pytest.approx(size / RATE_HZ - 0.1 - patience_s, abs=0.02)
    column = one.ticks.segments.index(silent)
    assert all(np.isnan(tick.acc_m_s2[column]).all() for tick in told)
    later = list(one.add(silent, *run(range(size))))
    assert later[0].time_s == pytest.approx(told[-1].time_s + 1 / RATE_HZ), "what was told is not told again"
    assert later[0].restarted[column], "what came too late is a gap"


def test_any_order_of_arrival_gives_the_same():
    rng = np.random.default_rng(5)
    kept = {segment: np.flatnonzero(rng.random(400) > 0.05) for segment in (THIGH, SHANK, CHEST)}

    def told(sizes):
        one, found, at = ticks(), [], dict.fromkeys(kept, 0)
        while any(at[s] < len(kept[s]) for s in kept):
            segment = list(kept)[rng.integers(3)]
            # None runs ahead of another by more than the least patience.
            if at[segment] > min(at.values()) + 30:
                continue
            size = int(rng.integers(1, sizes))
            found += one.add(segment, *run(kept[segment][at[segment] : at[segment] + size]))
            at[segment] += size
        return [(tick.time_s, tick.sensor_time_us, tick.acc_m_s2.tobytes()) for tick in found]

    whole = told(2)
    assert len(whole) > 390
    for sizes in (2, 5, 12):
        again = told(sizes)
        shorter = min(len(whole), len(again))
        assert again[:shorter] == whole[:shorter]


def test_a_recording_may_come_whole_one_sensor_after_the_other():
    one = ticks()
    told = [tick for segment in (THIGH, CHEST, SHANK) for tick in one.add(segment, *run(range(3000)))]
    assert len(told) == 3000
    assert all(tick.measured.all() for tick in told)
