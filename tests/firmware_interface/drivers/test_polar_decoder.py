"""Streams of Polar's frames become samples, whatever is lost, damaged or late."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interface.drivers.polar.control import Measurement
from firmware_interface.drivers.polar.decoder import PolarDecoder, acc_step_g
from firmware_interface.errors import DecodeError
from firmware_interface.virtual.families.polar.frames import encode_compressed, encode_raw

PERIOD_NS = 20_000_000  # 50 Hz
START_NS = 762_028_708_863_099_136  # of a captured frame, issue 443
COUNT = 33
ACC_ONLY = {"rate_hz": 50, "acc_range_g": 8}
IMU = {**ACC_ONLY, "gyr_rate_hz": 50, "gyr_range_dps": 2000, "gyr_factor": 2000 / 32768}
WITH_FIELD = {**IMU, "mag_rate_hz": 10, "mag_factor": 50 / 32768}


def numbers(frame):
    return np.arange(frame * COUNT, (frame + 1) * COUNT)


def acc(frame):
    """Samples whose x is their number, in mg."""
    counts = np.column_stack([numbers(frame) % 8000, numbers(frame) % 7, numbers(frame) % 3])
    return encode_compressed(Measurement.ACC, START_NS + int(numbers(frame)[-1]) * PERIOD_NS, 1, counts)


def gyro(frame, **changed):
    counts = np.column_stack([numbers(frame) % 8000, -numbers(frame) % 5, numbers(frame) % 3])
    last_ns = START_NS + int(numbers(frame)[-1]) * PERIOD_NS
    return encode_compressed(Measurement.GYRO, **{"last_ns": last_ns, "frame_type": 0, "counts": counts} | changed)


def field(frame, count=7):
    """Ten readings a second, each 2.5 samples after a fifth one; x is the reading's number."""
    reading = np.arange(frame * count, (frame + 1) * count)
    counts = np.column_stack([reading, reading % 2, reading % 3])
    return encode_compressed(Measurement.MAG, START_NS + int(reading[-1]) * 5 * PERIOD_NS, 0, counts)


def decoder(begin):
    made = PolarDecoder()
    made.begin(**begin)
    return made


def heard(runs):
    """The numbers of the samples in these runs, by their time; what they measured must agree."""
    found = []
    for run in runs:
        number = (run.sensor_time_us - START_NS // 1000 + 5) // 20_000
        np.testing.assert_allclose(run.acc_m_s2[:, 0] / 9.80665e-3, number % 8000, atol=1e-6)
        if not np.isnan(run.gyr_rad_s).all():
            np.testing.assert_allclose(np.degrees(run.gyr_rad_s[:, 0]) * 32768 / 2000, number % 8000, atol=1e-6)
        found += number.tolist()
    return found


def fed(made, frames):
    """The runs of these frames; a bad one must be refused."""
    runs = []
    for frame in frames:
        with contextlib.suppress(DecodeError):
            runs += made.decode(frame)
    return runs


def test_acceleration_alone_has_no_angular_rate():
    (run,) = decoder(ACC_ONLY).decode(encode_raw(Measurement.ACC, START_NS, np.array([[0, 0, 1000]] * 3)))
    np.testing.assert_allclose(run.acc_m_s2, [[0, 0, 9.80665]] * 3)
    assert np.isnan(run.gyr_rad_s).all()
    assert run.gyr_rad_s.shape == (3, 3)
    assert run.mag_ut is None


@pytest.mark.parametrize("order", [(acc, gyro), (gyro, acc)])
def test_acceleration_and_angular_rate_come_together(order):
    made = decoder(IMU)
    runs = [made.decode(make(frame)) for frame in range(5) for make in order]
    assert [len(some) for some in runs] == [0, 1] * 5
    samples = [run for some in runs for run in some]
    assert heard(samples) == list(range(5 * COUNT))
    assert [run.lost_before for run in samples] == [0] * 5


@pytest.mark.parametrize("missing", [acc, gyro])
def test_a_lost_frame_of_either_stream_is_a_gap(missing):
    made = decoder(IMU)
    frames = [make(frame) for frame in range(6) for make in (acc, gyro) if not (frame == 2 and make is missing)]
    runs = fed(made, frames)
    assert heard(runs) == [n for n in range(6 * COUNT) if n // COUNT != 2]
    assert [run.lost_before for run in runs if run.lost_before] == [COUNT]


def test_lost_frames_of_both_streams_are_counted_once():
    made = decoder(IMU)
    runs = fed(made, [make(frame) for frame in (0, 1, 5, 6) for make in (acc, gyro)])
    assert [run.lost_before for run in runs] == [0, 0, 3 * COUNT, 0]


def test_a_reading_at_the_end_of_the_range_is_flagged_and_taken():
    made = decoder(IMU)
    counts = np.zeros((COUNT, 3), int)
    counts[[3, 7]] = [[0, -32768, 0], [0, 0, 32767]]
    made.decode(gyro(0, counts=counts))
    (run,) = made.decode(acc(0))
    assert np.flatnonzero(run.clipped).tolist() == [3, 7]
    assert run.gyr_rad_s[3, 1] == pytest.approx(-math.radians(2000))


@pytest.mark.parametrize(
    ("begin", "frame"),
    [
        (ACC_ONLY, encode_compressed(Measurement.ACC, START_NS, 1, np.array([[0, 0, 0], [0, 40_000, 0]]))),
        (ACC_ONLY, encode_compressed(Measurement.ACC, START_NS, 0, np.array([[40, 0, 0]]))),
        ({**IMU, "gyr_factor": 1.0}, bytes([5]) + bytes(8) + b"\x81" + np.array([0, 4000, 0], "<f4").tobytes()),
    ],
    ids=["beyond 16 bits", "in g without a factor", "beyond its range"],
)
def test_a_reading_that_cannot_be_is_refused(begin, frame):
    with pytest.raises(DecodeError, match="cannot be"):
        decoder(begin).decode(frame)


def test_a_stream_that_was_not_asked_for_is_refused():
    with pytest.raises(DecodeError, match="not asked for"):
        decoder(ACC_ONLY).decode(gyro(0))
    with pytest.raises(DecodeError, match="not asked for"):
        PolarDecoder().decode(acc(0))


def test_the_factor_tells_in_which_unit_acceleration_will_come():
    assert acc_step_g(1.0) == 1e-3
    assert acc_step_g(8 / 32768) == 8 / 32768
    assert acc_step_g(0.244) == pytest.approx(0.000244)


def test_the_magnetic_field_is_given_to_the_nearest_sample_once():
    made = decoder(WITH_FIELD)
    runs = fed(made, [make(frame) for frame in range(6) for make in (acc, gyro, field)] + [field(6)])
    mag_ut = np.concatenate([run.mag_ut for run in runs])
    assert heard(runs) == list(range(len(mag_ut)))
    new = np.isfinite(mag_ut).all(axis=1)
    assert np.flatnonzero(new).tolist() == list(range(0, len(mag_ut), 5))
    np.testing.assert_allclose(mag_ut[new, 0], np.arange(new.sum()) * 100 * 50 / 32768)


def test_samples_wait_for_a_magnetic_field_that_does_not_come_only_so_long():
    made = decoder(WITH_FIELD)
    runs = fed(made, [make(frame) for frame in range(60) for make in (acc, gyro)])
    assert 60 * COUNT - 1024 - COUNT <= len(heard(runs)) < 60 * COUNT
    assert all(np.isnan(run.mag_ut).all() for run in runs)


def test_a_stream_that_ran_on_while_the_link_was_lost_goes_on_and_the_loss_is_counted():
    made = decoder(IMU)
    fed(made, [acc(0), gyro(0), acc(1)])
    assert made.begin(**IMU, running=True)
    runs = fed(made, [make(frame) for frame in (400, 401) for make in (acc, gyro)])
    assert [run.lost_before for run in runs] == [399 * COUNT, 0]
    assert heard(runs) == list(range(400 * COUNT, 402 * COUNT))


@pytest.mark.parametrize("begin", [IMU, {**IMU, "running": True, "rate_hz": 52}, {**ACC_ONLY, "running": True}])
def test_another_stream_begins_anew(begin):
    made = decoder(IMU)
    fed(made, [acc(0), gyro(0)])
    assert not made.begin(**begin)
    assert [run.lost_before for run in fed(made, [acc(50), gyro(50)])] == [0]


def test_a_clock_that_was_set_costs_no_sample():
    made = decoder(ACC_ONLY)
    runs = [made.decode(acc(400))]
    for frame in (acc(0), acc(1), acc(2)):
        with contextlib.suppress(DecodeError):
            runs.append(made.decode(frame))
    assert [heard(some) for some in runs] == [
        list(range(400 * COUNT, 401 * COUNT)),
        list(range(2 * COUNT)),
        list(range(2 * COUNT, 3 * COUNT)),
    ]


junk = st.one_of(
    st.binary(max_size=240),
    st.builds(lambda frame, cut: acc(frame)[:cut], st.integers(0, 900), st.integers(0, 230)),
    st.builds(lambda a, b: acc(a) + gyro(b), st.integers(0, 900), st.integers(0, 900)),
    st.builds(lambda frame, bit: flipped(gyro(frame), bit), st.integers(0, 900), st.integers(0, 79)),
    st.builds(gyro, st.integers(100, 900)),
)


def flipped(data, bit):
    return (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little")


@given(st.lists(junk, min_size=1, max_size=30))
def test_the_stream_recovers_at_the_third_pair_of_good_frames(pieces):
    """A damaged time may be believed; then it takes two good frames to outvote it, and a pair to make samples of."""
    made, frame = decoder(IMU), 0
    for piece in pieces:
        fed(made, [piece])
        runs = fed(made, [make(frame + n) for n in range(3) for make in (acc, gyro)])
        assert heard(runs[-1:])[-1:] == [(frame + 3) * COUNT - 1]
        frame += 3


@given(
    st.lists(st.tuples(st.sampled_from([2, 5, 6]), st.sampled_from([0x00, 0x01, 0x80, 0x81]), st.binary(max_size=240)))
)
def test_no_bytes_raise_anything_but_a_decode_error_and_memory_stays_bounded(pieces):
    made = decoder(WITH_FIELD)
    for number, (measurement, kind, body) in enumerate(pieces):
        header = bytes([measurement]) + (START_NS + number * 33 * PERIOD_NS).to_bytes(8, "little") + bytes([kind])
        fed(made, [header + body])
    assert len(made._pairing._first) <= 1024
    assert len(made._pairing._second) <= 1024
    assert sum(len(run.times_us) for run in made._waiting) <= 1024
