import numpy as np
import pytest

from firmware_interface.open_profile import decode_packet, resolution
from firmware_interface.virtual.playback import Playback, PlaybackError, digitise
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
    readings = digitise(still(acc_g, gyr_dps))
    assert (readings.acc_range_g, readings.gyr_range_dps) == ranges


def test_readings_are_the_nearest_count():
    playback = still(1.2345, 77.7)
    readings = digitise(playback)
    step = resolution(8, 1000)
    assert readings.clipped == 0
    assert np.abs(readings.counts[:, :3] * step.acc_m_s2 - playback.acc_m_s2).max() <= step.acc_m_s2 / 2
    assert np.abs(readings.counts[:, 3:] * step.gyr_rad_s - playback.gyr_rad_s).max() <= step.gyr_rad_s / 2


def test_what_is_beyond_the_range_is_clipped_and_counted():
    readings = digitise(still(-17, 2500))
    assert readings.counts[3, 2] == -32768
    assert readings.counts[4, 3] == 32767
    assert readings.clipped == 2
    assert digitise(still(3, 300), acc_range_g=2, gyr_range_dps=250).clipped == 2


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
    packet = decode_packet(reel.packet(8, 4))
    assert (packet.sequence, packet.time_us) == (8, 1_080_000)
    np.testing.assert_array_equal(packet.counts, reel.readings.counts[[8, 9, 0, 1]])
    assert decode_packet(reel.packet(65_537, 1)).sequence == 1


def test_the_sensors_clock_leads_back_to_the_instant():
    reel = Reel(still(), speed=20.0, loop=False, clock_start_us=77)
    assert reel.taken_at(77 + 90_000, 50.0) == pytest.approx(reel.due(9, 50.0))
    assert (reel.clock_us(49.0, None), reel.clock_us(50.5, 50.0)) == (77, 77 + 10_000_000)
