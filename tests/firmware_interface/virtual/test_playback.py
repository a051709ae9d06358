import numpy as np
import pytest

from firmware_interface.open_profile import resolution
from firmware_interface.virtual.playback import Playback, PlaybackError, acc_range_g, gyr_range_dps, to_counts
from firmware_interface.virtual.reel import Reel

G = 9.80665


def still(acc_g=1.0, gyr_dps=0.0, count=10, rate_hz=100.0):
    acc, gyr = np.zeros((count, 3)), np.zeros((count, 3))
    acc[3, 2], gyr[4, 0] = acc_g * G, np.radians(gyr_dps)
    return Playback(rate_hz, 7.0 + np.arange(count) / rate_hz, acc, gyr)


@pytest.mark.parametrize(
    ("acc_g", "gyr_dps", "ranges"),
    [
        (1, 0, (8, 1000)),
        (-8, -1000, (8, 1000)),
        (8, 1000, (16, 2000)),
        (-15.9, 1999.9, (16, 2000)),
        (7.99, 999.9, (8, 1000)),
        (40, 5000, (16, 2000)),
    ],
)
def test_the_range_is_the_usual_one_or_the_next_that_holds_the_signals(acc_g, gyr_dps, ranges):
    """The most positive count is 32767: +8 g is one step beyond the range of 8 g, -8 g is within it."""
    signals = still(acc_g, gyr_dps)
    assert (acc_range_g(signals), gyr_range_dps(signals)) == ranges


def test_readings_are_the_nearest_count():
    acc, step = still(1.2345, 77.7).acc_m_s2, resolution(8, 1000).acc_m_s2
    assert np.abs(to_counts(acc, step) * step - acc).max() <= step / 2


def test_what_is_beyond_the_range_is_held_at_its_ends():
    signals, step = still(-17, 2500), resolution(16, 2000)
    assert to_counts(signals.acc_m_s2, step.acc_m_s2)[3, 2] == -32768
    assert to_counts(signals.gyr_rad_s, step.gyr_rad_s)[4, 0] == 32767


def test_another_rate_samples_the_same_movement():
    time_s = 2.0 + np.arange(101) / 50
    ramp = np.outer(time_s, [1.0, -2.0, 0.5])
    half = Playback(50.0, time_s, ramp, -ramp, ramp).at_rate(60.0)
    np.testing.assert_allclose(np.diff(half.time_s), 1 / 60)
    assert (half.time_s[0], len(half.time_s)) == (2.0, 121)
    np.testing.assert_allclose(half.acc_m_s2, np.outer(half.time_s, [1.0, -2.0, 0.5]))
    np.testing.assert_allclose(half.mag_ut, half.acc_m_s2)
    assert half.at_rate(60.0) is half


@pytest.mark.parametrize("what", ["empty", "shape", "nan", "rate", "gap", "backwards"])
def test_what_cannot_be_played_is_refused(what):
    time_s, acc, gyr, rate_hz = np.arange(4) / 100, np.zeros((4, 3)), np.zeros((4, 3)), 100.0
    match what:
        case "empty":
            time_s, acc, gyr = time_s[:0], acc[:0], gyr[:0]
        case "shape":
            gyr = gyr[:, :2]
        case "nan":
            acc[1, 1] = np.nan
        case "rate":
            rate_hz = 0.0
        case "gap":
            time_s[2:] += 1
        case "backwards":
            time_s[2:] -= 0.05
    with pytest.raises(PlaybackError):
        Playback(rate_hz, time_s, acc, gyr)


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(PlaybackError):
        Reel(still(), speed=speed, loop=False)


@pytest.mark.parametrize("loop", [False, True])
def test_a_sample_is_taken_when_it_is_due(loop):
    reel = Reel(still(), speed=4.0, loop=loop)
    for k in range(25 if loop else 10):
        due = reel.due(k, 50.0)
        assert due == pytest.approx(50 + k / 400)
        assert (reel.taken(due - 1e-6, 50.0), reel.taken(due + 1e-6, 50.0)) == (k, k + 1)
    assert reel.taken(999.9999, 50.0) == (380_000 if loop else 10)


def test_the_loop_is_seamless_in_time_and_sequence():
    reel = Reel(still(), speed=1.0, loop=True, clock_start_us=1_000_000)
    assert reel.times_us(8, 4).tolist() == [1_080_000, 1_090_000, 1_100_000, 1_110_000]
    np.testing.assert_array_equal(reel.signals(8, 4).acc_m_s2, still().acc_m_s2[[8, 9, 0, 1]])
    assert not reel.signals(8, 4).mag_ut.any()


def test_a_crystal_that_drifts_samples_faster():
    reel = Reel(still(), speed=1.0, loop=True, drift_ppm=100.0)
    assert reel.due(10_000_000, 0.0) == pytest.approx(100_000 / 1.0001)
    assert reel.clock_us(10_000.0, 0.0) == pytest.approx(10_001_000_000)
    assert reel.taken_at(10_001_000_000, 0.0) == pytest.approx(10_000.0)
    assert reel.time_us(100) == 1_000_000, "it does not know"


def test_the_sensors_clock_leads_back_to_the_instant():
    reel = Reel(still(), speed=20.0, loop=False, clock_start_us=77)
    assert reel.taken_at(77 + 90_000, 50.0) == pytest.approx(reel.due(9, 50.0))
    assert (reel.clock_us(49.0, None), reel.clock_us(50.5, 50.0)) == (77, 77 + 10_000_000)
