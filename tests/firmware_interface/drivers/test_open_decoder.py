import contextlib
import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware_interface.drivers.open_imu import OpenDecoder
from firmware_interface.errors import DecodeError
from firmware_interface.open_profile import Started, encode_packet

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault

RATE_HZ = 100.0
PERIOD_US = 10_000


def started(stream=1, time_us=0, rate_hz=RATE_HZ):
    return Started(rate_hz, 8, 1000, stream, time_us)


def packet(first, count=5, start_us=0):
    """Samples `first` and on of a stream whose sample 0 was taken at `start_us`; readings are the sample's number."""
    numbers = np.arange(first, first + count, dtype=np.int64)
    counts = np.repeat(numbers[:, None] % 30000, 6, axis=1).astype(np.int16)
    return encode_packet(first, start_us + first * PERIOD_US, counts)


class OneRun:
    """A decoder whose every packet is one run."""

    def __init__(self):
        self.decoder = OpenDecoder()

    def begin(self, told):
        return self.decoder.begin(**asdict(told))

    def decode(self, data):
        (run,) = self.decoder.decode(data)
        return run


def decoder_at(time_us=0):
    decoder = OneRun()
    decoder.begin(started(time_us=time_us))
    return decoder


def numbers(samples):
    return np.rint(samples.acc_m_s2[:, 0] / started().resolution.acc_m_s2).astype(int).tolist()


def test_samples_are_in_si_units_on_the_sensors_clock():
    samples = decoder_at().decode(packet(0))
    step = started().resolution
    np.testing.assert_array_equal(samples.sensor_time_us, np.arange(5) * PERIOD_US)
    np.testing.assert_array_equal(samples.acc_m_s2, np.repeat(np.arange(5.0)[:, None], 3, axis=1) * step.acc_m_s2)
    np.testing.assert_array_equal(samples.gyr_rad_s, np.repeat(np.arange(5.0)[:, None], 3, axis=1) * step.gyr_rad_s)
    assert samples.lost_before == 0


def test_time_goes_on_where_its_32_bits_end():
    start_us = 2**32 - 12 * PERIOD_US
    decoder = decoder_at(start_us)
    times = np.concatenate([decoder.decode(packet(n, start_us=start_us)).sensor_time_us for n in range(0, 50, 5)])
    np.testing.assert_array_equal(times, start_us + np.arange(50) * PERIOD_US)


def test_the_sequence_goes_on_where_its_16_bits_end():
    decoder = decoder_at(time_us=65_530 * PERIOD_US)
    assert [decoder.decode(packet(n)).lost_before for n in range(65_520, 65_560, 5)] == [0] * 8


@given(gap=st.integers(0, 5_900))
@settings(UNHURRIED)
def test_what_a_full_queue_dropped_is_counted(gap):
    decoder = decoder_at()
    decoder.decode(packet(0))
    assert decoder.decode(packet(5 + gap)).lost_before == gap


@given(gap=st.integers(0, 3_000_000))
@settings(UNHURRIED, max_examples=200)
def test_what_a_lost_link_cost_is_counted_beyond_both_wraps(gap):
    decoder = decoder_at()
    decoder.decode(packet(0))
    first = 5 + gap
    assert decoder.begin(started(time_us=first * PERIOD_US - 3))
    samples = decoder.decode(packet(first))
    assert samples.lost_before == gap
    assert samples.sensor_time_us[0] == first * PERIOD_US


@pytest.mark.parametrize("changed", [{"stream": 2}, {"rate_hz": 50.0}])
def test_another_stream_begins_afresh(changed):
    decoder = decoder_at()
    decoder.decode(packet(1000, start_us=-10_000_000))
    assert not decoder.begin(started(**changed))
    samples = decoder.decode(packet(0))
    assert (samples.lost_before, samples.sensor_time_us[0]) == (0, 0)


def test_nothing_is_decoded_before_the_sensor_said_how_it_samples():
    with pytest.raises(DecodeError):
        OpenDecoder().decode(packet(0))


@pytest.mark.parametrize("bit", range(16, 64))
def test_a_bit_flipped_in_the_header_is_noticed_or_harmless(bit):
    """Bits 16 to 31 are the sequence, 32 to 63 the time. A time wrong by under half a sample is let through."""
    decoder = decoder_at(time_us=5 * PERIOD_US)
    decoder.decode(packet(5))
    flipped = (int.from_bytes(packet(10), "little") ^ 1 << bit).to_bytes(len(packet(10)), "little")
    try:
        samples = decoder.decode(flipped)
    except DecodeError:
        assert decoder.decode(packet(15)).lost_before == 5
    else:
        assert bit >= 32
        assert samples.lost_before == 0
        assert abs(int(samples.sensor_time_us[0]) - 10 * PERIOD_US) < PERIOD_US / 2
        assert decoder.decode(packet(15)).lost_before == 0


def test_a_packet_that_comes_twice_counts_once():
    decoder = decoder_at()
    decoder.decode(packet(0))
    with pytest.raises(DecodeError):
        decoder.decode(packet(0))
    assert decoder.decode(packet(5)).lost_before == 0


def test_a_sensor_that_jumped_is_believed_at_its_second_packet():
    decoder = decoder_at()
    decoder.decode(packet(500))
    with pytest.raises(DecodeError):
        decoder.decode(packet(0))
    assert numbers(decoder.decode(packet(5))) == [5, 6, 7, 8, 9]
    assert numbers(decoder.decode(packet(10))) == [10, 11, 12, 13, 14]


def test_a_sensors_rate_may_be_one_percent_off():
    decoder = decoder_at()
    for first in range(0, 5_000, 19):
        data = encode_packet(first, round(first * PERIOD_US * 1.01), np.zeros((19, 6), np.int16))
        assert decoder.decode(data).lost_before == 0


junk = st.one_of(
    st.binary(max_size=600),
    st.builds(lambda n, cut: packet(n)[:cut], st.integers(0, 10**6), st.integers(0, 67)),
    st.builds(lambda n, m: packet(n) + packet(m), st.integers(0, 10**6), st.integers(0, 10**6)),
    st.builds(packet, st.integers(20_000, 60_000), st.integers(1, 40)),
)


@given(st.lists(junk, min_size=1, max_size=30))
@settings(UNHURRIED, max_examples=300)
def test_the_stream_recovers_at_the_next_good_packet(pieces):
    """Junk of any kind raises DecodeError and nothing else, and takes none of the good packets with it."""
    decoder = decoder_at()
    for index, piece in enumerate(pieces):
        samples = decoder.decode(packet(index * 5))
        assert numbers(samples) == list(range(index * 5, index * 5 + 5))
        assert samples.lost_before == 0
        with pytest.raises(DecodeError):
            decoder.decode(piece)


@given(st.lists(st.binary(max_size=600), max_size=50))
@settings(UNHURRIED, max_examples=300)
def test_no_bytes_raise_anything_but_a_decode_error(pieces):
    decoder = decoder_at()
    for piece in pieces:
        for data in (piece, b"\x01" + bytes([(len(piece) // 12) & 0xFF]) + bytes(6) + piece[: len(piece) // 12 * 12]):
            with contextlib.suppress(DecodeError):
                assert len(decoder.decode(data)) == data[1]


@UNHURRIED
@given(
    start_us=st.integers(0, 2**33),
    lost=st.sets(st.integers(1, 39)),
    dies_before=st.integers(1, 39),
    back_after=st.integers(0, 30_000),
)
def test_a_bookmark_takes_up_where_samples_were_handed_out_last(start_us, lost, dies_before, back_after):
    """A gateway dies and another takes up the stream: of all that came, each sample is handed out once, in order, and
    every gap is counted."""
    back_at = 5 * (dies_before + back_after)
    dying = OpenDecoder()
    dying.begin(**asdict(started(time_us=start_us)))
    kept = list(handed_out(dying, [5 * n for n in range(dies_before) if n not in lost], start_us))
    bookmark = dying.bookmark()
    taking_up = OpenDecoder()
    taking_up.recall(json.loads(json.dumps(bookmark)))
    assert taking_up.begin(**asdict(started(time_us=start_us + back_at * PERIOD_US)))
    kept += handed_out(taking_up, range(back_at, back_at + 50, 5), start_us)
    kept += taking_up.give_up()
    until = 0
    for run in kept:
        (first, *_) = at = (run.sensor_time_us - start_us) // PERIOD_US
        assert first - until == run.lost_before
        until = at[-1] + 1
        assert numbers(run) == [number % 30000 for number in at]
    assert until == back_at + 50


def handed_out(decoder, firsts, start_us):
    """As a driver does to whom nothing is sent again, except that it does not give up what is missing."""
    for first in firsts:
        (run,) = decoder.decode(packet(first, start_us=start_us))
        if lead := decoder.take_lead():
            decoder.filler.doubt(decoder.number - lead, decoder.number)
            yield from decoder.filler.exist_from(decoder.number)
        yield from decoder.filler.add(decoder.number, run)


def test_there_is_no_bookmark_before_the_first_packet():
    decoder = OpenDecoder()
    assert decoder.bookmark() is None
    decoder.begin(**asdict(started()))
    assert decoder.bookmark() is None


def test_a_bookmark_of_another_stream_is_not_taken_up():
    decoder = OpenDecoder()
    decoder.recall({"stream": 1, "rate_hz": RATE_HZ, "sequence": 4000, "time_us": 4e7})
    assert not decoder.begin(**asdict(started(stream=2)))
    (run,) = decoder.decode(packet(0))
    assert run.lost_before == 0
