"""Halves of Movesense packets: put together, and nothing worse than a named error where one is missing."""

import pickle
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_interface.drivers.movesense import driver as movesense
from firmware_interface.drivers.movesense.decoder import STREAM_REFERENCE, MovesenseDecoder
from firmware_interface.drivers.movesense.payloads import STREAMS
from firmware_interface.errors import DecodeError


def payload(stream="IMU9", number=0, rate_hz=104.0, count=8, value=1.0):
    values = np.full(len(STREAMS[stream]) * count * 3, value, dtype="<f4")
    return struct.pack("<I", int(10_000 + number * count * 1000 / rate_hz)) + values.tobytes()


def halves(content, reference=STREAM_REFERENCE):
    parts = [content[:150], content[150:]]
    return [bytes([kind, reference]) + part for kind, part in zip((2, 3), parts, strict=True) if part]


def begun(stream="IMU9", rate_hz=104.0, **options):
    decoder = MovesenseDecoder()
    decoder.begin(stream, rate_hz, **options)
    return decoder


def fed(decoder, notifications):
    """Samples and refusals of these notifications."""
    runs, refused = [], []
    for data in notifications:
        try:
            runs += decoder.decode(data)
        except DecodeError as error:
            refused.append(str(error))
    return runs, refused


@pytest.mark.parametrize("stream", STREAMS)
def test_every_stream_is_put_together(stream):
    runs, refused = fed(begun(stream), [half for k in range(3) for half in halves(payload(stream, k))])
    assert ([len(run) for run in runs], [run.lost_before for run in runs], refused) == ([8] * 3, [0] * 3, [])
    assert np.isnan(runs[0].acc_m_s2).all() == ("a" not in STREAMS[stream])
    assert np.isnan(runs[0].gyr_rad_s).all() == ("g" not in STREAMS[stream])
    assert (runs[0].mag_ut is None) == ("m" not in STREAMS[stream])


@pytest.mark.parametrize(
    ("left_out", "troubles", "lost"),
    [
        ([0], ["came without its first"], 8),
        ([1], ["did not come"], 8),
        ([0, 1], [], 8),
        ([1, 3], ["did not come"] * 2, 16),
        ([0, 2, 4], ["came without its first"] * 3, 24),
    ],
)
def test_a_half_that_is_missing_costs_its_packet(left_out, troubles, lost):
    notifications = [half for k in range(6) for half in halves(payload(number=k))]
    sent = notifications[:2] + [data for k, data in enumerate(notifications[2:]) if k not in left_out]
    runs, refused = fed(begun(), sent)
    assert [trouble in text for trouble, text in zip(troubles, refused, strict=True)] == [True] * len(troubles)
    assert (sum(map(len, runs)), sum(run.lost_before for run in runs)) == (48 - lost, lost)


def test_a_first_half_does_not_outlive_its_stream():
    decoder = begun()
    first, second = halves(payload())
    decoder.decode(first)
    decoder.begin("IMU9", 104.0)
    with pytest.raises(DecodeError, match="without its first"):
        decoder.decode(second)


def test_other_subscriptions_between_the_halves_do_no_harm():
    first, second = halves(payload())
    other_first, other_second = halves(payload(number=7), reference=9)
    runs, refused = fed(begun(), [first, other_first, b"\x01\x09\xc8\x00", second, other_second])
    assert (len(runs), len(refused)) == (1, 3)
    assert runs[0].sensor_time_us[0] == 10_000_000


@pytest.mark.parametrize(
    "data",
    [b"", b"\x02", b"\x02\x01", b"\x04\x01\x00\x00", b"\x02\x01" + bytes(511), bytes(18), b"\x01\x01\xc8\x00"],
)
def test_what_is_no_part_of_the_stream_is_refused(data):
    with pytest.raises(DecodeError):
        begun().decode(data)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 201.0])
def test_readings_that_no_sensor_takes_are_refused(value):
    with pytest.raises(DecodeError, match="no such sensor can take"):
        begun("IMU6", 52.0).decode(b"\x02\x01" + payload("IMU6", rate_hz=52.0, count=4, value=value))


def test_samples_before_the_start_are_refused():
    with pytest.raises(DecodeError, match="before they were asked for"):
        MovesenseDecoder().decode(b"\x02\x01" + payload("IMU6", count=4))


def test_the_clock_goes_on_after_49_days():
    decoder = begun("Acc", 13.0, clock_ms=2**32 - 50)
    packets = [struct.pack("<I", (2**32 - 10 + k * 77) % 2**32) + bytes(12) for k in range(3)]
    runs, refused = fed(decoder, [b"\x02\x01" + packet for packet in packets])
    assert not refused
    assert [int(run.sensor_time_us[0]) for run in runs] == [(2**32 - 10 + k * 77) * 1000 for k in range(3)]


def test_the_clock_tells_whether_it_goes_on():
    decoder = begun("IMU6", 104.0, clock_ms=9_000)
    fed(decoder, halves(payload("IMU6")))
    assert decoder.begin("IMU6", 104.0, clock_ms=20_000), "what was between is lost"
    assert not decoder.begin("IMU6", 104.0, clock_ms=3_000), "it was restarted"
    assert not decoder.begin("IMU6", 104.0), "it does not tell"
    fed(decoder, halves(payload("IMU6")))
    assert not decoder.begin("IMU6", 52.0, clock_ms=20_000), "another stream"


junk = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda kind, rest: bytes([kind, STREAM_REFERENCE]) + rest, st.sampled_from([2, 3]), st.binary(max_size=300)
    ),
    st.builds(lambda k, cut: halves(payload(number=k))[0][:cut], st.integers(0, 900), st.integers(0, 152)),
    st.builds(lambda k: halves(payload(number=k))[1], st.integers(0, 900)),
)


@settings(deadline=None)
@given(st.lists(junk, max_size=30), st.integers(0, 1000))
def test_after_any_bytes_two_good_packets_bring_the_stream_back(bad, number):
    decoder = begun()
    fed(decoder, bad)
    assert len(pickle.dumps(decoder)) < 3_000, "no more than one half is kept"
    good = [half for k in (number, number + 1) for half in halves(payload(number=k))]
    runs, _ = fed(decoder, good)
    assert runs, "a clock that junk had set on is believed once more than it"
    assert runs[-1].sensor_time_us[0] == int(10_000 + (number + 1) * 8000 / 104) * 1000


@pytest.mark.parametrize(
    "decode",
    [
        movesense.decode_heart_rate,
        movesense.decode_hello,
        movesense.decode_log_chunk,
        movesense.decode_log_entries,
        movesense.decode_number,
        movesense.decode_result,
        movesense.decode_temperature,
        movesense.decode_time,
    ],
)
@given(data=st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda rest: b"\x01" + rest)))
@settings(deadline=None, max_examples=50)
def test_no_answer_raises_more_than_a_decode_error(decode, data):
    with suppress(DecodeError):
        decode(data)
